"use strict";

const SHORTCUTS = [
  ["Space", "Play or pause"],
  ["← →", "Back or forward 1 second; with Shift 5 seconds"],
  ["Home", "Back to the start"],
  ["M, S", "Mute or solo the stem in focus or under the pointer"],
  ["↑ ↓", "Go to the stem above or below"],
  ["1 … 9", "Solo the first to the ninth stem"],
  ["0", "Hear all"],
  ["L", "Loop the last region or the visible part; press again to stop looping"],
  ["[ ]", "Start or end the loop here"],
  ["+ −", "Zoom in or out; W for the whole recording"],
  ["N, P", "Notes over the spectrogram on or off; all pitches on or off"],
  ["Click", "Seek"],
  ["Drag", "Select a region and loop it"],
  ["Ctrl + wheel, pinch", "Zoom; Shift + wheel scrolls"],
  ["?", "Show this help"],
];
const HINT = matchMedia("(pointer: coarse)").matches
  ? "Tap to seek, drag to loop, pinch to zoom."
  : "Click to seek, drag to loop, Ctrl + wheel to zoom.";
/** Spectra shown per second. */
const SPECTRA = 12;
const byId = (id) => document.getElementById(id);

/** The page: connects the pictures and the player. */
class Page {
  constructor(contents) {
    this.contents = contents;
    this.player = new Player(contents, readSound);
    this.view = new View(contents.duration);
    this.roll = new Roll(byId("spectrogram"), byId("keys"), this.view, this.player);
    this.pianoRoll = new PianoRoll(byId("piano-roll"), byId("roll-keys"), this.view, this.player);
    this.lastLoop = null;
    this.rows = [];
    this.cursors = [];
    this.#wirePlayer();
    this.#wireTransport();
    this.#wirePictures();
    scrollWith(byId("scroll"), this.view);
    wireKeys(this);
    byId("shortcuts").append(...SHORTCUTS.flatMap(([keys, does]) =>
      [make("dt", { text: keys }), make("dd", { text: does })]));
    DARK.addEventListener("change", () => {
      this.roll.recolour();
      this.pianoRoll.draw();
    });
    byId("about").textContent = HINT;
    this.update(contents);
  }

  /** Show new contents; time, zoom and mix stay. */
  update(contents) {
    const whole = this.view.whole;
    this.contents = contents;
    this.player.replace(contents);
    this.view.duration = contents.duration;
    this.view.show(this.view.from, whole ? contents.duration : this.view.to);
    byId("title").textContent = document.title = contents.title;
    byId("facts").textContent = factLine(contents);
    byId("warnings").hidden = !contents.warnings?.length;
    byId("warnings").replaceChildren(...(contents.warnings ?? []).map((text) => make("li", { text, dir: "auto" })));
    byId("info").replaceChildren(...infoOf(contents));
    this.#fillStems();
    this.#fillGroups();
    this.roll.set(contents);
    this.pianoRoll.set(contents);
    this.#fitGroup();
    this.#trouble = "";
    this.#say(aboutSound(contents, this.player));
    document.body.classList.toggle("soundless", !this.player.sounding);
    document.body.classList.toggle("many", this.player.stems.length > 12);
    this.showMix();
    this.showState();
  }

