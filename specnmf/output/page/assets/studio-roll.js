"use strict";

/** The step of an arrow key, in seconds, without and with Shift. */
const STUDIO_STEP = [0.01, 0.1];

/** The pause after the last key before changes are sent, in milliseconds. */
const STUDIO_KEYS_SETTLED = 300;

/** The length of a note that is added at a point, in seconds. */
const STUDIO_NEW_LENGTH = 0.25;

/**
 * Editing notes in the page's rolls, with pointer and keys.
 *
 * `roll` is the last used one.
 *
 * `tool` is "listen" (the roll works as in the report), "select" or "draw".
 */
class StudioRoll {
  /**
   * @param {Object} page window.specnmf
   * @param {StudioClient} client
   * @param {function(string)} say shows a message
   */
  constructor(page, client, say) {
    Object.assign(this, { page, client, say });
    this.rolls = [page.roll, page.pianoRoll].filter(Boolean);
    this.roll = page.roll;
    this.tool = "listen";
    this.selected = new Set();
    this.keys = new Set();
    this.changed = () => {};
    for (const roll of this.rolls) {
      roll.addPainter((ctx) => this.paint(ctx, roll));
      new StudioHand(this, roll);
    }
    window.addEventListener("keydown", (event) => this.key(event), { capture: true });
    document.addEventListener("specnmf:updated", () => this.renew());
  }

  /** Draw the rolls again. */
  redraw() {
    for (const roll of this.rolls) roll.draw();
  }

  /** The shown notes. */
  get notes() {
    return new StudioNotes(this.page.contents.notes, this.page.contents.duration);
  }

  /** The names of all stems. */
  get stems() {
    return this.page.contents.groups.flatMap(({ stems }) => stems.map(({ name }) => name));
  }

  /** Choose a tool. @param {string} tool */
  take(tool) {
    this.tool = tool;
    for (const { canvas } of this.rolls) this.prepare(canvas, tool !== "listen");
    if (tool === "listen") this.select([]);
    else this.roll.canvas.focus({ preventScroll: true });
    this.changed();
  }

  /** Make a canvas an editor, with keys, or a picture again. */
  prepare(canvas, editing) {
    canvas.classList.toggle("studio-editing", editing);
    canvas.setAttribute("role", editing ? "application" : "img");
    if (editing) canvas.tabIndex = 0;
    else canvas.removeAttribute("tabindex");
    canvas.style.cursor = "";
  }

  /** Select notes. @param {Iterable<number>} some */
  select(some) {
    this.selected = new Set(some);
    const { notes } = this;
    this.keys = new Set([...this.selected].map((i) => notes.key(i)));
    this.redraw();
    this.changed();
  }

  /** Add a note to the selection, or remove it. */
  toggle(note) {
    const some = new Set(this.selected);
    if (!some.delete(note)) some.add(note);
    this.select(some);
  }

  /** Adopt the notes of a state, without drawing the rest of the page again. */
  adopt({ notes }) {
    this.page.contents.notes = notes;
    this.page.pianoRoll?.lay();
    this.renew();
  }

  /** Restore the selection in new contents. */
  renew() {
    this.selected = this.notes.find(this.keys);
    this.redraw();
    this.changed();
  }

  /** Add a note. @param {number} start s @param {Object} fresh pitch, percussion, stem */
  add(start, fresh) {
    if (!this.client.isReady()) return;
    const { notes } = this;
    this.show(notes.withNote({ ...fresh, start, end: start + STUDIO_NEW_LENGTH }));
    this.select([notes.length]);
    this.send(`Added ${this.spoken()}.`);
  }

  /** The stem of a new note: of the selected one, else of the nearest in pitch. */
  stemForNew(pitch) {
    const { columns } = this.notes;
    const [i] = this.selected;
    if (i !== undefined) return columns.stem[i];
    let best = -1;
    columns.pitch.forEach((p, k) => {
      if (best < 0 || Math.abs(p - pitch) < Math.abs(columns.pitch[best] - pitch)) best = k;
    });
    return best < 0 ? 0 : columns.stem[best];
  }

  /** Delete the selected notes. */
  remove() {
    if (!this.selected.size || !this.client.isReady()) return;
    const told = `Deleted ${this.spoken()}.`;
    this.show(this.notes.without(this.selected));
    this.select([]);
    this.send(told);
  }

  /** Assign the selected notes to a stem. */
  assign(stem) {
    if (!this.selected.size || stem >= this.stems.length || !this.client.isReady()) return;
    const told = `Assigned ${this.spoken()} to ${this.stems[stem] ?? "no stem"}.`;
    this.show(this.notes.assigned(this.selected, stem));
    this.send(told);
  }

