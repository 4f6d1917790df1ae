"""Bands of noise: what they cover."""

import numpy as np
import pytest

from specnmf.audio.stft import Grid
from specnmf.methods.partials.noise import LOWEST, N_BANDS, noise_bands


@pytest.mark.parametrize("sr", [22050, 44100])
def test_the_bands_cover_every_frequency_alike(sr):
    grid = Grid(sr, sr, 8192, 2048)
    bands = noise_bands(grid)
    peaks = grid.frequencies[bands.argmax(axis=1)]
    between = (grid.frequencies > peaks[0]) & (grid.frequencies < peaks[-1])
    np.testing.assert_allclose(bands.sum(axis=0)[between], 1, atol=1e-5)


def test_the_bands_are_as_wide_in_mel():
    grid = Grid(44100, 44100, 16384, 4096)
    peaks = grid.frequencies[noise_bands(grid).argmax(axis=1)]
    mel = 2595 * np.log10(1 + peaks / 700)
    np.testing.assert_allclose(np.diff(mel), np.diff(mel).mean(), rtol=0.1)


def test_nothing_lies_below_the_lowest_band_and_no_value_is_negative():
    grid = Grid(44100, 44100, 8192, 2048)
    bands = noise_bands(grid)
    assert bands.shape == (N_BANDS, grid.n_bins)
    assert bands.dtype == np.float32
    assert (bands >= 0).all()
    assert not bands[:, grid.frequencies < LOWEST].any()
