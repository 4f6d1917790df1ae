"""Noise: broad bands for breath, bow, hammers and rooms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Grid

#: How many bands there are, and where the lowest begins, in Hz.
N_BANDS, LOWEST = 30, 20.0


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
