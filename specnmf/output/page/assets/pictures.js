"use strict";

const PITCH_NAMES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
const BLACK_KEYS = new Set([1, 3, 6, 8, 10]);
/** Distances of ticks, in seconds. */
const STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300,
  600, 900, 1800, 3600,
];
/** Colours of the spectrogram from silent to loud, with even lightness. */
const COLOUR_MAPS = {
  light: ["#ffffff", "#e3edf4", "#bcd5e6", "#8db6d3", "#5d93bb", "#376e9d", "#1b4a78", "#0b2949"],
  dark: ["#0d1117", "#13243a", "#1a3b5d", "#255680", "#3c75a3", "#649bc2", "#9cc3de", "#e4f1f8"],
};
/** Values above 1 darken quiet parts, so that partials and notes stand out. */
const PICTURE_CONTRAST = 1.5;
const DARK = matchMedia("(prefers-color-scheme: dark)");

/** The name of the note nearest to a MIDI number, such as A4. */
function noteName(pitch) {
  const nearest = Math.floor(pitch + 0.5);
  return PITCH_NAMES[((nearest % 12) + 12) % 12] + (Math.floor(nearest / 12) - 1);
}

/** Seconds as m:ss.t, or h:mm:ss.t. */
function clock(seconds, digits = 1) {
  const units = 10 ** digits;
  const all = Math.round(Math.max(0, seconds) * units);
  const minutes = Math.floor(all / units / 60);
  const rest = ((all - minutes * 60 * units) / units).toFixed(digits);
  const tail = rest.padStart(digits ? 3 + digits : 2, "0");
  if (minutes < 60) return `${minutes}:${tail}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${tail}`;
}

/** A level, such as −6 dB, with a real minus sign. */
function decibels(dB, digits = 1) {
  return `${Number(dB.toFixed(digits))} dB`.replace("-", "−");
}

/** A limited number of round times from `from` to `to`, with their labels. */
function ticks(from, to, most) {
  const step = STEPS.find((one) => (to - from) / one <= most) ?? 3600;
  const digits = step < 1 ? Math.ceil(-Math.log10(step) - 1e-9) : 0;
  const found = [];
  for (let k = Math.ceil(from / step - 1e-9); k * step <= to + 1e-9; k++) {
    found.push({ at: k * step, label: clock(k * step, digits) });
  }
  return found;
}

/** A colour with some of its opacity. */
function faint(colour, alpha) {
  return colour + Math.round(alpha * 255).toString(16).padStart(2, "0");
}

/** The 256 colours of the spectrogram, as RGBA bytes. */
function colourMap(name) {
  const stops = COLOUR_MAPS[name].map((colour) =>
    [1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16)));
  const map = new Uint8Array(256 * 4).fill(255);
  for (let value = 0; value < 256; value++) {
    const place = (value / 255) ** PICTURE_CONTRAST * (stops.length - 1);
    const below = Math.min(stops.length - 2, Math.floor(place));
    for (let k = 0; k < 3; k++) {
      const [a, b] = [stops[below][k], stops[below + 1][k]];
      map[4 * value + k] = a + (b - a) * (place - below);
    }
  }
  return map;
}

/** The spectrogram as a canvas, one pixel per value. */
function paintPicture({ columns, rows }, values) {
  const colours = new Uint32Array(colourMap(DARK.matches ? "dark" : "light").buffer);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [columns, rows];
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colours[values[i]];
  context.putImageData(image, 0, 0);
  return canvas;
}

/**
 * Clear a canvas and match it to the resolution of the screen.
 *
 * @returns {{context: CanvasRenderingContext2D, width: number, height: number}} Drawing goes
 *   in CSS pixels.
 */
