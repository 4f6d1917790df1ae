"""deep_nmf: against the papers' updates in plain NumPy, then what holds of all."""

from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls as scipy_nnls

from specnmf import ParameterError, nmf
from specnmf.factor.layers.deep import (
    DeepUpdates,
    deep_nmf,
    hals,
    least_squares,
)
from specnmf.factor.layers.hierarchical import hierarchical_nmf
from specnmf.factor.layers.labels import Labels
from specnmf.factor.layers.model import Layers
from specnmf.factor.layers.objective import Data
from specnmf.parallel import workers

RANKS = (5, 3, 2)

#: Each way to update an A, by what asks for it.
WAYS = ({}, {"signed": True})


def chain(rng, ranks=RANKS, shape=(12, 20)):
    """X that so many layers explain but for a little noise, and a start."""
    sizes = (shape[0], *ranks)
    pairs = list(pairwise(sizes))
    parts = [*(rng.random(pair) for pair in pairs), rng.random((ranks[-1], shape[1]))]
    X = reduce(np.matmul, parts) + 0.1 * rng.random(shape)
    A = [0.1 + rng.random(pair) for pair in pairs]
    S = [0.1 + rng.random((rank, shape[1])) for rank in ranks]
    return X, Layers(A, S)


def one_step(X, start, update, **options):
    with workers(1) as mapper:
        fit = DeepUpdates(X, start, update, mapper, **options)
        fit.step()
    return fit


def around(A, S, layer):
    """P and Q where X ≈ P A[layer] Q."""
    return (
        reduce(np.matmul, [np.eye(len(A[0])), *A[:layer]]),
        reduce(np.matmul, [*A[layer + 1 :], S]),
    )


# --- reference ----------------------------------------------------------------------


def plain_entries(X, A, S):
    """Each entry of each A at its own optimum, from the whole residual each time."""
    A = [a.copy() for a in A]
    for layer, own in enumerate(A):
        P, Q = around(A, S, layer)
        for k in range(own.shape[1]):
            for j in range(own.shape[0]):
                pattern = np.outer(P[:, j], Q[k])
                missed = X - P @ own @ Q
                best = own[j, k] + np.sum(missed * pattern) / np.sum(pattern**2)
                own[j, k] = max(0, best)
    return A


def semi_nmf_ratio(X, P, S):
    """What Trigeorgis et al. multiply S with, as Ding, Li and Jordan do."""
    products, gram = P.T @ X, P.T @ P
    positive = [np.maximum(part, 0) for part in (products, gram)]
    negative = [np.maximum(-part, 0) for part in (products, gram)]
    return np.sqrt(
        (positive[0] + negative[1] @ S) / (negative[0] + positive[1] @ S + 1e-12)
    )


def plain_deep_semi_nmf(X, A, S, n_iterations):
    """Deep semi-NMF as Trigeorgis et al. tune it."""
    A = [a.copy() for a in A]
    for _ in range(n_iterations):
        for layer in range(len(A)):
            P, Q = around(A, S, layer)
            A[layer] = np.linalg.pinv(P) @ X @ np.linalg.pinv(Q)
        P = reduce(np.matmul, A)
        S = S * semi_nmf_ratio(X, P, S)
    return A, S


def test_hals_sets_each_entry_to_its_own_optimum(rng):
    X, start = chain(rng)
    fit = one_step(X, start, hals)
    for own, expected in zip(
        fit.A, plain_entries(X, start.A, start.S[-1]), strict=True
    ):
        np.testing.assert_allclose(own, expected, rtol=1e-8, atol=1e-10)
        assert (expected == 0).sum() == (own == 0).sum()
    WT, H = fit.factors()
    np.testing.assert_allclose(WT.T @ H, reduce(np.matmul, [*fit.A, fit.S]))


