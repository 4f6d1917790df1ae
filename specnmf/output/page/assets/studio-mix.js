"use strict";

/** Names of the stem for all remaining sound. */
const STUDIO_RESTS = ["rest", "residual"];

/**
 * The stems of a run as edited, and the Edits that make them.
 *
 * A row is {name, folder, members, gain, pan, without, group}: members are the names of
 * its stems before the edits, none for a new rest; folder is the prefix of names in Edits
 * if there are several groups, such as "layer_1/".
 */
class StudioMix {
  /** @param {Object} contents of the page, as edited @param {Object} edits as JSON */
  constructor(contents, edits) {
    this.only = edits.only || [];
    this.dropped = [...(edits.drop || [])];
    this.ordered = Boolean(edits.order?.length);
    this.rows = contents.groups.flatMap((group, k) => {
      const folder = group.name ? `${group.name}/` : "";
      return group.stems.map((stem) => studioRow(stem, folder, k, edits));
    });
  }

  /** The names, in the order of the page. */
  get names() {
    return this.rows.map((row) => row.name);
  }

  /** Why a stem cannot have this name, or "". */
  refuses(i, name) {
    if (this.isRest(i)) return "The rest cannot be renamed while it contains dropped stems.";
    const { group } = this.rows[i];
    const same = (row, k) => k !== i && row.group === group && row.name.toLowerCase() === name.toLowerCase();
    return this.rows.some(same) ? `There is already a stem ${name}; to add them up, merge them.` : "";
  }

  /** Whether a stem contains dropped stems. */
  isRest(i) {
    return this.dropped.length > 0 && STUDIO_RESTS.includes(this.rows[i].name);
  }

  /** Rename a stem. */
  rename(i, name) {
    this.rows[i].name = name;
  }

  /** Merge stem i into stem j, which keeps its name. */
  merge(i, j) {
    if (this.isRest(j)) return this.drop(i);
    this.rows[j].members.push(...this.rows[i].members);
    this.rows.splice(i, 1);
  }

  /** Drop a stem: add it to the rest. */
  drop(i) {
    this.dropped.push(...this.rows[i].members);
    this.rows.splice(i, 1);
  }

  /** Move stem i to the position of stem j. */
  move(i, j) {
    const [row] = this.rows.splice(i, 1);
    this.rows.splice(j, 0, row);
    this.ordered = true;
  }

  /** The Edits as JSON: merges, renames and drops by the old names, all else by the new. */
  edits() {
    const edits = { merge: {}, rename: {}, drop: this.dropped, gain: {}, pan: {}, only: this.only };
    for (const { name, folder, members, gain, pan } of this.rows) {
      if (members.length > 1) edits.merge[folder + name] = members;
      else if (members.length && members[0] !== folder + name) edits.rename[members[0]] = name;
      if (gain) edits.gain[folder + name] = gain;
      if (pan) edits.pan[folder + name] = pan;
    }
    const named = (rows) => rows.map(({ folder, name }) => folder + name);
    edits.order = this.ordered ? named(this.rows) : [];
    edits.without = named(this.rows.filter(({ without }) => without));
    return edits;
  }
}

/** A row of `StudioMix` for an edited stem. */
function studioRow({ name, gain, pan }, folder, group, edits) {
  const before = studioInverted(edits.rename || {}).get(name);
  const known = (table) => table?.[folder + name] ?? table?.[name];
  const made = STUDIO_RESTS.includes(name) && edits.drop?.length;
  const members = [...(known(edits.merge) ?? (made ? [] : [before ?? folder + name]))];
  const without = Boolean(edits.without?.some((one) => one === folder + name || one === name));
  return { name, folder, members, gain: gain || 0, pan: pan || 0, without, group };
}

/** A map from the values of an object to its keys. */
function studioInverted(object) {
  return new Map(Object.entries(object).map(([key, value]) => [value, key]));
}
