"use strict";

/** The shortest note, in seconds. */
const STUDIO_SHORTEST = 0.02;

const STUDIO_PITCHES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];

/** The properties of an added note, besides time, pitch and stem. */
const STUDIO_NEW_NOTE = { velocity: 80, confidence: 1, cents: 0, percussion: 0 };

/**
 * The notes of a run as columns, with changes of some of them.
 *
 * Every change returns new columns.
 */
class StudioNotes {
  /**
   * @param {Object<string, number[]>} columns start and end (s), pitch (MIDI), velocity,
   *   confidence, cents, percussion (0 or 1), stem (index, -1 for none)
   * @param {number} duration of the recording, in seconds
   */
  constructor(columns, duration) {
    this.columns = columns;
    this.duration = duration;
  }

  /** The number of notes. */
  get length() {
    return this.columns.start.length;
  }

  /** One note. @param {number} i @returns {Object<string, number>} */
  at(i) {
    const note = {};
    for (const [name, column] of Object.entries(this.columns)) note[name] = column[i];
    return note;
  }

  /** A key of a note that does not depend on other notes. */
  key(i) {
    const { start, end, pitch, stem } = this.columns;
    return [start[i].toFixed(3), end[i].toFixed(3), Math.round(pitch[i]), stem[i]].join();
  }

  /** The notes with these keys. @param {Set<string>} keys @returns {Set<number>} */
  find(keys) {
    const found = new Set();
    for (let i = 0; i < this.length; i++) if (keys.has(this.key(i))) found.add(i);
    return found;
  }

  /** Some notes changed. @param {Iterable<number>} some @param {function(Object)} change */
  changed(some, change) {
    const columns = {};
    for (const [name, column] of Object.entries(this.columns)) columns[name] = [...column];
    for (const i of some) {
      const note = this.at(i);
      change(note);
      for (const name of Object.keys(columns)) columns[name][i] = note[name];
    }
    return columns;
  }

  /**
   * Some notes moved in time and pitch, all by the same amount, within the limits.
   *
   * @param {Set<number>} some
   * @param {number} seconds
   * @param {number} semitones
   */
  moved(some, seconds, semitones) {
    const { start, end, pitch } = this.columns;
    const all = [...some];
    const earliest = Math.min(...all.map((i) => start[i]));
    const latest = Math.max(...all.map((i) => end[i]));
    const lowest = Math.min(...all.map((i) => pitch[i]));
    const highest = Math.max(...all.map((i) => pitch[i]));
    const dt = studioClamp(seconds, -earliest, Math.max(0, this.duration - latest));
    const dp = studioClamp(semitones, -lowest, Math.max(0, 127 - highest));
    return this.changed(all, (note) => {
      note.start += dt;
      note.end += dt;
      note.pitch += dp;
      note.confidence = 1;
    });
  }

  /** Some notes with a new start or end. @param {string} side "start" or "end" */
  resized(some, side, seconds) {
    return this.changed(some, (note) => {
      const [least, most] =
        side === "start"
          ? [0, note.end - STUDIO_SHORTEST]
          : [note.start + STUDIO_SHORTEST, this.duration];
      note[side] = studioClamp(note[side] + seconds, least, Math.max(least, most));
      note.confidence = 1;
    });
  }

  /** Some notes with a new stem. */
  assigned(some, stem) {
    return this.changed(some, (note) => {
      note.stem = stem;
      note.confidence = 1;
    });
  }

  /** The columns without some notes. */
  without(some) {
    const columns = {};
    for (const [name, column] of Object.entries(this.columns)) {
      columns[name] = column.filter((_, i) => !some.has(i));
    }
    return columns;
  }

  /** The columns with one more note at the end. */
  withNote(fresh) {
    const { start, end, pitch } = fresh;
    const from = studioClamp(start, 0, Math.max(0, this.duration - STUDIO_SHORTEST));
    const to = studioClamp(end, from + STUDIO_SHORTEST, Math.max(from + STUDIO_SHORTEST, this.duration));
    const note = { ...STUDIO_NEW_NOTE, ...fresh, start: from, end: to };
    note.pitch = studioClamp(pitch, 0, 127);
    const columns = {};
    for (const [name, column] of Object.entries(this.columns)) {
      columns[name] = [...column, note[name] ?? 0];
    }
    return columns;
  }

  /** The next or previous note in time. @param {number} i -1: none yet */
  beside(i, step) {
    const { start, pitch } = this.columns;
    const order = [...start.keys()].sort((a, b) => start[a] - start[b] || pitch[a] - pitch[b]);
    const place = order.indexOf(i);
    if (place < 0) return order.at(step > 0 ? 0 : -1) ?? -1;
    return order[studioClamp(place + step, 0, order.length - 1)];
  }

  /** A note as text. @param {number} i @param {string[]} stems names */
  describe(i, stems) {
    const { start, end, pitch, stem } = this.at(i);
    const where = `${studioTime(start)} to ${studioTime(end)}`;
    return `${studioPitch(pitch)}, ${where}, ${stems[stem] ?? "no stem"}`;
  }
}

/** A pitch's name. @param {number} pitch MIDI number */
function studioPitch(pitch) {
  const p = Math.round(pitch);
  return STUDIO_PITCHES[((p % 12) + 12) % 12] + (Math.floor(p / 12) - 1);
}
