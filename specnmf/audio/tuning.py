"""Tuning: the deviation of a recording from A4 = 440 Hz."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import hann
from specnmf.notation import semitones
from specnmf.subnormals import flush_to_zero

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

#: The tuning is sought among the spectrum's peaks between these frequencies in Hz,
#: in windows of that many seconds, a few a second, above that share of the highest.
TUNED_FROM, TUNED_TO = 150.0, 2500.0
TUNING_WINDOW, TUNING_RATE, TUNING_PEAK = 0.372, 2, 0.05

#: How much the peaks must agree for there to be a tuning: 1 where all do. Drums stay
#: below 0.1, notes seldom below 0.3.
CLEARLY_TUNED = 0.15

#: Keeps silence from a logarithm of 0.
TINY = 1e-30


def window_length(seconds: float, sr: int) -> int:
    """The nearest power of two in samples."""
    return 1 << max(4, round(math.log2(seconds * sr)))


@flush_to_zero()
def estimate_tuning(blocks: Iterable[Float32], sr: int) -> float:
    """The cents from 440 Hz up to the recording's A4, -50 to 50.

    It is the mean direction of the spectral peaks' cents on a circle of one semitone; 0
    if they have no common direction, as for drums.
    """
    n_fft = window_length(TUNING_WINDOW, sr)
    window = hann(n_fft)
    direction, weight = 0j, 0.0
    for block in blocks:
        for start in range(0, block.shape[1] - n_fft + 1, sr // TUNING_RATE):
            heights, pitches = _peaks(block[:, start : start + n_fft] * window, sr)
            direction += complex(heights @ np.exp(2j * np.pi * pitches))
            weight += float(heights.sum())
    clear = abs(direction) > CLEARLY_TUNED * weight
    return float(np.angle(direction) * 50 / np.pi) if clear else 0.0


def _peaks(windowed: Float32, sr: int) -> tuple[Float64, Float64]:
    """The heights of a spectrum's peaks, and their semitones from A4."""
    from scipy import fft

    bin_width = sr / windowed.shape[1]
    low, high = int(TUNED_FROM / bin_width), int(TUNED_TO / bin_width)
    spectrum = np.sqrt((np.abs(fft.rfft(windowed)) ** 2).sum(axis=0))
    spectrum = spectrum[low - 1 : high + 1].astype(np.float64) + TINY
    left, middle, right = spectrum[:-2], spectrum[1:-1], spectrum[2:]
    least = TUNING_PEAK * middle.max(initial=0)
    (peaks,) = np.nonzero((middle > left) & (middle >= right) & (middle > least))
    a, b, c = (np.log(side[peaks]) for side in (left, middle, right))
    offsets = 0.5 * (a - c) / (a - 2 * b + c)
    return middle[peaks], semitones((low + peaks + offsets) * bin_width)
