"""Beat tracking: tempo and beats from onsets, with the method of `librosa.beat`.

librosa's version compiles for five seconds in each process, and estimates the tempo in
a window per frame, which takes 800 MB for ten minutes. Both are a few lines of NumPy
here; tests compare the results.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]
Places = NDArray[np.intp]

#: Frames per second in which onsets are counted, and the standard deviation in seconds
#: by which players, and those who hear them, miss a beat.
RATE, LOOSE = 100, 0.02

#: The tempo shows in windows of so many frames, as librosa has it, two a second.
WINDOW, STEP = 8 * RATE, RATE // 2

#: The tempi that are sought, in beats a minute, and the likeliest. Others lose by the
#: square of the octaves.
SLOWEST, FASTEST, LIKELIEST = 40.0, 240.0, 120.0

#: How closely beats keep to the tempo, and how far onsets lie from beats, in shares of
#: a beat: librosa's.
TIGHTNESS, NEAR = 100.0, 1 / 32


def strength_of(onsets: Float64, duration: float, weights: ArrayLike | None) -> Float64:
    """The strength of the onsets in each frame, shape (n_frames,)."""
    from scipy.ndimage import gaussian_filter1d

    n_frames = 1 + int(duration * RATE)
    frames = np.clip(np.rint(onsets * RATE).astype(int), 0, n_frames - 1)
    each = None if weights is None else np.asarray(weights, np.float64)
    counts = np.bincount(frames, each, n_frames).astype(np.float64)
    smoothed: Float64 = gaussian_filter1d(counts, LOOSE * RATE, mode="constant")
    return smoothed


def tempo_of(strength: Float64) -> float:
    """The tempo in beats per minute: the likeliest peak of the mean autocorrelation."""
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
    """The frames of beats, about a period apart, at strong onsets.

    The beats are those of ``librosa.beat.beat_track`` without trimming. A beat is at
    least half a period after the previous one, so that many frames are computed at a
    time.
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
    """The last beat: the last peak of at least half the median of all peaks."""
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
