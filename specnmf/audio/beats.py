"""Beats: when the beats of a recording are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.errors import ParameterError

Float64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Beats:
    """The beats of a recording.

    Parameters
    ----------
    times : array, shape (n_beats,)
        In seconds, from one at or before the start to one at or after the end.

    Raises
    ------
    ParameterError
        If there are fewer than three, if they do not increase, or if the first comes
        after the start.
    """

    times: Float64

    def __post_init__(self) -> None:
        times = np.asarray(self.times, np.float64)
        if times.ndim != 1 or len(times) < 3 or not (np.diff(times) > 0).all():
            raise ParameterError(
                f"beats must be three times or more that increase, got {times!r}"
            )
        if not times[0] <= 0:
            raise ParameterError(
                f"the first beat must lie at or before 0 s, got {times[0]:g}"
            )
        object.__setattr__(self, "times", times)

    @property
    def bpm(self) -> float:
        """The median tempo in beats a minute."""
        return float(60 / np.median(np.diff(self.times)))

    def positions(self, seconds: ArrayLike) -> Float64:
        """Moments in beats, counted from the first one, as fractions."""
        places = np.arange(len(self.times), dtype=float)
        found: Float64 = np.interp(np.asarray(seconds), self.times, places)
        return found
