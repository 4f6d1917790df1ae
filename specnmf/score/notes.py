"""Score: notes with their times, pitches, strengths and parts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.arrays import numbers
from specnmf.errors import ScoreError
from specnmf.notation import counted, hertz, midi_number, nearest, spell_seconds

Float64 = NDArray[np.float64]

#: The velocity of the loudest of notes that are heard in a recording.
LOUDEST = 115


class Note(NamedTuple):
    """One note.

    Attributes
    ----------
    start, duration : float
        In seconds.
    pitch : int
        MIDI note number, 0 to 127; for percussion the General MIDI drum.
    velocity : int
        1 to 127.
    part : str
        The part, hand or component that plays it.
    percussion : bool
        Whether ``pitch`` names a drum rather than a pitch.
    staff : int
        The staff of its part, counted from 1 at the top; 0 where that is not known.
    cents : float
        How far it sounds above its pitch, at A4 = 440 Hz; 0 where that is not known.
    confidence : float
        How sure it is that there is such a note, 0 to 1; notes of a score are certain.

    Examples
    --------
    >>> import specnmf
    >>> note = specnmf.Note(start=0.5, duration=1.0, pitch=69, part="flute")
    >>> note.velocity
    80
    >>> note._replace(part="oboe").part
    'oboe'
    """

    start: float
    duration: float
    pitch: int
    velocity: int = 80
    part: str = ""
    percussion: bool = False
    staff: int = 0
    cents: float = 0.0
    confidence: float = 1.0


@dataclass(frozen=True)
class Score:
    """Notes in order of time.

    Parameters
    ----------
    notes : iterable of Note
        Sorted by start, pitch and part on construction.
    remarks : tuple of str
        What was assumed where the file or the recording that it comes from is unclear,
        a line each.

    Raises
    ------
    ScoreError
        If a time is negative or not finite, a pitch or velocity is out of MIDI's range,
        or a staff is negative.

    Examples
    --------
    >>> import specnmf
    >>> score = specnmf.Score(
    ...     (specnmf.Note(1.0, 0.5, 64, part="oboe"), specnmf.Note(0.0, 2.0, 60))
    ... )
    >>> score
    Score(2 notes, 2 parts, 2.0 s)
    >>> [note.pitch for note in score.notes]
    [60, 64]
    >>> score.excerpt(start=1.0, duration=1.0).notes[0].duration
    1.0

    As mir_eval takes it, and back:

    >>> intervals, pitches_hz = score.intervals()
    >>> intervals.tolist()
    [[0.0, 2.0], [1.0, 1.5]]
    >>> specnmf.Score.from_intervals(intervals, pitches_hz, part="piano").parts
    ('piano',)
    """

    notes: tuple[Note, ...]
    remarks: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        notes = tuple(sorted(self.notes, key=lambda n: (n.start, n.pitch, n.part)))
        for note in notes:
            check_note(note)
        object.__setattr__(self, "notes", notes)

    def __repr__(self) -> str:
        """One line without the notes."""
        notes = counted(len(self.notes), "note")
        parts = counted(len(self.parts), "part")
        return f"Score({notes}, {parts}, {spell_seconds(self.duration)})"

    @classmethod
    def from_intervals(
        cls, intervals: ArrayLike, pitches_hz: ArrayLike, *, part: str = ""
    ) -> Score:
        """A score of intervals and frequencies, the form that mir_eval takes.

        Parameters
        ----------
        intervals : array, shape (n_notes, 2)
            The start and the end of each note in seconds.
        pitches_hz : array, shape (n_notes,)
            The frequency of each note in Hz. The pitch is the nearest one at A4 = 440
            Hz, and ``cents`` the distance from it.
        part : str
            Who plays the notes.

        Returns
        -------
        Score

        Raises
        ------
        ScoreError
            If the shapes differ, or a note ends before it starts or has no MIDI pitch.
        """
        times, hz = numbers("intervals", intervals), numbers("pitches_hz", pitches_hz)
        if times.shape != (*hz.shape, 2) or hz.ndim != 1:
            raise ScoreError(
                "expected intervals (n_notes, 2) and pitches_hz (n_notes,), got shapes "
                f"{times.shape} and {hz.shape}"
            )
        if not (np.isfinite(hz) & (hz > 0)).all():
            raise ScoreError("pitches_hz must be finite and above 0 Hz")
        exact = midi_number(hz).tolist()
        return cls(
            tuple(
                Note(
                    float(start),
                    float(end - start),
                    nearest(midi),
                    part=part,
                    cents=100 * (midi - nearest(midi)),
                )
                for (start, end), midi in zip(times.tolist(), exact, strict=True)
            )
        )

    def intervals(self) -> tuple[Float64, Float64]:
        """The pitched notes as mir_eval takes them; percussion is left out.

        Returns
        -------
        intervals : array, shape (n_notes, 2), float64
            The start and the end of each note in seconds.
        pitches_hz : array, shape (n_notes,), float64
            The frequency of each note in Hz, with its cents, at A4 = 440 Hz.
        """
        notes = [note for note in self.notes if not note.percussion]
        times = [(note.start, note.start + note.duration) for note in notes]
        midi = np.array([note.pitch + note.cents / 100 for note in notes])
        return np.array(times, dtype=float).reshape(-1, 2), hertz(midi)

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the parts, in order of first appearance."""
        return tuple(dict.fromkeys(note.part for note in self.notes))

    @property
    def duration(self) -> float:
        """When the last note ends, in seconds; 0 without notes."""
        return max((note.start + note.duration for note in self.notes), default=0.0)

    def excerpt(self, start: float, duration: float) -> Score:
        """The notes that sound in an excerpt, on its own clock, in seconds.

        Raises
        ------
        ScoreError
            If none does.
        """
        notes = []
        for note in self.notes:
            since = max(0.0, note.start - start)
            until = note.start + note.duration - start
            if until > 0 and since < duration:
                notes.append(note._replace(start=since, duration=until - since))
        if not notes:
            raise ScoreError(
                f"no note of the score sounds in the {duration:.1f} s from {start:g} s "
                "on; choose another excerpt, or use --align always"
            )
        return Score(tuple(notes))