def test_signed_templates_are_those_of_trigeorgis(rng):
    X, start = chain(rng)
    X -= X.mean()
    fit = one_step(X, start, least_squares)
    A, _ = plain_deep_semi_nmf(X, start.A, start.S[-1], 1)
    for own, expected in zip(fit.A, A, strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-6, atol=1e-10)


def test_signed_activations_stay_under_the_step_of_trigeorgis(rng):
    X, _ = chain(rng)
    X -= X.mean()
    found = deep_nmf(X, RANKS, signed=True, rng=0, tol=0)
    S = found.S[-1]
    moved = S * (semi_nmf_ratio(X, found.templates(), S) - 1)
    assert np.abs(moved).max() < 1e-5 * S.max()


def test_signed_is_as_good_as_the_steps_of_trigeorgis(rng):
    X, start = chain(rng)
    X -= X.mean()
    with workers(1) as mapper:
        fit = DeepUpdates(X, start, least_squares, mapper)
        for _ in range(50):
            fit.step()
    A, S = plain_deep_semi_nmf(X, start.A, start.S[-1], 50)
    plain = np.sum((X - reduce(np.matmul, A) @ S) ** 2) / 2
    assert fit.cost <= plain * (1 + 1e-6)


def test_label_templates_and_activations_are_optima(rng):
    X, start = chain(rng)
    Y, known = rng.random((3, 20)), rng.random((3, 20)) < 0.6
    fit = one_step(X, start, hals, labels=Labels.of(Y, known, 20), label_weight=0.7)
    for own, labels, seen in zip(fit.B, Y, known, strict=True):
        best = scipy_nnls(start.S[-1].T[seen], labels[seen])[0]
        np.testing.assert_allclose(own, best, atol=1e-9)
    P, weight = reduce(np.matmul, fit.A), np.sqrt(0.7)
    for own, x, y, seen in zip(fit.S.T, X.T, Y.T, known.T, strict=True):
        stacked = np.vstack([P, weight * fit.B[seen]])
        best = scipy_nnls(stacked, np.concatenate([x, weight * y[seen]]))[0]
        np.testing.assert_allclose(own, best, atol=1e-8)


def topics(seed):
    """The toy data of Haddock et al. 2019: nine topics in four, in two."""
    rng, topic = np.random.default_rng(seed), np.arange(9)
    above = [0, 0, 1, 1, 2, 2, 3, 3, 3], [0, 0, 0, 0, 1, 1, 1, 1, 1]
    levels = [4 * np.equal.outer(topic, topic)]
    levels += [(2 - n) * np.equal.outer(kind, kind) for n, kind in enumerate(above)]
    rows = np.repeat(topic, [10, 5, 10, 12, 13, 4, 11, 8, 14])
    columns = np.repeat(topic, [10, 10, 5, 7, 5, 20, 10, 9, 14])
    blocks = np.max(levels, axis=0)[rows][:, columns]
    return blocks + rng.uniform(0, 0.15, blocks.shape)


@pytest.mark.parametrize(
    ("ranks", "slides"), [((9,), 0.031), ((9, 4), 0.414), ((9, 4, 2), 0.838)]
)
@pytest.mark.parametrize("options", [{}, {"signed": True}])
def test_toy_data_are_modelled_better_than_in_the_slides(ranks, slides, options):
    errors = [
        deep_nmf(topics(seed), ranks, rng=seed, **options).error(topics(seed))
        for seed in range(5)
    ]
    assert np.median(errors) < slides


# --- properties ---------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 9), st.integers(2, 9)),
    ranks=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    way=st.sampled_from(WAYS),
    labelled=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_loss_never_rises_and_signs_hold(seed, shape, ranks, way, labelled, dtype):
    rng = np.random.default_rng(seed)
    X = rng.random(shape).astype(dtype) * (rng.random(shape) < 0.8)
    if "signed" in way:
        X = X - dtype(0.5)
    labels = np.arange(shape[1]) % 3 - 1
    options = {**way, "labels": labels} if labelled else way
    found = deep_nmf(X, ranks, rng=seed, max_iter=20, tol=0, **options)
    assert (np.diff(found.losses) <= 0).all()
    assert min(s.min() for s in found.S) >= 0
    assert "signed" in way or min(a.min() for a in found.A) >= 0
    assert {part.dtype for part in (*found.A, *found.S)} == {np.dtype(dtype)}
    assert found.ranks == tuple(ranks)


