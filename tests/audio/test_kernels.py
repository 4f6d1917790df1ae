"""Rounding: integers that add up to the mixture's."""

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from specnmf.audio import kernels


def rounded(sources, mixture, scale):
    out = np.empty((sources.shape[0], sources.shape[2], sources.shape[1]), np.int32)
    written = np.empty(mixture.shape)
    held = kernels.round_running_sum(
        sources, mixture, scale, (0, mixture.shape[1]), out, written
    )
    out = out.transpose(0, 2, 1)
    assert (written == out.sum(axis=0, dtype=np.int64)).all()
    return out, held


@pytest.mark.kernels
def test_running_sums_are_rounded_as_in_the_reference(rng):
    mixture = np.rint(1000 * rng.standard_normal((2, 200))) / 32768
    sources = rng.standard_normal((4, 2, 200)).astype(np.float32) / 100
    found, held = rounded(sources, mixture, 32768.0)
    expected = reference.running_sum_integers(sources.astype(float), mixture, 32768)
    assert (found == expected).all()
    assert held == 0


@pytest.mark.kernels
@settings(max_examples=50, deadline=None)
@given(
    n_sources=st.integers(1, 6),
    bits=st.sampled_from([8, 16, 24, 32]),
    gain=st.floats(0, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_integers_add_up_whatever_the_sources(n_sources, bits, gain, seed):
    rng = np.random.default_rng(seed)
    scale = 2.0 ** (bits - 1)
    mixture = rng.integers(-scale, scale, (2, 50)) / scale
    sources = (gain * rng.standard_normal((n_sources, 2, 50))).astype(np.float32)
    found, held = rounded(sources, mixture, scale)
    assert (found.sum(axis=0, dtype=np.int64) == np.rint(mixture * scale)).all()
    assert found.min() >= -scale
    assert found.max() <= scale - 1
    loudest = np.abs(sources).sum(axis=0).max() + np.abs(mixture).max()
    assert held == 0 or loudest * 2 >= 1


@pytest.mark.kernels
@pytest.mark.parametrize("first", [-20, -5, 0, 7, 95, 140])
def test_frames_are_windowed_with_zeros_beyond_the_samples(rng, first):
    samples = rng.standard_normal((2, 100)).astype(np.float32)
    window = rng.random(16).astype(np.float32)
    out = np.full((2, 5, 16), np.nan, np.float32)
    kernels.cut_frames(samples, first, 6, window, out)
    padded = np.pad(samples, ((0, 0), (100, 100)))
    expected = [padded[:, 100 + at :][:, :16] for at in range(first, first + 30, 6)]
    np.testing.assert_array_equal(out, np.stack(expected, axis=1) * window)


@pytest.mark.kernels
def test_the_root_mean_square_is_numpys(rng):
    X = rng.standard_normal((3, 4, 10)).astype(np.float32).view(np.complex64)
    out = np.empty((4, 5), np.float32)
    kernels.root_mean_square(X, out)
    expected = np.sqrt(np.mean(np.abs(X) ** 2, axis=0))
    np.testing.assert_allclose(out, expected, rtol=1e-6)
