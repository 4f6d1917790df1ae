"""Drums and noise: what their spectra start from, and what they cover."""

import numpy as np
import pytest

from specnmf.audio.stft import Grid
from specnmf.methods.partials.unpitched import (
    LOWEST,
    N_BANDS,
    drum_spectra,
    noise_bands,
)

GRID = Grid(44100, 44100, 2048, 512)
KICK, SNARE, HIHAT, COWBELL, UNKNOWN = 36, 38, 42, 56, 3


def test_each_drum_lies_where_it_sounds():
    spectra = drum_spectra([KICK, SNARE, HIHAT], GRID, n_channels=1)[:, 0, 0]
    peaks = GRID.frequencies[spectra.argmax(axis=1)]
    assert peaks[0] < 200 < peaks[1] < 5000 < peaks[2]


def test_drums_fade_and_are_alike_in_all_channels():
    spectra = drum_spectra([KICK, COWBELL, UNKNOWN], GRID, n_channels=2)
    assert spectra.shape[0] == 3
    assert spectra.shape[2:] == (2, GRID.n_bins)
    assert spectra.dtype == np.float32
    assert (spectra > 0).all()
    assert (np.diff(spectra.sum(axis=(2, 3)), axis=1) < 0).all()
    assert (spectra[:, :, 0] == spectra[:, :, 1]).all()


def test_a_window_longer_than_a_drum_leaves_one_spectrum():
    slow = Grid(44100, 441_000, 131_072, 131_072)
    assert drum_spectra([KICK], slow, n_channels=1).shape[:2] == (1, 1)


def test_without_drums_there_are_no_spectra():
    assert len(drum_spectra([], GRID, n_channels=1)) == 0


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
