"use strict";

/** The dialog in which a run is saved, as a new one or in place. */
class StudioSave {
  /**
   * @param {StudioClient} client
   * @param {function(string)} say tells the person what happened
   */
  constructor(client, say) {
    Object.assign(this, { client, say });
    this.name = studioElement("input", { maxLength: 160, spellcheck: false });
    this.element = studioElement("dialog", { class: "studio-save", "aria-label": "Save" });
    document.body.append(this.element);
  }

  /** Ask how to save. */
  open() {
    if (this.element.open) return;
    this.name.value = "";
    this.askName();
    this.element.showModal();
    this.name.focus();
  }

  /** Fill the dialog. */
  show(heading, act, children) {
    const form = studioElement("form", { method: "dialog" }, studioElement("h2", {}, heading), ...children);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      act();
    });
    this.element.replaceChildren(form);
  }

  /** First page: a new run, or this one. */
  askName() {
    const { saved, folder } = this.client.state;
    this.name.placeholder = studioLastOf(saved || folder);
    this.show("Save", () => this.save(this.name.value.trim() || null, false), [
      studioElement("label", {}, "Name of the new run ", this.name),
      studioElement(
        "p",
        { class: "studio-buttons" },
        studioElement("button", {}, saved ? "Save" : "Save as a new run"),
        studioButton("Save in place …", "Replace the run that is open", () => this.askPlace()),
        studioButton("Cancel", "Esc", () => this.element.close()),
      ),
    ]);
  }

  /** Second page: whether the run is really to be replaced. */
  askPlace() {
    const { folder } = this.client.state;
    this.show("Save in place", () => this.save(null, true), [
      studioElement("p", {}, `This replaces the run in ${folder}. What it was before is not kept.`),
      studioElement(
        "p",
        { class: "studio-buttons" },
        studioElement("button", {}, "Replace it"),
        studioButton("Back", "", () => this.askName()),
      ),
    ]);
  }

  /** Save, and say where. */
  async save(name, inPlace) {
    this.element.close();
    this.say("Saving …");
    const answer = await this.client.send("save", () => ({ name, in_place: inPlace }));
    if (answer && answer.folder) this.say(`Saved in ${answer.folder}`);
  }
}

/** The last part of a path. */
function studioLastOf(path) {
  return String(path).split(/[\\/]/).filter(Boolean).at(-1) || "";
}