@pytest.mark.parametrize(("dtype", "within"), [(np.float64, 1e-10), (np.float32, 1e-4)])
@pytest.mark.parametrize("way", WAYS)
def test_last_loss_is_the_cost_of_the_factors(rng, way, dtype, within):
    X, _ = chain(rng, ranks=(12, 6, 2), shape=(90, 400))
    X, labels = X.astype(dtype), np.arange(400) % 3 - 1
    found = deep_nmf(X, (12, 6, 2), labels=labels, label_weight=0.3, **way)
    known = labels >= 0
    missed = np.eye(2)[:, labels[known]] - found.predictions()[:, known]
    cost = np.sum((X - found.product()) ** 2) / 2 + 0.3 * np.sum(missed**2) / 2
    assert found.losses[-1] == pytest.approx(cost, rel=within)


@pytest.mark.parametrize("way", WAYS)
def test_lower_activations_are_nearest_and_columns_of_unit_norm(rng, way):
    X, _ = chain(rng)
    found = deep_nmf(X, RANKS, max_iter=10, **way)
    for layer in range(len(RANKS) - 1):
        P = found.templates(layer)
        best = np.stack([scipy_nnls(P, x)[0] for x in X.T], axis=1)
        np.testing.assert_allclose(P @ found.S[layer], P @ best, atol=1e-8)
    for A in found.A:
        norms = np.linalg.norm(A, axis=0)
        np.testing.assert_allclose(norms[norms > 0], 1)


def test_layers_fitted_together_model_more_than_one_after_the_other():
    X = topics(0)
    apart = hierarchical_nmf(X, (9, 4, 2))
    assert deep_nmf(X, (9, 4, 2)).error(X) < 0.95 * apart.error(X)


def test_better_layers_to_begin_with_may_end_better():
    errors = [
        [deep_nmf(topics(seed), (9, 4), rng=seed, restarts=n).error(topics(seed))]
        for n in (1, 5)
        for seed in range(10)
    ]
    assert np.mean(errors[10:]) < 0.98 * np.mean(errors[:10])


def test_iterations_end_with_the_first_that_lowers_the_cost_by_tol_at_most(rng):
    X, _ = chain(rng)
    losses = deep_nmf(X, RANKS, tol=1e-3).losses
    falls = -np.diff(losses) / losses[:-1]
    assert 1 < len(losses) < 200
    assert (falls[:-1] > 1e-3).all()
    assert falls[-1] <= 1e-3
    assert len(deep_nmf(X, RANKS, tol=0, max_iter=7).losses) == 7


@pytest.mark.parametrize("way", WAYS)
def test_threads_never_change_a_result(rng, way):
    X, _ = chain(rng, shape=(30, 700))
    one, two = (deep_nmf(X, RANKS, max_iter=5, threads=n, **way) for n in (1, 2))
    for mine, yours in zip([*one.A, *one.S], [*two.A, *two.S], strict=True):
        np.testing.assert_array_equal(mine, yours)


@pytest.mark.parametrize("way", WAYS)
def test_same_seed_gives_the_same_factors(rng, way):
    X, _ = chain(rng)
    one, two, other = (deep_nmf(X, RANKS, rng=seed, **way) for seed in (7, 7, 8))
    np.testing.assert_array_equal(one.S[-1], two.S[-1])
    assert not np.array_equal(one.S[-1], other.S[-1])


def test_callback_hears_of_every_iteration(rng):
    X, _ = chain(rng)
    heard = []
    found = deep_nmf(X, RANKS, callback=lambda *said: heard.append(said))
    assert heard == list(enumerate(found.losses, 1))


