"use strict";

/** Handle the keyboard, except in text fields. */
function wireKeys(page) {
  const { player, view } = page;
  const focused = () => document.activeElement?.closest?.(".stem") ?? document.querySelector(".stem:hover");
  const onStem = (act) => () => {
    const row = page.rows.find(({ element }) => element === focused());
    if (row && player.hasSound(row.i)) act(row.i);
  };
  const loopEdge = (edge) => () => {
    const [a, b] = player.loop ?? [0, player.duration];
    if (edge === 0) player.setLoop(player.time, b > player.time ? b : player.duration);
    else if (player.time > 0) player.setLoop(a < player.time ? a : 0, player.time);
  };
  const actions = {
    " ": () => player.toggle(),
    k: () => player.toggle(),
    ArrowLeft: (event) => page.go(player.time - (event.shiftKey ? 5 : 1)),
    ArrowRight: (event) => page.go(player.time + (event.shiftKey ? 5 : 1)),
    ArrowUp: (event) => step(event, -1),
    ArrowDown: (event) => step(event, 1),
    Home: () => page.go(0),
    End: () => page.go(player.duration),
    m: onStem((i) => player.setMuted(i, !player.muted[i])),
    s: onStem((i) => player.setSolo(i, !player.solo[i])),
    l: () => page.toggleLoop(),
    "[": loopEdge(0),
    "]": loopEdge(1),
    "+": () => page.zoomBy(0.5),
    "=": () => page.zoomBy(0.5),
    "-": () => page.zoomBy(2),
    w: () => view.show(0, view.duration),
    n: () => page.toggleNotes(),
    p: () => page.togglePitches(),
    0: () => player.hearAll(),
    "?": () => byId("keyboard").showModal(),
  };

  /** Focus the stem above or below; scroll the page if none has the focus. */
  function step(event, by) {
    const own = document.activeElement?.closest?.(".stem");
    const shown = page.rows.filter((row) => !row.element.hidden);
    const next = shown[shown.findIndex((row) => row.element === own) + by];
    if (!own || !next) return false;
    next.element.focus();
    next.element.scrollIntoView({ block: "nearest" });
    return true;
  }

  /** Whether the element in focus needs this key for itself. */
  function isTaken(event) {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || byId("keyboard").open) return true;
    if (target.closest("[contenteditable], textarea, select, input:not([type=range])")) return true;
    if (target.matches("input")) return key.startsWith("Arrow") || key === "Home" || key === "End";
    // A clicked button keeps the focus; Space plays, unless the button was reached by Tab.
    return key === " " && (tabbed ? target.matches("button, summary, a") : target.matches("summary"));
  }

  let tabbed = false;
  addEventListener("pointerdown", () => { tabbed = false; }, true);
  addEventListener("keydown", (event) => {
    tabbed ||= event.key === "Tab";
    if (event.defaultPrevented || isTaken(event)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const number = Number(key);
    const act = actions[key] ?? (number >= 1 && number <= 9 ? () => soloNumber(number) : null);
    if (!act || act(event) === false) return;
    event.preventDefault();
  });
  addEventListener("keyup", (event) => {
    if (event.key === " " && !isTaken(event)) event.preventDefault();
  });

  function soloNumber(number) {
    const row = page.rows.filter(({ element, i }) => !element.hidden && player.hasSound(i))[number - 1];
    if (row) player.setSolo(row.i, !player.solo[row.i]);
  }
}

/** Write time and mix into the address, so that it can be copied. */
function keepAddress(player) {
  if (location.protocol === "about:") return; // a frame in a notebook has no address
  clearTimeout(keepAddress.timer);
  keepAddress.timer = setTimeout(() => {
    const list = (what) => player[what].flatMap((on, i) => (on ? [i] : [])).join();
    const parts = { t: player.time ? player.time.toFixed(2) : "", group: player.group || "", mute: list("muted"), solo: list("solo") };
    const text = Object.entries(parts).filter(([, value]) => value !== "").map((pair) => pair.join("=")).join("&");
    if (text !== location.hash.slice(1)) history.replaceState(null, "", `#${text}`);
  }, 300);
}

/** Read time and mix from the address. */
function followAddress(page) {
  const { player } = page;
  const wanted = new URLSearchParams(location.hash.slice(1));
  const list = (name) => wanted.get(name)?.split(",").map(Number) ?? [];
  const group = Number(wanted.get("group") ?? 0);
  if (page.contents.groups[group] && group !== player.group) player.setGroup(group);
  player.stems.forEach((_, i) => {
    if (wanted.has("mute")) player.setMuted(i, list("mute").includes(i));
    if (wanted.has("solo")) player.setSolo(i, list("solo").includes(i));
  });
  const time = Number(wanted.get("t"));
  if (time > 0) page.go(time);
}

/** Open the page with its contents, and publish its parts for other scripts. */
function openPage() {
  const page = new Page(JSON.parse(byId("contents").textContent));
  const { player } = page;
  window.specnmf = {
    page, player, roll: page.roll, pianoRoll: page.pianoRoll, view: page.view,
    get contents() { return page.contents; },
    rowOf: (i) => page.rows[i]?.element ?? null,
    update(contents) {
      page.update(contents);
      document.dispatchEvent(new CustomEvent("specnmf:updated"));
    },
  };
  followAddress(page);
  addEventListener("hashchange", () => followAddress(page));
  if (player.sounding && player.exact && player.size < LITTLE_SOUND) {
    (window.requestIdleCallback ?? setTimeout)(() => player.load());
  }
  // Later scripts can listen first.
  setTimeout(() => document.dispatchEvent(new CustomEvent("specnmf:ready")));
}

openPage();
