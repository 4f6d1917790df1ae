"""The layer of noise: bands whose strengths are each frame's own."""

import numpy as np
import pytest

from specnmf.factor.parametric.noise import Noise


@pytest.fixture
def noise(rng):
    bands = rng.random((3, 20)).astype(np.float32)
    return Noise(bands, strength=0.5, n_channels=2, n_frames=10)


def test_noise_adds_its_bands(noise, rng):
    noise.strengths[:] = rng.random(noise.strengths.shape)
    model = np.ones((2, 4, 20), np.float32)
    noise.add(slice(3, 7), model)
    expected = 1 + noise.strengths[:, 3:7] @ noise.bands
    np.testing.assert_allclose(model, expected, rtol=1e-6)


def test_a_share_may_differ_between_bands_and_end_early(noise, rng):
    noise.strengths[:] = rng.random(noise.strengths.shape)
    share = rng.random((1, 4, 3)).astype(np.float32)
    model = np.zeros((2, 4, 12), np.float32)
    noise.add_share(slice(3, 7), share, model)
    expected = (share * noise.strengths[:, 3:7]) @ noise.bands[:, :12]
    np.testing.assert_allclose(model, expected, rtol=1e-5)


def test_strengths_follow_the_ratio_in_the_frames_alone(noise, rng):
    ratio = rng.random((2, 4, 20)).astype(np.float32)
    before = noise.strengths.copy()
    noise.follow(slice(3, 7), ratio)
    factors = np.einsum("ktf,bf->ktb", ratio, noise.bands) / noise.bands.sum(axis=1)
    np.testing.assert_allclose(
        noise.strengths[:, 3:7], before[:, 3:7] * factors, rtol=1e-5
    )
    np.testing.assert_array_equal(noise.strengths[:, :3], before[:, :3])
    np.testing.assert_array_equal(noise.strengths[:, 7:], before[:, 7:])


def test_noise_is_as_loud_as_its_spectrum(noise, rng):
    noise.strengths[:] = rng.random(noise.strengths.shape)
    spectra = noise.strengths @ noise.bands
    expected = np.linalg.norm(spectra, axis=2).mean(axis=0)
    np.testing.assert_allclose(noise.loudness(), expected, rtol=1e-5)


def test_a_band_without_bins_harms_nothing(noise):
    silent = Noise(0 * noise.bands, strength=1.0, n_channels=2, n_frames=10)
    silent.follow(slice(0, 10), np.ones((2, 10, 20), np.float32))
    assert np.isfinite(silent.strengths).all()
