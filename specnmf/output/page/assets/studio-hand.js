"use strict";

/** The distance at which a pointer grabs the end of a note, in CSS pixels. */
const STUDIO_EDGE = 6;

/** The least movement of a pointer that counts, in CSS pixels. */
const STUDIO_STILL = 3;

/** The pointer in a roll: it selects, moves, resizes and draws notes. */
class StudioHand {
  /**
   * @param {StudioRoll} editor
   * @param {Object} roll of the page
   */
  constructor(editor, roll) {
    Object.assign(this, { editor, roll });
    this.band = null;
    const acts = { pointerdown: "press", pointermove: "hover", dblclick: "twice", click: "hide" };
    for (const [name, act] of Object.entries(acts)) {
      roll.canvas.addEventListener(name, (event) => this[act](event), { capture: true });
    }
    roll.addPainter((ctx) => this.paintBand(ctx));
  }

  /** Keep an event from the page's own listeners while notes are edited. */
  hide(event) {
    if (this.editor.tool === "listen") return false;
    event.stopImmediatePropagation();
    event.preventDefault();
    return true;
  }

  /** The position of an event: x and y from the canvas' corner, in CSS pixels. */
  place(event) {
    const box = this.roll.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** The note at a position, and its part there: "start", "end" or "body". */
  hit({ x, y }) {
    const { roll } = this;
    const near = [0, -STUDIO_EDGE, STUDIO_EDGE].map((dx) => roll.noteAt(x + dx, y));
    const note = near.find((i) => i >= 0) ?? -1;
    if (note < 0) return null;
    const { start, end } = this.editor.notes.at(note);
    const [left, right] = [roll.xOf(start), roll.xOf(end)];
    const edge = near[0] < 0 ? 2 * STUDIO_EDGE : Math.min(STUDIO_EDGE, (right - left) / 4);
    if (x - left < edge && x - left <= right - x) return { note, part: "start" };
    return { note, part: right - x < edge ? "end" : "body" };
  }

  /** Start to select, move, resize or draw. */
  press(event) {
    if (!this.hide(event) || event.button !== 0) return;
    this.editor.roll = this.roll;
    this.roll.canvas.focus({ preventScroll: true });
    const place = this.place(event);
    const hit = this.hit(place);
    if (!hit && this.editor.tool === "draw") return this.editor.client.isReady() && this.draw(event, place);
    if (!hit) return this.rubber(event, place);
    const several = event.shiftKey || event.ctrlKey || event.metaKey;
    if (several) return this.editor.toggle(hit.note);
    if (!this.editor.selected.has(hit.note)) this.editor.select([hit.note]);
    this.editor.say(this.editor.notes.describe(hit.note, this.editor.stems));
    if (this.editor.client.isReady()) this.drag(event, place, hit.part);
  }

  /** Set the cursor for the action of a press. */
  hover(event) {
    if (!this.hide(event) || event.buttons) return;
    const hit = this.hit(this.place(event));
    const at = this.editor.tool === "draw" ? "crosshair" : "default";
    this.roll.canvas.style.cursor = !hit ? at : hit.part === "body" ? "move" : "ew-resize";
  }

  /** Move or resize the selected notes by the pointer. */
  drag(event, from, part) {
    const { editor, roll } = this;
    const { notes, selected } = editor;
    const drums = [...selected].some((i) => notes.columns.percussion[i]);
    const moved = (to) => {
      const still = Math.abs(to.x - from.x) < STUDIO_STILL;
      const seconds = still ? 0 : roll.secondsAt(to.x) - roll.secondsAt(from.x);
      const semitones = drums ? 0 : Math.round(roll.pitchAt(to.y) - roll.pitchAt(from.y));
      if (part !== "body") return notes.resized(selected, part, seconds);
      return notes.moved(selected, seconds, semitones);
    };
    const end = (counts) => {
      const [i] = selected;
      if (!counts) editor.show(notes.columns);
      else if (editor.notes.key(i) !== notes.key(i)) {
        editor.send(`${part === "body" ? "Moved" : "Resized"} ${editor.spoken()}.`);
      }
    };
    studioFollow(event, roll.canvas, (at) => editor.show(moved(this.place(at))), end);
  }

  /** Draw a new note by the pointer. */
  draw(event, from) {
    const { editor, roll } = this;
    const { notes } = editor;
    const first = roll.secondsAt(from.x);
    const fresh = this.freshAt(from);
    const made = (to) => {
      const [start, end] = [first, to].sort((a, b) => a - b);
      return notes.withNote({ ...fresh, start, end });
    };
    const move = (at) => {
      const { x } = this.place(at);
      const drawn = Math.abs(x - from.x) >= STUDIO_STILL;
      editor.show(made(drawn ? roll.secondsAt(x) : first + STUDIO_NEW_LENGTH));
    };
    const end = (counts) => {
      if (counts) return editor.send(`Added ${editor.spoken()}.`);
      editor.show(notes.columns);
      editor.select([]);
    };
    move(event);
    editor.select([notes.length]);
    studioFollow(event, roll.canvas, move, end);
  }

  /** The pitch, or the drum of a lane, and the stem of a new note at a position. */
  freshAt({ y }) {
    const { roll, editor } = this;
    const { pitch, percussion, stem } = editor.notes.columns;
    const near = (i) => {
      const place = percussion[i] && roll.belongs(i) && roll.placeOf(i);
      return place && Math.abs(place.y - y) <= place.height;
    };
    const drum = [...pitch.keys()].find(near);
    if (drum !== undefined) return { pitch: pitch[drum], percussion: 1, stem: stem[drum] };
    const nearest = Math.round(roll.pitchAt(y));
    return { pitch: nearest, percussion: 0, stem: editor.stemForNew(nearest) };
  }

  /** Select all notes in a rectangle. */
  rubber(event, from) {
    const { editor } = this;
    const before = event.shiftKey ? [...editor.selected] : [];
    const move = (at) => {
      const to = this.place(at);
      this.band = [from.x, from.y, to.x, to.y];
      editor.select([...before, ...this.within(this.band)]);
    };
    const end = () => {
      this.band = null;
      if (editor.selected.size) editor.say(`Selected ${editor.spoken()}.`);
      editor.redraw();
    };
    editor.select(before);
    studioFollow(event, this.roll.canvas, move, end);
  }

  /** The notes in a rectangle. */
  within([x0, y0, x1, y1]) {
    const { roll, editor } = this;
    const [left, right] = [x0, x1].sort((a, b) => a - b);
    const [top, bottom] = [y0, y1].sort((a, b) => a - b);
    const { start, end } = editor.notes.columns;
    return [...start.keys()].filter((i) => {
      const place = roll.belongs(i) && roll.placeOf(i);
      if (!place || roll.xOf(end[i]) < left || roll.xOf(start[i]) > right) return false;
      return place.y + place.height / 2 > top && place.y - place.height / 2 < bottom;
    });
  }

  /** Add a note at a double click beside other notes. */
  twice(event) {
    if (!this.hide(event)) return;
    const place = this.place(event);
    if (this.hit(place)) return;
    this.editor.add(this.roll.secondsAt(place.x), this.freshAt(place));
  }

  /** Draw the selection rectangle. */
  paintBand(ctx) {
    if (!this.band) return;
    const [x0, y0, x1, y1] = this.band;
    ctx.save();
    ctx.lineWidth = 1;
    ctx.setLineDash([4, 3]);
    ctx.strokeStyle = "#36f";
    ctx.fillStyle = "rgb(128 160 255 / 20%)";
    const box = [Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0)];
    ctx.fillRect(...box);
    ctx.strokeRect(...box);
    ctx.restore();
  }
}
