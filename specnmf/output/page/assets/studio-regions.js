"use strict";

/** The name of regions in which none of the sounds is heard. */
const STUDIO_REST = "rest";

/** The shortest region, in seconds. */
const STUDIO_SHORTEST_REGION = 0.02;

/**
 * The regions above the roll: one lane per name, in which regions are marked, moved,
 * resized, renamed and deleted.
 */
class StudioRegions {
  /**
   * @param {Object} page window.specnmf
   * @param {StudioClient} client
   * @param {function(string)} say shows a message
   */
  constructor(page, client, say) {
    Object.assign(this, { page, client, say });
    this.roll = page.roll;
    this.regions = [];
    this.added = [];
    this.titles = studioElement("div", { class: "side studio-titles", "aria-hidden": "true" });
    this.lanes = studioElement("div", { class: "lane studio-lanes" });
    this.cursor = studioElement("div", { class: "cursor" });
    const band = studioElement("div", { class: "band" }, this.titles, this.lanes);
    const title = studioElement("summary", {}, "Regions: mark where each sound is heard");
    const open = page.contents.regions.length > 0;
    this.form = this.makeForm();
    const attributes = { class: "studio-regions", open };
    this.element = studioElement("details", attributes, title, this.form, band);
    this.element.addEventListener("toggle", () => this.place());
    this.roll.canvas.closest(".band").after(this.element);
    if (page.pianoRoll) page.pianoRoll.showRegions = false;
    this.roll.addPainter(() => this.place());
    document.addEventListener("specnmf:updated", () => this.renew());
    this.renew();
  }

