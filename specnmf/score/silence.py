"""Silence: how silent a score or a recording is, at each moment.

Only lasting silence counts, because there is a gap between any two notes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specnmf.score.notes import Note

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

#: A recording is silent where its loudest pitch is SOFTEST or less, in dB of a loud
#: one, and not at all where that is SOFT.
SOFTEST, SOFT = -36.0, -26.0

#: A note is taken to sound for HELD seconds at most, and at the end of a score for
#: LINGERING seconds after the last beginning: its imprint has faded by then.
HELD, LINGERING = 5.0, 4.0

#: Silence lasts for so many seconds at least.
LASTING = 0.8


def of_recording(magnitudes: Float32, loud: float) -> Float32:
    """How silent frames are, 0 to 1, from the loudness of each pitch, (n_frames, 128).

    Hiss and hum are silence: hiss spreads over so many pitches that each is soft.
    """
    loudest = magnitudes.max(axis=1, initial=0) / loud
    level = 20 * np.log10(np.maximum(loudest, 1e-9))
    return np.asarray(np.clip((SOFT - level) / (SOFT - SOFTEST), 0, 1), np.float32)


def of_notes(notes: Sequence[Note], n_frames: int, rate: float) -> Float32:
    """Where no note of a score sounds, 1 or 0, shape (n_frames,)."""
    silent, latest = np.ones(n_frames, np.float32), max(note.start for note in notes)
    for note in notes:
        until = min(note.start + HELD, latest + LINGERING)
        first = round(note.start * rate)
        last = round(min(note.start + note.duration, until) * rate)
        silent[first : last + 1] = 0
    return silent


def lasting(silent: Float32, rate: float) -> Float32:
    """Silence without the parts that are too short."""
    from scipy import ndimage

    size = round(LASTING * rate) | 1
    least = ndimage.minimum_filter1d(silent, size, mode="constant")
    return np.asarray(ndimage.maximum_filter1d(least, size, mode="constant"))


def averaged(silent: Float32, factor: int) -> Float32:
    """Silence at a rate lower by a factor."""
    from scipy import ndimage

    means = ndimage.convolve1d(silent, window(factor), mode="nearest")[::factor]
    return np.asarray(means, np.float32)


def window(factor: int) -> Float64:
    """The weights of a mean around each frame at a rate lower by a factor."""
    hann = np.hanning(2 * factor + 2)[1:-1]
    return np.asarray(hann / hann.sum())
