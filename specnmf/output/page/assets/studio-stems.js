"use strict";

/** The pause of sliders before their levels are sent, in milliseconds. */
const STUDIO_SETTLED = 400;

/** The rows of the page's stems: names, merging, dropping, order and levels. */
class StudioStems {
  /**
   * @param {Object} page window.specnmf
   * @param {StudioClient} client
   * @param {function(string)} say shows a message
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

  /** The edited stems. */
  get model() {
    const { state } = this.client;
    this.mix ||= new StudioMix(state.contents, state.edits);
    return this.mix;
  }

  /** Add handle, menu and keys to every row. */
  furnish() {
    if (!this.possible) return;
    this.model.names.forEach((_, i) => {
      const row = this.page.rowOf(i);
      const tools = row && row.querySelector(".stem-tools");
      tools?.replaceChildren(this.handle(row, i), ...this.menu(i));
      if (row && !this.stereo) this.keepCentred(row);
    });
  }

  /** Whether stems have two channels. */
  get stereo() {
    return this.page.contents.n_channels === 2;
  }

  /** Disable pans of mono recordings, as they cannot be saved. */
  keepCentred(row) {
    const pan = row.querySelector(".knob.pan");
    if (!pan) return;
    pan.title = "Only stereo recordings can be panned";
    pan.querySelector("input").disabled = true;
  }

  /** The stem of an event's row, or -1. */
  stemOf(event) {
    const row = this.possible && event.target.closest(".stem");
    return row ? this.model.rows.findIndex((_, i) => this.page.rowOf(i) === row) : -1;
  }

  /** The handle of a stem's row. */
  handle(row, i) {
    const title = "Drag onto another stem to merge, or between two stems to move";
    const grip = studioElement("span", { class: "studio-grip", title, "aria-hidden": "true" }, "⠿");
    grip.addEventListener("pointerdown", (down) => {
      down.preventDefault();
      this.drag(down, grip, row, i);
    });
    return grip;
  }

  /** Follow a dragged row. */
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

  /** The action of a dragged row at a position: merge, or move before or after. */
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

  /** Remove the marks of a drag. */
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

  /** The menu of a stem. */
  menu(i) {
    const act = (what) => () => {
      menu.hidePopover();
      what();
    };
    const [button, menu] = studioMenu("⋯", `Edit ${this.model.rows[i].name}`, () => [
      studioButton("Rename", "F2", act(() => this.askName(i))),
      this.mergeChoice(i, act),
      studioButton("Drop", "Add its sound to the rest", act(() => this.give(i))),
      studioButton("Move up", "Alt+↑", act(() => this.step(i, -1))),
      studioButton("Move down", "Alt+↓", act(() => this.step(i, 1))),
      this.withoutSwitch(i, act),
    ]);
    button.classList.add("studio-edit");
    return [button, menu];
  }

  /** The choice of a stem to merge into. */
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

  /** The choice to save the mix without a stem. */
  withoutSwitch(i, act) {
    const row = this.model.rows[i];
    const box = studioElement("input", { type: "checkbox", checked: row.without });
    const change = () => {
      if (!this.client.isReady()) return;
      row.without = box.checked;
      this.send(`The mix without ${row.name} ${box.checked ? "will" : "will not"} be saved.`, i);
    };
    box.addEventListener("change", act(change));
    return studioElement("label", {}, box, "Save the mix without this stem");
  }

  /** Keys on a row: F2 renames, Alt with an arrow moves. */
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

  /** Edit a stem's name in place. */
  askName(i) {
    const element = this.page.rowOf(i).querySelector(".stem-name");
    studioWriteOver(element, "Name of the stem", (name) => this.rename(i, name));
  }

  /** Rename a stem. */
  rename(i, name) {
    if (!this.client.isReady()) return;
    const refusal = this.model.refuses(i, name);
    if (refusal) return this.say(refusal, true);
    const before = this.model.rows[i].name;
    this.model.rename(i, name);
    this.page.rowOf(i).querySelector(".stem-name").textContent = name;
    this.send(`Renamed ${before} to ${name}.`, i);
  }

  /** Merge a stem into another. */
  merge(i, j) {
    if (!this.client.isReady()) return;
    if (this.model.isRest(i)) return this.say("Undo the drop first: the rest contains dropped stems.", true);
    const [from, into] = [this.model.rows[i].name, this.model.rows[j].name];
    this.model.merge(i, j);
    this.send(`Merged ${from} into ${into}.`);
  }

  /** Drop a stem: add it to the rest. */
  give(i) {
    if (!this.client.isReady()) return;
    if (this.model.rows.length < 2) return this.say("The last stem cannot be dropped.", true);
    const { name } = this.model.rows[i];
    this.model.drop(i);
    this.send(`Dropped ${name}: added to the rest.`);
  }

  /** Move a stem to another position. */
  move(i, j) {
    if (i === j || !this.client.isReady()) return;
    const { name } = this.model.rows[i];
    this.model.move(i, j);
    this.send(`Moved ${name} to position ${j + 1}.`, j);
  }

  /** Move a stem up or down by one, within its group. */
  step(i, by) {
    const { rows } = this.model;
    const other = rows[i + by];
    if (other && other.group === rows[i].group) this.move(i, i + by);
  }

  /** Store levels that a slider changed. */
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

  /** Send the edits. @param {number} focus the stem whose row gets the focus */
  async send(told, focus = -1) {
    const edits = this.model.edits();
    const answer = await this.client.send("edit", () => ({ edits }));
    if (!answer) return;
    this.say(told);
    if (focus >= 0) this.page.rowOf(focus)?.querySelector(".studio-edit")?.focus();
  }
}
