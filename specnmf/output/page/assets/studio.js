"use strict";

const STUDIO_TOOLS = {
  listen: ["Listen", "Click to seek, drag to loop"],
  select: ["Edit notes", "Select, move and resize notes; double-click adds one"],
  draw: ["Draw notes", "Drag to add a note"],
};

const STUDIO_KEYS = [
  ["Ctrl + Z, Ctrl + Shift + Z", "Undo, redo"],
  ["Ctrl + S", "Save"],
  ["F2", "Rename the stem or region in focus"],
  ["Alt + ↑ ↓", "Move the stem in focus"],
  ["E", "Edit notes; Esc to stop"],
  [", .", "Notes: select the previous or next"],
  ["← → ↑ ↓", "Notes: move by 10 ms or a semitone; with Shift by 100 ms or an octave"],
  ["Alt + ← →", "Notes, regions: shorten or lengthen"],
  ["Enter", "Notes: add one at the cursor. Regions: loop"],
  ["1 … 9", "Notes: assign to this stem"],
  ["Del", "Notes, regions: delete"],
];

/** The studio: the bar above the page and everything connected to it. */
class Studio {
  /** @param {Object} page window.specnmf */
  constructor(page) {
    this.page = page;
    this.client = new StudioClient(location.pathname.replace(/\/?$/, "/"));
    this.teller = (text, wrong) => this.say(text, wrong);
    this.status = studioElement("p", { class: "studio-status", role: "status" });
    document.body.append(this.status);
    this.stems = new StudioStems(page, this.client, this.teller);
    this.save = new StudioSave(this.client, this.teller);
    this.listen();
    this.client.start();
  }

  /** Make the bar, and the editors of notes and regions. @param {Object} can of the state */
  build({ notes, regions }) {
    const { page, client, teller } = this;
    this.roll = notes ? new StudioRoll(page, client, teller) : null;
    this.regions = regions ? new StudioRegions(page, client, teller) : null;
    this.undo = studioButton("↶", "Undo (Ctrl+Z)", () => this.step("undo"));
    this.redo = studioButton("↷", "Redo (Ctrl+Shift+Z)", () => this.step("redo"));
    this.undo.setAttribute("aria-label", "Undo");
    this.redo.setAttribute("aria-label", "Redo");
    this.saving = studioButton("Save …", "Save as a new run or in place (Ctrl+S)", () => this.save.open());
    this.mark = studioElement("span", { class: "studio-mark" });
    const bar = [this.undo, this.redo, this.saving, this.mark];
    if (this.roll) bar.push(this.tools(), this.noteTools());
    if (this.roll || this.regions) bar.push(...this.again());
    this.bar = studioElement("section", { class: "studio-bar", "aria-label": "Studio" }, ...bar);
    document.querySelector("header").after(this.bar);
    this.help();
  }

  /** The switch between listening, editing and drawing. */
  tools() {
    this.switches = Object.entries(STUDIO_TOOLS).map(([tool, [text, title]]) => {
      const button = studioButton(text, title, () => this.roll.take(tool));
      button.dataset.tool = tool;
      return button;
    });
    const attributes = { class: "studio-tools", role: "group", "aria-label": "Tool" };
    return studioElement("span", attributes, ...this.switches);
  }

  /** The actions for selected notes. */
  noteTools() {
    this.count = studioElement("span", { class: "studio-count" });
    this.owner = studioElement("select", { "aria-label": "Stem of the selected notes" });
    this.owner.addEventListener("change", () => this.roll.assign(Number(this.owner.value)));
    this.delete = studioButton("Delete", "Del", () => this.roll.remove());
    const parts = [this.count, this.owner, this.delete];
    this.forNotes = studioElement("span", { class: "studio-notes", hidden: true }, ...parts);
    this.roll.changed = () => this.showNotes();
    return this.forNotes;
  }

  /** The button to separate or find again, its progress and its cancellation. */
  again() {
    const [text, title] = this.regions
      ? ["Find again", "Find the sounds again with the marked regions"]
      : ["Separate again", "Separate the recording again with the corrected notes"];
    this.start = studioButton(text, title, () => this.separate());
    this.progress = studioElement("progress", { "aria-label": "Progress" });
    this.stage = studioElement("span", {});
    const cancel = studioButton("Cancel", "Stop and keep the present stems", () => this.cancel());
    const parts = [this.progress, this.stage, cancel];
    this.job = studioElement("span", { class: "studio-job", hidden: true }, ...parts);
    if (this.regions) this.regions.form.append(this.start);
    return this.regions ? [this.job] : [this.start, this.job];
  }

  /** Start to separate again. */
  async separate() {
    this.told = "Done: the new stems are shown.";
    this.say("");
    const answer = await this.client.send("separate", () => ({ again: true }));
    if (!answer) this.told = "";
  }

  /** Cancel the job. */
  cancel() {
    this.told &&= "Cancelled; the stems are unchanged.";
    this.client.send("cancel");
  }

