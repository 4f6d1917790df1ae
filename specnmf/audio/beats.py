"""Beats: when the beats of a recording are.

They are sought in the onsets of its notes, not in its sound. Of 55 rendered clips,
librosa finds the tempo of 54 in their onsets, half or twice that counted as well, and
of 37 in their spectral flux, for bowed and blown notes hardly show in that.

The tempo and the beats are those that `librosa.beat` finds in such onsets, and tests
compare them. But it compiles for five seconds in each process, and looks for the tempo
in a window a frame, in ten minutes 800 MB; both are a few lines of NumPy here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.errors import ParameterError
from specnmf.subnormals import flush_to_zero

Float64 = NDArray[np.float64]
Places = NDArray[np.intp]

#: Frames a second in which onsets are counted, and the standard deviation in seconds
#: by which players, and those who hear them, miss a beat.
RATE, LOOSE = 100, 0.02

#: The tempo shows in windows of so many frames, as librosa has it, two a second.
WINDOW, STEP = 8 * RATE, RATE // 2

#: The tempi that are sought, in beats a minute, and the likeliest. Others lose by the
#: square of the octaves.
SLOWEST, FASTEST, LIKELIEST = 40.0, 240.0, 120.0

#: The slowest and fastest beat that there may be.
LEAST, MOST = 30.0, 500.0

#: How closely beats keep to the tempo, and how far onsets lie from beats, in shares of
#: a beat: librosa's.
TIGHTNESS, NEAR = 100.0, 1 / 32

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

    def later(self, seconds: float) -> Beats:
        """The beats, so many seconds later, and those before them from the start on."""
        times = self.times + seconds
        return Beats(_over_all(times, float(times[-1])))


@flush_to_zero()
def find_beats(
    onsets: ArrayLike, duration: float, *, weights: ArrayLike | None = None
) -> Beats | None:
    """The beats on which onsets lie, by their autocorrelation and Ellis's tracker [1]_.

    Parameters
    ----------
    onsets : array, shape (n,)
        When notes begin, in seconds, in any order.
    duration : float
        How long the recording lasts, in seconds.
    weights : array, shape (n,), optional
        How strong each onset is; by default all are alike.

    Returns
    -------
    Beats or None
        Over the whole recording: before the first onset and after the last one at the
        tempo that is found there. None where there are fewer than eight onsets, or no
        beat between 30 and 500 a minute.

    References
    ----------
    .. [1] D. P. W. Ellis, "Beat tracking by dynamic programming", Journal of New Music
       Research 36(1), 2007.
    """
    onsets = np.asarray(onsets, np.float64)
    if len(np.unique(onsets)) < FEWEST:
        return None
    strength = _strength(onsets, duration, weights)
    times = track(strength, round(60 * RATE / _tempo(strength))) / RATE
    if len(times) <= LOCAL:
        return None
    beats = Beats(_smoothed(_over_all(times, duration)))
    tempi = 60 / np.diff(beats.times)
    return beats if LEAST <= tempi.min() and tempi.max() <= MOST else None


def _strength(onsets: Float64, duration: float, weights: ArrayLike | None) -> Float64:
    """How much begins in each frame, shape (n_frames,)."""
    from scipy.ndimage import gaussian_filter1d

    n_frames = 1 + int(duration * RATE)
    frames = np.clip(np.rint(onsets * RATE).astype(int), 0, n_frames - 1)
    each = None if weights is None else np.asarray(weights, np.float64)
    counts = np.bincount(frames, each, n_frames).astype(np.float64)
    smoothed: Float64 = gaussian_filter1d(counts, LOOSE * RATE, mode="constant")
    return smoothed


def _tempo(strength: Float64) -> float:
    """The tempo in beats a minute: the mean autocorrelation's highest, if likely."""
    from scipy import fft

    padded = np.pad(strength, WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::STEP]
    spectra = fft.rfft(frames * np.hanning(WINDOW), 2 * WINDOW)
    found = fft.irfft(np.abs(spectra) ** 2)[:, :WINDOW]
    heights = found.max(axis=1, keepdims=True)
    mean = (found / np.maximum(heights, np.finfo(float).tiny)).mean(axis=0)
    lags = np.arange(math.ceil(60 * RATE / FASTEST), int(60 * RATE / SLOWEST) + 1)
    tempi = 60 * RATE / lags
    octaves = np.log2(tempi / LIKELIEST)
    likely = np.log1p(1e6 * np.maximum(mean[lags], 0)) - 0.5 * octaves**2
    return float(tempi[np.argmax(likely)])


def track(strength: Float64, period: int) -> Places:
    """The frames of beats, about a period apart, where onsets are strong.

    The beats of ``librosa.beat.beat_track`` without its trimming. As a beat is at least
    half a period from the one before, so many frames are done at a time.
    """
    from scipy.ndimage import convolve1d

    steps = np.arange(-period, period + 1) / (period * NEAR)
    near = convolve1d(strength, np.exp(-0.5 * steps**2), mode="constant")
    near /= strength.std(ddof=1)
    lags = np.arange(round(period / 2), 2 * period + 1)
    cost = TIGHTNESS * np.log(lags / period) ** 2
    most, n = int(lags[-1]), len(strength)
    total = np.concatenate([np.full(most, -np.inf), near])
    before = np.full(n, -1)
    for first in range(0, n, int(lags[0])):
        frames = np.arange(first, min(first + int(lags[0]), n))
        scores = total[most + frames[:, None] - lags] - cost
        best = scores.argmax(axis=1)
        highest = scores[np.arange(len(frames)), best]
        known = np.isfinite(highest)
        before[frames[known]] = (frames - lags[best])[known]
        total[most + frames[known]] += highest[known]
    before[: int(np.argmax(near >= 0.01 * near.max()))] = -1
    return _path(before, _last(total[most:]))


def _last(total: Float64) -> int:
    """The last beat: the last peak of at least half the median of all."""
    padded = np.pad(total, 1, mode="edge")
    peaks = np.flatnonzero((total > padded[:-2]) & (total >= padded[2:]))
    strong = peaks[total[peaks] >= 0.5 * np.median(total[peaks])]
    return int(strong[-1])


def _path(before: Places, last: int) -> Places:
    """The beats that lead to the last one."""
    path = [last]
    while before[path[-1]] >= 0:
        path.append(int(before[path[-1]]))
    return np.array(path[::-1])


def _over_all(times: Float64, duration: float) -> Float64:
    """Beats from the last one before the start to the first one after the end."""
    first = float(np.diff(times[: LOCAL + 1]).mean())
    last = float(np.diff(times[-LOCAL - 1 :]).mean())
    n_before = max(0, int(np.ceil(times[0] / first)))
    n_after = max(0, int(np.ceil((duration - times[-1]) / last)))
    before = times[0] - first * np.arange(n_before, 0, -1)
    return np.concatenate([before, times, times[-1] + last * np.arange(1, n_after + 1)])


def _smoothed(times: Float64) -> Float64:
    """Beats of few tempi: the longest runs of one tempo that miss none by TOLERANCE."""
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
    """How many beats ahead lie on a line from here, and its slope.

    The slopes that miss none by TOLERANCE make a wedge that narrows beat by beat; where
    it closes, its middle is taken.
    """
    steps = np.arange(1, len(ahead) + 1)
    low = np.maximum.accumulate((ahead - TOLERANCE) / steps)
    high = np.minimum.accumulate((ahead + TOLERANCE) / steps)
    open_ = int(np.count_nonzero(low <= high))
    return open_, float(low[open_ - 1] + high[open_ - 1]) / 2