@pytest.mark.parametrize("way", WAYS)
def test_unknown_columns_are_told_by_the_known(way):
    X, topic = topics(0), np.repeat(np.arange(2), [32, 58])
    mask = np.arange(90) % 2 == 0
    found = deep_nmf(X, (9, 4, 2), labels=topic, label_mask=mask, **way)
    assert (found.classes() == topic).all()


# --- edges --------------------------------------------------------------------------


def test_one_layer_is_nmf(rng):
    X, _ = chain(rng)
    found = deep_nmf(X, (3,), tol=1e-8, max_iter=2000)
    plain = nmf(X, 3, beta=2, tol=1e-8, max_iter=2000)
    error = np.linalg.norm(X - plain.W @ plain.H) / np.linalg.norm(X)
    assert found.error(X) == pytest.approx(error, rel=1e-3)


def test_signed_rank_one_is_the_first_singular_vector_of_what_is_positive(rng):
    X, _ = chain(rng)
    squares = np.linalg.svd(X, compute_uv=False) ** 2
    found = deep_nmf(X, (1,), signed=True, tol=1e-12)
    assert found.error(X) ** 2 == pytest.approx(squares[1:].sum() / squares.sum())


@pytest.mark.parametrize("way", WAYS)
def test_silence_stays_silent(rng, way):
    X, _ = chain(rng)
    X[:, 3] = X[4] = 0
    found = deep_nmf(X, RANKS, **way)
    assert np.abs(found.product()[:, 3]).max() < 1e-12
    assert np.isfinite(found.product()).all()


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_modelled_by_nothing(way):
    found = deep_nmf(np.zeros((4, 6)), (3, 2), **way)
    assert not found.product().any()
    assert found.losses[-1] == 0


@pytest.mark.parametrize("way", WAYS)
def test_a_layer_may_be_wider_than_the_one_below_and_than_X(rng, way):
    X = rng.random((4, 6))
    found = deep_nmf(X, (3, 8), **way)
    assert [a.shape for a in found.A] == [(4, 3), (3, 8)]
    assert (np.diff(found.losses) <= 0).all()


def test_signed_templates_take_no_direction_that_is_but_rounding(rng):
    X, Q = rng.random((12, 40)), rng.random((6, 2)) @ rng.random((2, 40))
    rounded = Q * (1 + 1e-13 * rng.standard_normal(Q.shape))
    with workers(1) as mapper:
        data = Data(X, mapper)
        A, same = (least_squares(data, None, None, each) for each in (Q, rounded))
    np.testing.assert_allclose(A, same, rtol=1e-6)


def test_whole_numbers_are_data(rng):
    X = rng.integers(0, 9, (6, 8))
    assert deep_nmf(X, (3, 2)).product().dtype == np.float64


# --- errors -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        (np.ones(4), {}, r"X must be \(n_rows, n_columns\), got shape \(4,\)"),
        (np.ones((0, 3)), {}, r"got shape \(0, 3\)"),
        (-np.ones((3, 3)), {}, "non-negative unless signed, got values from -1.0"),
        (np.full((3, 3), np.nan), {"signed": True}, "must be finite"),
        (np.ones((3, 3)), {"ranks": ()}, "ranks must be the number of components"),
        (np.ones((3, 3)), {"ranks": (2, 0)}, "rank must be at least 1, got 0"),
        (np.ones((3, 3)), {"restarts": 0}, "restarts must be at least 1"),
        (np.ones((3, 3)), {"label_weight": -1}, "label_weight must be at least 0"),
        (np.ones((3, 3)), {"max_iter": 0}, "max_iter must be at least 1"),
        (np.ones((3, 3)), {"labels": [0, 1]}, "one class number for each of 3"),
    ],
)
def test_what_is_out_of_range_is_named(X, options, message):
    with pytest.raises(ParameterError, match=message):
        deep_nmf(X, **{"ranks": (2,), **options})
