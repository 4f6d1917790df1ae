"""Tightening: a score without the minutes and hours in which no note begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.score.notes import Note

Float64 = NDArray[np.float64]


class Tightened(NamedTuple):
    """Notes on their own clock, on which the first begins at 0 s."""

    notes: list[Note]
    #: Seconds of this clock, and those of the score that they are, shape (2, n_turns).
    #: From one turn to the next both clocks go at the same speed.
    turns: Float64

    def written(self, seconds: Float64) -> Float64:
        """Seconds of the score for seconds of this clock."""
        own, score = self.turns
        turn = np.searchsorted(own[1:], seconds, side="right")
        return np.asarray(seconds - own[turn] + score[turn])


def tightened(notes: Sequence[Note], longest: float) -> Tightened:
    """Notes in order, with at most ``longest`` seconds from one start to the next.

    No note lasts longer than that after the last start. A note that is stuck for an
    hour, or comes an hour late, is nowhere in a recording of a minute.
    """
    starts = np.array([note.start for note in notes])
    durations = np.array([note.duration for note in notes])
    onsets = np.unique(starts)
    excess = np.maximum(0, np.diff(onsets, prepend=onsets[0]) - longest)
    shifts = onsets[0] + np.cumsum(excess)
    turns = np.stack([onsets - shifts, onsets])[:, excess > 0]
    first = np.array([[0.0], [onsets[0]]])

    begun = np.searchsorted(onsets, starts)
    latest = np.searchsorted(onsets, starts + durations, side="right") - 1
    beyond = np.maximum(0, starts + durations - onsets[latest] - longest)
    lost = shifts[latest] - shifts[begun] + beyond
    times = zip(notes, starts - shifts[begun], durations - lost, strict=True)
    moved = [n._replace(start=float(a), duration=float(d)) for n, a, d in times]
    return Tightened(moved, np.hstack([first, turns]))
