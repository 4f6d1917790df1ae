"use strict";

/** Heights of lanes, in CSS pixels. */
const REGION_LANE = 18, DRUM_LANE = 15;
/** A side up to this width has no room for names. */
const NARROW = 60;

/** The notes alone: marked regions, then pitches, then one lane per drum. */
class PianoRoll extends TimePicture {
  /** Whether marked regions have lanes. */
  showRegions = true;

  /** Show contents; the height of the picture follows them. */
  set(contents) {
    this.contents = contents;
    this.lay();
  }

  /** Lay out the lanes of the group, and set the height of the picture. */
  lay() {
    const { notes, regions } = this.contents;
    const own = notes.pitch.map((_, i) => i).filter((i) => this.belongs(i));
    const pitched = own.filter((i) => !notes.percussion[i]).map((i) => notes.pitch[i]);
    this.regions = this.showRegions ? [...new Set(regions.map(({ name }) => name))] : [];
    this.drums = [...new Set(own.filter((i) => notes.percussion[i]).map((i) => notes.pitch[i]))].sort((a, b) => b - a);
    const [low, high] = pitched.length
      ? [pitched.reduce((a, b) => Math.min(a, b)) - 1, pitched.reduce((a, b) => Math.max(a, b)) + 1] : [0, 0];
    const top = this.regions.length * REGION_LANE;
    const tall = high > low ? Math.min(9, Math.max(3, 150 / (high - low))) : 0;
    const bottom = top + Math.round((high - low) * tall);
    this.pitches = { low, high: Math.max(high, low + 1), top, bottom };
    this.empty = own.length === 0 && this.regions.length === 0;
    const height = `${bottom + this.drums.length * DRUM_LANE + AXIS}px`;
    this.canvas.style.height = this.side.style.height = height;
    this.draw();
  }

  /** Lanes are laid out already. */
  measure() {}

  /** The position of a note. */
  placeOf(i) {
    const { pitch, percussion } = this.contents.notes;
    if (!percussion[i]) return { y: this.yOf(pitch[i]), height: Math.max(3, (this.yOf(0) - this.yOf(1)) * 0.85), least: 2 };
    const lane = this.drums.indexOf(pitch[i]);
    return { y: this.pitches.bottom + (lane + 0.5) * DRUM_LANE, height: DRUM_LANE - 6, least: 4 };
  }

  /** Draw lanes, regions and notes. */
  paint(context, width, height, ink) {
    context.strokeStyle = ink.line;
    const { low, high, bottom } = this.pitches;
    for (let pitch = Math.ceil(low / 12) * 12; pitch <= high; pitch += 12) {
      const y = Math.round(this.yOf(pitch - 0.5)) + 0.5;
      if (bottom > 0) line(context, 0, y, width, y);
    }
    for (let lane = 0; lane <= this.drums.length; lane++) {
      const y = bottom + lane * DRUM_LANE + 0.5;
      line(context, 0, y, width, y);
    }
    for (const { name, start, end } of this.showRegions ? this.contents.regions : []) {
      const lane = this.regions.indexOf(name);
      const x = this.xOf(start);
      context.fillStyle = this.colourOf(this.player.stems.findIndex((stem) => stem.name === name));
      context.globalAlpha = 0.75;
      context.fillRect(x, lane * REGION_LANE + 2, Math.max(2, this.xOf(end) - x), REGION_LANE - 5);
    }
    context.globalAlpha = 1;
    this.paintNotes(context, ink);
    if (this.side.clientWidth <= NARROW) this.#nameInside(context, width, ink);
  }

  /** The names of lanes, with their heights. */
  #names() {
    const { bottom } = this.pitches;
    const known = this.contents.drums ?? {};
    return [
      ...this.regions.map((text, lane) => ({ text, y: (lane + 0.5) * REGION_LANE - 1 })),
      ...this.drums.map((pitch, lane) => ({
        text: known[pitch] ?? `drum ${pitch}`, y: bottom + (lane + 0.5) * DRUM_LANE,
      })),
    ];
  }

  /** Name lanes and octaves at the side; if it is narrow, name lanes in the picture. */
  drawSide() {
    const { context, width } = sharpen(this.side);
    if (width === 0) return;
    const ink = inks();
    const { low, high, bottom } = this.pitches;
    const name = (text, y) => context.fillText(shortened(context, text, width - 6), width - 6, y);
    context.fillStyle = ink.soft;
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (let pitch = Math.ceil(low / 12) * 12; pitch <= high; pitch += 12) {
      if (bottom > 0) name(noteName(pitch), this.yOf(pitch));
    }
    if (width > NARROW) for (const { text, y } of this.#names()) name(text, y);
  }

  #nameInside(context, width, ink) {
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    context.lineWidth = 3;
    context.strokeStyle = ink.sheet;
    context.fillStyle = ink.text;
    for (const { text, y } of this.#names()) {
      const short = shortened(context, text, width / 2);
      context.strokeText(short, 4, y);
      context.fillText(short, 4, y);
    }
    context.lineWidth = 1;
  }
}

/**
 * Draw the level of a stem over the visible time.
 *
 * @param {HTMLCanvasElement} canvas - The canvas.
 * @param {Uint8Array} levels - Levels over the whole recording.
 * @param {View} view - The visible time.
 * @param {string} colour - The stem's colour.
 */
function drawLevels(canvas, levels, view, colour) {
  const { context, width, height } = sharpen(canvas);
  if (width === 0 || levels.length === 0) return;
  const pace = levels.length / view.duration;
  const heights = Array.from({ length: Math.ceil(width) }, (_, x) => {
    const at = (part) => (view.from + (part / width) * (view.to - view.from)) * pace;
    const first = Math.min(levels.length - 1, Math.floor(at(x)));
    const last = Math.max(first + 1, Math.min(levels.length, Math.floor(at(x + 1))));
    return levels.subarray(first, last).reduce((most, level) => Math.max(most, level), 0);
  });
  const middle = height / 2;
  const reach = (level) => Math.max(0.5, (level / 255) ** 1.5 * (middle - 1));
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(0, middle);
  heights.forEach((level, x) => context.lineTo(x + 0.5, middle - reach(level)));
  context.lineTo(width, middle);
  for (let x = heights.length - 1; x >= 0; x--) context.lineTo(x + 0.5, middle + reach(heights[x]));
  context.fill();
}
