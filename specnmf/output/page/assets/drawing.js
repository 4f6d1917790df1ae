"use strict";

/** Height of the seconds below a picture, and width of the keys beside it, in CSS pixels. */
const AXIS = 20, KEYS = 40;
/** The largest distance of a note under the pointer, in CSS pixels. */
const REACH = 4;

/** A picture over time: notes are drawn on it and found on it again. */
class TimePicture {
  #asked = false;
  #painters = [];

  /**
   * @param {HTMLCanvasElement} canvas - The picture.
   * @param {HTMLCanvasElement} side - The scale at its left.
   * @param {View} view - The visible time.
   * @param {Player} player - The player.
   */
  constructor(canvas, side, view, player) {
    Object.assign(this, { canvas, side, view, player });
    this.highlight = { stem: -1, note: -1 };
    this.showNotes = true;
    view.on("view", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /** The time at a position, in CSS pixels from the left edge. */
  secondsAt(x) {
    const { from, to } = this.view;
    return from + (x / this.canvas.clientWidth) * (to - from);
  }

  /** The position of a time, in CSS pixels from the left edge. */
  xOf(seconds) {
    const { from, to } = this.view;
    return ((seconds - from) / (to - from)) * this.canvas.clientWidth;
  }

  /** The pitch at a height, as a MIDI number. */
  pitchAt(y) {
    const { low, high, top, bottom } = this.pitches;
    return high - ((y - top) / (bottom - top)) * (high - low);
  }

  /** The height of a pitch, in CSS pixels from the top. */
  yOf(pitch) {
    const { low, high, top, bottom } = this.pitches;
    return top + ((high - pitch) / (high - low)) * (bottom - top);
  }

  /** Show from one second to another. */
  zoom(from, to) {
    this.view.show(from, to);
  }

  /** Call `painter`, in CSS pixels, each time after the picture is drawn. */
  addPainter(painter) {
    this.#painters.push(painter);
    this.draw();
  }

  /** Draw again before the next frame. */
  draw() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      if (this.canvas.clientWidth === 0) return;
      const sheet = sharpen(this.canvas);
      const ink = inks();
      this.measure(sheet.height);
      this.paint(sheet.context, sheet.width, sheet.height, ink);
      this.paintAxis(sheet.context, sheet.width, sheet.height, ink);
      for (const painter of this.#painters) painter(sheet.context);
      this.drawSide();
    });
  }

  /** Whether a note belongs to the current group. */
  belongs(i) {
    const stem = this.contents.notes.stem[i];
    return stem < 0 || this.player.groupOf[stem] === this.player.group;
  }

  /** The note at a position, -1 for none; of several, the nearest. */
  noteAt(x, y) {
    const { start, end } = this.contents.notes;
    const at = this.secondsAt(x);
    const slack = REACH * (this.secondsAt(1) - this.secondsAt(0));
    let [best, least] = [-1, Infinity];
    for (let i = 0; i < start.length; i++) {
      if (at < start[i] - slack || at > end[i] + slack || !this.belongs(i)) continue;
      const place = this.placeOf(i);
      if (!place) continue;
      const distance = Math.abs(y - place.y);
      if (distance <= Math.max(REACH, place.height / 2) && distance < least) [best, least] = [i, distance];
    }
    return best;
  }

  /** The colour of a stem. */
  colourOf(stem) {
    return this.player.stems[stem]?.colour ?? "#888888";
  }

  /** The opacity of a note: lower if it is uncertain or muted, or others are highlighted. */
  strengthOf(i) {
    const { stem, confidence } = this.contents.notes;
    const sure = 0.4 + 0.6 * (confidence[i] ?? 1);
    const heard = stem[i] < 0 || this.player.audible(stem[i]) ? 1 : 0.25;
    const { stem: meant, note } = this.highlight;
    const other = note >= 0 ? note !== i && stem[i] !== stem[note] : meant >= 0 && stem[i] !== meant;
    return sure * heard * (other ? 0.25 : 1);
  }

  /** Draw the notes in view as bars. */
  paintNotes(context, ink) {
    const { start, end, stem } = this.contents.notes;
    for (let i = 0; i < start.length; i++) {
      if (end[i] < this.view.from || start[i] > this.view.to || !this.belongs(i)) continue;
      const place = this.placeOf(i);
      if (!place) continue;
      const x = this.xOf(start[i]);
      const width = Math.max(place.least, this.xOf(end[i]) - x - 0.5);
      const y = place.y - place.height / 2;
      context.globalAlpha = this.strengthOf(i);
      context.fillStyle = ink.sheet;
      context.fillRect(x - 1, y - 1, width + 2, place.height + 2);
      context.fillStyle = this.colourOf(stem[i]);
      context.fillRect(x, y, width, place.height);
      if (this.highlight.note === i) {
        context.strokeStyle = ink.text;
        context.strokeRect(x - 1.5, y - 1.5, width + 3, place.height + 3);
      }
    }
    context.globalAlpha = 1;
  }

