"""Annotations of ELAN (.eaf): tiers of labelled spans on a time line in milliseconds.

Max Planck Institute for Psycholinguistics, "EAF annotation format", schema 3.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element
from xml.parsers import expat

from specnmf.errors import ScoreError
from specnmf.score.loading import label
from specnmf.score.tables import Cells
from specnmf.score.tiers import Tiers

#: How deep an element may lie; the value of an annotation is the fourth.
MAX_DEPTH = 16

#: The longest value of an annotation that is kept, in letters.
MAX_VALUE = 4000

_BEGINNING = re.compile(r"\s*<(?:\?xml|!|ANNOTATION_DOCUMENT\b)", re.I)

_SPAN, _REFERRED = "ALIGNABLE_ANNOTATION", "REF_ANNOTATION"


def is_one(text: str) -> bool:
    """Whether a text is an XML document that may be of ELAN."""
    return _BEGINNING.match(text) is not None


def rows(text: str, tiers: Tiers) -> Iterator[tuple[int, Cells]]:
    """Yield the line and the cells of each annotation that has a text and times.

    Annotations that belong to another one have its times. Raises ScoreError if it is
    not a document of ELAN, or damaged.
    """
    found = _Found()
    parser = expat.ParserCreate("utf-8")  # whatever the text declares
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = found.doctype
    parser.StartElementHandler = lambda tag, own: found.start(
        tag, own, parser.CurrentLineNumber
    )
    parser.EndElementHandler = found.end
    parser.CharacterDataHandler = found.text
    try:
        parser.Parse(text.lstrip().encode(errors="replace"), True)
    except expat.ExpatError as error:
        raise ScoreError(f"not XML, or damaged: {error}") from error
    yield from found.rows(tiers)


class _Found:
    """What there is in a document: its times, and the annotations of its tiers."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._times: dict[str, str] = {}
        self._tiers: list[str] = []
        #: Tier, line, times and what it belongs to of each annotation, by its name.
        self._spans: dict[str, tuple[int, int, Element]] = {}
        self._own: Element | None = None

    def doctype(self, *declaration: object) -> None:
        raise ScoreError("defines XML entities, which are not allowed")

    def start(self, tag: str, attributes: dict[str, str], line: int) -> None:
        self._path.append(tag)
        if len(self._path) > MAX_DEPTH:
            raise ScoreError("nested too deeply for annotations")
        if self._path[0] != "ANNOTATION_DOCUMENT":
            raise ScoreError(f"expected annotations of ELAN, found {label(tag)}")
        if tag == "TIME_SLOT":
            self._times[attributes.get("TIME_SLOT_ID", "")] = attributes.get(
                "TIME_VALUE", ""
            )
        elif tag == "TIER":
            self._tiers.append(attributes.get("TIER_ID", ""))
        elif tag in (_SPAN, _REFERRED) and self._tiers:
            self._own = Element(tag, attributes)
            self._own.text = ""
            name = attributes.get("ANNOTATION_ID", f"line {line}")
            self._spans[name] = len(self._tiers) - 1, line, self._own

    def end(self, tag: str) -> None:
        self._path.pop()
        if tag in (_SPAN, _REFERRED):
            self._own = None

    def text(self, text: str) -> None:
        own = self._own
        if own is not None and self._path[-1] == "ANNOTATION_VALUE":
            own.text = (own.text or "")[:MAX_VALUE] + text[:MAX_VALUE]

    def rows(self, tiers: Tiers) -> Iterator[tuple[int, Cells]]:
        """Yield the annotations of the tiers that are taken."""
        taken = [tiers.takes(name) for name in self._tiers]
        for tier, line, own in self._spans.values():
            name = (own.text or "").strip()
            times = self._times_of(own) if taken[tier] and name else None
            if times is not None:
                start, end = times
                yield line, {"start": start, "end": end, "name": name}

    def _times_of(self, own: Element) -> tuple[str, str] | None:
        """The seconds of an annotation; None if it, or what it belongs to, has none."""
        for _ in range(MAX_DEPTH):
            if own.tag == _SPAN:
                start = self._seconds(own.get("TIME_SLOT_REF1"))
                end = self._seconds(own.get("TIME_SLOT_REF2"))
                return None if start is None or end is None else (start, end)
            above = self._spans.get(own.get("ANNOTATION_REF", ""))
            if above is None:
                return None
            own = above[2]
        return None

    def _seconds(self, slot: str | None) -> str | None:
        value = self._times.get(slot or "", "")
        if not (value.isascii() and value.isdigit() and len(value) < 12):
            return None
        return repr(int(value) / 1000)
