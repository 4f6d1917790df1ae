"""MusicXML tempo: the length of a quarter note, and the place from which it holds."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element

from specnmf.errors import ScoreError
from specnmf.score.loading import label

#: Seconds that a quarter note lasts before the first tempo mark: 120 a minute.
DEFAULT_TEMPO = 0.5

_NAMES = (
    *("maxima", "long", "breve", "whole", "half", "quarter", "eighth", "16th", "32nd"),
    *("64th", "128th", "256th", "512th", "1024th"),
)

#: Quarter notes in the values of notes.
VALUES = {name: 2.0 ** (5 - k) for k, name in enumerate(_NAMES)}

#: A number of beats, or from how many to how many, with a point or a comma.
_RATE = re.compile(r"(\d+(?:[.,]\d+)?)(?:\s*[-\u2013\u2014]\s*(\d+(?:[.,]\d+)?))?")


class Tempo(NamedTuple):
    """A tempo mark."""

    place: float  #: In quarter notes.
    #: Of marks at one place those that say how it sounds come after those that show it.
    is_sound: bool
    seconds: float  #: That a quarter note lasts from there.
    ratio: float = 0.0  #: Or, if not 0, so much longer than before.


def sounding(element: Element, place: float) -> Iterator[Tempo]:
    """The tempo that a ``sound`` sets."""
    text = element.get("tempo")
    if text is not None:
        yield _tempo(place, number(text, "tempo"), is_sound=True)


def shown(element: Element, place: float) -> Iterator[Tempo]:
    """The tempo that a ``metronome`` mark shows, if it is clear."""
    values = _values(element)
    rate = _RATE.search(element.findtext("per-minute", ""))
    if len(values) == 2:  # what lasted as long as the first lasts as the second
        yield Tempo(place, False, 0.0, ratio=values[0] / values[1])
    elif len(values) == 1 and rate:
        low, high = (float((r or rate[1]).replace(",", ".")) for r in rate.groups())
        yield _tempo(place, (low + high) / 2 * values[0], is_sound=False)


def _values(element: Element) -> list[float]:
    """The quarter notes in each beat of a metronome mark, with its dots and ties."""
    values: list[float] = []
    last = 0.0
    for child in element:
        if child.tag == "beat-unit":
            last = VALUES.get((child.text or "").strip(), math.nan)
            values.append(last)
        elif child.tag == "beat-unit-dot" and values:
            last /= 2
            values[-1] += last
        elif child.tag == "beat-unit-tied" and values:
            values[-1] += sum(_values(child))
    return [value for value in values if value > 0]


def _tempo(place: float, quarters_per_minute: float, *, is_sound: bool) -> Tempo:
    if not 0 < quarters_per_minute < math.inf:
        raise ScoreError(f"damaged: a tempo of {quarters_per_minute}")
    return Tempo(place, is_sound, 60 / quarters_per_minute)


def changes(marks: Iterable[Tempo]) -> list[tuple[float, float]]:
    """The changes of tempo with the new seconds per quarter note, from the beginning.

    The last of several marks at one place counts.
    """
    found = [(0.0, DEFAULT_TEMPO)]
    before = DEFAULT_TEMPO
    for mark in sorted(marks, key=lambda mark: mark[:2]):
        if mark.place > found[-1][0]:
            before = found[-1][1]
        seconds = before * mark.ratio if mark.ratio else mark.seconds
        found.append((mark.place, seconds))
    return found


def whole(text: str | None, otherwise: int) -> int:
    """A whole number of at most nine digits; otherwise another."""
    digits = (text or "").strip()
    return int(digits) if digits.isdecimal() and len(digits) < 10 else otherwise


def number(text: str, name: str) -> float:
    """A finite number; raises ScoreError if the text is not one."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise ScoreError(f"damaged: a {name} of {label(text)!r}")
    return found
