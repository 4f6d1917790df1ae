"""Whether a page can be read and used by all: contrast, names and sizes of controls."""

#: Texts whose contrast with what is behind them is too small: WCAG 2, level AA.
FAINT = """() => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const ink = canvas.getContext('2d', {willReadFrequently: true});
  const rgba = (colour) => {
    ink.clearRect(0, 0, 1, 1);
    ink.fillStyle = colour;
    ink.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = ink.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) =>
    [0, 1, 2].map((k) => top[k] * top[3] + below[k] * (1 - top[3]));
  const behind = (element) => {
    if (!element) return rgba('Canvas').slice(0, 3);
    const own = rgba(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, behind(element.parentElement));
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const opacity = (element) => element
    ? Number(getComputedStyle(element).opacity) * opacity(element.parentElement) : 1;
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || ['SCRIPT', 'STYLE', 'TEMPLATE'].includes(element.tagName)) continue;
    if (!element.checkVisibility({visibilityProperty: true})) continue;
    if (element.closest('[disabled], [aria-disabled=true]')) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const below = behind(element);
    const colour = rgba(style.color);
    colour[3] *= opacity(element);
    const found = ratio(over(colour, below), below);
    if (found < (large ? 3 : 4.5))
      faint.push(`${text.slice(0, 40)}: ${found.toFixed(2)}`);
  }
  return faint;
}"""

#: Controls that are smaller than a fingertip needs: 24 by 24 CSS pixels.
SMALL = """() => [...document.querySelectorAll(
    'button, select, input:not([type=hidden]), summary')]
  .filter((control) => control.checkVisibility({visibilityProperty: true}))
  .filter((control) => {
    const box = (control.closest('label') || control).getBoundingClientRect();
    return box.width < 23.5 || box.height < 23.5;
  })
  .map((control) => control.outerHTML.slice(0, 120))"""

#: Elements that stick out to the right, of a page that may not scroll sideways.
WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('body *')]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
    .map((element) => element.outerHTML.slice(0, 120)).slice(0, 8)
    .concat([`scrollWidth ${document.documentElement.scrollWidth}`])"""

#: The roles of what people act on.
CONTROLS = {
    "button", "checkbox", "combobox", "link", "menuitem", "radio", "searchbox",
    "slider", "spinbutton", "switch", "tab", "textbox", "ToggleButton",
    "DisclosureTriangle",
}  # fmt: skip


def controls(page):
    """The role and accessible name of each control, as a screen reader has them."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return [
        (node["role"]["value"], node.get("name", {}).get("value", "").strip())
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in CONTROLS
    ]
