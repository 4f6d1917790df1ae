"use strict";

/** How long sliders may rest before their levels are sent, in milliseconds. */
const STUDIO_SETTLED = 400;

/** The rows of the page's stems: names, merging, dropping, order and levels. */
class StudioStems {
  /**
   * @param {Object} page window.specnmf
   * @param {StudioClient} client
   * @param {function(string)} say tells the person what happened
   */
  constructor(page, client, say) {
    Object.assign(this, { page, client, say });
    page.player.on("mix", () => this.levelled());
    client.addEventListener("state", () => {
      this.mix = null;
    });
    document.addEventListener("specnmf:updated", () => this.furnish());
    document.addEventListener("keydown", (event) => this.key(event), { capture: true });
    document.addEventListener("dblclick", (event) => {
      if (!event.target.closest(".stem-name")) return;
      const i = this.stemOf(event);
      if (i >= 0) this.askName(i);
    });
  }

  /** Whether stems can be edited; a transcription has none. */
  get possible() {
    return Boolean(this.client.state?.can.stems);
  }

  /** The stems as they are to be. */
  get model() {
    const { state } = this.client;
    this.mix ||= new StudioMix(state.contents, state.edits);
    return this.mix;
  }

  /** Give every row its handle, its menu and its keys. */
  furnish() {
    if (!this.possible) return;
    this.model.names.forEach((_, i) => {
      const row = this.page.rowOf(i);
      const tools = row && row.querySelector(".stem-tools");
      tools?.replaceChildren(this.handle(row, i), ...this.menu(i));
      if (row && !this.stereo) this.keepCentred(row);
    });
  }

  /** Whether stems have a left and a right. */
  get stereo() {
    return this.page.contents.n_channels === 2;
  }

  /** What is panned is not saved where there is one channel: so it is not offered. */
  keepCentred(row) {
    const pan = row.querySelector(".knob.pan");
    if (!pan) return;
    pan.title = "Only stereo recordings can be panned";
    pan.querySelector("input").disabled = true;
  }

  /** The stem of the row that an event came from, or -1. */
  stemOf(event) {
    const row = this.possible && event.target.closest(".stem");
    return row ? this.model.rows.findIndex((_, i) => this.page.rowOf(i) === row) : -1;
  }

  /** What a stem's row is dragged by. */
  handle(row, i) {
    const title = "Drag onto another stem to merge, between two to move";
    const grip = studioElement("span", { class: "studio-grip", title, "aria-hidden": "true" }, "⠿");
    grip.addEventListener("pointerdown", (down) => {
      down.preventDefault();
      this.drag(down, grip, row, i);
    });
    return grip;
  }

  /** Follow a row that is dragged. */
  drag(down, grip, row, i) {
    let target = null;
    row.classList.add("studio-dragged");
    const move = (event) => {
      this.unmark();
      target = this.targetAt(event.clientX, event.clientY, i);
      if (target) this.page.rowOf(target.row).classList.add(`studio-${target.how}`);
    };
    const end = (counts) => {
      this.unmark();
      row.classList.remove("studio-dragged");
      if (counts && target) this.drop(i, target);
    };
    studioFollow(down, grip, move, end);
  }

  /** What a dragged row would do at a place: merge, or move before or after. */
  targetAt(x, y, i) {
    const { rows } = this.model;
    for (let j = 0; j < rows.length; j++) {
      const box = this.page.rowOf(j)?.getBoundingClientRect();
      if (!box || y < box.top || y >= box.bottom || x < box.left || x > box.right) continue;
      if (j === i || rows[j].group !== rows[i].group) return null;
      const height = (y - box.top) / box.height;
      return { row: j, how: height < 0.25 ? "before" : height > 0.75 ? "after" : "merge" };
    }
    return null;
  }

  /** Take the marks of a drag away. */
  unmark() {
    this.model.names.forEach((_, j) => {
      const row = this.page.rowOf(j);
      row?.classList.remove("studio-before", "studio-after", "studio-merge");
    });
  }

  /** End a drag. */
  drop(i, { row, how }) {
    if (how === "merge") return this.merge(i, row);
    const place = how === "before" ? row : row + 1;
    this.move(i, place > i ? place - 1 : place);
  }

  /** What can be done with a stem, as a menu. */
  menu(i) {
    const act = (what) => () => {
      menu.hidePopover();
      what();
    };
    const [button, menu] = studioMenu("⋯", `Edit ${this.model.rows[i].name}`, () => [
      studioButton("Rename", "F2", act(() => this.askName(i))),
      this.mergeChoice(i, act),
      studioButton("Drop to the rest", "Its sound goes to the rest", act(() => this.give(i))),
      studioButton("Move up", "Alt+↑", act(() => this.step(i, -1))),
      studioButton("Move down", "Alt+↓", act(() => this.step(i, 1))),
      this.withoutSwitch(i, act),
    ]);
    button.classList.add("studio-edit");
    return [button, menu];
  }