  #fillStems() {
    const at = document.activeElement?.closest?.(".stem .stem-mix button");
    const focused = at?.getAttribute("aria-label");
    this.rows = this.player.stems.map((_, i) => new StemRow(i, this.player, this.view));
    byId("stems").replaceChildren(...this.rows.map((row) => row.element));
    if (this.rows.length === 0) byId("stems").append(make("p", { text: "This run has no stems." }));
    for (const row of this.rows) this.#wireRow(row);
    this.cursors = [...document.querySelectorAll(".cursor")];
    if (!focused) return;
    [...byId("stems").querySelectorAll("button")].find((one) => one.getAttribute("aria-label") === focused)?.focus();
  }

  #wireRow(row) {
    const mark = (stem) => this.mark({ stem, note: -1 });
    row.element.addEventListener("pointerenter", () => mark(row.i));
    row.element.addEventListener("pointerleave", () => mark(-1));
    row.element.addEventListener("focusin", () => mark(row.i));
    row.element.addEventListener("focusout", () => mark(-1));
    this.#wireTime(row.canvas);
    this.watch.observe(row.canvas);
  }

  #fillGroups() {
    const { groups } = this.contents;
    byId("groups").hidden = groups.length < 2;
    byId("groups").replaceChildren(...groups.map(({ name }, g) => make("button", {
      type: "button", dir: "auto", text: name || `Group ${g + 1}`, click: () => this.player.setGroup(g),
    })));
  }

  /** Show the stems of the group. */
  #fitGroup() {
    this.pianoRoll.lay();
    byId("roll").hidden = this.pianoRoll.empty;
    byId("notes").hidden = this.contents.notes.start.length === 0;
    byId("pitches").hidden = byId("notes").hidden || this.contents.notes.percussion.every(Boolean);
    byId("picture").hidden = !this.contents.picture?.columns && byId("notes").hidden;
    byId("picture-head").hidden = byId("picture").hidden && byId("roll").hidden;
    byId("stems-head").hidden = this.rows.length === 0;
  }

  #wirePlayer() {
    const { player } = this;
    let group = player.group;
    player.on("mix", () => this.showMix());
    player.on("state", () => {
      if (group !== player.group) this.#fitGroup();
      group = player.group;
      this.showState();
    });
    player.on("loop", () => {
      this.lastLoop = player.loop ?? this.lastLoop;
      this.showLoop();
    });
    player.on("loading", (news) => this.#showLoading(news));
  }

  #showLoading({ done, total, error, stem }) {
    if (error) this.#trouble = troubleOf(this.player, this.player.stems[stem], error);
    const busy = total && done < total && this.player.playing;
    this.#say(busy ? `Loading stem ${done + 1} of ${total} …` : this.#trouble || aboutSound(this.contents, this.player));
  }

  #trouble = "";

  #say(text) {
    byId("status").textContent = text;
  }

  #wireTransport() {
    const { player } = this;
    const click = (id, act) => byId(id).addEventListener("click", act);
    click("play", () => player.toggle());
    click("home", () => this.go(0));
    click("loop", () => this.toggleLoop());
    click("help", () => byId("keyboard").showModal());
    click("all-heard", () => player.hearAll());
    click("reset", () => this.resetMix());
    click("zoom-in", () => this.zoomBy(0.5));
    click("zoom-out", () => this.zoomBy(2));
    click("zoom-all", () => this.view.show(0, this.view.duration));
    click("notes", () => this.toggleNotes());
    click("pitches", () => this.togglePitches());
    byId("position").addEventListener("input", () => this.go(Number(byId("position").value)));
    byId("master").addEventListener("input", () => player.setMaster(Number(byId("master").value)));
    byId("master").addEventListener("dblclick", () => player.setMaster(0));
  }

  /** Seek and select on a picture whose width is the view. */
  #wireTime(element) {
    listenToGestures(element, this.view, {
      seek: (at) => {
        const { loop } = this.player;
        if (loop && (at < loop[0] || at >= loop[1])) this.player.setLoop(null);
        this.go(at);
      },
      drag: (from, to) => this.#drag([from, to]),
      select: (from, to) => {
        this.#drag(null);
        this.player.setLoop(from, to);
      },
      cancel: () => this.#drag(null),
    });
  }

  /** Show a region while it is dragged. */
  #drag(region) {
    this.#dragged = region?.sort((a, b) => a - b) ?? null;
    this.showLoop();
  }

  #dragged = null;

  #wirePictures() {
    this.watch = new ResizeObserver(() => this.drawRows());
    this.watch.observe(byId("scroll"));
    for (const picture of [this.roll, this.pianoRoll]) {
      const { canvas } = picture;
      this.#wireTime(canvas);
      canvas.addEventListener("pointermove", (event) => {
        if (event.buttons) return;
        const note = picture.noteAt(event.offsetX, event.offsetY);
        this.#pointAt(picture, event, note);
      });
      canvas.addEventListener("pointerleave", () => {
        this.mark({ stem: -1, note: -1 });
        byId("about").textContent = HINT;
      });
    }
    this.view.on("view", () => {
      this.drawRows();
      this.showLoop();
      this.showCursor();
    });
  }

  #pointAt(picture, event, note) {
    if (note !== this.roll.highlight.note) this.mark({ stem: -1, note });
    const at = picture.secondsAt(event.offsetX);
    const pitch = picture === this.roll ? picture.pitchAt(event.offsetY) : null;
    byId("about").textContent = note >= 0 ? this.describe(note)
      : clock(at, 2) + (pitch === null ? "" : ` · ${noteName(pitch)} · ${Math.round(440 * 2 ** ((pitch - 69) / 12))} Hz`);
    picture.canvas.classList.toggle("on-note", note >= 0);
  }

  /** A note in words. */
  describe(i) {
    const { start, end, pitch, cents, confidence, percussion, stem } = this.contents.notes;
    const bend = Math.round(cents[i] ?? 0);
    const name = percussion[i] ? this.contents.drums?.[pitch[i]] ?? `drum ${pitch[i]}`
      : noteName(pitch[i]) + (bend ? ` ${bend > 0 ? "+" : "−"}${Math.abs(bend)} cents` : "");
    return [
      name, `at ${start[i].toFixed(2)} s`, `${(end[i] - start[i]).toFixed(2)} s long`,
      this.player.stems[stem[i]]?.name ?? "", confidence[i] == null ? "" : `${Math.round(100 * confidence[i])}% sure`,
    ].filter(Boolean).join(" · ");
  }

  /** Highlight a stem or a note; -1 for none. */
  mark({ stem, note }) {
    const before = this.roll.highlight;
    if (stem === before.stem && note === before.note) return;
    for (const picture of [this.roll, this.pianoRoll]) {
      picture.highlight = { stem, note };
      picture.draw();
    }
    const meant = note >= 0 ? this.contents.notes.stem[note] : stem;
    for (const row of this.rows) row.element.classList.toggle("meant", row.i === meant);
  }

  /** Zoom around the cursor if it is visible, else around the middle. */
  zoomBy(factor) {
    const { time } = this.player;
    const inView = time >= this.view.from && time <= this.view.to;
    this.view.zoomBy(factor, inView ? time : undefined);
  }

  /** Seek to a time, and show it. */
  go(seconds) {
    this.player.seek(seconds);
    this.view.follow(this.player.time);
  }

  /** Loop the last region or the visible part, or stop looping. */
  toggleLoop() {
    const region = this.lastLoop ?? [this.view.from, this.view.to];
    if (this.player.loop) this.player.setLoop(null);
    else this.player.setLoop(...region);
  }

  /** Show the notes over the spectrogram, or hide them. */
  toggleNotes() {
    this.roll.showNotes = !this.roll.showNotes;
    byId("notes").setAttribute("aria-pressed", String(this.roll.showNotes));
    this.roll.draw();
  }

  /** Show all pitches, or those around the notes. */
  togglePitches() {
    this.roll.allPitches = !this.roll.allPitches;
    byId("pitches").setAttribute("aria-pressed", String(this.roll.allPitches));
    this.roll.draw();
  }

  /** Restore the saved levels and pans, and clear mutes and solos. */
  resetMix() {
    this.player.hearAll();
    this.player.setMaster(0);
    this.player.stems.forEach((stem, i) => {
      this.player.setGain(i, stem.gain ?? 0);
      this.player.setPan(i, stem.pan ?? 0);
    });
  }

  /** Show the mix. */
  showMix() {
    for (const row of this.rows) row.show();
    [...byId("groups").children].forEach((button, g) => button.setAttribute("aria-pressed", String(g === this.player.group)));
    byId("master").value = this.player.master;
    byId("master").setAttribute("aria-valuetext", decibels(this.player.master));
    this.roll.draw();
    this.pianoRoll.draw();
    keepAddress(this.player);
  }

  /** Show whether it plays, and the position. */
  showState() {
    const { playing } = this.player;
    byId("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    document.body.classList.toggle("playing", playing);
    byId("position").max = this.player.duration;
    this.showCursor();
    if (playing) this.#run();
    else keepAddress(this.player);
  }

  #running = false;

  /** Move the cursor while it plays. */
  #run() {
    if (this.#running) return;
    this.#running = true;
    const step = () => {
      this.#running = this.player.playing;
      if (!this.#running) return;
      if (!this.#dragged) this.view.follow(this.player.time);
      this.showCursor();
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  /** Show the position. */
  showCursor() {
    const { time, duration } = this.player;
    const part = (time - this.view.from) / (this.view.to - this.view.from);
    const place = `translateX(${(100 * Math.min(2, Math.max(-1, part))).toFixed(3)}%)`;
    for (const cursor of this.cursors) cursor.style.transform = place;
    byId("clock").textContent = `${clock(time)} / ${clock(duration)}`;
    byId("position").value = time;
    byId("position").setAttribute("aria-valuetext", clock(time));
    const moment = Math.floor(time * SPECTRA);
    if (moment !== this.#moment) this.roll.drawSide();
    this.#moment = moment;
  }

  #moment = -1;

  /** Show the loop. */
  showLoop() {
    const region = this.#dragged ?? this.player.loop;
    const part = (seconds) => `${(100 * (seconds - this.view.from)) / (this.view.to - this.view.from)}%`;
    const style = byId("score").style;
    byId("score").classList.toggle("looped", Boolean(region));
    byId("loop").setAttribute("aria-pressed", String(Boolean(this.player.loop)));
    if (!region) return;
    style.setProperty("--loop-from", part(region[0]));
    style.setProperty("--loop-to", part(region[1]));
  }

  #asked = false;

  /** Draw the levels of the stems before the next frame. */
  drawRows() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      for (const row of this.rows) row.draw();
    });
  }
}

/** The sound of a stem, from the page, which then drops it, or from its URL. */
async function readSound(stem) {
  if (stem.sound) {
    const element = byId(stem.sound);
    const bytes = bytesOf(element.textContent.trim());
    element.remove();
    return bytes.buffer;
  }
  const answer = await fetch(stem.url);
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
  return answer.arrayBuffer();
}
