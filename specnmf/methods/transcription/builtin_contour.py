"""The contour: the deviation of each sounding pitch from the middle of its semitone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.methods.transcription.builtin_fitting import Activations
from specnmf.methods.transcription.builtin_spectrum import PER_SEMITONE
from specnmf.methods.transcription.salience import N_PITCHES

Float32 = NDArray[np.float32]

#: The standard deviation of the peak around each frequency, and its reach, in thirds of
#: a semitone.
WIDTH, REACH = 0.8, 2


def contour(heard: Activations, notes: Float32, tuning: float) -> Float32:
    """The likelihood of each third of a semitone, (n_frames, 3 * N_PITCHES).

    Each pitch's likelihood (n_frames, N_PITCHES) becomes a peak at its own frequency;
    the tuning is in cents above A4 = 440 Hz, the rows are at 440 Hz.
    """
    thirds = (offsets(heard) * 100 / PER_SEMITONE + tuning) / (100 / 3)
    drawn = np.zeros((len(notes), 3 * (N_PITCHES + 2)), np.float32)
    for away in range(-REACH, REACH + 1):
        value = notes * np.exp(-0.5 * ((away - thirds) / WIDTH) ** 2)
        place = drawn[:, 4 + away :: 3][:, :N_PITCHES]
        np.maximum(place, value, out=place)
    return drawn[:, 3:-3]


def offsets(heard: Activations) -> Float32:
    """Each pitch's offset from its template in bins, (n_frames, N_PITCHES), -1 to 1.

    The maximum of a parabola through the fit of the template at its position, a bin
    below and a bin above.
    """
    padded = np.pad(heard.target, ((0, 0), (1, 1)))
    n_bins = heard.target.shape[1]
    below, here, above = (
        padded[:, shift : shift + n_bins] @ heard.templates.T for shift in range(3)
    )
    curvature = np.minimum(below + above - 2 * here, 0)
    slope = (below - above) / 2
    top = np.where(curvature < 0, slope / np.minimum(curvature, -1e-9), 0)
    clipped: Float32 = np.clip(top, -1, 1).astype(np.float32)
    return clipped
