"""Drums, hammers and noise: the layers without a pitch, and their initial values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Float32, Grid
from specnmf.factor.parametric.noise import Noise
from specnmf.factor.parametric.strikes import Strikes
from specnmf.methods.partials.schedule import Hits

#: The length of a drum's spectrum after the strike, in seconds.
LENGTH = 0.6

#: The length of the attack of a struck string, in seconds.
ATTACK = 0.1

#: The initial decay times of both: to 1/e, in seconds.
FADE = 0.05

#: Centre in Hz and width in octaves of General MIDI's drums; other drums are broad.
_KICK, _TOM, _SNARE, _METAL = (70.0, 1.5), (180.0, 1.5), (1500.0, 4.0), (9000.0, 1.5)
_SHAPES = {
    **dict.fromkeys((35, 36), _KICK),
    **dict.fromkeys((41, 43, 45, 47, 48, 50, 60, 61, 62, 63, 64, 65, 66), _TOM),
    **dict.fromkeys((37, 38, 39, 40), _SNARE),
    **dict.fromkeys((42, 44, 46, 49, 51, 52, 53, 54, 55, 57, 59, 69, 70), _METAL),
}
_BROAD = (2000.0, 6.0)

#: The number of bands, and the lower edge of the lowest, in Hz.
N_BANDS, LOWEST = 30, 20.0

#: The initial noise, relative to the mean of V.
START = 0.002


def drum_layer(V: Float32, hits: Hits, grid: Grid) -> Strikes:
    """Drums that are initially as loud as V, (n_channels, n_frames, n_bins)."""
    pitches = [drum.pitch for drum in hits.templates]
    return _strikes(V, hits, drum_spectra(pitches, grid, n_channels=len(V)))


def hammer_layer(V: Float32, hits: Hits, grid: Grid) -> Strikes:
    """The attacks of struck strings, in the same form."""
    shapes = [_BROAD] * len(hits.templates)
    return _strikes(V, hits, _spectra(shapes, grid, ATTACK, len(V)))


def drum_spectra(
    pitches: Sequence[int], grid: Grid, *, n_channels: int
) -> NDArray[np.float32]:
    """Initial spectra of MIDI drums, (n_drums, n_lags, n_channels, n_bins)."""
    return _spectra([_SHAPES.get(p, _BROAD) for p in pitches], grid, LENGTH, n_channels)


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


def _strikes(V: Float32, hits: Hits, spectra: Float32) -> Strikes:
    level = float(V.sum(axis=2).mean())
    strengths = np.full(len(hits.frame), level, np.float32)
    place = hits.frame, hits.template
    return Strikes(*place, spectra, strengths, n_frames=V.shape[1])


def _spectra(
    shapes: Sequence[tuple[float, float]], grid: Grid, length: float, n_channels: int
) -> NDArray[np.float32]:
    n_lags = max(1, round(length * grid.sr / grid.hop_length))
    octaves = np.log2(np.maximum(grid.frequencies, 1.0))
    fade = np.exp(-np.arange(n_lags) * grid.hop_length / grid.sr / FADE)
    spectra = np.empty((len(shapes), n_lags, n_channels, grid.n_bins), np.float32)
    for spectrum, (middle, width) in zip(spectra, shapes, strict=True):
        distance = (octaves - np.log2(middle)) / (width / 2)
        shape = np.exp(-0.5 * distance**2) + 1e-3
        spectrum[:] = fade[:, None, None] * (shape / shape.sum())
    return spectra
