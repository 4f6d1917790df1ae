"""Placing: each note of a score where the recording has it, by a path of frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.score.dtw import Path
from specnmf.score.matching import Recording
from specnmf.score.notes import Note
from specnmf.score.refine import heard, refined

Float64 = NDArray[np.float64]

#: Notes that are neighbours, whose median counts.
NEIGHBOURS = 15

#: A note may begin so many seconds beside what has a counterpart and belong to it.
BESIDE = 0.25

#: No note lasts less than so many seconds, unless it does in the score.
SHORTEST = 0.05


class Passage(NamedTuple):
    """A stretch that the score and the recording have in common.

    Times in seconds that belong together, (n_points,): both rise, the score's strictly.
    """

    score: Float64
    recording: Float64

    def __call__(self, seconds: Float64) -> Float64:
        """When the recording has what the score has at these times.

        Outside the passage both clocks go at the same speed.
        """
        inside = np.clip(seconds, self.score[0], self.score[-1])
        mapped: Float64 = np.interp(inside, self.score, self.recording)
        return mapped + (seconds - inside)


def passage(path: Path, rate: float, origins: tuple[float, float]) -> Passage:
    """The passage that a path leads through.

    The first frame of the score and that of the recording are at ``origins`` seconds.
    """
    rows, first = np.unique(path[:, 0], return_index=True)
    columns = path[first, 1]
    if len(rows) > 1:
        # before the first step on, the recording may still wait for the beginning
        columns[0] = max(columns[0], columns[1] - 1)
    rows = np.append(rows, path[-1, 0] + 1)
    columns = np.append(columns, path[-1, 1] + 1)
    return Passage(origins[0] + rows / rate, origins[1] + columns / rate)


def placed(
    notes: Sequence[Note], found: Sequence[Passage], recording: Recording
) -> tuple[list[Note], list[Note]]:
    """The notes that have a counterpart, and the same on the recording's clock."""
    where = _passage_of(notes, found)
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


def _passage_of(notes: Sequence[Note], found: Sequence[Passage]) -> NDArray[np.int64]:
    """Which passage each note begins in, -1 where none, shape (n_notes,)."""
    starts = np.array([note.start for note in notes])
    distances = np.stack(
        [np.maximum(p.score[0] - starts, starts - p.score[-1]) for p in found]
    )
    nearest = np.argmin(distances, axis=0)
    return np.where(distances.min(axis=0) <= BESIDE, nearest, -1)


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


def distances(notes: Sequence[Note], warped: Sequence[Note]) -> tuple[float, float]:
    """How far the clocks are apart at most, and nine tenths of the notes, in seconds.

    The first is of medians over neighbouring notes, for a single one may be mistaken.
    """
    if not notes:
        return np.inf, np.inf
    moved = [b.start - a.start for a, b in zip(notes, warped, strict=True)]
    width = min(NEIGHBOURS, len(moved))
    medians = np.median(np.lib.stride_tricks.sliding_window_view(moved, width), axis=1)
    return float(np.abs(medians).max()), float(np.quantile(np.abs(moved), 0.9))
