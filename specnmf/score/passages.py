"""Passages that a score and a recording have in common, and the leaps between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.score.dtw import Path
from specnmf.score.matching import Music

Float64 = NDArray[np.float64]

#: What has no counterpart for longer than so many seconds is left out, and said so.
REMARKABLE = 1.0

#: A side that is silent for this share of a leap rests there.
SILENT = 0.5


class Passage(NamedTuple):
    """A stretch that the score and the recording have in common.

    Corresponding times in seconds, (n_points,): both increase, the score's strictly.
    """

    score: Float64
    recording: Float64

    def __call__(self, seconds: Float64) -> Float64:
        """The times of the recording for times of the score.

        Outside the passage, both clocks run at the same speed.
        """
        inside = np.clip(seconds, self.score[0], self.score[-1])
        mapped: Float64 = np.interp(inside, self.score, self.recording)
        return mapped + (seconds - inside)


class Leap(NamedTuple):
    """The gap between two passages, before the first or after the last."""

    #: When it begins and ends, in seconds of the score and of the recording.
    begin: tuple[float, float]
    end: tuple[float, float]
    #: Whether the score rests there, and whether the recording does.
    silent: tuple[bool, bool]

    def lasts(self, side: int) -> float:
        """How long the score (0) or the recording (1) has no counterpart."""
        return self.end[side] - self.begin[side]

    @property
    def pause(self) -> bool:
        """Whether the recording pauses and the score has nothing of its own there."""
        return self.silent[1] and (self.silent[0] or self.lasts(0) <= REMARKABLE)


def passage(path: Path, music: Music) -> Passage:
    """The passage of some music along a path."""
    rows, first = np.unique(path[:, 0], return_index=True)
    columns = path[first, 1]
    if len(rows) > 1:
        # before the first step on, the recording may still wait for the beginning
        columns[0] = max(columns[0], columns[1] - 1)
    frames = np.stack([rows, columns], axis=1)
    return Passage(*music.seconds(np.concatenate([frames, path[-1:] + 1])))


def leaps(music: Music, paths: Sequence[Path], found: Sequence[Passage]) -> list[Leap]:
    """The leaps before, between and after the passages along some paths."""
    outer = np.array([(0, 0), music.size])
    begins = [outer[0], *(path[-1] + 1 for path in paths)]
    ends = [*(path[0] for path in paths), outer[1]]
    first, last = np.transpose(music.seconds(outer))
    left = [first, *((p.score[-1], p.recording[-1]) for p in found)]
    came = [*((p.score[0], p.recording[0]) for p in found), last]
    return [
        Leap(_pair(before), _pair(after), _silent(music, start, stop))
        for before, after, start, stop in zip(left, came, begins, ends, strict=True)
    ]


def _pair(times: Sequence[float]) -> tuple[float, float]:
    score, recording = times
    return float(score), float(recording)


def _silent(music: Music, begin: Path, end: Path) -> tuple[bool, bool]:
    """Whether the score, and the recording, is silent from some frame to another."""
    score, recording = (
        bool(np.sum(side.silence[a:b]) > SILENT * max(0, b - a))
        for side, a, b in zip(music[:2], begin, end, strict=True)
    )
    return score, recording
