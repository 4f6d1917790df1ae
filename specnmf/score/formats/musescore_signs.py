"""MuseScore signs: repeats, endings, jumps, and measures that repeat others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from specnmf.score.musicxml_measures import Measure, Written
from specnmf.score.musicxml_signs import passes
from specnmf.score.musicxml_tempo import whole

#: The measures that may be repeated together.
_LONGEST = 8


def signs(element: Element, measures: Sequence[Measure], k: int) -> None:
    """Add the repeats and endings of a measure to the marks of all."""
    marks = measures[k].marks
    marks.forward |= element.find("startRepeat") is not None
    if element.find("endRepeat") is not None:
        times = whole(element.findtext("endRepeat"), 2)
        marks.backward = max(marks.backward, times)
    for spanner in element.iterfind("voice/Spanner"):
        volta = spanner.find("Volta")
        if volta is None or spanner.find("next") is None:
            continue
        found = passes(volta.findtext("endings", "")), frozenset[int]()
        length = max(whole(spanner.findtext("next/location/measures"), 1), 1)
        marks.begins = marks.begins or found
        last = measures[min(k + length, len(measures)) - 1].marks
        last.ends = last.ends or found


def jumps(elements: Sequence[Element], measures: Sequence[Measure]) -> None:
    """Add the jumps of a staff's measures, and the places where they lead and end."""
    found = [jump for element in elements for jump in element.iterfind("Jump")]
    targets = {_text(jump, "jumpTo") for jump in found}
    until = {_text(j, "playUntil"): _text(j, "continueAt") for j in found}
    codas = set(until.values()) - {""}
    for element, measure in zip(elements, measures, strict=False):
        marks = measure.marks
        for jump in element.iterfind("Jump"):
            if _text(jump, "jumpTo") == "start":
                marks.dacapo = True
            else:
                marks.dalsegno = _text(jump, "jumpTo")
        for name in (_text(marker, "label") for marker in element.iterfind("Marker")):
            if name in targets:
                marks.segno.add(name)
            if name in codas:
                marks.coda.add(name)
            if until.get(name):
                marks.tocoda = until[name]
            elif name in until:
                marks.fine = True
    if any(_text(jump, "playRepeats") == "1" for jump in found):
        for measure in measures:
            measure.marks.after_jump = True


def _text(element: Element, tag: str) -> str:
    return element.findtext(tag, "").strip()


@dataclass(frozen=True)
class RepeatedMeasures:
    """Measures that stand for those before: which, and how many together."""

    repeated: Sequence[tuple[int, int]]

    def fill(self, written: list[list[Written]]) -> None:
        """Fill them with the notes of the measures that they repeat."""
        for k, length in self.repeated:
            # a sign for several measures stands in the first of the middle two
            first = k - (length - 1) // 2
            for place in range(first, min(first + length, len(written))):
                if 0 < length <= min(place, _LONGEST) and not written[place]:
                    written[place] = list(written[place - length])