  /** The form that marks the loop as a region. */
  makeForm() {
    const label = "Name of the sound";
    this.name = studioElement("input", { placeholder: "name", maxLength: 160, "aria-label": label });
    const form = studioElement(
      "form",
      {},
      studioElement("label", {}, "Mark the loop as ", this.name),
      studioElement("button", { title: "Make the loop a region with this name" }, "Mark"),
      studioButton("New lane", "Add an empty lane with this name", () => this.addLane()),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.markLoop();
    });
    return form;
  }

  /** Adopt the regions of new contents. */
  renew() {
    this.regions = this.page.contents.regions.map((region) => ({ ...region }));
    this.build();
  }

  /** Adopt the regions of a state, without drawing the rest of the page again. */
  adopt({ regions }) {
    this.page.contents.regions = regions;
    this.renew();
  }

  /** The names with a lane, in the order of the stems. */
  get names() {
    const own = [...this.regions.map(({ name }) => name), ...this.added];
    const stems = this.stems.map(({ name }) => name).filter((name) => own.includes(name));
    const others = own.filter((name) => !stems.includes(name) && name !== STUDIO_REST).sort();
    return [...new Set([...stems.filter((name) => name !== STUDIO_REST), ...others, STUDIO_REST])];
  }

  /** All stems. */
  get stems() {
    return this.page.contents.groups.flatMap(({ stems }) => stems);
  }

  /** The colour of a name: its stem's. */
  colour(name) {
    return this.stems.find((stem) => stem.name === name)?.colour ?? "#999999";
  }

  /** Make the lanes and their regions again. */
  build() {
    const focused = this.lanes.contains(document.activeElement)
      ? document.activeElement.dataset.region
      : undefined;
    this.titles.replaceChildren(...this.names.map((name) => studioElement("div", {}, name)));
    this.lanes.replaceChildren(...this.names.map((name) => this.lane(name)), this.cursor);
    this.place();
    if (focused !== undefined) this.focus(Number(focused));
  }

  /** Give a region the focus. */
  focus(k) {
    this.lanes.querySelector(`[data-region="${k}"]`)?.focus();
  }

  /** One lane. */
  lane(name) {
    const lane = studioElement("div", { class: "studio-lane", role: "group", "aria-label": name });
    this.regions.forEach((region, k) => {
      if (region.name === name) lane.append(this.button(region, k));
    });
    lane.addEventListener("pointerdown", (event) => {
      if (event.target === lane && event.button === 0) this.mark(event, lane, name);
    });
    return lane;
  }

  /** One region. */
  button({ name, start, end }, k) {
    const said = `${name}, ${studioTime(start)} to ${studioTime(end)}`;
    const title = `${said}: drag it to move, drag an end to resize, F2 to rename, Del to delete, Enter to loop`;
    const button = studioButton(name, title, () => {});
    button.className = "studio-region";
    button.setAttribute("aria-label", said);
    button.dataset.region = String(k);
    button.style.background = this.colour(name);
    button.addEventListener("pointerdown", (event) => {
      if (event.button === 0) this.drag(event, button, k);
    });
    button.addEventListener("dblclick", () => this.rename(button, k));
    button.addEventListener("keydown", (event) => this.key(event, button, k));
    return button;
  }

  /** Position every region by its time. */
  place() {
    const { roll } = this;
    const left = roll.canvas.getBoundingClientRect().left - this.lanes.getBoundingClientRect().left;
    for (const button of this.lanes.querySelectorAll(".studio-region")) {
      const { start, end } = this.regions[Number(button.dataset.region)];
      const from = Math.max(0, roll.xOf(start));
      const to = Math.min(roll.canvas.clientWidth, roll.xOf(end));
      button.hidden = to <= from;
      button.style.left = `${left + from}px`;
      button.style.width = `${Math.max(3, to - from)}px`;
    }
  }

  /** The time at a pointer. */
  secondsAt(event) {
    const { canvas } = this.roll;
    const x = event.clientX - canvas.getBoundingClientRect().left;
    return studioClamp(this.roll.secondsAt(x), 0, this.page.contents.duration);
  }

  /** Mark a region by the pointer. */
  mark(event, lane, name) {
    if (!this.client.isReady()) return;
    const first = this.secondsAt(event);
    const region = { name, start: first, end: first };
    const k = this.regions.push(region) - 1;
    const button = lane.appendChild(this.button(region, k));
    const move = (at) => {
      [region.start, region.end] = [first, this.secondsAt(at)].sort((a, b) => a - b);
      this.place();
    };
    const end = (counts) => {
      const long = region.end - region.start >= STUDIO_SHORTEST_REGION;
      if (counts && long) return this.send(`Marked ${this.spoken(k)}.`, k);
      this.regions.pop();
      button.remove();
    };
    studioFollow(event, lane, move, end);
  }

  /** Move or resize a region by the pointer. */
  drag(event, button, k) {
    if (!this.client.isReady()) return;
    const before = { ...this.regions[k] };
    const first = this.secondsAt(event);
    const box = button.getBoundingClientRect();
    const edge = Math.min(STUDIO_EDGE, box.width / 4);
    const left = event.clientX - box.left < edge;
    const part = left ? "start" : box.right - event.clientX < edge ? "end" : "body";
    const move = (at) => {
      this.regions[k] = this.changed(before, part, this.secondsAt(at) - first);
      this.place();
    };
    const end = (counts) => {
      const { start, end } = this.regions[k];
      if (!counts) this.regions[k] = before;
      else if (start !== before.start || end !== before.end) return this.tell(part, k);
      this.place();
    };
    studioFollow(event, button, move, end);
  }

  /** A region moved, or one of its ends. */
  changed(region, part, seconds) {
    const { duration } = this.page.contents;
    const { start, end } = region;
    const short = STUDIO_SHORTEST_REGION;
    if (part === "start") return { ...region, start: studioClamp(start + seconds, 0, end - short) };
    if (part === "end") return { ...region, end: studioClamp(end + seconds, start + short, duration) };
    const by = studioClamp(seconds, -start, Math.max(0, duration - end));
    return { ...region, start: start + by, end: end + by };
  }

  /** Keys on a region. */
  key(event, button, k) {
    const { key, shiftKey, altKey } = event;
    if (event.target !== button) return;
    const x = { ArrowLeft: -1, ArrowRight: 1 }[key] || 0;
    const { start, end } = this.regions[k];
    if (x) this.nudge(k, altKey ? "end" : "body", x * STUDIO_STEP[Number(shiftKey)]);
    else if (key === "Delete" || key === "Backspace") this.remove(k);
    else if (key === "F2") this.rename(button, k);
    else if (key === "Enter") this.page.player.setLoop(start, end);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Move a region or its end a little. */
  nudge(k, part, seconds) {
    if (!this.client.isReady()) return;
    this.regions[k] = this.changed(this.regions[k], part, seconds);
    this.place();
    this.tell(part, k, STUDIO_KEYS_SETTLED);
  }

  /** Send a moved or resized region. */
  tell(part, k, delay = 0) {
    this.send(`${part === "body" ? "Moved" : "Resized"} ${this.spoken(k)}.`, k, delay);
  }

  /** Delete a region. */
  remove(k) {
    if (!this.client.isReady()) return;
    const told = `Deleted ${this.spoken(k)}.`;
    this.regions.splice(k, 1);
    this.build();
    this.send(told, Math.min(k, this.regions.length - 1));
  }

  /** Edit a region's name in place. */
  rename(button, k) {
    studioWriteOver(button, "Name of the sound", (name) => {
      if (!this.client.isReady()) return;
      this.regions[k].name = name;
      this.build();
      this.send(`Renamed to ${this.spoken(k)}.`, k);
    });
  }

  /** Mark the page's loop as a region. */
  markLoop() {
    const { loop } = this.page.player;
    const name = this.name.value.trim();
    if (!name) return this.say("Enter the name of the sound first.", true);
    if (!loop) return this.say("Select a loop first: drag in the spectrogram.", true);
    if (!this.client.isReady()) return;
    const k = this.regions.push({ name, start: loop[0], end: loop[1] }) - 1;
    this.build();
    this.send(`Marked ${this.spoken(k)}.`, k);
  }

  /** Add an empty lane. */
  addLane() {
    const name = this.name.value.trim();
    if (!name) return this.say("Enter the name of the sound first.", true);
    this.added.push(name);
    this.build();
    this.say(`Drag in the lane ${name} to mark where it is heard.`);
  }

  /** A region as text. */
  spoken(k) {
    const { name, start, end } = this.regions[k];
    return `${name}, ${studioTime(start)} to ${studioTime(end)}`;
  }

  /** Send the regions. @param {number} k the region to focus */
  async send(told, k, delay = 0) {
    this.say(told);
    const regions = this.regions.map((region) => ({ ...region }));
    const answer = await this.client.send("regions", () => ({ regions }), delay, true);
    if (answer && regions[k]) this.focus(this.find(regions[k]));
  }

  /** The index of a region among those that the server has sorted. */
  find({ name, start, end }) {
    const near = (a, b) => Math.abs(a - b) < 1e-4;
    return this.regions.findIndex(
      (region) => region.name === name && near(region.start, start) && near(region.end, end),
    );
  }
}
