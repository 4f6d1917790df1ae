"""Score: notes with their times, pitches, strengths and parts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from specnmf.errors import ScoreError


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
    """

    start: float
    duration: float
    pitch: int
    velocity: int = 80
    part: str = ""
    percussion: bool = False


@dataclass(frozen=True)
class Score:
    """Notes in order of time.

    Parameters
    ----------
    notes : iterable of Note
        Sorted by start, pitch and part on construction.

    Raises
    ------
    ScoreError
        If a time is negative or not finite, or a pitch or velocity is out of
        MIDI's range.
    """

    notes: tuple[Note, ...]

    def __post_init__(self) -> None:
        notes = tuple(sorted(self.notes, key=lambda n: (n.start, n.pitch, n.part)))
        for note in notes:
            _check(note)
        object.__setattr__(self, "notes", notes)

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the parts, in order of first appearance."""
        return tuple(dict.fromkeys(note.part for note in self.notes))


def _check(note: Note) -> None:
    for name, seconds in (("start", note.start), ("duration", note.duration)):
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ScoreError(f"a note's {name} must be 0 s or more, got {seconds}")
    if not 0 <= note.pitch <= 127:
        raise ScoreError(f"a MIDI pitch lies between 0 and 127, got {note.pitch}")
    if not 1 <= note.velocity <= 127:
        raise ScoreError(f"a velocity lies between 1 and 127, got {note.velocity}")
