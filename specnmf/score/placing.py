"""Placing: each note of a score where the recording has it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specnmf.score.matching import Recording
from specnmf.score.notes import Note
from specnmf.score.refine import heard, refined
from specnmf.score.timing import Float64, Passage, passage_of

#: Notes that are neighbours, whose median counts.
NEIGHBOURS = 15

#: A note may begin so many seconds beside what has a counterpart and belong to it.
BESIDE = 0.25

#: No note lasts less than so many seconds, unless it does in the score.
SHORTEST = 0.05


def placed(
    notes: Sequence[Note], found: Sequence[Passage], recording: Recording
) -> tuple[list[Note], list[Note]]:
    """The notes that have a counterpart, and the same on the recording's clock."""
    where = passage_of(notes, found, BESIDE)
    kept = [note for note, k in zip(notes, where, strict=True) if k >= 0]
    starts = np.array([note.start for note in kept])
    ends = starts + np.array([note.duration for note in kept])
    due, until = np.zeros(len(kept)), np.zeros(len(kept))
    for k, common in enumerate(found):
        inside = where[where >= 0] == k
        due[inside] = np.maximum(0, common(starts[inside]))
        until[inside] = common(np.minimum(ends[inside], common.score[-1]))
    own, shared = refined(kept, due, recording.magnitudes.T, recording.rate)
    # what ends where a chord begins follows that chord
    until += np.interp(ends, starts, shared - due) if kept else 0
    own = heard(kept, own, until, recording.magnitudes.T, recording.rate)
    times = zip(kept, _in_order(kept, own), until, strict=True)
    return kept, [_timed(note, start, end) for note, start, end in times]


def _in_order(notes: Sequence[Note], starts: Float64) -> Float64:
    """The starts, none before that of a previous note of the same part and pitch."""
    latest: dict[tuple[str, int], float] = {}
    ordered = starts.copy()
    for k, note in enumerate(notes):
        voice = note.part, note.pitch
        ordered[k] = latest[voice] = max(starts[k], latest.get(voice, 0.0))
    return ordered


def _timed(note: Note, start: float, end: float) -> Note:
    """The note from start to end, but no shorter than it may be."""
    least = min(note.duration, SHORTEST)
    return note._replace(start=float(start), duration=float(max(end - start, least)))


def farthest(notes: Sequence[Note], warped: Sequence[Note]) -> float:
    """How far the clocks are apart at most, in seconds.

    The median over neighbouring notes, for a single one may be mistaken.
    """
    if not notes:
        return np.inf
    moved = _moved(notes, warped)
    windows = np.lib.stride_tricks.sliding_window_view(
        moved, min(NEIGHBOURS, len(moved))
    )
    return float(np.abs(np.median(windows, axis=1)).max())


def stray(notes: Sequence[Note], warped: Sequence[Note]) -> float:
    """How far nine tenths of the notes are from where they were, in seconds."""
    return float(np.quantile(np.abs(_moved(notes, warped)), 0.9)) if notes else np.inf


def _moved(notes: Sequence[Note], warped: Sequence[Note]) -> Float64:
    return np.array([b.start - a.start for a, b in zip(notes, warped, strict=True)])
