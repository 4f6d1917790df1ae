"""A start from part of the frames: good for much, and harmless where it is not."""

import numpy as np
import pytest

from specnmf import Factorization, nmf, starts
from specnmf.factor.coarse import _interpolate, _rounds


@pytest.fixture
def V(rng):
    """2560 frames of 5 components that change slowly."""
    slow = np.repeat(rng.random((5, 161)) ** 4, 16, axis=1)
    H = np.apply_along_axis(np.convolve, 1, slow, np.hanning(31), mode="same")[:, :2560]
    return rng.random((64, 5)) ** 4 @ H + 0.01 * rng.random((64, 2560))


@pytest.mark.parametrize("beta", [0, 1, 2])
def test_the_first_iteration_is_already_a_good_one(V, beta):
    start = starts.random(V, 5)
    plain = nmf(V, start, beta=beta, solver="mu", max_iter=20, tol=0)
    result = nmf(V, start, beta=beta, max_iter=1)
    assert result.losses[0] < plain.losses[-1]


@pytest.mark.parametrize("beta", [0, 1, 2])
def test_a_good_start_is_not_given_away(V, beta):
    found = nmf(V, 5, beta=beta, max_iter=300, tol=0)
    again = nmf(V, found, beta=beta, max_iter=1)
    assert again.losses[0] <= found.losses[-1] * (1 + 1e-9)


@pytest.mark.parametrize("beta", [0, 1, 2])
def test_masks_hold_all_the_same(V, beta, rng):
    start = starts.random(V, 5)
    H_mask = rng.random(start.H.shape) > 0.4
    fixed = np.arange(5) == 2
    result = nmf(V, start, beta=beta, support=(None, H_mask), fixed=fixed, max_iter=3)
    assert (result.H[~H_mask] == 0).all()
    assert (result.H[H_mask] > 0).mean() > 0.5
    assert (result.W[:, 2] == start.W[:, 2]).all()


def test_zeros_that_no_mask_asks_for_are_left_by_hals_only(V):
    start = starts.random(V, 5)
    H = start.H.copy()
    H[:, 1::2] = 0
    start = Factorization(start.W, H)
    assert (nmf(V, start, beta=1, max_iter=2).H[:, 1::2] == 0).all()
    assert (nmf(V, start, beta=2, max_iter=2).H[:, 1::2] > 0).any()


def test_activations_in_between_lie_on_a_line():
    H = np.array([[1.0, 3.0, 5.0]])
    frames = np.arange(12)
    expected = np.interp(frames, [2, 6, 10], H[0])
    np.testing.assert_allclose(_interpolate(4, H, frames)[0], expected)


@pytest.mark.parametrize(
    ("n_frames", "rounds"),
    [
        (2399, []),
        (2400, [(4, 2)]),
        (5000, [(8, 4), (4, 1)]),
        (20_000, [(32, 4), (16, 2), (8, 2), (4, 1)]),
    ],
)
def test_long_recordings_get_more_rounds(n_frames, rounds):
    assert _rounds(n_frames, 600) == rounds