  /** Add the keys to those of the page. */
  help() {
    const list = document.getElementById("shortcuts");
    for (const [keys, what] of STUDIO_KEYS) {
      list.append(studioElement("dt", {}, keys), studioElement("dd", {}, what));
    }
  }

  /** Listen to the server, the page and the keys. */
  listen() {
    const { client } = this;
    const hear = (name, act) => client.addEventListener(name, ({ detail }) => act(detail));
    hear("state", ({ state, quiet }) => this.show(state, quiet));
    hear("job", (what) => this.showJob(what));
    hear("waiting", () => {
      this.showMark();
      this.stems.levelled();
    });
    hear("busy", () => this.say("Please wait …"));
    hear("refused", (message) => this.say(message, true));
    hear("conflict", () => this.say("The run was changed in another window; the page now shows that version.", true));
    hear("gone", () => this.say("The studio does not answer. Is it still running? Trying again …", true));
    hear("back", () => this.say("Connected again."));
    window.addEventListener("keydown", (event) => this.key(event), { capture: true });
    window.addEventListener("beforeunload", (event) => {
      if (client.waiting || client.state?.dirty) event.preventDefault();
    });
  }

  /** Show a state. @param {boolean} quiet whether the page shows it already */
  show(state, quiet) {
    if (!this.bar) this.build(state.can);
    this.client.showing = true;
    if (!quiet) this.renew(state.contents);
    else (this.roll || this.regions)?.adopt(state.contents);
    this.client.showing = false;
    this.undo.disabled = !state.undo;
    this.redo.disabled = !state.redo;
    this.showMark();
    if (this.roll) this.showNotes();
  }

  /** Show contents, and keep the focus on the element with the same label. */
  renew(contents) {
    const before = document.activeElement;
    const label = before?.closest(".stem") && before.getAttribute("aria-label");
    this.page.update(contents);
    if (!label || document.contains(before)) return;
    const all = document.querySelectorAll(".stem [aria-label]");
    [...all].find((element) => element.getAttribute("aria-label") === label)?.focus();
  }

  /** Undo or redo. @param {string} which */
  async step(which) {
    const { client } = this;
    if (!client.waiting && !client.state?.[which]) return this.say(`There is nothing to ${which}.`);
    const answer = await client.send(which);
    if (answer) this.say(which === "undo" ? "Undone." : "Redone.");
  }

  /** Show whether there are unsaved changes. */
  showMark() {
    const { state, waiting } = this.client;
    if (!state) return;
    const dirty = state.dirty || waiting;
    this.mark.textContent = dirty ? "● unsaved changes" : state.saved ? `saved in ${state.saved}` : "";
    this.mark.classList.toggle("studio-dirty", dirty);
    const title = document.title.replace(/^● /, "");
    document.title = dirty ? `● ${title}` : title;
  }

  /** Show the selection and its stem. */
  showNotes() {
    const { roll } = this;
    for (const button of this.switches) {
      button.setAttribute("aria-pressed", String(button.dataset.tool === roll.tool));
    }
    this.forNotes.hidden = roll.tool === "listen";
    const n = roll.selected.size;
    this.count.textContent = n === 1 ? "1 note" : `${n} notes`;
    this.owner.replaceChildren(
      ...roll.stems.map((name, i) => studioElement("option", { value: String(i) }, name)),
    );
    const owners = new Set([...roll.selected].map((i) => roll.notes.columns.stem[i]));
    this.owner.value = owners.size === 1 ? String([...owners][0]) : "";
    this.owner.disabled = this.delete.disabled = n === 0;
  }

  /** Show the progress of a job. */
  showJob({ job, ended }) {
    if (!this.job) return;
    this.job.hidden = !job;
    this.start.disabled = Boolean(job);
    if (ended && this.told) {
      this.say(this.told);
      this.told = "";
    }
    if (!job) return;
    if (job.total) Object.assign(this.progress, { max: job.total, value: job.done });
    else this.progress.removeAttribute("value");
    this.stage.textContent = [job.stage, job.note].filter(Boolean).join(", ");
  }

  /** Handle the keys of undo, redo, save and the tools. */
  key(event) {
    if (document.querySelector("dialog[open]") || event.altKey) return;
    const { key, shiftKey } = event;
    const control = event.ctrlKey || event.metaKey;
    const letter = key.toLowerCase();
    const writing = studioIsField(event.target) && event.target.type !== "range";
    if (control && letter === "s") this.save.open();
    else if (writing) return;
    else if (control && letter === "z") this.step(shiftKey ? "redo" : "undo");
    else if (control && letter === "y") this.step("redo");
    else if (!control && letter === "e" && this.roll) this.roll.take("select");
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** Show a message. @param {string} text @param {boolean} wrong */
  say(text, wrong = false) {
    this.status.textContent = text;
    this.status.classList.toggle("studio-wrong", wrong);
  }
}

if (window.specnmf) new Studio(window.specnmf);
else document.addEventListener("specnmf:ready", () => new Studio(window.specnmf), { once: true });
