"""The clocks of a score and a recording: what of each the other has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from specnmf.output.figures.pooling import Float64

#: A path that leaps by more seconds leaves something out, and so does one that gets
#: through as much of the score in this share of the time.
LEAP, RUSH = 1.0, 0.125
#: A note so many seconds before or after a stretch of the path belongs to it.
BESIDE = 0.25
#: Score and recording disagree where they agree less, for so many seconds.
AGREED, LASTING = 0.25, 0.5

Stretch = tuple[float, float]


@dataclass(frozen=True, eq=False)
class TimeMap:
    """What belongs together on the clocks of a score and a recording."""

    path: Float64  # (n_points, 2), seconds of the score and of the recording

    @cached_property
    def runs(self) -> list[Float64]:
        """The stretches of the path that leave nothing out."""
        leaps = (np.abs(np.diff(self.path, axis=0)) > LEAP).any(axis=1)
        cuts = np.flatnonzero(leaps | self._rushed()) + 1
        runs = np.split(self.path, cuts)
        return [run for run in runs if len(run) > 1] or [self.path]

    def _rushed(self) -> NDArray[np.bool_]:
        """Which steps belong to a rush, shape (n_points - 1,)."""
        score, recording = self.path.T
        ahead = np.searchsorted(score, score + LEAP)
        first = np.flatnonzero(ahead < len(score))
        last = ahead[first]
        rush = recording[last] - recording[first] < RUSH * LEAP
        turns = np.zeros(len(score), np.intp)
        np.add.at(turns, first[rush], 1)
        np.add.at(turns, last[rush], -1)
        steep = np.diff(recording) < RUSH * np.diff(score)
        return np.asarray(steep & (np.cumsum(turns)[:-1] > 0))

    def gaps(self, side: int) -> list[Stretch]:
        """What the score (0) or the recording (1) has and the other has not."""
        ends = [float(run[-1, side]) for run in self.runs[:-1]]
        starts = [float(run[0, side]) for run in self.runs[1:]]
        return [(a, b) for a, b in zip(ends, starts, strict=True) if b - a > LEAP]

    def recorded(self, seconds: Float64) -> Float64:
        """When the recording has what the score has; NaN where it has not."""
        placed = np.full(len(seconds), np.nan)
        for run in self.runs:
            inside = (seconds >= run[0, 0] - BESIDE) & (seconds <= run[-1, 0] + BESIDE)
            placed[inside] = np.interp(seconds[inside], run[:, 0], run[:, 1])
        return placed

    def tempo(self, seconds: Float64, window: float) -> Float64:
        """The score's seconds in one of the recording, a mean over ``window``."""
        ratio = np.full(len(seconds), np.nan)
        for run in self.runs:
            start, stop = run[0, 1], run[-1, 1]
            inside = (seconds >= start) & (seconds <= stop)
            low = np.clip(seconds[inside] - window / 2, start, stop)
            high = np.clip(seconds[inside] + window / 2, start, stop)
            passed = [np.interp(at, run[:, 1], run[:, 0]) for at in (low, high)]
            ratio[inside] = (passed[1] - passed[0]) / np.maximum(high - low, 1e-9)
        return ratio


def disagreements(agreement: Float64 | None) -> list[Stretch]:
    """Where score and recording agree less than AGREED for LASTING seconds or more.

    An agreement's rows are seconds of the recording, rising, and how well they agree.
    """
    if agreement is None or not len(agreement):
        return []
    low = np.concatenate([[False], agreement[:, 1] < AGREED, [False]])
    turns = np.flatnonzero(low[1:] != low[:-1])
    seconds = agreement[:, 0]
    stretches = [
        (float(seconds[a]), float(seconds[b - 1]))
        for a, b in zip(turns[::2], turns[1::2], strict=True)
    ]
    return [(a, b) for a, b in stretches if b - a >= LASTING]
