"""MusicXML measures: the contents of each, and their pitches as they sound."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from specnmf.score.musicxml_tempo import Tempo
from specnmf.score.repeats import RepeatMarks

#: Places closer than this are one, in quarter notes: thirds add up inexactly.
SAME = 1e-6

#: How long the first measure is if nothing tells, in quarter notes.
_WHOLE = 4.0


class Written(NamedTuple):
    """A note as written, in quarter notes from the beginning of its measure."""

    start: float
    end: float
    pitch: int
    percussion: bool
    staff: int
    tied_back: bool
    tied_on: bool
    #: Of a grace note: which it is before the beat, counted backwards, and of how many.
    grace: tuple[int, int] = (0, 0)


class Span(NamedTuple):
    """The extent of a part in a measure, in quarter notes: of all, and of notes."""

    end: float
    sounding: float


@dataclass
class Measure:
    """The contents of a measure."""

    number: str = ""
    #: Whether it is less than a measure by what it says of itself.
    implicit: bool = False
    #: What the time signature asks for, in quarter notes; None without one.
    nominal: float | None = None
    marks: RepeatMarks = field(default_factory=RepeatMarks)
    tempi: list[Tempo] = field(default_factory=list)
    #: By part.
    spans: dict[str, Span] = field(default_factory=dict)
    notes: dict[str, list[Written]] = field(default_factory=dict)

    def length(self, before: float) -> float:
        """The length in quarter notes, if the previous measure has length ``before``.

        It is the length of most parts, because rests may be missing, and durations
        miscounted, in one part at a time. Rests that are longer than the time signature
        and all notes are cut, and parts with only rests do not shorten the others. An
        empty measure has its full length.
        """
        nominal = math.inf if self.nominal is None else self.nominal
        spans = self.spans.values()
        is_free = any(span.sounding > nominal + SAME for span in spans)
        ends = [s.end if is_free else min(s.end, nominal) for s in spans]
        heard = [e for e, s in zip(ends, spans, strict=True) if s.sounding > 0]
        silent = [e for e, s in zip(ends, spans, strict=True) if not s.sounding > 0]
        agreed = _mode(heard)
        if heard and self.implicit:
            return agreed
        found = _mode(heard + [end for end in silent if end >= agreed])
        return found or (0.0 if self.implicit else self.nominal or before)


def _mode(lengths: Iterable[float]) -> float:
    """The most common length that is not 0; of several, the longest."""
    votes = Counter(round(length, 6) for length in lengths if length > 0)
    return max(votes, key=lambda length: (votes[length], length), default=0.0)


def lengths(measures: Iterable[Measure]) -> Iterator[float]:
    """The length of each measure in quarter notes."""
    before = _WHOLE
    for measure in measures:
        length = measure.length(before)
        before = length or before
        yield length
