"""Inverse transforms of packed frames: against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specnmf import Audio
from specnmf.audio import inverse
from specnmf.audio.stft import Grid


def made(rng, n_fft, n_channels, n_frames):
    """A grid of frames, and a spectrum of each."""
    hop = n_fft // 4
    audio = Audio(np.zeros((n_channels, hop * (n_frames - 1) + 1)), 8000)
    shape = n_channels, n_frames, n_fft // 2 + 1
    X = rng.standard_normal((*shape, 2)).astype(np.float32)
    return Grid.of(audio, n_fft, hop), X.view(np.complex64)[..., 0]


def overlapped(frames, grid):
    """The windowed frames (n_channels, n_frames, n_fft), added a hop apart."""
    n_channels, n_frames, n = frames.shape
    out = np.zeros((n_channels, (n_frames - 1) * grid.hop_length + n))
    for t in range(n_frames):
        at = t * grid.hop_length
        out[:, at : at + n] += frames[:, t] * grid.window
    return out


def added(grid, source, shape):
    """A source's sound."""
    n_channels, n_frames = shape[:2]
    n = (n_frames - 1) * grid.hop_length + grid.n_fft
    out = np.zeros((n_channels, n + 5), np.float32)
    inverse.Inverse(grid).add(source, 5, out)
    assert not out[:, :5].any()
    return out[:, 5:]


@pytest.mark.kernels
@pytest.mark.parametrize("n_fft", [64, 128, 256, 512, 2048, 48, 1000])
@pytest.mark.parametrize(("n_channels", "n_frames"), [(1, 5), (2, 3), (3, 3), (1, 1)])
def test_frames_are_numpys(rng, n_fft, n_channels, n_frames):
    grid, X = made(rng, n_fft, n_channels, n_frames)
    found = added(grid, inverse.whole(inverse.pack(X), n_frames), X.shape)
    expected = overlapped(np.fft.irfft(X, n_fft), grid)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.kernels
@pytest.mark.parametrize("n_fft", [256, 300])
@pytest.mark.parametrize("n_masks", [1, 2])
def test_masks_and_gains_multiply_the_spectra(rng, n_fft, n_masks):
    grid, X = made(rng, n_fft, 2, 4)
    masks = rng.random((n_masks, *X.shape[1:])).astype(np.float32)
    mask = rng.random(X.shape[2]).astype(np.float32)
    gains = rng.random(4).astype(np.float32)
    packed = inverse.pack(X, masks)
    source = inverse.Source(packed, inverse.mirrored(mask), gains)
    masked = X * masks * mask * gains[:, np.newaxis]
    expected = overlapped(np.fft.irfft(masked, n_fft), grid)
    np.testing.assert_allclose(added(grid, source, X.shape), expected, atol=1e-6)


@pytest.mark.kernels
@pytest.mark.parametrize("n_fft", [128, 100])
def test_a_silent_channel_stays_silent_beside_a_loud_one(rng, n_fft):
    grid, X = made(rng, n_fft, 2, 3)
    X[1] = 0
    packed = inverse.pack(X)
    assert packed.heard.tolist() == [1, 0] * 3
    found = added(grid, inverse.whole(packed, 3), X.shape)
    assert found[0].any()
    assert not found[1].any()


@pytest.mark.kernels
@pytest.mark.parametrize("n_fft", [128, 100])
def test_equal_channels_stay_equal(rng, n_fft):
    grid, X = made(rng, n_fft, 2, 3)
    masks = rng.random(X.shape).astype(np.float32)
    X[1], masks[1] = X[0], masks[0]
    found = added(grid, inverse.whole(inverse.pack(X, masks), 3), X.shape)
    assert found[0].tobytes() == found[1].tobytes()
    expected = overlapped(np.fft.irfft(X * masks, n_fft), grid)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    masks[1, 1] = rng.random(X.shape[2])
    packed = inverse.pack(X, masks)
    assert packed.heard.tolist() == [1, 2, 1, 1, 1, 2]
    found = added(grid, inverse.whole(packed, 3), X.shape)
    expected = overlapped(np.fft.irfft(X * masks, n_fft), grid)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.kernels
def test_frames_without_gain_add_nothing(rng):
    grid, X = made(rng, 64, 1, 6)
    gains = np.array([0, 0, 1, 0, 0, 0], np.float32)
    source = inverse.Source(inverse.pack(X), np.ones(64, np.float32), gains)
    found = added(grid, source, X.shape)
    assert not found[0, : 2 * grid.hop_length].any()
    assert not found[0, 2 * grid.hop_length + 64 :].any()
    assert found.any()


@pytest.mark.kernels
@settings(max_examples=30, deadline=None)
@given(
    power=st.integers(6, 10),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 4)),
    seed=st.integers(0, 2**32 - 1),
)
def test_kernels_and_scipy_agree(power, shape, seed):
    rng = np.random.default_rng(seed)
    grid, X = made(rng, 2**power, *shape)
    source = inverse.whole(inverse.pack(X), shape[1])
    compiled, other = inverse.Inverse(grid), inverse.Inverse(grid)
    other.is_compiled = False
    found = np.zeros((2, shape[0], shape[1] * 2**power), np.float32)
    compiled.add(source, 0, found[0])
    other.add(source, 0, found[1])
    np.testing.assert_allclose(*found, atol=2e-6)
