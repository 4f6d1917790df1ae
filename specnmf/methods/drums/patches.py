"""Patches: what the network hears of a recording around each frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Audio
from specnmf.audio.stft import Float32, Grid, magnitude
from specnmf.methods.drums.kits import N_BANDS, WINDOW, band_matrix

#: Seconds from a frame to the next.
STEP = 512 / 44_100

#: Frames before and after the one that is judged, and bands of the kits in one.
BEFORE, AFTER, JOINED = 4, 9, 3

#: Compression of the levels: log(1 + SHARPNESS x), where x is relative to the loudness
#: of the recording, its frames' QUANTILE.
SHARPNESS, QUANTILE = 200.0, 0.95

N_INPUTS = (BEFORE + AFTER) * (N_BANDS // JOINED) * 2


def hearing_grid(audio: Audio) -> Grid:
    """The frames in which drums are heard, at any sample rate."""
    n_fft = 2 * round(WINDOW * audio.sr / 2)
    return Grid(audio.sr, audio.n_samples, n_fft, round(STEP * audio.sr))


def band_levels(audio: Audio, grid: Grid, *, threads: int | None = None) -> Float32:
    """Magnitudes in the bands of the kits, (n_frames, n_bands)."""
    V = magnitude(audio, grid, threads=threads)
    return np.ascontiguousarray((band_matrix(grid.frequencies) @ V).T)


def compressed(bands: Float32) -> Float32:
    """Compressed levels and their rise over two frames, (n_frames, 2, n_bands / 3)."""
    joined = bands.reshape(len(bands), -1, JOINED).mean(axis=2)
    loudness = float(np.quantile(joined.mean(axis=1), QUANTILE))
    levels = np.log1p(joined * np.float32(SHARPNESS / max(loudness, 1e-9)))
    before = np.pad(levels, ((2, 0), (0, 0)), mode="edge")[:-2]
    return np.stack([levels, levels - before], axis=1).astype(np.float32)


def patches(levels: Float32, frames: NDArray[np.intp] | None = None) -> Float32:
    """The inputs of the network for some frames, (n_frames, N_INPUTS)."""
    padded = np.pad(levels, ((BEFORE, AFTER - 1), (0, 0), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, BEFORE + AFTER, axis=0)
    chosen = windows if frames is None else windows[frames]
    return chosen.reshape(len(chosen), -1)
