"""MusicXML measures: what is written where, and which pitches it sounds."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.etree.ElementTree import Element

from specnmf.errors import ScoreError
from specnmf.score.loading import label
from specnmf.score.repeats import RepeatMarks

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

#: Quarter notes in the values that tempo marks name.
_VALUES = {"breve": 8.0, "whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5}

#: What a drum is taken for that its file does not number: the snare.
_SNARE = 38


class Written(NamedTuple):
    """A note as written, in quarter notes from the beginning of its measure."""

    start: float
    end: float
    pitch: int
    percussion: bool
    staff: int
    tied_back: bool
    tied_on: bool


@dataclass
class Measure:
    """What is written in a measure."""

    #: Of what each part has in it, in quarter notes.
    lengths: list[float] = field(default_factory=list)
    marks: RepeatMarks = field(default_factory=RepeatMarks)
    #: Where the tempo changes, and the seconds that a quarter note lasts from there.
    tempi: list[tuple[float, float]] = field(default_factory=list)
    #: By part.
    notes: dict[str, list[Written]] = field(default_factory=dict)

    @property
    def length(self) -> float:
        """The length that most parts agree on, in quarter notes.

        Rests are forgotten, and durations miscounted, in one part at a time.
        """
        votes = Counter(round(length, 6) for length in self.lengths if length > 0)
        return max(votes, key=lambda length: (votes[length], length), default=0.0)


def measures(root: Element) -> list[Measure]:
    """The measures of a score, with what all parts have in them."""
    drums = _drums(root)
    found: list[Measure] = []
    for part in root.iterfind("part"):
        scribe = _Scribe(part.get("id", ""), drums)
        for number, element in enumerate(part.iterfind("measure")):
            if number == len(found):
                found.append(Measure())
            scribe.write(element, found[number])
    return found


def _drums(root: Element) -> dict[str, int]:
    """The General MIDI drum of each instrument that is one, by its id."""
    instruments = root.iter("midi-instrument")
    numbers = {i.get("id", ""): _whole(i, "midi-unpitched") for i in instruments}
    return {instrument: number - 1 for instrument, number in numbers.items() if number}


class _Scribe:
    """Writes the measures of a part, from their elements, into those of all parts."""

    def __init__(self, part: str, drums: Mapping[str, int]) -> None:
        self.part = part
        self.drums = drums
        self.divisions = 1.0
        self.transposition = 0
        self.endings: frozenset[int] = frozenset()
        self.place = 0.0
        self.last_start = 0.0
        self.measure = Measure()

    def write(self, element: Element, measure: Measure) -> None:
        self.measure = measure
        self.place = self.last_start = 0.0
        measure.marks.endings |= self.endings
        length = 0.0
        for child in element:
            self.read(child)
            length = max(length, self.place)
        measure.lengths.append(length)

    def read(self, element: Element) -> None:
        match element.tag:
            case "attributes":
                self.attributes(element)
            case "note":
                self.note(element)
            case "backup":
                self.place = max(self.place - self.duration(element), 0.0)
            case "forward":
                self.place += self.duration(element)
            case "direction":
                self.direction(element)
            case "sound":
                self.sound(element)
            case "barline":
                self.barline(element)

    def attributes(self, element: Element) -> None:
        self.divisions = _number(element, "divisions", self.divisions)
        if self.divisions <= 0:
            raise ScoreError(f"damaged: {self.divisions} divisions of a quarter note")
        transpose = element.find("transpose")
        if transpose is not None:
            octaves = _whole(transpose, "octave-change")
            self.transposition = _whole(transpose, "chromatic") + 12 * octaves

    def duration(self, element: Element) -> float:
        duration = _number(element, "duration", 0.0)
        if duration < 0:
            raise ScoreError(f"damaged: a duration of {duration:g}")
        return duration / self.divisions

    def note(self, element: Element) -> None:
        duration = 0.0 if element.find("grace") is not None else self.duration(element)
        if element.find("chord") is None:
            self.last_start = self.place
            self.place += duration
        if element.find("cue") is not None:
            return
        pitch = self.pitch(element)
        if pitch is not None:
            ties = {tie.get("type") for tie in element.iterfind("tie")}
            self.measure.notes.setdefault(self.part, []).append(
                Written(
                    self.last_start,
                    self.last_start + duration,
                    pitch,
                    percussion=element.find("pitch") is None,
                    staff=_whole(element, "staff"),
                    tied_back="stop" in ties,
                    tied_on="start" in ties,
                )
            )

    def pitch(self, element: Element) -> int | None:
        """The pitch as it sounds, or the General MIDI drum; None for a rest."""
        pitch = element.find("pitch")
        if pitch is not None:
            step = pitch.findtext("step", "").strip()
            if step not in _STEPS:
                raise ScoreError(f"damaged: a note {label(step)!r}")
            octave, alter = _whole(pitch, "octave"), _whole(pitch, "alter")
            return 12 * (octave + 1) + _STEPS[step] + alter + self.transposition
        if element.find("unpitched") is not None:
            instrument = element.find("instrument")
            own = "" if instrument is None else instrument.get("id", "")
            return self.drums.get(own, _SNARE)
        return None

    def direction(self, element: Element) -> None:
        for sound in element.iterfind("sound"):
            self.sound(sound)
        mark = element.find("direction-type/metronome")
        if mark is not None and element.find("sound[@tempo]") is None:
            self.metronome(mark)

    def metronome(self, element: Element) -> None:
        value = _VALUES.get(element.findtext("beat-unit", "").strip())
        rate = re.fullmatch(r"\d+(\.\d+)?", element.findtext("per-minute", "").strip())
        if value and rate:  # else "ca. 80", or one value as long as another
            n_dots = len(element.findall("beat-unit-dot"))
            self.set_tempo(float(rate[0]) * value * (2 - 0.5**n_dots))

    def set_tempo(self, quarters_per_minute: float) -> None:
        if not 0 < quarters_per_minute < math.inf:
            raise ScoreError(f"damaged: a tempo of {quarters_per_minute}")
        self.measure.tempi.append((self.place, 60 / quarters_per_minute))

    def sound(self, element: Element) -> None:
        if (tempo := element.get("tempo")) is not None:
            self.set_tempo(_float(tempo, "tempo"))
        marks = self.measure.marks
        for name in ("segno", "coda", "dacapo", "dalsegno", "tocoda", "fine"):
            if element.get(name, "no") != "no":
                setattr(marks, name, True)

    def barline(self, element: Element) -> None:
        marks = self.measure.marks
        for repeat in element.iterfind("repeat"):
            if repeat.get("direction") == "forward":
                marks.forward = True
            else:
                times = _float(repeat.get("times") or "2", "times")
                marks.backward = max(marks.backward, round(times))
        for ending in element.iterfind("ending"):
            self.endings = frozenset()
            if ending.get("type") == "start":
                numbers = re.findall(r"\b\d{1,3}\b", ending.get("number", ""))
                self.endings = frozenset(map(int, numbers))
                marks.endings |= self.endings


def _number(element: Element, tag: str, default: float) -> float:
    """The number in a child of an element."""
    text = element.findtext(tag)
    return default if text is None else _float(text, tag)


def _whole(element: Element, tag: str) -> int:
    """The number in a child of an element, rounded; 0 without one."""
    return round(_number(element, tag, 0.0))


def _float(text: str, name: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ScoreError(f"damaged: a {name} of {label(text)!r}")
    return number
