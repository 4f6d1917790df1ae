"""Starts: random and NNDSVD."""

import numpy as np
import pytest
from sklearn.decomposition._nmf import _initialize_nmf

from specnmf import ParameterError, starts


@pytest.fixture
def V(rng):
    return rng.random((30, 50)) * rng.random((30, 1)) * 7


def test_a_random_start_is_as_loud_as_the_data(V):
    start = starts.random(V, 6, rng=1)
    assert (start.W @ start.H).mean() == pytest.approx(V.mean(), rel=0.1)
    assert start.W.min() > 0
    assert start.H.min() > 0


def test_the_seed_decides_a_random_start(V):
    assert (
        starts.random(V, 3, rng=1).W.tobytes() == starts.random(V, 3, rng=1).W.tobytes()
    )
    assert (
        starts.random(V, 3, rng=1).W.tobytes() != starts.random(V, 3, rng=2).W.tobytes()
    )


def test_a_generator_is_used_up(V):
    rng = np.random.default_rng(0)
    assert (starts.random(V, 2, rng=rng).W != starts.random(V, 2, rng=rng).W).any()


def test_single_precision_starts_where_double_does(V):
    single, double = starts.random(V.astype(np.float32), 3), starts.random(V, 3)
    assert single.W.dtype == np.float32
    np.testing.assert_allclose(single.W, double.W, rtol=1e-6)


@pytest.mark.parametrize("shape", [(30, 50), (50, 30), (20, 20)])
@pytest.mark.parametrize("fill", [False, True])
def test_nndsvd_is_that_of_scikit_learn(rng, shape, fill):
    V = rng.random((shape[0], 4)) @ rng.random((4, shape[1]))
    W, H = _initialize_nmf(V, 4, init="nndsvda" if fill else "nndsvd", random_state=0)
    start = starts.nndsvd(V, 4, fill=fill)
    np.testing.assert_allclose(start.W @ start.H, W @ H, atol=1e-6)
    np.testing.assert_allclose(start.W, W, atol=1e-5)


def test_nndsvda_has_no_zeros_and_nndsvd_has(V):
    assert starts.nndsvd(V, 5, fill=True).W.min() > 0
    assert starts.nndsvd(V, 5).W.min() == 0


def test_silence_has_a_start(V):
    for start in (starts.random(V * 0, 2), starts.nndsvd(V * 0, 2)):
        assert np.isfinite(start.W).all()
        assert (start.H == 0).all()


def test_too_many_singular_vectors_are_refused(V):
    with pytest.raises(ParameterError, match="nndsvd gives at most 30 components"):
        starts.nndsvd(V, 31)


@pytest.mark.parametrize("make", [starts.random, starts.nndsvd])
def test_no_components_are_refused(V, make):
    with pytest.raises(ParameterError, match="n_components must be at least 1, got 0"):
        make(V, 0)
