"""ABC voices: notes as letters, with accidentals, lengths, ties and tuplets."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from specnmf.score.formats import abc_fields
from specnmf.score.formats.parts import PartWriter, Struck
from specnmf.score.musicxml_tempo import whole

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

#: The MIDI number of C, the written middle C.
_MIDDLE_C = 60

LENGTH = r"(\d{0,9}(?:/+\d{0,9})?)"

#: A note: accidental and its share, letter, octave and length.
NOTE = re.compile(r"(?:(\^{1,2}|_{1,2}|=)([\d/]{0,9}))?([A-Ga-g])([,']*)" + LENGTH)

_CHORDED = re.compile(NOTE.pattern + r"(-?)")

#: The notes in the time of which those of a tuplet are; the others follow the metre.
_IN_TIME_OF = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}

#: The most grace notes together.
_MOST_GRACES = 32

#: A letter and its octave.
Key = tuple[str, int]


@dataclass
class Voice:
    """A voice, and how far it is read."""

    writer: PartWriter
    name: str = ""
    shift: int = 0
    is_kit: bool = False
    key: dict[str, int] = field(default_factory=dict)
    unit: float | None = None
    metre: str = "4/4"
    #: Alterations since the barline, by letter, and octave if they hold for only one.
    altered: dict[tuple[str, int | None], int] = field(default_factory=dict)
    #: The pitches that are tied on, by letter and octave.
    tied: dict[tuple[str, int], int] = field(default_factory=dict)
    #: What the next note's length is multiplied by, after broken rhythm.
    broken: float = 1.0
    #: The notes left of a tuplet, and the length of each.
    tuplet: tuple[int, float] = (0, 1.0)
    #: The beat that waits for a sign of broken rhythm or a tie: length and notes.
    waiting: tuple[float, list[Struck]] | None = None
    keys: list[tuple[str, int]] = field(default_factory=list)
    layer: int = 0
    in_ending: bool = False
    #: How far accidentals reach up to the barline: over all octaves, one, or none.
    propagates: str = "pitch"
    n_microtones: int = 0
    n_beats: int = 0

    def note(self, found: re.Match[str]) -> None:
        """Begin a note."""
        key, struck = self.pitch(found)
        self.beat(length(found[5]), [struck], [key])

    def chord(self, inner: str, outer: str) -> None:
        """Begin a chord, as long as its first note, times the length after it."""
        notes: list[Struck] = []
        keys, ties = [], {}
        first = 1.0
        for found in _CHORDED.finditer(inner):
            first = length(found[5]) if not notes else first
            key, struck = self.pitch(found)
            notes.append(struck)
            keys.append(key)
            if found[6]:
                ties[key] = struck.pitch
        self.beat(first * length(outer), notes, keys)
        self.tied.update(ties)

    def graces(self, inner: str) -> None:
        """Write grace notes, which no tie leads to."""
        self.finish()
        tied, self.tied = self.tied, {}
        for n, found in enumerate(NOTE.finditer(inner)):
            if n < _MOST_GRACES:
                self.writer.beat(0.0, [self.pitch(found)[1]], grace=True)
        self.tied = tied

    def pitch(self, found: re.Match[str]) -> tuple[Key, Struck]:
        """The note of a letter, with its accidental or those before it."""
        letter = found[3].upper()
        octave = found[3].islower() + found[4].count("'") - found[4].count(",")
        key = letter, octave
        alteration = self.alteration(found, key)
        pitch = _MIDDLE_C + _SEMITONES[letter] + 12 * octave + alteration
        pitch += 0 if self.is_kit else self.shift
        # a tie leads to the same pitch, though it crosses the barline
        is_tied = key in self.tied and (not found[1] or self.tied[key] == pitch)
        pitch = self.tied.pop(key) if is_tied else pitch
        return key, Struck(pitch, (self.layer, pitch), is_tied, self.is_kit)

    def alteration(self, found: re.Match[str], key: Key) -> int:
        """The semitones of an accidental, or of those before it, or of the key."""
        place = key[0], key[1] if self.propagates == "octave" else None
        if not found[1]:
            return self.altered.get(place, self.key.get(key[0], 0))
        share = length(found[2])
        self.n_microtones += not share.is_integer()
        alteration = round(abc_fields.ALTERATIONS[found[1]] * share)
        if self.propagates != "not":
            self.altered[place] = alteration
        return alteration

    def beat(self, units: float, notes: list[Struck], keys: list[Key]) -> None:
        """Let a beat wait for signs behind it; the one before is over."""
        self.finish()
        quarters = units * 4 * self.unit_length() * self.broken
        self.broken = 1.0
        n_left, ratio = self.tuplet
        if n_left:
            quarters *= ratio
            self.tuplet = n_left - 1, ratio
        self.waiting, self.keys = (quarters, notes), keys
        self.n_beats += 1 + len(notes)

    def finish(self) -> None:
        """Write the beat that waits."""
        if self.waiting is not None:
            quarters, notes = self.waiting
            self.waiting = None
            self.writer.beat(quarters, notes, voice=self.layer)

    def tie(self) -> None:
        """Let the notes that wait go on."""
        if self.waiting is not None:
            notes = zip(self.keys, self.waiting[1], strict=False)
            self.tied.update({key: note.pitch for key, note in notes})

    def overlay(self) -> None:
        """Go back to the beginning of the measure, for more notes."""
        self.finish()
        self.writer.end()
        self.writer.begin(self.writer.k)
        self.layer += 1

    def break_rhythm(self, signs: str) -> None:
        """Make the note that waits longer and the next shorter, or the reverse."""
        if self.waiting is None:
            return
        quarters, notes = self.waiting
        short = 0.5 ** len(signs)
        first, second = (2 - short, short) if signs[0] == ">" else (short, 2 - short)
        self.waiting = quarters * first, notes
        self.broken = second

    def begin_tuplet(self, n: int, time: str | None, n_notes: str | None) -> None:
        """Begin a tuplet: of so many notes, in the time of how many, for how many."""
        self.finish()
        if n > 1:
            other = 3 if abc_fields.is_compound(self.metre) else 2
            in_time = whole(time, 0) or _IN_TIME_OF.get(n, other)
            self.tuplet = whole(n_notes, 0) or n, in_time / n

    def unit_length(self) -> float:
        """The unit of length in whole notes."""
        return self.unit or unit_of(self.metre)

    def is_empty(self) -> bool:
        """Whether nothing is in the measure so far."""
        return not self.writer.is_begun and not self.layer


def length(text: str) -> float:
    """The units of a length such as 3, 3/2, / or //."""
    above, slashes, below = re.match(r"(\d*)(/*)(\d*)", text).groups()  # type: ignore[union-attr]
    halvings = min(len(slashes), 9)
    if below:
        return float(above or 1) / (int(below) or 1) / 2.0 ** max(halvings - 1, 0)
    return float(above or 1) / 2.0**halvings


def unit_of(metre: str) -> float:
    """The unit of length if none is given, in whole notes."""
    measure = abc_fields.metre(metre)
    return 1 / 16 if measure is not None and measure < 0.75 else 1 / 8
