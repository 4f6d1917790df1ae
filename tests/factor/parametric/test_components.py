"""Free components beside other layers."""

import numpy as np
import pytest

import specnmf
from specnmf.factor.parametric.components import Components
from specnmf.factor.parametric.fitting import fit


@pytest.fixture
def problem(rng):
    W, H = rng.random((3, 40)) ** 4, rng.random((1, 70, 3)) ** 4
    V = (H @ W).astype(np.float32)
    start = rng.random((3, 40)) + 0.1, rng.random((1, 70, 3)) + 0.1
    return V, *(each.astype(np.float32) for each in start)


def test_alone_they_are_an_nmf(problem):
    V, W, H = problem
    losses = fit(V, [Components(W, H)], max_iter=200, threads=1)
    start = specnmf.Factorization(W=problem[1].T, H=problem[2][0].T)
    peer = specnmf.nmf(V[0].T, start, beta="kl", solver="mu", max_iter=200, tol=0)
    assert (np.diff(losses) <= 1e-4 * losses[0]).all()
    assert losses[-1] < max(2 * peer.losses[-1], 1e-3 * losses[0])


def test_a_price_lowers_what_they_explain(problem):
    V, W, H = problem
    free, priced = Components(W.copy(), H.copy()), Components(W, H, price=1.0)
    fit(V, [free], max_iter=60, threads=1)
    fit(V, [priced], max_iter=60, threads=1)
    model = np.zeros_like(V)
    free.add(slice(0, 70), model)
    lower = np.zeros_like(V)
    priced.add(slice(0, 70), lower)
    assert lower.sum() == pytest.approx(model.sum() / 2, rel=0.02)


def test_channels_share_the_templates(problem):
    V, W, H = problem
    both = np.concatenate([V, 0.5 * V])
    layer = Components(W, np.repeat(H, 2, axis=0))
    fit(both, [layer], max_iter=150, threads=1)
    ratio = layer.H[1].sum() / layer.H[0].sum()
    assert ratio == pytest.approx(0.5, rel=0.02)


def test_silence_stays_silent(problem):
    V, W, H = problem
    layer = Components(W, H)
    fit(np.zeros_like(V), [layer], max_iter=3, threads=1)
    assert np.isfinite(layer.W).all()
    assert not layer.H.any()
