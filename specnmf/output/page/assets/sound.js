"use strict";

/** How long a gain takes to follow, in seconds: long enough not to click. */
const RAMP = 0.01;
/** The largest drift of linked sound from its leader, in seconds. */
const MOST_DRIFT = 0.03;
/** The largest change of speed with which linked sound catches up or waits. */
const FASTEST = 0.08;
/** Up to this number of stems, silent ones play too, and are in sync when they are unmuted. */
const FEW = 16;
/** The approximate time of a seek of an element, in seconds. */
const SEEKING = 0.08;
/** Decoded sound up to this size is prepared in advance, in bytes. */
const LITTLE_SOUND = 600e6;
/** The number of stems that are decoded at once. */
const AT_ONCE = 4;
/** Decibels that count as silence. */
const SILENCE = -60;

/** The factor of a level in decibels. */
function amplitude(dB) {
  return dB <= SILENCE ? 0 : 10 ** (dB / 20);
}

/** The bytes of a base64 text. */
function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** An emitter of events. */
class Emitter {
  #listeners = {};

  /** Call `listener` whenever the event happens. */
  on(event, listener) {
    (this.#listeners[event] ??= []).push(listener);
  }

  /** Call the listeners of an event. */
  emit(event, detail) {
    for (const listener of this.#listeners[event] ?? []) listener(detail);
  }
}

/** Decoded stems on one clock, synchronised to the sample. */
class DecodedSound {
  #context = null;
  #buffers = new Map();
  #take = null;

  /**
   * @param {number} sr - Samples a second of the recording.
   * @param {function(object): Promise<ArrayBuffer>} read - The encoded sound of a stem.
   */
  constructor(sr, read) {
    this.sr = sr;
    this.read = read;
    this.exact = true;
    this.master = 1;
    this.ended = () => {};
  }

  /** The context, made on first use: browsers require a click before. */
  get context() {
    this.#context ??= newContext(this.sr);
    return this.#context;
  }

  /** Whether a stem is decoded. */
  has(stem) {
    return this.#buffers.has(soundKey(stem));
  }

  /** Decode a stem. */
  async load(stem) {
    if (this.has(stem)) return;
    const decoder = this.#context ?? new OfflineAudioContext(1, 1, this.sr);
    const buffer = await decoder.decodeAudioData(await this.read(stem));
    this.#buffers.set(soundKey(stem), buffer);
  }

  /** Drop the sound of all but these stems. */
  keep(stems) {
    const kept = new Set(stems.map(soundKey));
    for (const key of this.#buffers.keys()) {
      if (!kept.has(key)) this.#buffers.delete(key);
    }
  }

  /** Allow the browser to play; call it in a click. */
  wake() {
    return this.context.resume();
  }

  /** Play stems from an offset, mixed as `gains` and `pans` say. */
  start(stems, mix, offset, loop) {
    this.stop();
    const context = this.context;
    const out = new GainNode(context, { gain: offset > 0 ? 0 : this.master });
    const voices = this.#connect(context, out, stems, mix, loop);
    const soon = context.currentTime + 0.02;
    out.gain.setTargetAtTime(this.master, soon, RAMP / 3);
    for (const { source } of voices) source.start(soon, offset);
    // Last: on a busy machine `soon` may pass before all are started, and those that
    // play already would be ahead of the others.
    out.connect(context.destination);
    const at = Math.max(soon, context.currentTime);
    const take = { out, voices, at, offset, loop, left: voices.length };
    for (const { source } of voices) {
      source.onended = () => {
        take.left -= 1;
        if (take.left === 0 && this.#take === take) this.ended();
      };
    }
    this.#take = take;
  }

  #connect(context, out, stems, mix, loop) {
    return stems.map((stem, i) => {
      const buffer = this.#buffers.get(soundKey(stem));
      const source = new AudioBufferSourceNode(context, { buffer });
      if (loop) {
        source.loop = true;
        [source.loopStart, source.loopEnd] = loop;
      }
      // Mono becomes two equal channels before it is panned, so that no pan means no change.
      const gain = new GainNode(context, {
        gain: mix[i].gain, channelCount: 2, channelCountMode: "explicit",
      });
      const pan = new StereoPannerNode(context, { pan: mix[i].pan });
      source.connect(gain).connect(pan).connect(out);
      return { source, gain, pan };
    });
  }

  /** Where the ear is, in seconds; null where nothing plays. */
  get time() {
    if (!this.#take) return null;
    const { at, offset, loop } = this.#take;
    const context = this.#context;
    const late = context.outputLatency || context.baseLatency || 0;
    const time = offset + Math.max(0, context.currentTime - at - late);
    if (!loop || time < loop[1]) return time;
    return loop[0] + ((time - loop[0]) % (loop[1] - loop[0]));
  }

  /** Stop softly. */
  stop() {
    if (!this.#take) return;
    const { out, voices } = this.#take;
    this.#take = null;
    const now = this.#context.currentTime;
    out.gain.cancelScheduledValues(now);
    out.gain.setTargetAtTime(0, now, RAMP / 3);
    for (const { source } of voices) source.stop(now + 4 * RAMP);
  }

  /** Follow the mix. */
  mix(mix) {
    if (!this.#take) return;
    const now = this.#context.currentTime;
    this.#take.out.gain.setTargetAtTime(this.master, now, RAMP / 3);
    this.#take.voices.forEach(({ gain, pan }, i) => {
      gain.gain.setTargetAtTime(mix[i].gain, now, RAMP / 3);
      pan.pan.setTargetAtTime(mix[i].pan, now, RAMP / 3);
    });
  }

  /** The mix as samples. */
  render(stems, mix, start, seconds) {
    const length = Math.max(1, Math.round(seconds * this.sr));
    const context = new OfflineAudioContext(2, length, this.sr);
    const out = new GainNode(context, { gain: this.master });
    out.connect(context.destination);
    const voices = this.#connect(context, out, stems, mix, null);
    for (const { source } of voices) source.start(0, start);
    return context.startRendering();
  }
}

/** The key of a stem's sound. */
function soundKey(stem) {
  return stem.sound ?? stem.url;
}

/** A context at the recording's rate, or at the device's rate if that is impossible. */
function newContext(sr) {
  try {
    return new AudioContext({ sampleRate: sr, latencyHint: "balanced" });
  } catch (error) {
    if (error.name !== "NotSupportedError") throw error;
    return new AudioContext();
  }
}

/** Audio files beside the page, kept in sync: for stems that are too large to decode. */
class LinkedSound {
  #elements = new Map();
  #take = null;

  constructor() {
    this.exact = false;
    this.master = 1;
    this.duration = Infinity;
    this.ended = () => {};
    this.failed = () => {};
  }

  /** Nothing needs decoding. */
  has() {
    return true;
  }

  /** Nothing needs decoding. */
  async load() {}

  /** Drop the sound of all but these stems. */
  keep(stems) {
    const kept = new Set(stems.map(soundKey));
    for (const [key, element] of this.#elements) {
      if (kept.has(key)) continue;
      element.pause();
      element.removeAttribute("src");
      this.#elements.delete(key);
    }
  }

  /** Elements need no permission. */
  async wake() {}

  /** Play the audible stems from an offset. */
  start(stems, mix, offset, loop) {
    this.stop();
    const began = performance.now();
    const timer = setInterval(() => this.#follow(), 25);
    this.#take = { stems, loop, offset, began, timer, leader: null, checked: 0 };
    this.mix(mix);
  }

  #element(stem) {
    const key = soundKey(stem);
    if (!this.#elements.has(key)) {
      const element = new Audio();
      element.preload = "metadata";
      element.preservesPitch = false;
      element.src = key;
      this.#elements.set(key, element);
    }
    return this.#elements.get(key);
  }

  /** Follow the mix: of many stems, only the audible ones play. */
  mix(mix) {
    if (!this.#take) return;
    const { time } = this;
    const { stems, leader } = this.#take;
    const playing = [];
    stems.forEach((stem, i) => {
      const gain = mix[i].gain * this.master;
      if (gain === 0 && stems.length > FEW) {
        this.#elements.get(soundKey(stem))?.pause();
        return;
      }
      const element = this.#element(stem);
      element.volume = Math.min(1, gain);
      element.muted = gain === 0;
      playing.push(element);
      if (!element.paused) return;
      element.currentTime = time;
      element.play().catch((error) => this.#report(error, stem));
    });
    this.#take.playing = playing;
    if (!playing.includes(leader)) this.#lead(playing[0] ?? null, time);
  }

  /** Use the clock of an element, or of the browser if all are silent. */
  #lead(element, time) {
    Object.assign(this.#take, { leader: element, offset: time, began: performance.now() });
  }

  #report(error, stem) {
    // A pause before the start is not a failure.
    if (error.name !== "AbortError") this.failed(error, stem);
  }

  #follow() {
    const { loop, playing, leader } = this.#take;
    if (loop && this.time >= loop[1]) {
      for (const element of playing) element.currentTime = loop[0];
      this.#lead(leader, loop[0]);
    } else if (leader ? leader.ended : this.time >= this.duration) {
      this.ended();
    } else if (performance.now() - this.#take.checked > 200) {
      this.#take.checked = performance.now();
      for (const element of playing) if (leader && element !== leader) this.#correct(element, leader);
    }
  }

  /** Let an element catch up with or wait for the leader: a seek would make it late again. */
  #correct(element, leader) {
    if (element.seeking || leader.seeking || element.ended) return;
    const drift = element.currentTime - leader.currentTime;
    if (Math.abs(drift) > MOST_DRIFT * 5) element.currentTime = leader.currentTime + SEEKING;
    const rate = Math.min(FASTEST, Math.max(-FASTEST, -2 * drift));
    element.playbackRate = Math.abs(drift) > MOST_DRIFT / 2 ? 1 + rate : 1;
  }

  /** Where the ear is, in seconds; null where nothing plays. */
  get time() {
    if (!this.#take) return null;
    const { leader, offset, began } = this.#take;
    if (leader) return leader.currentTime;
    return offset + (performance.now() - began) / 1000;
  }

  /** Stop. */
  stop() {
    if (!this.#take) return;
    clearInterval(this.#take.timer);
    this.#take = null;
    for (const element of this.#elements.values()) element.pause();
  }
}