  /** The selected notes as text. */
  spoken() {
    const [i] = this.selected;
    if (this.selected.size !== 1) return `${this.selected.size} notes`;
    return this.notes.describe(i, this.stems);
  }

  /** Show unsent notes. */
  show(columns) {
    this.page.contents.notes = columns;
    this.redraw();
  }

  /** Send the shown notes. */
  async send(told, delay = 0) {
    this.select(this.selected);
    this.say(told);
    const notes = this.page.contents.notes;
    await this.client.send("notes", () => ({ notes }), delay, true);
  }

  /** Handle keys while notes are edited. */
  key(event) {
    if (this.tool === "listen" || studioIsField(event.target)) return;
    if (event.target.closest?.(".stem, .studio-regions")) return;
    if (event.key === "Enter" && event.target.closest?.("button, summary, a")) return;
    if (!this.act(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** Do the action of a key. @returns {boolean} whether there is one */
  act(event) {
    const { key, ctrlKey, metaKey, altKey } = event;
    if (ctrlKey || metaKey) return key === "a" ? this.selectAll() : false;
    if (key === "," || key === ".") return this.walk(key === "." ? 1 : -1);
    if (key === "Enter" || key === "Insert") return this.addHere();
    if (key === "Escape") return this.leave();
    if (!this.selected.size) return false;
    if (!this.client.isReady()) return true;
    if (key === "Delete" || key === "Backspace") return this.done(this.remove());
    if (/^[0-9]$/.test(key) && !altKey) return this.done(this.assign(Number(key) - 1));
    return this.nudge(event);
  }

  /** Mark a key as handled. */
  done() {
    return true;
  }

  /** Select all notes. */
  selectAll() {
    this.select(this.notes.columns.start.keys());
    this.say(`Selected ${this.spoken()}.`);
    return true;
  }

  /** Select the next or previous note, and scroll to it. */
  walk(step) {
    const [i = -1] = this.selected;
    const next = this.notes.beside(i, step);
    if (next < 0) return true;
    this.reveal(this.notes.at(next));
    this.select([next]);
    this.say(this.notes.describe(next, this.stems));
    return true;
  }

  /** Scroll to a note. */
  reveal({ start, end }) {
    const { roll } = this;
    const [from, to] = [roll.secondsAt(0), roll.secondsAt(roll.canvas.clientWidth)];
    if (end > from && start < to) return;
    const first = studioClamp(start - (to - from) / 4, 0, Math.max(0, this.notes.duration - (to - from)));
    roll.zoom(first, first + to - from);
  }

  /** Add a note at the current time, like the selected one or at middle C. */
  addHere() {
    const [i] = this.selected;
    const like = i === undefined ? { pitch: 60, percussion: 0, stem: this.stemForNew(60) } : this.notes.at(i);
    const { pitch, percussion, stem } = like;
    this.add(this.page.player.time, { pitch, percussion, stem });
    return true;
  }

  /** Clear the selection; then leave the tool. */
  leave() {
    if (this.selected.size) this.select([]);
    else this.take("listen");
    return true;
  }

  /** Arrow keys: time and pitch; with Alt the end. */
  nudge({ key, shiftKey, altKey }) {
    const x = { ArrowLeft: -1, ArrowRight: 1 }[key] || 0;
    const y = { ArrowDown: -1, ArrowUp: 1 }[key] || 0;
    if (!x && !y) return false;
    const seconds = x * STUDIO_STEP[Number(shiftKey)];
    if (altKey && y) return false;
    const { notes, selected } = this;
    if (altKey) this.show(notes.resized(selected, "end", seconds));
    else this.show(notes.moved(selected, seconds, y * (shiftKey ? 12 : 1)));
    this.send(`${altKey ? "Resized" : "Moved"} ${this.spoken()}.`, STUDIO_KEYS_SETTLED);
    return true;
  }

  /** Draw frames around the selected notes, and the selection rectangle. */
  paint(ctx, roll) {
    if (this.tool === "listen") return;
    ctx.save();
    for (const i of this.selected) this.paintFrame(ctx, roll, i);
    ctx.restore();
  }

  /** Draw a frame around a note: white in black, visible on any colour. */
  paintFrame(ctx, roll, i) {
    const place = roll.belongs(i) && roll.placeOf(i);
    if (!place) return;
    const { start, end } = this.notes.at(i);
    const left = roll.xOf(start);
    const [width, height] = [Math.max(place.least, roll.xOf(end) - left), place.height];
    for (const [colour, out] of [["#000", 2.5], ["#fff", 1]]) {
      ctx.lineWidth = 1.5;
      ctx.strokeStyle = colour;
      ctx.strokeRect(left - out, place.y - height / 2 - out, width + 2 * out, height + 2 * out);
    }
  }
}
