"use strict";

/** The dialog to save a run, as a new one or in place. */
class StudioSave {
  /**
   * @param {StudioClient} client
   * @param {function(string)} say shows a message
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
        studioButton("Save in place …", "Replace the open run", () => this.askPlace()),
        studioButton("Cancel", "Esc", () => this.element.close()),
      ),
    ]);
  }

  /** Second page: confirm that the run is replaced. */
  askPlace() {
    const { folder } = this.client.state;
    this.show("Save in place", () => this.save(null, true), [
      studioElement("p", {}, `This replaces the run in ${folder}. The old version is not kept.`),
      studioElement(
        "p",
        { class: "studio-buttons" },
        studioElement("button", {}, "Replace"),
        studioButton("Back", "", () => this.askName()),
      ),
    ]);
  }

  /** Save, and show the folder. */
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