def parts_from(score: Score, first: Iterable[str]) -> list[str]:
    """The parts of a score, some of them first, in a given order."""
    own = score.parts
    return list(dict.fromkeys([*(part for part in first if part in own), *own]))


def pitched_parts(score: Score) -> dict[str, list[Note]]:
    """The notes of each part that are no percussion."""
    parts: dict[str, list[Note]] = {}
    for note in score.notes:
        if not note.percussion:
            parts.setdefault(note.part, []).append(note)
    return parts


def check_note(note: Note) -> None:
    """Raise a ScoreError where a value of a note is out of its range."""
    for name, seconds in (("start", note.start), ("duration", note.duration)):
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ScoreError(f"a note's {name} must be 0 s or more, got {seconds}")
    if not 0 <= note.pitch <= 127:
        raise ScoreError(f"a MIDI pitch lies between 0 and 127, got {note.pitch}")
    if not 1 <= note.velocity <= 127:
        raise ScoreError(f"a velocity lies between 1 and 127, got {note.velocity}")
    if note.staff < 0:
        raise ScoreError(f"a staff is 0 or more, got {note.staff}")


def numbered(
    names: Iterable[str],
    *,
    spell: Callable[[str, int], str] = "{} {}".format,
    identity: Callable[[str], str] = str,
) -> list[str]:
    """Names that each occur once: Piano, Piano 2, Piano 3 for three pianos.

    ``spell`` adds a number to a name; names of one ``identity`` are the same.
    """
    names = list(names)
    taken = set(map(identity, names))
    counts: Counter[str] = Counter()
    different = []
    for name in names:
        new, own = name, identity(name)
        counts[own] += 1
        if counts[own] > 1:
            while identity(new := spell(name, counts[own])) in taken:
                counts[own] += 1
            taken.add(identity(new))
        different.append(new)
    return different
