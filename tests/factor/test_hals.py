"""HALS: a sweep is the closed form, and the cost is exact though it comes cheap."""

import numpy as np
import pytest
import reference
from scipy.optimize import nnls

from specnmf import Factorization, nmf, starts
from specnmf.factor.hals import Hals
from specnmf.factor.kernels.hals import sweep
from specnmf.factor.kernels.tiles import tile_of
from specnmf.parallel import workers


def solver_for(V, start, mapper, learned=None):
    W_mask, H_mask = np.ones(start.W.shape, bool), np.ones(start.H.shape, bool)
    return Hals(
        np.ascontiguousarray(V.T),
        np.ascontiguousarray(start.W.T),
        start.H,
        learned=np.ones(start.n_components, bool) if learned is None else learned,
        free=(W_mask.T, H_mask),
        mapper=mapper,
    )


@pytest.mark.kernels
def test_a_sweep_is_the_closed_form(rng):
    V, W, H = rng.random((40, 30)), rng.random((40, 7)), rng.random((7, 30))
    Y, X = tile_of(W.T), tile_of(H)
    A = tile_of(W.T @ V)
    sweep(X, A, -(Y @ Y.T), np.ones_like(X), np.ones(len(X), bool))
    np.testing.assert_allclose(X[:7, :30], reference.hals_rows(V, W, H), atol=1e-12)


@pytest.mark.kernels
def test_activations_of_fixed_templates_are_exact(rng):
    V, W = rng.random((40, 30)), rng.random((40, 7))
    start = Factorization(W, rng.random((7, 30)))
    result = nmf(V, start, beta=2, fixed=np.ones(7, bool))
    expected = np.stack([nnls(W, column)[0] for column in V.T], axis=1)
    np.testing.assert_allclose(result.H, expected, atol=1e-10)
    cost = reference.beta_divergence(V, W @ expected, 2)
    assert result.losses[-1] == pytest.approx(cost, rel=1e-12)


def test_the_cost_is_the_sum_of_squares_even_where_little_is_left(rng):
    V = (rng.random((200, 12)) @ rng.random((12, 900))).astype(np.float32)
    V += 1e-3 * rng.random(V.shape).astype(np.float32)
    with workers(2) as mapper:
        solver = solver_for(V, starts.random(V, 12), mapper)
        for _ in range(60):
            cost = solver.step()
            WT, H = solver.factors()
            P = WT.T.astype(float) @ H.astype(float)
            assert cost == pytest.approx(reference.beta_divergence(V, P, 2), rel=3e-5)
    assert cost < 1e-3 * (V.astype(float) ** 2).sum()


def test_momentum_saves_iterations(rng):
    V = rng.random((60, 8)) ** 3 @ rng.random((8, 200)) ** 3
    start = starts.random(V, 8)
    with workers(1) as mapper:
        plain, fast = solver_for(V, start, mapper), solver_for(V, start, mapper)
        for _ in range(60):
            fast.step()
            plain.momentum = plain.bound = 0.0
            plain.step()
    assert fast.cost < 0.5 * plain.cost


@pytest.mark.kernels
def test_rejected_steps_leave_the_factors_as_they_were(rng):
    V = rng.random((20, 30))
    with workers(1) as mapper:
        solver = solver_for(V, starts.random(V, 3), mapper)
        solver.step()
        before = solver.factors()
        solver.cost = 0.0  # nothing can be better
        assert solver.step() == 0.0
        for now, then in zip(solver.factors(), before, strict=True):
            assert (now == then).all()
