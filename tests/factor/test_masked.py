"""Weighted updates: against references, then their properties, edges and errors."""

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from specnmf import Factorization, ParameterError, nmf
from specnmf.factor.iterate import iterate
from specnmf.factor.masked import (
    Part,
    WeightedUpdates,
    _root,
    known,
    weighted_divergence,
)

BETAS = (-1, 0, 0.5, 1, 1.5, 2, 3)


@pytest.fixture
def problem(rng):
    """A 30 x 50 matrix near rank 3, weights with a fifth of zeros, and a start."""
    V = rng.random((30, 3)) @ rng.random((3, 50)) + 0.1 * rng.random((30, 50)) + 0.01
    weights = 2 * rng.random((30, 50)) * (rng.random((30, 50)) > 0.2)
    start = Factorization(rng.random((30, 3)) + 0.01, rng.random((3, 50)) + 0.01)
    return V, weights, start


def factorise(V, start, *, weights, beta=1, max_iter=200, tol=1e-4):
    """V ≈ WH where the weights are, of any V elsewhere."""
    V, weights = known(V, weights)
    part = Part(V, weights, start.W.astype(V.dtype), beta=beta)
    updates = WeightedUpdates([part], start.H.astype(V.dtype))
    losses = iterate(updates, max_iter=max_iter, tol=tol)
    return Factorization(part.W, updates.H, losses=losses)


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize("beta", BETAS)
def test_the_updates_follow_the_reference(problem, beta):
    V, weights, start = problem
    W, H = reference.weighted_updates(V, weights, start.W, start.H, beta, 20)
    result = factorise(V, start, weights=weights, beta=beta, max_iter=20, tol=0)
    assert relative_error(result.W, W) < 1e-10
    assert relative_error(result.H, H) < 1e-10


@pytest.mark.kernels
@pytest.mark.parametrize("beta", BETAS)
def test_with_weights_of_one_it_is_nmf(problem, beta):
    V, _, start = problem
    ones = np.ones(V.shape)
    masked = factorise(V, start, weights=ones, beta=beta, max_iter=15, tol=0)
    plain = nmf(V, start, beta=beta, solver="mu", max_iter=15, tol=0, normalize=False)
    assert relative_error(masked.W, plain.W) < 1e-10
    assert relative_error(masked.H, plain.H) < 1e-10
    np.testing.assert_allclose(masked.losses, plain.losses, rtol=1e-10)


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_loss_is_the_weighted_divergence_and_never_rises(problem, beta, dtype):
    V, weights, start = problem
    result = factorise(
        V.astype(dtype), start, weights=weights, beta=beta, max_iter=200, tol=0
    )
    P = result.W.astype(float) @ result.H.astype(float)
    each = [[reference.beta_divergence(v, p, beta) for v, p in zip(*rows, strict=True)]
            for rows in zip(V, P, strict=True)]  # fmt: skip
    expected = np.sum(weights * each)
    tolerance = 1e-3 if dtype == np.float32 else 1e-10
    assert result.losses[-1] == pytest.approx(expected, rel=tolerance)
    assert weighted_divergence(V, P, weights, beta) == pytest.approx(expected)
    assert (np.diff(result.losses) <= 0).all()
    assert result.losses[-1] < result.losses[0]


@pytest.mark.parametrize("beta", [0, 1, 2])
def test_missing_entries_of_a_product_are_found(rng, beta):
    V = (rng.random((30, 3)) + 0.1) @ (rng.random((3, 50)) + 0.1)
    known = rng.random(V.shape) > 0.3
    start = Factorization(rng.random((30, 3)) + 0.1, rng.random((3, 50)) + 0.1)
    result = factorise(V, start, weights=known, beta=beta, max_iter=3000, tol=0)
    P = result.W @ result.H
    assert relative_error(P[~known], V[~known]) < 0.05


@pytest.mark.parametrize("beta", [0, 1, 2])
def test_what_is_missing_may_be_anything(problem, beta):
    V, weights, start = problem
    spoilt = np.where(weights > 0, V, np.nan)
    one = factorise(V, start, weights=weights, beta=beta, max_iter=10)
    other = factorise(spoilt, start, weights=weights, beta=beta, max_iter=10)
    assert one.W.tobytes() == other.W.tobytes()
    assert one.H.tobytes() == other.H.tobytes()


def test_labels_below_the_data_teach_the_activations(rng):
    """Rows that say which columns hold which template, half of them unknown."""
    truth = np.repeat(np.eye(2), 20, axis=1)
    V = (rng.random((12, 2)) + 0.1) @ truth + 0.01
    stacked = np.vstack([V, truth])
    weights = np.ones_like(stacked)
    weights[12:, ::2] = 0
    start = Factorization(rng.random((14, 2)) + 0.1, rng.random((2, 40)) + 0.1)
    result = factorise(stacked, start, weights=weights, max_iter=500, tol=0)
    labels = (result.W @ result.H)[12:].argmax(axis=0)
    assert (labels == truth.argmax(axis=0)).all()


def test_the_inputs_are_left_alone(problem):
    V, weights, start = problem
    copies = V.copy(), weights.copy(), start.W.copy(), start.H.copy()
    factorise(V, start, weights=weights, max_iter=4, tol=0)
    for now, before in zip((V, weights, start.W, start.H), copies, strict=True):
        assert (now == before).all()


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    k=st.integers(1, 4),
    beta=st.sampled_from(BETAS),
    zeros=st.floats(0, 1),
    missing=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_matrix_gives_finite_factors_and_falling_losses(
    shape, k, beta, zeros, missing, seed
):
    rng = np.random.default_rng(seed)
    V = rng.random(shape, np.float32) * (rng.random(shape) >= zeros)
    start = Factorization(
        rng.random((shape[0], k), np.float32), rng.random((k, shape[1]), np.float32)
    )
    weights = rng.random(shape) >= missing
    result = factorise(V, start, weights=weights, beta=beta, max_iter=20, tol=0)
    assert np.isfinite(result.W).all()
    assert np.isfinite(result.H).all()
    assert np.isfinite(result.losses).all()
    assert (np.diff(result.losses) <= 0).all()