  /** Draw the seconds below. */
  paintAxis(context, width, height, ink) {
    context.fillStyle = ink.soft;
    context.strokeStyle = ink.line;
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    for (const { at, label } of ticks(this.view.from, this.view.to, width / 60)) {
      const x = Math.round(this.xOf(at)) + 0.5;
      line(context, x, height - AXIS, x, height - AXIS + 4);
      const half = context.measureText(label).width / 2;
      if (x + half < width - AXIS / 2) context.fillText(label, Math.max(2, x - half), height - AXIS / 2 + 2);
    }
  }
}

/** The name of a template. */
function templateName({ label, pitch }) {
  const note = pitch == null ? "" : noteName(pitch);
  return `Template ${label}${note && !label.includes(note) ? `, ${note}` : ""}`;
}

/** Draw a line. */
function line(context, x0, y0, x1, y1) {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

/** The spectrogram with the notes over it, the keys and templates at its side. */
class Roll extends TimePicture {
  #image = null;
  #values = null;
  #templates = [];

  /** Show contents. */
  set(contents) {
    this.contents = contents;
    this.#values = contents.picture?.columns ? bytesOf(contents.picture.data) : null;
    this.#templates = contents.templates.map((one) => ({ ...one, rows: bytesOf(one.rows) }));
    this.recolour();
  }

  /** Use the colours of the theme. */
  recolour() {
    this.#image = this.#values && paintPicture(this.contents.picture, this.#values);
    this.draw();
  }

  /** The pitches of the picture, or of all notes. */
  get compass() {
    const { rows, per_semitone: fine, lowest } = this.contents.picture ?? {};
    return rows ? [lowest, lowest + rows / fine] : [21, 108];
  }

  /** The pitches around the notes: from below the lowest to the partials of the highest, five octaves at least. */
  get fitted() {
    const [low, high] = this.compass;
    const { pitch, percussion } = this.contents.notes;
    const pitched = pitch.filter((_, i) => !percussion[i]);
    if (pitched.length === 0) return [low, high];
    const bottom = Math.max(low, pitched.reduce((a, b) => Math.min(a, b)) - 5);
    const most = pitched.reduce((a, b) => Math.max(a, b));
    return [bottom, Math.min(high, Math.max(most + 24, bottom + 60))];
  }

  /** Lay the pitches out. */
  measure(height) {
    const [low, high] = this.allPitches ? this.compass : this.fitted;
    this.pitches = { low, high, top: 0, bottom: height - AXIS };
  }

  /** The position of a note. */
  placeOf(i) {
    const { pitch, percussion, cents } = this.contents.notes;
    if (percussion[i]) return null;
    const height = Math.min(12, Math.max(3, (this.yOf(0) - this.yOf(1)) * 0.8));
    return { y: this.yOf(pitch[i] + (cents[i] ?? 0) / 100), height, least: 2 };
  }

  /** Draw picture and notes. */
  paint(context, width, height, ink) {
    const { low, high, bottom } = this.pitches;
    const { from, to } = this.view;
    if (this.#image) {
      const { columns, rows, per_semitone: fine } = this.contents.picture;
      const pace = columns / this.contents.duration;
      const top = this.compass[1];
      context.drawImage(this.#image, from * pace, (top - high) * fine, (to - from) * pace,
        (high - low) * fine, 0, 0, width, bottom);
    }
    if (!this.showNotes) return;
    this.#paintStrokes(context, bottom);
    this.paintNotes(context, ink);
  }

  /** Draw strokes of percussion as times, as they have no pitch. */
  #paintStrokes(context, bottom) {
    const { start, percussion, stem } = this.contents.notes;
    for (let i = 0; i < start.length; i++) {
      if (!percussion[i] || start[i] < this.view.from || start[i] > this.view.to || !this.belongs(i)) continue;
      const x = this.xOf(start[i]);
      context.globalAlpha = this.strengthOf(i);
      context.fillStyle = this.colourOf(stem[i]);
      context.fillRect(x - 0.5, bottom - 12, 2, 12);
      context.globalAlpha *= 0.3;
      context.fillRect(x - 0.5, 0, 1, bottom);
    }
    context.globalAlpha = 1;
  }

  /** Draw the keys, and the spectrum of the highlighted stem or of the current time. */
  drawSide() {
    if (!this.pitches) return;
    const { context, width, height } = sharpen(this.side);
    if (width === 0) return;
    const ink = inks();
    this.measure(height);
    this.#paintKeys(context, width, ink);
    if (width < KEYS + 60) return;
    const room = width - KEYS - 8;
    const shown = this.#shownSpectra();
    context.fillStyle = ink.soft;
    context.font = "11px system-ui, sans-serif";
    context.fillText(shortened(context, shown.title, width - KEYS), 0, height - AXIS / 2 + 3);
    for (const { rows, colour, alpha } of shown.spectra) {
      this.#paintSpectrum(context, rows, room, colour, alpha);
    }
  }

  /** The spectra to show at the side, with their title. */
  #shownSpectra() {
    const { stem, note } = this.highlight;
    const meant = note >= 0 ? this.contents.notes.stem[note] : stem;
    const own = this.#templates.filter((one) => one.stem === meant && meant >= 0);
    if (own.length) {
      const pitch = note >= 0 ? this.contents.notes.pitch[note] : null;
      const distance = (one) => Math.abs((one.pitch ?? 1e3) - pitch);
      const chosen = pitch === null ? own : [own.reduce((a, b) => (distance(b) < distance(a) ? b : a))];
      const colour = this.colourOf(meant);
      const title = chosen.length === 1 ? templateName(chosen[0]) : `${chosen.length} templates of ${this.player.stems[meant].name}`;
      const alpha = chosen.length === 1 ? 0.35 : Math.max(0.04, 0.35 / chosen.length);
      return { title, spectra: chosen.map(({ rows }) => ({ rows, colour, alpha })) };
    }
    const rows = this.#column(this.player.time);
    const title = rows ? `Spectrum at ${clock(this.player.time)}` : "";
    return { title, spectra: rows ? [{ rows, colour: inks().soft, alpha: 0.3 }] : [] };
  }

  /** The picture at a time. */
  #column(seconds) {
    if (!this.#values) return null;
    const { columns, rows } = this.contents.picture;
    const column = Math.min(columns - 1, Math.floor((seconds / this.contents.duration) * columns));
    return Uint8Array.from({ length: rows }, (_, r) => this.#values[r * columns + column]);
  }

  /** Draw a spectrum from the keys to the left. */
  #paintSpectrum(context, rows, room, colour, alpha) {
    const { per_semitone: fine } = this.contents.picture;
    const top = this.compass[1];
    const right = room + 4;
    context.beginPath();
    context.moveTo(right, this.yOf(top));
    rows.forEach((value, r) => context.lineTo(right - (value / 255) * room, this.yOf(top - (r + 0.5) / fine)));
    context.lineTo(right, this.yOf(top - rows.length / fine));
    context.save();
    context.clip(clipAbove(this.pitches.bottom, right));
    context.fillStyle = faint(colour.slice(0, 7), alpha);
    context.strokeStyle = colour;
    context.fill();
    context.globalAlpha = 0.8;
    context.stroke();
    context.restore();
  }

  /** Draw the piano keys at the right of the side. */
  #paintKeys(context, width, ink) {
    const { low, high, bottom } = this.pitches;
    const left = width - Math.min(width, KEYS);
    const tall = this.yOf(0) - this.yOf(1);
    context.font = "10px system-ui, sans-serif";
    context.textBaseline = "middle";
    for (let pitch = Math.ceil(low); pitch < high; pitch++) {
      const y = this.yOf(pitch);
      const within = ((pitch % 12) + 12) % 12;
      if (BLACK_KEYS.has(within) && y > 0 && y < bottom) {
        context.fillStyle = faint(ink.text.slice(0, 7), 0.75);
        context.fillRect(width - 14, y - tall / 2, 14, Math.max(1, tall - 0.5));
      } else if (within === 0 && y < bottom - 4 && y > 4) {
        context.fillStyle = ink.soft;
        context.fillText(noteName(pitch), left + 2, y);
        context.fillStyle = ink.line;
        context.fillRect(width - 14, y + tall / 2, 14, 1);
      }
    }
    context.strokeStyle = ink.line;
    context.strokeRect(width - 14.5, -1, 16, bottom + 1);
  }
}

/** The region of a canvas above `bottom` and left of `right`. */
function clipAbove(bottom, right) {
  const path = new Path2D();
  path.rect(0, 0, right, bottom);
  return path;
}
