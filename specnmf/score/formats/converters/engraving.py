"""Convert a score in MEI or Humdrum to MIDI, with Verovio."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

MISSING, DAMAGED = 3, 4

_MEI = "{http://www.music-encoding.org/ns/mei}"
_XML_ID = "{http://www.w3.org/XML/1998/namespace}id"

_OPTIONS = {"breaks": "none", "mdivAll": True, "expandNever": True}

#: What jumps are called that have no words.
_WORDS = {"daCapo": "D.C.", "dalSegno": "D.S.", "fine": "Fine"}


def main(score: str, found: str) -> int:
    """Write what is in a score into a file, and return the exit status."""
    try:
        import verovio
    except ImportError:
        return MISSING
    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    kind = "mei" if score.endswith(".mei") else "humdrum"
    # it plays the repeats of some files only, so we do it
    toolkit.setOptions(_OPTIONS | {"inputFrom": kind})
    if not toolkit.loadFile(score):
        print("no music in it", file=sys.stderr)
        return DAMAGED
    times = toolkit.renderToTimemap({"includeMeasures": True})
    starts = {e["measureOn"]: e["qstamp"] for e in times if "measureOn" in e}
    result = {
        "midi": toolkit.renderToMIDI(),
        "end": times[-1]["qstamp"] if times else 0,
        **_document(toolkit.getMEI(), starts),
    }
    Path(found).write_text(json.dumps(result), encoding="utf-8")
    return 0


def _document(mei: str, starts: dict[str, float]) -> dict[str, Any]:
    """The parts of the staves, the measures that are played, and the movements."""
    parts: list[tuple[str, int]] = []
    measures: list[dict[str, Any]] = []
    n_movements, has_order = 0, False
    endings: list[str] = []
    for event, element in ElementTree.iterparse(StringIO(mei), ("start", "end")):
        tag = element.tag.removeprefix(_MEI)
        if event == "start":
            n_movements += tag == "mdiv"
            if tag == "ending":
                endings.append(element.get("n", ""))
            continue
        if tag == "expansion":
            sections = element.get("plist", "").split()
            has_order |= len(set(sections)) < len(sections)
        if tag == "scoreDef" and not parts:
            parts = [part for group in element for part in _staves(group, "")]
        elif tag == "ending":
            endings.pop()
        elif tag == "measure":
            if (key := element.get(_XML_ID, "")) in starts:
                own = {"start": starts[key], "movement": n_movements}
                measures.append(own | _measure(element, endings))
            element.clear()
    return {
        "parts": parts,
        "measures": measures,
        "movements": n_movements,
        "has_order": has_order,
    }


def _measure(element: ElementTree.Element, endings: list[str]) -> dict[str, Any]:
    """The signs of a measure that send the player elsewhere."""
    words, signs = [], []
    for sign in element.iter(f"{_MEI}dir"):
        words.append("".join(sign.itertext()))
    for sign in element.iter(f"{_MEI}repeatMark"):
        kind = sign.get("func", "")
        if kind in ("segno", "coda"):
            signs.append(kind)
        else:
            words.append("".join(sign.itertext()).strip() or _WORDS.get(kind, ""))
    return {
        "number": element.get("n", ""),
        "left": element.get("left", ""),
        "right": element.get("right", ""),
        "ending": endings[-1] if endings else None,
        "words": words,
        "signs": signs,
    }


def _staves(element: ElementTree.Element, group: str) -> Iterator[tuple[str, int]]:
    """Yield the part of each staff, and its number if the part has several."""
    name = _name(element)
    if element.tag == f"{_MEI}staffDef":
        yield name or group, 0
    if element.tag != f"{_MEI}staffGrp":
        return
    own = element.findall(f"{_MEI}staffDef")
    is_flat = len(own) == len(element.findall(f".//{_MEI}staffDef")) > 1
    if is_flat and not any(map(_name, own)) and (name or _is_braced(element)):
        yield from ((name, number) for number in range(1, len(own) + 1))
        return
    for child in element:
        yield from _staves(child, name or group)


def _is_braced(group: ElementTree.Element) -> bool:
    """Whether staves are those of a keyboard, if nothing else is said."""
    sign = group.find(f"{_MEI}grpSym")
    return "brace" in (
        group.get("symbol"),
        None if sign is None else sign.get("symbol"),
    )


def _name(element: ElementTree.Element) -> str:
    """The name of a staff, or of a group of them."""
    child = element.find(f"{_MEI}label")
    text = element.get("label", "") if child is None else "".join(child.itertext())
    return " ".join(text.split())


if __name__ == "__main__":
    runpy.run_path(str(Path(__file__).with_name("bounds.py")))
    sys.exit(main(*sys.argv[1:]))
