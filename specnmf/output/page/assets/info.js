"use strict";

/** A value as text. */
function plain(value) {
  if (value === null || value === undefined) return "none";
  if (value === true) return "yes";
  if (value === false) return "no";
  if (Array.isArray(value)) return value.length ? value.map(plain).join(", ") : "none";
  if (typeof value === "object") return JSON.stringify(value);
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(5))).replace("-", "−");
  return String(value);
}

/** The size of a file as text. */
function sizeName(bytes) {
  if (bytes < 1e3) return `${bytes} bytes`;
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A table of names and values. */
function table(rows) {
  return make("table", {}, make("tbody", {}, ...rows.map(([name, value]) =>
    make("tr", {}, make("th", { scope: "row", text: name }), make("td", { dir: "auto", text: plain(value) })))));
}

/** A section with a heading; nothing if it is empty. */
function part(title, ...content) {
  if (content.length === 0) return [];
  return [make("section", {}, make("h2", { text: title }), ...content)];
}

/** A heading with content that can be opened. */
function fold(title, ...content) {
  return make("details", {}, make("summary", { text: title }), ...content);
}

/** A list of links to files of the run. */
function fileList(files) {
  return make("ul", { class: "files" }, ...files.map(({ path, note }) =>
    make("li", {}, make("a", { href: address(path), text: path, dir: "ltr" }), note ? ` ${note}` : "")));
}

/** The settings: the changed ones first, the others folded. */
function settingsOf(settings) {
  const changed = settings.filter(([, , isDefault]) => !isDefault);
  const rest = settings.filter(([, , isDefault]) => isDefault);
  const shown = [changed.length ? table(changed) : make("p", { text: "All settings have their default values." })];
  if (rest.length) shown.push(fold(`${rest.length} settings with their default values`, table(rest)));
  return settings.length ? shown : [];
}

/** The files: the first ones, the others folded. */
function filesOf(files) {
  const listed = files.map(({ path, size }) => ({ path, note: size == null ? "" : sizeName(size) }));
  if (listed.length <= 12) return listed.length ? [fileList(listed)] : [];
  return [fileList(listed.slice(0, 8)), fold(`${listed.length - 8} more`, fileList(listed.slice(8)))];
}

/** The information below the stems. */
function infoOf(contents) {
  const { numbers, settings, files, mixes, edits, versions, command } = contents;
  const items = (lines) => lines.length ? [make("ol", {}, ...lines.map((text) => make("li", { text, dir: "auto" })))] : [];
  const made = [];
  if (command) made.push(make("pre", {}, make("code", { text: command })));
  if (Object.keys(versions ?? {}).length) made.push(fold("Versions", table(Object.entries(versions))));
  return [
    ...part("Edits", ...items(edits ?? [])),
    ...part("Mixes", ...(mixes?.length ? [fileList(mixes.map(({ name, file }) => ({ path: file, note: name })))] : [])),
    ...part("Numbers", ...(numbers?.length ? [table(numbers)] : [])),
    ...part("Settings", ...settingsOf(settings ?? [])),
    ...part("Files", ...filesOf(files ?? [])),
    ...part("Software", ...made),
  ];
}

/** The line below the title. */
function factLine(contents) {
  const { kind, duration, start, sr, n_channels: channels, tempo, versions } = contents;
  const width = channels === 1 ? "mono" : channels === 2 ? "stereo" : `${channels} channels`;
  return [
    kind,
    clock(duration) + (start ? ` from ${clock(start)}` : ""),
    `${plain(sr / 1000)} kHz ${width}`,
    tempo ? `${Math.round(tempo)} bpm` : "",
    versions?.specnmf ? `specnmf ${versions.specnmf}` : "",
  ].filter(Boolean).join(" · ");
}

/** The remark about the sound. */
function aboutSound({ sound }, player) {
  const limits = "Linked files are synchronised to a few hundredths of a second, without pans, and up to 0 dB.";
  return [sound.why, player.sounding && !player.exact ? limits : ""].filter(Boolean).join(" ");
}

/** Why a stem cannot be played, and what to do. */
function troubleOf(player, stem, error) {
  const remedy = {
    ogg: "Try another browser, or make the page with --report-audio mp3.",
    mp3: "Try another browser, or make the page with --report-audio ogg.",
    link: `Keep ${stem.file ?? "the audio files"} beside the page.`,
  };
  return `${stem.name} cannot be played (${error.message || error.name}). ${remedy[player.mode] ?? ""}`;
}
