"""Patches: what the network hears of a recording in each frame."""

from __future__ import annotations

import numpy as np

from specnmf.audio.recording import Audio
from specnmf.audio.stft import Float32, Grid, magnitude
from specnmf.methods.drums.kits import N_BANDS, WINDOW, band_matrix

#: Seconds from a frame to the next.
STEP = 512 / 44_100

#: Bands of the kits in one, and what remains.
JOINED = 2
N_HEARD = N_BANDS // JOINED

#: Compression of the levels: log(1 + SHARPNESS x), where x is relative to the loudness
#: of the recording, its frames' QUANTILE.
SHARPNESS, QUANTILE = 200.0, 0.95

#: Frames over which a level rises.
RISE = 2


def hearing_grid(audio: Audio) -> Grid:
    """The frames in which drums are heard, at any sample rate."""
    n_fft = 2 * round(WINDOW * audio.sr / 2)
    return Grid(audio.sr, audio.n_samples, n_fft, round(STEP * audio.sr))


def band_levels(audio: Audio, grid: Grid, *, threads: int | None = None) -> Float32:
    """Magnitudes in joined bands of the kits, (n_frames, N_HEARD)."""
    V = magnitude(audio, grid, threads=threads)
    bands = (band_matrix(grid.frequencies) @ V).T
    return np.asarray(bands.reshape(len(bands), N_HEARD, JOINED).mean(axis=2))


def compressed(bands: Float32) -> Float32:
    """Compressed levels and their rise over RISE frames, (n_frames, 2, N_HEARD).

    There is silence before the first frame.
    """
    loudness = float(np.quantile(bands.mean(axis=1), QUANTILE))
    levels = np.log1p(bands * np.float32(SHARPNESS / max(loudness, 1e-9)))
    before = np.pad(levels, ((RISE, 0), (0, 0)))[:-RISE]
    return np.stack([levels, levels - before], axis=1).astype(np.float32)
