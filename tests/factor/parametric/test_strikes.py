"""The layer of drums: against dense products, and where strikes meet the end."""

import numpy as np
import pytest
import reference

from specnmf.factor.parametric.fitting import fit


def only_drums(factors):
    return {
        **factors,
        "strengths": 0 * factors["strengths"],
        "noise": 0 * factors["noise"],
    }


@pytest.mark.kernels
@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("frames", [slice(0, 100), slice(3, 44)])
def test_drums_add_what_the_dense_product_has(toy, dense, n_channels, frames):
    toy = toy(n_channels=n_channels)
    model = np.ones_like(toy.V[:, frames])
    toy.strikes.add(frames, model)
    expected = 1 + reference.parametric_model(only_drums(dense(toy)))[:, frames]
    np.testing.assert_allclose(model, expected, rtol=1e-5)


@pytest.mark.kernels
def test_each_strike_is_added_to_its_owner(toy):
    toy = toy()
    whole, frames = np.zeros_like(toy.V), slice(0, 100)
    toy.strikes.add(frames, whole)
    models = np.zeros((2, *toy.V.shape), np.float32)
    owner = np.array([0, 1, 1, 0, 0, 0])
    toy.strikes.add_by_owner(frames, owner, models)
    np.testing.assert_allclose(models.sum(axis=0), whole, rtol=1e-5)
    sounding = np.flatnonzero(models[1].any(axis=(0, 2)))
    n_lags = toy.strikes.spectra.shape[1]
    assert (sounding.min(), sounding.max()) == (5, 9 + n_lags - 1)


@pytest.mark.kernels
@pytest.mark.parametrize(("iteration", "name"), [(0, "strikes"), (1, "spectra")])
def test_numerators_of_blocks_add_up_to_the_slope(toy, dense, iteration, name):
    toy = toy(n_channels=2)
    blocks = slice(0, 7), slice(7, 100)
    found = sum(toy.strikes.gather(b, toy.V[:, b], iteration) for b in blocks)
    expected = reference.slope(dense(toy), name, toy.V)
    if name == "strikes":
        frame, drum = toy.strikes.strikes
        expected = expected[drum, frame]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_strikes_that_outlast_the_recording_are_explained_too(toy):
    toy = toy()
    V, frames = np.zeros_like(toy.V), slice(0, 100)
    toy.strikes.add(frames, V)
    toy.strikes.strengths = np.ones_like(toy.strikes.strengths)
    losses = fit(V, [toy.strikes], max_iter=200)
    found = np.zeros_like(V)
    toy.strikes.add(frames, found)
    assert losses[-1] < 1e-3 * V.sum()
    np.testing.assert_allclose(found[:, 97:], V[:, 97:], rtol=0.1)


@pytest.mark.kernels
def test_without_strikes_nothing_is_heard(toy):
    toy = toy()
    none = np.zeros(0, np.int64)
    toy.strikes.strikes = none, none
    toy.strikes.strengths = np.zeros(0, np.float32)
    model = np.zeros_like(toy.V)
    toy.strikes.add(slice(0, 100), model)
    assert not model.any()