@pytest.mark.parametrize("beta", [0, 1, 2])
def test_bins_and_frames_without_any_weight_get_zeros(problem, beta):
    V, weights, start = problem
    weights[3], weights[:, 7] = 0, 0
    result = factorise(V, start, weights=weights, beta=beta)
    assert (result.W[3] == 0).all()
    assert (result.H[:, 7] == 0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"V": np.full((30, 50), -1.0)}, "V must be finite and non-negative where"),
        ({"V": np.ones(30)}, r"matrices of the same shape, got \(30,\) and \(30, 50\)"),
        ({"weights": np.full((30, 50), -1.0)}, "weights must be finite and non-neg"),
        ({"weights": np.full((30, 50), np.nan)}, "weights must be finite"),
        ({"weights": np.ones((2, 2))}, r"got \(30, 50\) and \(2, 2\)"),
    ],
)
def test_what_does_not_fit_is_named(problem, change, message):
    V, weights, _ = problem
    with pytest.raises(ParameterError, match=message):
        known(**{"V": V, "weights": weights, **change})


# --- several parts with one H -------------------------------------------------------


def stacked(problem, betas, split=18):
    """The first rows of a problem as one part, the others as another."""
    V, weights, start = problem
    parts = [
        Part(V[rows], weights[rows], start.W[rows], beta=beta)
        for rows, beta in zip((slice(split), slice(split, None)), betas, strict=True)
    ]
    return WeightedUpdates(parts, start.H)


@pytest.mark.parametrize("beta", BETAS)
def test_parts_of_one_beta_are_one_matrix_cut_in_two(problem, beta):
    V, weights, start = problem
    updates = stacked(problem, (beta, beta))
    losses = [updates.step() for _ in range(15)]
    whole = factorise(V, start, weights=weights, beta=beta, max_iter=15, tol=0)
    W = np.vstack([part.W for part in updates.parts])
    assert relative_error(W, whole.W) < 1e-10
    assert relative_error(updates.H, whole.H) < 1e-10
    np.testing.assert_allclose(losses, whole.losses, rtol=1e-10)
    templates, activations = updates.factors()
    assert (templates == W.T).all()
    assert activations is updates.H


@pytest.mark.parametrize("betas", [(2, 1), (1, 2)])
def test_parts_of_both_betas_never_cost_more(problem, betas):
    updates = stacked(problem, betas)
    losses = [updates.cost] + [updates.step() for _ in range(200)]
    assert (np.diff(losses) < 0).all()
    expected = sum(
        weighted_divergence(part.V, part.W @ updates.H, part.weights, part.beta)
        for part in updates.parts
    )
    assert losses[-1] == pytest.approx(expected, rel=1e-12)


def test_an_update_of_both_betas_lowers_the_cost_more_than_none_of_its_steps(problem):
    """H alone goes to where the sum of both majorisers has its minimum."""
    updates = stacked(problem, (2, 1))
    data, said = updates.parts
    H, before = updates.H, updates.cost
    ratio = _root(*data.asks(), *said.asks())

    def cost(H):
        return sum(
            weighted_divergence(part.V, part.W @ H, part.weights, part.beta)
            for part in updates.parts
        )

    assert cost(H * ratio) < cost(H * (1 + 0.5 * (ratio - 1))) < before


AMOUNTS = st.floats(0, 1e6).map(lambda x: 0.0 if x < 1e-3 else x)


@given(more=AMOUNTS, less=st.floats(0.01, 1e6), more_kl=AMOUNTS, less_kl=AMOUNTS)
def test_the_root_is_where_the_sum_of_majorisers_is_least(more, less, more_kl, less_kl):
    def majoriser(r):
        fixed = less * r**2 / 2 - more * r + less_kl * r
        return fixed - (more_kl * np.log(r) if more_kl else 0)

    found = float(_root(*(np.array([x]) for x in (more, less, more_kl, less_kl)))[0])
    most = (more + np.sqrt(less * more_kl)) / less + 1
    expected = minimize_scalar(
        majoriser, bounds=(1e-12, most), method="bounded", options={"xatol": 1e-12}
    )
    scale = 1 + abs(expected.fun)
    assert majoriser(max(found, 1e-12)) <= expected.fun + 1e-5 * scale
    slope = less * found**2 + (less_kl - more) * found - more_kl
    assert abs(slope) <= 1e-4 * max(less * found**2, more * found, more_kl, 1e-2)


def test_the_root_of_nothing_but_one_part_is_its_ratio(rng):
    more, less = rng.random((2, 5, 6)) + 0.1
    nothing = np.zeros((5, 6))
    np.testing.assert_allclose(_root(more, less, nothing, nothing), more / less, 1e-5)
    np.testing.assert_allclose(_root(nothing, nothing, more, less), more / less, 1e-5)
    assert (_root(nothing, nothing, nothing, nothing) == 0).all()
    single = _root(*rng.random((4, 5, 6), np.float32))
    assert single.dtype == np.float32


def test_names_of_the_caller_are_those_in_messages():
    with pytest.raises(
        ParameterError, match="X must be finite .* its weight is above 0"
    ):
        known([[-1]], [[1]], ("X", "data_mask"))
    with pytest.raises(ParameterError, match="data_mask must be finite and non-neg"):
        known([[1]], [[-1]], ("X", "data_mask"))