function sharpen(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** The part of a text that fits. */
function shortened(context, text, room) {
  if (context.measureText(text).width <= room) return text;
  const letters = [...text.slice(0, 200)];
  while (letters.length && context.measureText(`${letters.join("")}…`).width > room) letters.pop();
  return `${letters.join("")}…`;
}

let knownInks = null;
DARK.addEventListener("change", () => { knownInks = null; });

/** Colours of the style sheet, by the names of its custom properties. */
function inks() {
  if (!knownInks) {
    const style = getComputedStyle(document.documentElement);
    const ink = (name) => style.getPropertyValue(`--${name}`).trim();
    knownInks = { text: ink("text"), soft: ink("soft"), line: ink("line"), sheet: ink("sheet") };
  }
  return knownInks;
}

/** The time that all pictures show; fires "view" on changes. */
class View extends Emitter {
  /** @param {number} duration - Seconds. */
  constructor(duration) {
    super();
    this.duration = duration;
    [this.from, this.to] = [0, duration];
  }

  /** Whether all is shown. */
  get whole() {
    return this.to - this.from >= this.duration - 1e-9;
  }

  /** Show from one time to another, within the recording. */
  show(from, to) {
    const least = Math.min(0.05, this.duration);
    const span = Math.min(this.duration, Math.max(least, to - from));
    const start = Math.max(0, Math.min(from, this.duration - span));
    if (start === this.from && start + span === this.to) return;
    [this.from, this.to] = [start, start + span];
    this.emit("view");
  }

  /** Show `factor` times as much around `centre`. */
  zoomBy(factor, centre = (this.from + this.to) / 2) {
    this.show(centre - (centre - this.from) * factor, centre + (this.to - centre) * factor);
  }

  /** Move by a number of seconds. */
  scroll(seconds) {
    this.show(this.from + seconds, this.to + seconds);
  }

  /** Show a time; scroll if it is outside. */
  follow(seconds) {
    if (seconds >= this.from && seconds <= this.to) return;
    const span = this.to - this.from;
    this.show(seconds - span * 0.1, seconds + span * 0.9);
  }
}

/**
 * Clicks, drags, pinches and wheel events on a picture.
 *
 * @param {HTMLElement} element - The picture.
 * @param {View} view - What it shows.
 * @param {{seek: function(number), drag: function(number, number), select: function(number,
 *   number), cancel: function()}} act - Handlers of a click, a drag, its end, and its cancellation.
 */
function listenToGestures(element, view, act) {
  const pointers = new Map();
  let start = null;
  const secondsAt = (x) => {
    const box = element.getBoundingClientRect();
    return view.from + ((x - box.left) / box.width) * (view.to - view.from);
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pointers.set(event.pointerId, event.clientX);
    if (start?.dragged) act.cancel();
    start = pointers.size === 1 ? { x: event.clientX, at: secondsAt(event.clientX) } : null;
  });
  element.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return;
    const before = [...pointers.values()];
    pointers.set(event.pointerId, event.clientX);
    if (pointers.size === 2) pinch(before, [...pointers.values()]);
    else if (start && (start.dragged || Math.abs(event.clientX - start.x) > 5)) {
      if (!start.dragged) element.setPointerCapture(event.pointerId);
      start.dragged = true;
      act.drag(start.at, secondsAt(event.clientX));
    }
  });
  element.addEventListener("pointerup", (event) => {
    if (start?.dragged) act.select(start.at, secondsAt(event.clientX));
    else if (start) act.seek(start.at);
    start = null;
    release(event);
  });
  element.addEventListener("pointercancel", release);
  element.addEventListener("pointerleave", (event) => {
    if (!element.hasPointerCapture(event.pointerId)) release(event);
  });
  element.addEventListener("wheel", (event) => {
    const span = view.to - view.from;
    if (event.ctrlKey || event.metaKey) {
      view.zoomBy(1.0025 ** event.deltaY, secondsAt(event.clientX));
    } else {
      const across = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
      if (across === 0 || view.whole) return;
      view.scroll((across / element.clientWidth) * span);
    }
    event.preventDefault();
  }, { passive: false });

  function release(event) {
    pointers.delete(event.pointerId);
    if (start?.dragged) act.cancel();
    start = null;
  }

  function pinch(before, now) {
    const width = (pair) => Math.max(10, Math.abs(pair[0] - pair[1]));
    const middle = (pair) => (pair[0] + pair[1]) / 2;
    const moved = secondsAt(middle(before)) - secondsAt(middle(now));
    view.zoomBy(width(before) / width(now), secondsAt(middle(now)));
    view.scroll(moved);
  }
}

/** Connect a scroll bar with the visible time. */
function scrollWith(bar, view) {
  bar.classList.add("idle");
  view.on("view", () => {
    bar.firstElementChild.style.width = `${(100 * view.duration) / (view.to - view.from)}%`;
    const place = (view.from / view.duration) * bar.scrollWidth;
    if (Math.abs(bar.scrollLeft - place) > 1.5) bar.scrollLeft = place;
    bar.classList.toggle("idle", view.whole);
  });
  bar.addEventListener("scroll", () => {
    const from = (bar.scrollLeft / bar.scrollWidth) * view.duration;
    const slack = (2 / bar.scrollWidth) * view.duration;
    if (Math.abs(from - view.from) > slack) view.show(from, from + view.to - view.from);
  });
}
