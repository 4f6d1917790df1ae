"use strict";

/**
 * Make an element; all text becomes text nodes.
 *
 * @param {string} tag
 * @param {Object} properties of the element; "class", "aria-…" and "data-…" are attributes,
 *   functions whose names begin with "on" are listeners
 * @param {...(Node|string)} children
 * @returns {HTMLElement}
 */
function studioElement(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (/^(class|role|for|aria-.*|data-.*)$/.test(name)) element.setAttribute(name, value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** A button. @param {string} text @param {string} title @param {function()} act */
function studioButton(text, title, act) {
  return studioElement("button", { type: "button", title, onclick: act }, text);
}

/**
 * A button that opens a menu; Escape and a click elsewhere close it.
 *
 * @param {string} text of the button
 * @param {string} title of the button
 * @param {function(): Node[]} fill returns the content of the menu when it is opened
 * @returns {HTMLElement[]} the button and the menu
 */
function studioMenu(text, title, fill) {
  const menu = studioElement("div", { class: "studio-menu", popover: "auto" });
  const button = studioButton(text, title, () => {
    menu.replaceChildren(...fill());
    menu.togglePopover();
    const { bottom, right } = button.getBoundingClientRect();
    const { offsetWidth, offsetHeight } = menu;
    menu.style.left = `${Math.max(8, right - offsetWidth)}px`;
    menu.style.top = `${Math.max(8, Math.min(bottom + 4, innerHeight - offsetHeight - 8))}px`;
    menu.querySelector("button, select")?.focus();
  });
  button.setAttribute("aria-label", title);
  button.setAttribute("aria-haspopup", "true");
  return [button, menu];
}

/**
 * Edit an element's text in place: Enter accepts, Escape cancels.
 *
 * @param {HTMLElement} element holds only text
 * @param {string} label the name of the field
 * @param {function(string)} take is called with the text, if it changed and is not empty
 */
function studioWriteOver(element, label, take) {
  if (element.querySelector("input")) return;
  const before = element.textContent;
  const field = studioElement("input", {
    class: "studio-name",
    "aria-label": label,
    value: before,
    maxLength: 160,
    spellcheck: false,
  });
  let open = true;
  const close = (taken) => {
    if (!open) return;
    open = false;
    const text = field.value.trim();
    element.textContent = before;
    if (taken && text && text !== before) take(text);
  };
  field.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter") close(true);
    if (event.key === "Escape") close(false);
  });
  for (const name of ["click", "dblclick", "pointerdown"]) {
    field.addEventListener(name, (event) => event.stopPropagation());
  }
  field.addEventListener("blur", () => close(true));
  element.replaceChildren(field);
  field.select();
  field.focus();
}

/** Whether keys belong to a text field or a choice. */
function studioIsField(element) {
  return Boolean(element && element.closest && element.closest("input, select, textarea, dialog"));
}

/** Seconds as text. @param {number} seconds */
function studioTime(seconds) {
  return `${seconds.toFixed(2)} s`;
}

/** A number, limited to a range. */
function studioClamp(value, least, most) {
  return Math.max(least, Math.min(most, value));
}

/**
 * Follow a pointer from pointerdown until it is released.
 *
 * @param {PointerEvent} down
 * @param {HTMLElement} element gets all of the pointer's events
 * @param {function(PointerEvent)} move called at each movement
 * @param {function(boolean)} end called once, with false if the movement was cancelled
 */
function studioFollow(down, element, move, end) {
  const over = new AbortController();
  const stop = (counts) => {
    over.abort();
    end(counts);
  };
  const listen = (name, act) =>
    window.addEventListener(name, act, { capture: true, signal: over.signal });
  const ours = (act) => (event) => {
    if (event.pointerId === down.pointerId) act(event);
  };
  element.setPointerCapture(down.pointerId);
  listen("pointermove", ours(move));
  listen("pointerup", ours(() => stop(true)));
  listen("pointercancel", ours(() => stop(false)));
  listen("keydown", (event) => {
    event.stopImmediatePropagation();
    if (event.key === "Escape") stop(false);
  });
}
