"use strict";

/** The range of the level sliders, in dB; the lowest value is silence. */
const LOUDEST = 12;

/**
 * Make an element.
 *
 * @param {string} tag - Its name.
 * @param {object} [attributes] - `text` becomes its text, functions listeners, true and false
 *   present and absent attributes, the rest attributes.
 * @param {...(Node|string)} children - Its content; strings become text.
 * @returns {HTMLElement}
 */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (typeof value === "function") element.addEventListener(name, value);
    else if (typeof value === "boolean") element.toggleAttribute(name, value);
    else if (value != null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** The path of a file as an address relative to the page. */
function address(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** A share of the whole in percent. */
function percent(share) {
  return share < 0.0995 ? `${(100 * share).toFixed(1)}%` : `${Math.round(100 * share)}%`;
}

/** A pan as text, such as left 50, or centre. */
function panName(pan) {
  if (Math.abs(pan) < 0.005) return "centre";
  return `${pan < 0 ? "left" : "right"} ${Math.round(100 * Math.abs(pan))}`;
}

/** Set a slider and its spoken value. */
function turn(slider, value, text) {
  slider.value = value;
  slider.setAttribute("aria-valuetext", text);
  slider.readout.textContent = text;
}

/** The facts about a stem: texts, and a link to its file. */
function factsOf(stem) {
  const facts = [];
  if (stem.note) facts.push(stem.note);
  if (stem.share != null) facts.push(`${percent(stem.share)} of the energy`);
  if (stem.notes != null) facts.push(stem.notes === 1 ? "1 note" : `${stem.notes} notes`);
  for (const [name, score] of Object.entries(stem.scores ?? {})) {
    if (score != null) facts.push(`${name} ${decibels(score)}`);
  }
  const nodes = facts.map((text) => make("span", { text }));
  if (stem.file) nodes.push(make("a", { href: address(stem.file), text: stem.file, dir: "ltr" }));
  return nodes;
}

/** The row of a stem: its name, its mix, its level over time, and facts. */
class StemRow {
  /**
   * @param {number} i - Its index through all groups.
   * @param {Player} player - The player.
   * @param {View} view - The visible time.
   */
  constructor(i, player, view) {
    Object.assign(this, { i, player, view });
    this.stem = player.stems[i];
    this.levels = bytesOf(this.stem.levels ?? "");
    this.element = this.#build();
    this.show();
  }

  #build() {
    const { name } = this.stem;
    this.dot = make("span", { class: "dot", "aria-hidden": "true" });
    this.dot.style.backgroundColor = this.stem.colour;
    this.canvas = make("canvas", { class: "levels", "aria-hidden": "true" });
    const title = make("div", { class: "stem-title" }, this.dot,
      make("span", { class: "stem-name", dir: "auto", title: name, text: name }),
      make("span", { class: "stem-tools" }));
    const side = make("div", { class: "side" }, title);
    if (this.player.hasSound(this.i)) side.append(this.#mixer());
    const facts = make("p", { class: "stem-facts" }, ...factsOf(this.stem));
    const lane = make("div", { class: "lane" }, this.canvas, make("div", { class: "cursor" }));
    const element = make("section", { class: "stem band", tabindex: "-1", "aria-label": name }, side,
      make("div", { class: "stem-sight" }, lane, facts));
    element.style.setProperty("--stem", this.stem.colour);
    return element;
  }

  #mixer() {
    const { i, player, stem } = this;
    const button = (text, does, label, act) =>
      make("button", { type: "button", text, title: does, "aria-label": `${label} ${stem.name}`, click: act });
    this.mute = button("M", "Mute (M)", "Mute", () => player.setMuted(i, !player.muted[i]));
    this.soloed = button("S", "Solo: hear only this and other soloed stems (S)", "Solo", () => player.setSolo(i, !player.solo[i]));
    this.only = button("Only", "Hear only this stem", "Only", () => this.#only() ? player.hearAll() : player.onlyThis(i));
    this.but = button("All but", "Hear all but this stem", "All but", () => this.#but() ? player.hearAll() : player.allBut(i));
    this.mute.classList.add("mute");
    this.soloed.classList.add("solo");
    this.level = this.#slider("Level of", -60, player.exact ? LOUDEST : 0, 0.5, (dB) => player.setGain(i, dB));
    this.pan = this.#slider("Pan of", -1, 1, 0.05, (pan) => player.setPan(i, pan));
    this.pan.disabled = !player.exact;
    const knob = (kind, slider, title) => {
      slider.readout = make("span", { class: "readout", "aria-hidden": "true" });
      return make("span", { class: `knob ${kind}`, title }, slider.readout, slider);
    };
    return make("div", { class: "stem-mix" }, this.mute, this.soloed, this.only, this.but,
      knob("level", this.level, "Level; double-click for 0 dB"),
      knob("pan", this.pan, player.exact ? "Pan; double-click for the centre" : "Linked audio cannot be panned"));
  }

  /** A slider that calls `set`, with 0 at a double-click. */
  #slider(label, min, max, step, set) {
    const slider = make("input", {
      type: "range", min, max, step, "aria-label": `${label} ${this.stem.name}`,
      input: () => set(Number(slider.value)), dblclick: () => set(0),
    });
    return slider;
  }

  #own(what) {
    const { player } = this;
    return player.stems.flatMap((_, k) => (player.groupOf[k] === player.groupOf[this.i] && player[what][k] ? [k] : []));
  }

  /** Whether only this stem is soloed. */
  #only() {
    const solo = this.#own("solo");
    return solo.length === 1 && solo[0] === this.i;
  }

  /** Whether only this stem is muted. */
  #but() {
    const muted = this.#own("muted");
    return muted.length === 1 && muted[0] === this.i && this.#own("solo").length === 0;
  }

  /** Show the mix of the stem. */
  show() {
    const { i, player } = this;
    const heard = player.audible(i);
    this.element.hidden = player.groupOf[i] !== player.group;
    this.element.classList.toggle("unheard", !heard);
    if (!this.level) return;
    const press = (button, on) => button.setAttribute("aria-pressed", String(on));
    press(this.mute, player.muted[i]);
    press(this.soloed, player.solo[i]);
    press(this.only, this.#only());
    press(this.but, this.#but());
    const [gain, pan] = [player.gains[i], player.pans[i]];
    turn(this.level, gain, gain <= SILENCE ? "silent" : decibels(gain));
    turn(this.pan, pan, panName(pan));
  }

  /** Draw the level over the visible time. */
  draw() {
    if (!this.element.hidden) drawLevels(this.canvas, this.levels, this.view, this.stem.colour);
  }
}
