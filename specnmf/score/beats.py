"""Beats of a recording.

They are found in the onsets of its notes, not in its sound. Of 55 rendered clips,
librosa finds the tempo of 54 in onsets, of which a fifth is missing and the others are
15 ms off (half or double the tempo counts as well); in the spectral flux it finds 37,
because bowed and blown notes hardly show there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.errors import ParameterError
from specnmf.score import beat_tracking
from specnmf.score.beat_tracking import RATE
from specnmf.score.notes import Score
from specnmf.subnormals import flush_to_zero

Float64 = NDArray[np.float64]

#: The slowest and fastest beat that there may be.
LEAST, MOST = 30.0, 500.0

#: Fewer onsets make no beat.
FEWEST = 8

#: Beats at either end by whose tempo others are added.
LOCAL = 4

#: Seconds by which beats are moved at most so that the tempo changes less often.
TOLERANCE = 0.01


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
        If there are fewer than three, if they do not increase, or if the first is after
        the start.
    """

    times: Float64

    def __post_init__(self) -> None:
        times = np.asarray(self.times, np.float64)
        if times.ndim != 1 or len(times) < 3 or not (np.diff(times) > 0).all():
            raise ParameterError(
                f"beats must be at least three increasing times, got {times!r}"
            )
        if not times[0] <= 0:
            raise ParameterError(
                f"the first beat must be at or before 0 s, got {times[0]:g}"
            )
        object.__setattr__(self, "times", times)

    @property
    def bpm(self) -> float:
        """The median tempo in beats per minute."""
        return float(60 / np.median(np.diff(self.times)))

    def positions(self, seconds: ArrayLike) -> Float64:
        """Times as positions in beats, counted from the first one, with fractions."""
        places = np.arange(len(self.times), dtype=float)
        found: Float64 = np.interp(np.asarray(seconds), self.times, places)
        return found

    def later(self, seconds: float) -> Beats:
        """The beats shifted later by some seconds, with earlier ones from 0 s on."""
        times = self.times + seconds
        return Beats(_over_all(times, float(times[-1])))


def beats_of(score: Score, duration: float) -> Beats | None:
    """The beats of a score, over a recording of a duration in seconds.

    Loud and certain notes count more. None if no beats are found: see `find_beats`.
    """
    onsets = [note.start for note in score.notes]
    weights = [np.sqrt(note.velocity / 127) * note.confidence for note in score.notes]
    return find_beats(onsets, duration, weights=weights)


@flush_to_zero()
def find_beats(
    onsets: ArrayLike, duration: float, *, weights: ArrayLike | None = None
) -> Beats | None:
    """The beats of onsets, by their autocorrelation and Ellis's tracker [1]_.

    Parameters
    ----------
    onsets : array, shape (n,)
        The times in seconds at which notes begin, in any order.
    duration : float
        The duration of the recording in seconds.
    weights : array, shape (n,), optional
        The strength of each onset; by default all are equal.

    Returns
    -------
    Beats or None
        Beats over the whole recording: before the first onset and after the last, at
        the tempo found there. None if there are fewer than eight onsets, or no beat
        between 30 and 500 per minute.

    References
    ----------
    .. [1] D. P. W. Ellis, "Beat tracking by dynamic programming", Journal of New Music
       Research 36(1), 2007.
    """
    onsets = np.asarray(onsets, np.float64)
    if len(np.unique(onsets)) < FEWEST:
        return None
    strength = beat_tracking.strength_of(onsets, duration, weights)
    period = 60 * RATE / beat_tracking.tempo_of(strength)
    times = beat_tracking.track(strength, round(period)) / RATE
    if len(times) <= LOCAL:
        return None
    beats = Beats(_smoothed(_over_all(times, duration)))
    tempi = 60 / np.diff(beats.times)
    return beats if LEAST <= tempi.min() and tempi.max() <= MOST else None


def _over_all(times: Float64, duration: float) -> Float64:
    """Beats from the last one before the start to the first one after the end."""
    first = float(np.diff(times[: LOCAL + 1]).mean())
    last = float(np.diff(times[-LOCAL - 1 :]).mean())
    n_before = max(0, int(np.ceil(times[0] / first)))
    n_after = max(0, int(np.ceil((duration - times[-1]) / last)))
    before = times[0] - first * np.arange(n_before, 0, -1)
    return np.concatenate([before, times, times[-1] + last * np.arange(1, n_after + 1)])


def _smoothed(times: Float64) -> Float64:
    """Beats of few tempi: the longest runs of one tempo within TOLERANCE."""
    smoothed = times.copy()
    corner, last = 0, len(times) - 1
    while corner < last:
        start = smoothed[corner]
        steps, slope = _straight(times[corner + 1 :] - start)
        smoothed[corner + 1 : corner + steps + 1] = start + slope * np.arange(
            1, steps + 1
        )
        corner += steps
    return smoothed


def _straight(ahead: Float64) -> tuple[int, float]:
    """The number of beats ahead that lie on a line from here, and its slope.

    The slopes within TOLERANCE of each beat form a wedge that narrows beat by beat.
    When it closes, its middle is the slope.
    """
    steps = np.arange(1, len(ahead) + 1)
    low = np.maximum.accumulate((ahead - TOLERANCE) / steps)
    high = np.minimum.accumulate((ahead + TOLERANCE) / steps)
    n_open = int(np.count_nonzero(low <= high))
    return n_open, float(low[n_open - 1] + high[n_open - 1]) / 2
