"""Noise: broad bands for breath, bow, hammers and rooms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Float32, Grid
from specnmf.factor.parametric.noise import Noise

#: How many bands there are, and where the lowest begins, in Hz.
N_BANDS, LOWEST = 30, 20.0

#: What the noise starts from, relative to the mean of V.
START = 0.002


def noise_layer(V: Float32, grid: Grid) -> Noise:
    """Faint noise in all bands of V, (n_channels, n_frames, n_bins)."""
    level = START * float(V.mean())
    n_channels, n_frames, _ = V.shape
    bands = noise_bands(grid)
    return Noise(bands, strength=level, n_channels=n_channels, n_frames=n_frames)


def noise_bands(grid: Grid) -> NDArray[np.float32]:
    """Overlapping triangles of equal width in mel, shape (N_BANDS, n_bins)."""
    import librosa

    corners: NDArray[np.float64] = librosa.mel_frequencies(
        N_BANDS + 2, fmin=LOWEST, fmax=grid.sr / 2, htk=True
    )
    below, peak, above = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    f = grid.frequencies
    rising, falling = (f - below) / (peak - below), (above - f) / (above - peak)
    return np.maximum(np.minimum(rising, falling), 0).astype(np.float32)
