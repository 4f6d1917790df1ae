"""MuseScore staves: the notes of each measure, in quarter notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.etree.ElementTree import Element

from specnmf.errors import ScoreError
from specnmf.notation import counted
from specnmf.score.loading import label
from specnmf.score.musicxml_measures import SAME, Measure, Written
from specnmf.score.musicxml_tempo import VALUES, Tempo, number, whole

#: Semitones that a line of octaves adds to what is written under it.
_OCTAVES = {"8va": 12, "8vb": -12, "15ma": 24, "15mb": -24, "22ma": 36, "22mb": -36}

_BEFORE = ("acciaccatura", "appoggiatura", "grace4", "grace16", "grace32")
_AFTER = ("grace8after", "grace16after", "grace32after")

#: Tuplets in tuplets; no more can be read.
_DEEPEST = 8

#: A place: the number of a measure, and quarter notes from its beginning.
Place = tuple[int, float]


class Octaves(NamedTuple):
    """A line of octaves."""

    first: Place
    end: Place
    shift: int


@dataclass
class StaffReader:
    """Reads the measures of a staff."""

    is_kit: bool
    #: Its number in its part; 0 if that has only one.
    number: int
    #: The notes of each measure, and where its last voice ends.
    written: list[list[Written]] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    #: Measures that repeat others: which, and how many are repeated together.
    repeated: list[tuple[int, int]] = field(default_factory=list)
    octaves: list[Octaves] = field(default_factory=list)
    #: How much longer a note is written than it lasts, under a time signature that
    #: only this staff has.
    stretch: float = 1.0
    nominal: float | None = None
    #: Notes that are not played, and the pitches of those whose ties go on.
    n_silent: int = 0
    held: set[int] = field(default_factory=set)

    def read(self, elements: Sequence[Element], measures: Sequence[Measure]) -> None:
        """Read all measures of a staff, and add what is for all to the measures."""
        for k, element in enumerate(elements):
            self.written.append([])
            self.ends.append(0.0)
            self.measure(element, measures[k], k)
        self.shift()

    def measure(self, element: Element, measure: Measure, k: int) -> None:
        """Read a measure."""
        for sign in element.iterfind("voice/TimeSig"):
            self.signature(sign)
        nominal = _fraction(element.get("len")) or self.nominal
        measure.nominal = measure.nominal or nominal
        measure.implicit |= element.find("irregular") is not None
        for voice in element.iterfind("voice"):
            _Voice(self, measure, k, nominal or 4.0).read(voice)

    def signature(self, sign: Element) -> None:
        """Set the time signature."""
        beats, unit = _whole(sign, "sigN", 0), _whole(sign, "sigD", 0)
        above, below = _whole(sign, "stretchN", 1), _whole(sign, "stretchD", 1)
        self.stretch = above / below if above and below else 1.0
        self.nominal = beats * 4 / unit / self.stretch if beats and unit else None

    def shift(self) -> None:
        """Move the notes under lines of octaves to where they sound."""
        for first, end, shift in self.octaves:
            for k in range(first[0], min(end[0] + 1, len(self.written))):
                since = first[1] - SAME if k == first[0] else -1.0
                until = end[1] - SAME if k == end[0] else float("inf")
                self.written[k] = [
                    note._replace(pitch=note.pitch + shift)
                    if since <= note.start < until and not note.percussion
                    else note
                    for note in self.written[k]
                ]

    def is_silent(self, note: Written, play: str) -> bool:
        """Whether a note, or the first of those it is tied to, is set not to play."""
        follows = note.tied_back and note.pitch in self.held
        if not follows and (note.tied_back or play.strip() != "0"):
            return False
        (self.held.add if note.tied_on else self.held.discard)(note.pitch)
        self.n_silent += not follows
        return True

    def remarks(self) -> list[str]:
        """Remarks on what is left out."""
        if not self.n_silent:
            return []
        return [f"left out: {counted(self.n_silent, 'note')} set not to play"]


@dataclass
class _Voice:
    """Reads a voice of a measure."""

    staff: StaffReader
    measure: Measure
    k: int
    nominal: float
    place: float = 0.0
    #: How much shorter the notes of tuplets last than they look.
    ratios: list[float] = field(default_factory=list)
    #: The pitches of grace notes before the next chord, and after it.
    before: list[Element] = field(default_factory=list)
    after: list[Element] = field(default_factory=list)

    def read(self, voice: Element) -> None:
        for element in voice:
            self.element(element)
        self.graces(self.before, self.place)
        self.staff.ends[self.k] = max(self.staff.ends[self.k], self.place)

    def element(self, element: Element) -> None:
        match element.tag:
            case "Chord":
                self.chord(element)
            case "Rest":
                self.place += self.duration(element)
            case "MeasureRepeat" | "RepeatMeasure":
                length = _whole(element, "subtype", 1)
                self.staff.repeated.append((self.k, max(length, 1)))
                self.place += self.duration(element)
            case "Tuplet":
                self.tuplet(element)
            case "endTuplet":
                del self.ratios[-1:]
            case "location":
                self.place = max(self.place + _moved(element)[1], 0.0)
            case "Tempo":
                self.tempo(element)
            case "Spanner":
                self.octaves(element)

    def chord(self, element: Element) -> None:
        if any(element.find(tag) is not None for tag in _BEFORE):
            self.before.append(element)
            return
        if any(element.find(tag) is not None for tag in _AFTER):
            self.after.append(element)
            return
        duration = self.duration(element)
        self.graces(self.before, self.place)
        self.notes(element, self.place, self.place + duration)
        self.place += duration
        self.after.reverse()  # as they are stored
        self.graces(self.after, self.place)

    def graces(self, chords: list[Element], place: float) -> None:
        """Let grace notes sound one after the other before a place."""
        for k, chord in enumerate(chords):
            self.notes(chord, place, place, grace=(len(chords) - k, len(chords)))
        chords.clear()

    def notes(
        self,
        chord: Element,
        start: float,
        end: float,
        *,
        grace: tuple[int, int] = (0, 0),
    ) -> None:
        move = chord.findtext("move") or chord.findtext("staffMove") or "0"
        staff = self.staff.number and max(self.staff.number + _move(move), 1)
        for note in chord.iterfind("Note"):
            ties = [s for s in note.iterfind("Spanner") if s.get("type") == "Tie"]
            written = Written(
                *(start, end, _whole(note, "pitch", -1), self.staff.is_kit),
                staff=staff,
                tied_back=any(tie.find("prev") is not None for tie in ties),
                tied_on=any(tie.find("next") is not None for tie in ties),
                grace=grace,
            )
            if not self.staff.is_silent(written, note.findtext("play", "1")):
                self.staff.written[self.k].append(written)

    def duration(self, element: Element) -> float:
        """How long a chord or a rest lasts, in quarter notes."""
        kind = element.findtext("durationType", "").strip()
        if kind == "measure" or (not kind and element.tag != "Chord"):
            return _fraction(element.findtext("duration")) or self.nominal
        if kind not in VALUES:
            raise ScoreError(f"damaged: a note of value {label(kind)!r}")
        value = VALUES[kind] * (2 - 0.5 ** _whole(element, "dots", 0))
        for ratio in self.ratios:
            value *= ratio
        return value / self.staff.stretch

    def tuplet(self, element: Element) -> None:
        normal = _whole(element, "normalNotes", 0)
        actual = _whole(element, "actualNotes", 0)
        if not normal or not actual or len(self.ratios) == _DEEPEST:
            raise ScoreError(f"damaged: a tuplet of {actual} in the time of {normal}")
        self.ratios.append(normal / actual)

    def tempo(self, element: Element) -> None:
        per_second = number(element.findtext("tempo", ""), "tempo")
        if per_second <= 0:
            raise ScoreError(f"damaged: a tempo of {per_second}")
        self.measure.tempi.append(Tempo(self.place, True, 1 / per_second))

    def octaves(self, element: Element) -> None:
        line, moved = element.find("Ottava"), element.find("next/location")
        if line is None or moved is None:
            return
        shift = _OCTAVES.get(line.findtext("subtype", "").strip(), 0)
        n_measures, quarters = _moved(moved)
        end = self.k + n_measures, self.place + quarters
        self.staff.octaves.append(Octaves((self.k, self.place), end, shift))


def _moved(location: Element) -> tuple[int, float]:
    """How many measures and quarter notes a location is away."""
    return _move(location.findtext("measures", "0")), _fraction(
        location.findtext("fractions")
    )


def _move(text: str) -> int:
    """A small whole number, which may be negative."""
    text = text.strip()
    return -whole(text[1:], 0) if text.startswith("-") else whole(text, 0)


def _whole(element: Element, tag: str, otherwise: int) -> int:
    return whole(element.findtext(tag), otherwise)


def _fraction(text: str | None) -> float:
    """The quarter notes in a fraction of a whole note, such as -3/4; otherwise 0."""
    above, _, below = (text or "").partition("/")
    return 4 * _move(above) / (whole(below, 0) or 1)
