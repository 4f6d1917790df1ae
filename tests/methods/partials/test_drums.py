"""Drums: what their spectra start from."""

import numpy as np

from specnmf.audio.stft import Grid
from specnmf.methods.partials.drums import drum_spectra

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
