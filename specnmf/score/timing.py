"""Time maps: from the score's clock to the recording's, by a path between frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.score.dtw import Path
from specnmf.score.notes import Note

Float64 = NDArray[np.float64]


class Passage(NamedTuple):
    """A stretch that the score and the recording have in common.

    Attributes
    ----------
    score, recording : array, shape (n_points,), float64
        Times in seconds that belong together; both rise, the score's strictly.
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

    Parameters
    ----------
    path : array, shape (n_points, 2), int64
        Frames of the score and of the recording.
    rate : float
        Frames a second.
    origins : tuple of float
        When the first frame of either is, in seconds.
    """
    rows, first = np.unique(path[:, 0], return_index=True)
    columns = path[first, 1]
    if len(rows) > 1:
        # before the first step on, the recording may still wait for the beginning
        columns[0] = max(columns[0], columns[1] - 1)
    rows = np.append(rows, path[-1, 0] + 1)
    columns = np.append(columns, path[-1, 1] + 1)
    return Passage(origins[0] + rows / rate, origins[1] + columns / rate)


def passage_of(
    notes: Sequence[Note], found: Sequence[Passage], tolerance: float
) -> NDArray[np.int64]:
    """Which passage each note begins in, -1 where none, shape (n_notes,).

    ``tolerance`` in seconds: how far before or after a passage still counts as in it.
    """
    starts = np.array([note.start for note in notes])
    distances = np.stack(
        [np.maximum(p.score[0] - starts, starts - p.score[-1]) for p in found]
    )
    nearest = np.argmin(distances, axis=0)
    return np.where(distances.min(axis=0) <= tolerance, nearest, -1)