  /** The choice of a stem to merge another into. */
  mergeChoice(i, act) {
    const { rows } = this.model;
    const choice = studioElement("select", { "aria-label": `Merge ${rows[i].name} into` });
    choice.append(studioElement("option", { value: "" }, "Merge into …"));
    rows.forEach((other, j) => {
      if (j === i || other.group !== rows[i].group) return;
      choice.append(studioElement("option", { value: String(j) }, other.name));
    });
    choice.disabled = choice.options.length < 2;
    choice.addEventListener("change", act(() => this.merge(i, Number(choice.value))));
    return choice;
  }

  /** Whether the mix without a stem is to be saved as well. */
  withoutSwitch(i, act) {
    const row = this.model.rows[i];
    const box = studioElement("input", { type: "checkbox", checked: row.without });
    const change = () => {
      if (!this.client.isReady()) return;
      row.without = box.checked;
      this.send(`${box.checked ? "Saving" : "Not saving"} the mix without ${row.name}.`, i);
    };
    box.addEventListener("change", act(change));
    return studioElement("label", {}, box, "Save the mix without it");
  }

  /** Keys on a row: F2 renames, Alt and an arrow moves. */
  key(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const ours = event.key === "F2" || (event.altKey && step);
    if (!ours || !event.target.closest(".stem")) return;
    const i = this.stemOf(event);
    if (i < 0 || event.target.matches(".studio-name")) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "F2") this.askName(i);
    else this.step(i, step);
  }

  /** Ask for a stem's name, in its place. */
  askName(i) {
    const element = this.page.rowOf(i).querySelector(".stem-name");
    studioWriteOver(element, "Name of the stem", (name) => this.rename(i, name));
  }

  /** Call a stem otherwise. */
  rename(i, name) {
    if (!this.client.isReady()) return;
    const refusal = this.model.refuses(i, name);
    if (refusal) return this.say(refusal, true);
    const before = this.model.rows[i].name;
    this.model.rename(i, name);
    this.page.rowOf(i).querySelector(".stem-name").textContent = name;
    this.send(`Renamed ${before} to ${name}.`, i);
  }

  /** Put a stem into another. */
  merge(i, j) {
    if (!this.client.isReady()) return;
    if (this.model.isRest(i)) return this.say("Undo the drop first: the rest holds what was dropped.", true);
    const [from, into] = [this.model.rows[i].name, this.model.rows[j].name];
    this.model.merge(i, j);
    this.send(`Merged ${from} into ${into}.`);
  }

  /** Give a stem to the rest. */
  give(i) {
    if (!this.client.isReady()) return;
    if (this.model.rows.length < 2) return this.say("The last stem cannot be dropped.", true);
    const { name } = this.model.rows[i];
    this.model.drop(i);
    this.send(`Dropped ${name} to the rest.`);
  }

  /** Put a stem elsewhere in the order. */
  move(i, j) {
    if (i === j || !this.client.isReady()) return;
    const { name } = this.model.rows[i];
    this.model.move(i, j);
    this.send(`Moved ${name} to place ${j + 1}.`, j);
  }

  /** Put a stem one place up or down, within its group. */
  step(i, by) {
    const { rows } = this.model;
    const other = rows[i + by];
    if (other && other.group === rows[i].group) this.move(i, i + by);
  }

  /** Note levels that a slider changed. */
  levelled() {
    if (!this.possible || this.client.showing || this.client.blocked) return;
    const { player } = this.page;
    let changed = false;
    this.model.rows.forEach((row, i) => {
      if (player.stems[i]?.name !== row.name) return;
      const [gain, pan] = [player.gains[i], this.stereo ? player.pans[i] : 0];
      changed ||= row.gain !== gain || row.pan !== pan;
      for (const known of [row, player.stems[i]]) Object.assign(known, { gain, pan });
    });
    if (!changed) return;
    const edits = this.model.edits();
    this.client.send("edit", () => ({ edits }), STUDIO_SETTLED, true);
  }

  /** Send the edits. @param {number} focus the stem whose row is to have the focus */
  async send(told, focus = -1) {
    const edits = this.model.edits();
    const answer = await this.client.send("edit", () => ({ edits }));
    if (!answer) return;
    this.say(told);
    if (focus >= 0) this.page.rowOf(focus)?.querySelector(".studio-edit")?.focus();
  }
}
