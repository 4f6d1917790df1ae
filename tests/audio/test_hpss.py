"""Harmonic-percussive splitting: against librosa, then its properties and errors."""

import numpy as np
import pytest
from librosa.decompose import hpss
from reference import running_medians
from scipy.ndimage import median_filter

from specnmf import ParameterError
from specnmf.audio import median_kernels
from specnmf.audio.hpss import kernel_size, medians, part_masks
from specnmf.audio.stft import Grid

SR, N_FFT = 8000, 256


@pytest.fixture(scope="module")
def grid():
    return Grid(SR, 64 * 700, N_FFT, 64)


@pytest.fixture(scope="module")
def V(grid):
    """A tone, clicks, and noise between them."""
    rng = np.random.default_rng(3)
    V = 0.1 * rng.random((grid.n_frames, grid.n_bins)).astype(np.float32)
    V[:, 30] += 1
    V[::150] += 1
    return V.T


@pytest.mark.parametrize("margin", [1.0, 2.5])
def test_masks_are_those_of_librosa_in_blocks_and_threads(V, grid, margin):
    kernel = kernel_size(grid)
    harmonic, percussive = hpss(V, kernel_size=kernel, margin=margin, mask=True)
    for threads in (1, 3):
        found = part_masks(V, grid, margin=margin, threads=threads)
        np.testing.assert_array_equal(found.harmonic.T, harmonic)  # every digit
        np.testing.assert_allclose(found.percussive.T, percussive, atol=1e-6)
        assert found.harmonic.shape == (grid.n_frames, grid.n_bins)


@pytest.mark.kernels
@pytest.mark.parametrize("lengths", [(3, 3), (5, 13), (31, 7), (87, 41)])
@pytest.mark.parametrize("shape", [(23, 40), (7, 1), (1, 9), (17, 12)])
def test_running_medians_are_those_of_the_reference(rng, lengths, shape):
    V = rng.random(shape).astype(np.float32)
    for own in (V, np.round(4 * V), np.asfortranarray(V)):  # many are equal
        along, across = medians(own, lengths)
        np.testing.assert_array_equal(along.T, running_medians(own, lengths[0]))
        np.testing.assert_array_equal(across, running_medians(own.T, lengths[1]))


def test_blocks_and_threads_do_not_change_medians(V):
    one, other = (medians(V, (87, 13), threads=threads) for threads in (1, 3))
    for own, same, axis in zip(one, other, (1, 0), strict=True):
        np.testing.assert_array_equal(own, same)
        size = [(13, 1), (1, 87)][axis]
        np.testing.assert_array_equal(own.T, median_filter(V, size=size))


@pytest.mark.kernels
@pytest.mark.parametrize("margin", [1.0, 3.0])
def test_where_both_medians_are_silent_the_margin_decides(margin):
    tones, clicks = (np.array([[0, 1e-40, 2]], np.float32) for _ in range(2))
    tiny = np.finfo(np.float32).tiny
    median_kernels.share(tones, clicks, np.float32(margin), tiny)
    silent = 0.5 if margin == 1 else 0
    np.testing.assert_array_equal(tones[0, :2], silent)
    np.testing.assert_array_equal(clicks[0, :2], silent)
    assert tones[0, 2] == pytest.approx(1 / (1 + margin**2))


@pytest.mark.parametrize("margin", [1.0, 1.5, 4.0])
def test_masks_add_up_to_one(V, grid, margin):
    found = part_masks(V, grid, margin=margin).by_name
    assert list(found) == ["harmonic", "percussive", "residual"][: 2 + (margin > 1)]
    total = sum(found.values())
    np.testing.assert_allclose(total, 1, atol=1e-6)
    assert min(mask.min() for mask in found.values()) >= 0


def test_tones_are_harmonic_and_clicks_percussive(V, grid):
    found = part_masks(V, grid, margin=2.0)
    away = np.ones(grid.n_frames, bool)
    away[::150] = False
    assert found.harmonic[away, 30].min() > 0.9
    assert np.median(found.percussive[::150, 60:]) > 0.9
    assert found.residual[away][:, 60:].mean() > 0.3


def test_filters_have_the_same_length_at_every_window():
    assert kernel_size(Grid(44100, 44100, 2048, 512)) == (87, 13)
    assert kernel_size(Grid(44100, 44100, 4096, 1024)) == (43, 27)
    assert kernel_size(Grid(8000, 8000, 64, 64)) == (125, 3)
    assert kernel_size(Grid(8000, 8000, 32, 4000)) == (3, 3)


def test_silence_and_single_frames_have_masks():
    grid = Grid(SR, 10, N_FFT, 64)
    found = part_masks(np.zeros((grid.n_bins, 1), np.float32), grid)
    np.testing.assert_array_equal(found.harmonic, 0.5)
    np.testing.assert_array_equal(found.percussive, 0.5)


def test_a_margin_is_at_least_one(V, grid):
    with pytest.raises(ParameterError, match="margin must be at least 1"):
        part_masks(V, grid, margin=0.5)
