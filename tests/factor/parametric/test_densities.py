"""The power of partials on a fine grid: where it lies and how much it is."""

import numpy as np
import pytest

FINE, N_FINE_BINS = 4, 12


def densities(notes, steps, n_frames, owner=None):
    n_channels = notes.pans.shape[1]
    owner = np.zeros_like(notes.support.template) if owner is None else owner
    shape = int(owner.max()) + 1, n_channels, n_frames, FINE, N_FINE_BINS
    out = np.zeros(shape, np.float32)
    notes.add_densities(slice(0, n_frames), steps, owner, out)
    return out


def steps_of(notes, rng, width):
    """Random steps of a width in bins, below bin 10."""
    n_templates, n_detunings, n_partials = notes.lobes.length.shape
    low = 9 * rng.random((n_templates, n_detunings, n_partials))
    return np.stack([low, low + width], axis=3).astype(np.float32)


@pytest.mark.kernels
@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("width", [0.1, 1.3])
def test_power_is_that_of_each_partial(toy, rng, n_channels, width):
    notes = toy(n_channels=n_channels, n_frames=20).notes
    out = densities(notes, steps_of(notes, rng, width), 20)
    expected = np.zeros((n_channels, 20))
    totals = notes.strengths.sum(axis=1)
    for entry, (t, c) in enumerate(
        zip(notes.support.frame, notes.support.template, strict=True)
    ):
        powers = (0.5 * totals[entry] * notes.amplitudes[c]) ** 2
        expected[:, t] += powers.sum() * notes.pans[c] ** 2
    np.testing.assert_allclose(out[0].sum(axis=(2, 3)), expected, rtol=1e-4)


@pytest.mark.kernels
def test_a_narrow_step_is_at_its_middle(toy, rng):
    notes = toy(n_frames=20).notes
    steps = np.empty((*notes.lobes.length.shape, 2), np.float32)
    steps[..., 0], steps[..., 1] = 5.55, 5.65
    place = densities(notes, steps, 20).sum(axis=(0, 1, 2)).T.ravel()
    centre = place @ np.arange(len(place)) / place.sum() / FINE
    assert centre == pytest.approx(5.6, abs=1e-3)


@pytest.mark.kernels
def test_owners_add_up_to_all(toy, rng):
    notes = toy(n_frames=20).notes
    steps = steps_of(notes, rng, 0.5)
    owner = rng.integers(0, 2, len(notes.support.template))
    apart = densities(notes, steps, 20, owner=owner)
    together = densities(notes, steps, 20)
    np.testing.assert_allclose(apart.sum(axis=0), together[0], rtol=1e-4, atol=1e-9)


def test_partials_beyond_the_fine_grid_are_left_out(toy):
    notes = toy(n_frames=20).notes
    steps = np.full((*notes.lobes.length.shape, 2), N_FINE_BINS + 1.0, np.float32)
    assert not densities(notes, steps, 20).any()
