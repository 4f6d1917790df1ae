/**
 * The player of all stems of a run.
 *
 * Stems are numbered through all groups. Events: "state" (playing, position, group), "mix",
 * "loop", "loading" ({done, total}, of stems decoded, or {error, stem}).
 */
class Player extends Emitter {
  #sound;
  #position = 0;
  #wanted = false;
  #loading = null;
  #failed = new Set();
  #sounding = [];

  /**
   * @param {object} contents - The contents of the page.
   * @param {function(object): Promise<ArrayBuffer>} read - The encoded sound of a stem.
   */
  constructor(contents, read) {
    super();
    this.mode = contents.sound.mode;
    this.master = 0;
    this.loop = null;
    this.group = 0;
    this.#sound = this.mode === "link" ? new LinkedSound() : new DecodedSound(contents.sr, read);
    this.#sound.ended = () => this.#end();
    this.#sound.failed = (error, stem) => this.emit("loading", { error, stem: this.stems.indexOf(stem) });
    this.replace(contents);
  }

  /** Replace the stems, and keep the mix of stems with the same name. */
  replace(contents) {
    const before = this.stems?.map((stem, i) => ({ stem, i, group: this.groupOf[i] })) ?? [];
    const was = { gains: this.gains, pans: this.pans, muted: this.muted, solo: this.solo };
    this.stems = contents.groups.flatMap((group) => group.stems);
    this.groupOf = contents.groups.flatMap((group, g) => group.stems.map(() => g));
    this.duration = contents.duration;
    this.#sound.duration = contents.duration;
    this.group = Math.min(this.group, Math.max(0, contents.groups.length - 1));
    const old = this.stems.map((stem, i) =>
      before.find((one) => one.stem.name === stem.name && one.group === this.groupOf[i]));
    const kept = (what, fresh) => old.map((one, i) =>
      one && fresh(one.stem) === fresh(this.stems[i]) ? was[what][one.i] : fresh(this.stems[i]));
    this.gains = kept("gains", (stem) => stem.gain ?? 0);
    this.pans = kept("pans", (stem) => stem.pan ?? 0);
    this.muted = kept("muted", (stem) => Boolean(stem.muted));
    this.solo = kept("solo", () => false);
    this.#sound.keep(this.stems);
    if (!this.#wanted) return;
    const sounding = this.#sounding.join("\n") === this.#members().map((i) => soundKey(this.stems[i])).join("\n");
    if (sounding) this.#sound.mix(this.#mixOf(this.#members()));
    else this.#restart(this.time);
  }

  /** Whether there is any sound. */
  get sounding() {
    return this.stems.some((_, i) => this.hasSound(i));
  }

  /** Whether a stem has sound. */
  hasSound(i) {
    return this.mode !== "none" && soundKey(this.stems[i]) != null;
  }

  /** Whether levels above 0 dB, pans and exact loops are possible. */
  get exact() {
    return this.#sound.exact;
  }

  /** The AudioContext; none for linked sound. */
  get context() {
    return this.#sound.context ?? null;
  }

  /** The audible position, in seconds of the recording. */
  get time() {
    return Math.min(this.duration, Math.max(0, this.#sound.time ?? this.#position));
  }

  /** Whether it plays, or will play after the stems are decoded. */
  get playing() {
    return this.#wanted;
  }

  /** Whether the stems of the group are ready to play. */
  get ready() {
    return this.#members().every((i) => this.#sound.has(this.stems[i]));
  }

  /** The bytes of the group's decoded sound. */
  get size() {
    return this.#members().length * this.duration * (this.#sound.sr ?? 0) * 8;
  }

  /** The indices of the stems of the group that have sound. */
  #members() {
    return [...this.stems.keys()].filter((i) =>
      this.groupOf[i] === this.group && this.hasSound(i)
      && !this.#failed.has(soundKey(this.stems[i])));
  }

  /** Decode the stems of the group. */
  load() {
    this.#loading ??= this.#decode().finally(() => { this.#loading = null; });
    return this.#loading;
  }

  async #decode() {
    const members = this.#members();
    const waiting = members.filter((i) => !this.#sound.has(this.stems[i]));
    const total = members.length;
    let done = total - waiting.length;
    const next = async () => {
      for (let i = waiting.shift(); i !== undefined; i = waiting.shift()) {
        this.emit("loading", { done, total });
        await this.#decodeStem(i);
        done += 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    this.emit("loading", { done, total });
  }

  async #decodeStem(i) {
    try {
      await this.#sound.load(this.stems[i]);
    } catch (error) {
      this.#failed.add(soundKey(this.stems[i]));
      this.emit("loading", { error, stem: i });
    }
  }

  /** Play from the current position. */
  async play() {
    if (this.#wanted || !this.sounding) return;
    this.#wanted = true;
    this.emit("state");
    // Without await: scheduled sound starts as soon as the context runs.
    this.#sound.wake();
    await this.#restart(this.#position >= this.duration ? 0 : this.#position);
  }

  async #restart(position) {
    this.#position = position;
    this.#sound.stop();
    while (this.#wanted && !this.ready) await this.load();
    if (!this.#wanted || this.#sound.time !== null) return;
    const members = this.#members();
    const from = this.loop && this.#position >= this.loop[1] ? this.loop[0] : this.#position;
    const stems = members.map((i) => this.stems[i]);
    this.#sounding = stems.map(soundKey);
    if (stems.length) this.#sound.start(stems, this.#mixOf(members), from, this.loop);
    else this.#end();
    this.emit("state");
  }

  /** Pause at the current position. */
  pause() {
    if (!this.#wanted) return;
    this.#position = this.time;
    this.#wanted = false;
    this.#sound.stop();
    this.emit("state");
  }

  /** Play or pause. */
  toggle() {
    return this.playing ? this.pause() : this.play();
  }

  #end() {
    this.#sound.stop();
    this.#wanted = false;
    this.#position = 0;
    this.emit("state");
  }

  /** Seek to a time, in seconds. */
  seek(seconds) {
    this.#position = Math.min(this.duration, Math.max(0, seconds));
    if (this.#wanted) this.#restart(this.#position);
    this.emit("state");
  }

  /** Loop from `a` to `b` seconds; null ends it. */
  setLoop(a, b) {
    const time = this.time;
    if (a === null) {
      this.loop = null;
    } else {
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      const start = Math.max(0, Math.min(from, this.duration - RAMP));
      this.loop = [start, Math.max(start + RAMP, Math.min(to, this.duration))];
    }
    const inside = !this.loop || (time >= this.loop[0] && time < this.loop[1]);
    if (this.#wanted) this.#restart(inside ? time : this.loop[0]);
    else if (!inside) this.#position = this.loop[0];
    this.emit("loop");
    this.emit("state");
  }

  /** Play another group of stems. */
  setGroup(group) {
    const time = this.time;
    this.group = group;
    if (this.#wanted) this.#restart(time);
    this.emit("mix");
    this.emit("state");
  }

  /** The level of a stem, in dB. */
  setGain(i, dB) {
    this.gains[i] = this.exact ? dB : Math.min(0, dB);
    this.#remix();
  }

  /** The pan of a stem, from -1 (left) to 1 (right). */
  setPan(i, pan) {
    this.pans[i] = Math.min(1, Math.max(-1, pan));
    this.#remix();
  }

  /** Mute or unmute a stem. */
  setMuted(i, muted) {
    this.muted[i] = muted;
    this.#remix();
  }

  /** Set or clear the solo of a stem. */
  setSolo(i, solo) {
    this.solo[i] = solo;
    this.#remix();
  }

  /** The master level, in dB. */
  setMaster(dB) {
    this.master = dB;
    this.#remix();
  }

  /** Hear this stem alone. */
  onlyThis(i) {
    this.#inGroup((k) => { this.solo[k] = k === i; });
    this.muted[i] = false;
    this.#remix();
  }

  /** Hear all but this stem. */
  allBut(i) {
    this.#inGroup((k) => { this.solo[k] = false; this.muted[k] = k === i; });
    this.#remix();
  }

  /** Clear all mutes and solos of the group. */
  hearAll() {
    this.#inGroup((k) => { this.solo[k] = this.muted[k] = false; });
    this.#remix();
  }

  /** Whether a stem is audible, apart from its level; stems without sound count as audible. */
  audible(i) {
    if (this.groupOf[i] !== this.group) return false;
    if (!this.hasSound(i)) return true;
    const alone = this.solo.some((solo, k) => solo && this.groupOf[k] === this.group);
    return alone ? this.solo[i] : !this.muted[i];
  }

  #inGroup(change) {
    for (const k of this.stems.keys()) if (this.groupOf[k] === this.group) change(k);
  }

  #mixOf(members) {
    return members.map((i) => ({
      gain: this.audible(i) ? amplitude(this.gains[i]) : 0, pan: this.pans[i],
    }));
  }

  #remix() {
    this.#sound.master = amplitude(this.master);
    this.#sound.mix(this.#mixOf(this.#members()));
    this.emit("mix");
  }

  /**
   * Render the current mix.
   *
   * @param {number} start - Seconds.
   * @param {number} seconds - How long.
   * @returns {Promise<AudioBuffer>}
   */
  async renderOffline(start, seconds) {
    if (!this.exact) throw new Error("linked audio cannot be rendered; embed it with --report-audio ogg or mp3");
    await this.load();
    const members = this.#members();
    const stems = members.map((i) => this.stems[i]);
    return this.#sound.render(stems, this.#mixOf(members), start, seconds);
  }
}
