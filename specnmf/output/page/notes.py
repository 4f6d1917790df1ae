"""The notes of a page: columns of numbers, as short as they may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specnmf.score.notes import Note, Score

#: So many notes are shown at most: those that sound longest.
MOST_NOTES = 50_000

#: The stem of a note that belongs to none.
NO_STEM = -1


def note_columns(shown: Score, stems: Mapping[str, int]) -> dict[str, list[Any]]:
    """The notes as lists: start and end in seconds, pitch, velocity and so on.

    Parameters
    ----------
    shown : Score
        The part of each note is its stem.
    stems : mapping of str to int
        The place of each stem.
    """
    notes = longest(shown)
    return {
        "start": [round(note.start, 3) for note in notes],
        "end": [round(note.start + note.duration, 3) for note in notes],
        "pitch": [note.pitch for note in notes],
        "velocity": [note.velocity for note in notes],
        "confidence": [round(note.confidence, 2) for note in notes],
        "cents": [round(note.cents) for note in notes],
        "percussion": [int(note.percussion) for note in notes],
        "stem": [stems.get(note.part, NO_STEM) for note in notes],
    }


def longest(shown: Score) -> list[Note]:
    """The notes to show, in order of time."""
    notes = list(shown.notes)
    if len(notes) <= MOST_NOTES:
        return notes
    order = sorted(range(len(notes)), key=lambda n: -notes[n].duration)
    return [notes[n] for n in sorted(order[:MOST_NOTES])]
