"""semisupervised_nmf: against the papers' updates, then what holds of all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import EPS, beta_divergence

from specnmf import Factorization, ParameterError
from specnmf.factor.layers import semisupervised
from specnmf.factor.layers.semisupervised import semisupervised_nmf
from specnmf.factor.masked import Part, WeightedUpdates

#: Divergences of the data and of the labels.
BETAS = (*((beta, beta) for beta in (-1, 0, 0.5, 1, 1.5, 2, 3)), (1, 2), (2, 1))


@pytest.fixture
def problem(rng):
    """X (12, 30), Y of three classes, what is known of both, and a start of rank 4."""
    X = rng.random((12, 4)) @ rng.random((4, 30)) + 0.01
    Y = np.eye(3)[rng.integers(3, size=30)].T
    start = Factorization(rng.random((12, 4)) + 0.1, rng.random((4, 30)) + 0.1)
    return X, Y, rng.random(X.shape) > 0.3, rng.random(Y.shape) > 0.4, start


@pytest.fixture
def start_of_B(rng, monkeypatch):
    """A B of three classes and four components to start from."""
    B = rng.random((3, 4)) + 0.1
    monkeypatch.setattr(
        semisupervised, "_start_of_B", lambda labels, S, rng: B.astype(S.dtype)
    )
    return B


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


# --- reference ----------------------------------------------------------------------


def lee_yoo_and_choi(X, Y, W, L, weight, A, S, B, n_iter):
    """Lee, Yoo and Choi 2010: S, then A and B with the new S."""
    for _ in range(n_iter):
        more = A.T @ (W * X) + weight * B.T @ (L * Y)
        less = A.T @ (W * (A @ S)) + weight * B.T @ (L * (B @ S))
        S = S * more / (less + EPS)
        A = A * ((W * X) @ S.T) / ((W * (A @ S)) @ S.T + EPS)
        B = B * ((L * Y) @ S.T) / ((L * (B @ S)) @ S.T + EPS / weight)
    return A, S, B


def haddock_and_others(X, Y, W, L, weight, A, S, B, n_iter):
    """Haddock et al. 2020, both terms an I-divergence: S, then A and B."""
    for _ in range(n_iter):
        more = A.T @ (W * X / (A @ S)) + weight * B.T @ (L * Y / (B @ S))
        S = S * more / (A.T @ W + weight * B.T @ L + EPS)
        A = A * ((W * X / (A @ S)) @ S.T) / (W @ S.T + EPS)
        B = B * ((L * Y / (B @ S)) @ S.T) / (L @ S.T + EPS / weight)
    return A, S, B


@pytest.mark.parametrize(
    ("beta", "updates"), [("euclidean", lee_yoo_and_choi), ("kl", haddock_and_others)]
)
@pytest.mark.parametrize("weight", [0.3, 5])
def test_the_updates_are_the_papers(problem, start_of_B, beta, updates, weight):
    X, Y, W, L, start = problem
    found = semisupervised_nmf(
        X, start, labels=Y, label_mask=L, label_weight=weight, data_mask=W,
        beta=beta, max_iter=20, tol=0,
    )  # fmt: skip
    A, S, B = updates(X, Y, W, L, weight, start.W, start.H, start_of_B, 20)
    norms = np.linalg.norm(A, axis=0)
    assert relative_error(found.A[0], A / norms) < 1e-10
    assert relative_error(found.S[0], S * norms[:, np.newaxis]) < 1e-10
    assert relative_error(found.B, B / norms) < 1e-10
    assert len(found.losses) == 20


@pytest.mark.parametrize(("beta", "label_beta"), [(2, 2), (1, 1), (0, 0), (2, 1)])
def test_the_loss_is_the_weighted_sum_of_both_terms(problem, beta, label_beta):
    X, Y, W, L, start = problem
    Y = Y + 0.01
    found = semisupervised_nmf(
        X, start, labels=Y, label_mask=L, label_weight=3, data_mask=W,
        beta=beta, label_beta=label_beta, max_iter=30,
    )  # fmt: skip
    expected = beta_divergence(X[W], found.product()[W], beta)
    expected += 3 * beta_divergence(Y[L], found.predictions()[L], label_beta)
    assert found.losses[-1] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("beta", [0, 1, 2])
def test_with_no_weight_on_the_labels_it_is_the_masked_factorisation(problem, beta):
    X, Y, W, _, start = problem
    options = {"beta": beta, "max_iter": 20, "tol": 0}
    found = semisupervised_nmf(
        X, start, labels=Y, label_weight=0, data_mask=W, **options
    )
    part = Part(X * W, W.astype(float), start.W, beta=beta)
    updates = WeightedUpdates([part], start.H)
    losses = [updates.step() for _ in range(20)]
    assert relative_error(found.product(), part.W @ updates.H) < 1e-12
    np.testing.assert_allclose(found.losses, losses, rtol=1e-12)


# --- properties ---------------------------------------------------------------------


@pytest.mark.parametrize(("beta", "label_beta"), BETAS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_loss_never_rises(problem, beta, label_beta, dtype):
    X, Y, W, L, start = problem
    found = semisupervised_nmf(
        X.astype(dtype), start, labels=Y, label_mask=L, label_weight=2, data_mask=W,
        beta=beta, label_beta=label_beta, max_iter=200, tol=0,
    )  # fmt: skip
    assert (np.diff(found.losses) <= 0).all()
    assert found.losses[-1] < 0.9 * found.losses[0]
    assert {part.dtype for part in (*found.A, *found.S, found.B)} == {np.dtype(dtype)}


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 10), st.integers(1, 10)),
    k=st.integers(1, 12),
    betas=st.sampled_from(BETAS),
    zeros=st.floats(0, 1),
    missing=st.floats(0, 1),
    weight=st.sampled_from([0, 1e-3, 1, 1e3]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_matrices_give_finite_factors_and_falling_losses(
    shape, k, betas, zeros, missing, weight, seed
):
    rng = np.random.default_rng(seed)
    X = rng.random(shape, np.float32) * (rng.random(shape) >= zeros)
    Y = rng.random((3, shape[1])) * (rng.random((3, shape[1])) >= zeros)
    L = rng.random(Y.shape) >= missing
    L[0, 0] = True
    found = semisupervised_nmf(
        X, k, labels=Y, label_mask=L, label_weight=weight,
        data_mask=rng.random(shape) >= missing,
        beta=betas[0], label_beta=betas[1], max_iter=20, tol=0, rng=seed,
    )  # fmt: skip
    for part in (*found.A, *found.S, found.B):
        assert np.isfinite(part).all()
        assert part.min() >= 0
    assert np.isfinite(found.losses).all()
    assert (np.diff(found.losses) <= 0).all()


@pytest.mark.parametrize(("beta", "label_beta"), [(2, 2), (1, 1), (0, 0), (1, 2)])
def test_what_is_missing_may_be_anything(problem, beta, label_beta):
    X, Y, W, L, start = problem
    options = {
        "label_mask": L, "data_mask": W, "beta": beta, "label_beta": label_beta,
    }  # fmt: skip
    spoilt, wrong = np.where(W, X, np.nan), np.where(L, Y, -np.inf)
    one = semisupervised_nmf(X, start, labels=Y, max_iter=10, **options)
    other = semisupervised_nmf(spoilt, start, labels=wrong, max_iter=10, **options)
    for part, same in zip(
        (*one.A, *one.S, one.B), (*other.A, *other.S, other.B), strict=True
    ):
        assert part.tobytes() == same.tobytes()


@pytest.mark.usefixtures("start_of_B")
@pytest.mark.parametrize("beta", [0, 1, 2])
def test_columns_of_which_nothing_is_known_teach_nothing(problem, beta):
    X, Y, W, L, start = problem
    left = np.arange(30) >= 10
    whole = semisupervised_nmf(
        X, start, labels=Y, label_mask=L & left, data_mask=W & left,
        beta=beta, max_iter=20, tol=0,
    )  # fmt: skip
    part = semisupervised_nmf(
        X[:, left], Factorization(start.W, start.H[:, left]), labels=Y[:, left],
        label_mask=L[:, left], data_mask=W[:, left], beta=beta, max_iter=20, tol=0,
    )  # fmt: skip
    assert relative_error(whole.A[0], part.A[0]) < 1e-10
    assert relative_error(whole.S[0][:, left], part.S[0]) < 1e-10
    assert relative_error(whole.B, part.B) < 1e-10
    assert (whole.S[0][:, ~left] == 0).all()


def test_missing_entries_of_a_product_are_found(rng):
    truth = rng.random((30, 3)) + 0.1, rng.random((3, 60)) + 0.1
    X, Y = truth[0] @ truth[1], rng.random((2, 3)) @ truth[1]
    known = rng.random(X.shape) > 0.3
    found = semisupervised_nmf(
        np.where(known, X, np.nan), 3, labels=Y, data_mask=known, max_iter=3000, tol=0
    )
    assert relative_error(found.product()[~known], X[~known]) < 0.05


def test_labels_of_unlabelled_columns_are_predicted(toy):
    topics = toy.labels[0]
    found = [
        semisupervised_nmf(
            toy.X, 9, labels=topics, label_mask=toy.known, label_weight=10,
            max_iter=1000, rng=seed,
        )
        for seed in range(6)
    ]  # fmt: skip
    best = min(found, key=lambda one: one.losses[-1])
    assert np.mean(best.classes()[~toy.known] == topics[~toy.known]) > 0.9
    assert best.error(toy.X) < 0.12


def test_numbers_and_a_one_in_each_column_are_the_same_labels(toy):
    topics = toy.labels[1]
    hidden = np.where(toy.known, topics, -1)
    one_hot = (topics == np.arange(4)[:, np.newaxis]).astype(np.float32)
    same = [
        semisupervised_nmf(toy.X, 5, max_iter=15, **labels)
        for labels in (
            {"labels": hidden},
            {"labels": topics, "label_mask": toy.known},
            {"labels": one_hot, "label_mask": toy.known},
            {"labels": one_hot, "label_mask": np.tile(toy.known, (4, 1))},
        )
    ]
    assert same[0].B.shape == (4, 5)
    for other in same[1:]:
        assert other.B.tobytes() == same[0].B.tobytes()
        assert other.S[0].tobytes() == same[0].S[0].tobytes()


def test_more_weight_on_the_labels_fits_them_better(problem):
    X, Y, _, _, start = problem
    missed = [
        np.linalg.norm(Y - found.predictions())
        for found in (
            semisupervised_nmf(X, start, labels=Y, label_weight=weight, max_iter=500)
            for weight in (0.01, 1, 100)
        )
    ]
    assert missed[0] > 1.1 * missed[1]
    assert missed[1] > 1.1 * missed[2]


def test_inputs_are_left_alone_and_the_callback_hears_each_iteration(problem):
    X, Y, W, L, start = problem
    inputs = X, Y, W, L, start.W, start.H
    copies = [part.copy() for part in inputs]
    heard = []
    found = semisupervised_nmf(
        X, start, labels=Y, label_mask=L, data_mask=W, max_iter=4, tol=0,
        callback=lambda *call: heard.append(call),
    )  # fmt: skip
    for now, before in zip(inputs, copies, strict=True):
        assert (now == before).all()
    assert heard == list(enumerate(found.losses, start=1))


def test_a_seed_gives_one_result_and_others_others(problem):
    X, Y, *_ = problem
    one, same, other = (
        semisupervised_nmf(X, 3, labels=Y, max_iter=5, rng=rng)
        for rng in (7, np.random.default_rng(7), 8)
    )
    assert one.S[0].tobytes() == same.S[0].tobytes()
    assert not np.allclose(one.S[0], other.S[0])
    np.testing.assert_allclose(np.linalg.norm(one.A[0], axis=0), 1)


# --- edges --------------------------------------------------------------------------


@pytest.mark.parametrize(("beta", "label_beta"), [(2, 2), (1, 1), (0, 0), (2, 1)])
def test_data_and_labels_of_zeros_are_no_harm(beta, label_beta):
    X, Y = np.zeros((4, 6)), np.zeros((2, 6))
    options = {"beta": beta, "label_beta": label_beta, "max_iter": 30}
    for data, labels in ((X, Y), (X, Y + 1), (X + 1, Y)):
        found = semisupervised_nmf(data, 2, labels=labels, **options)
        assert np.isfinite(found.losses).all()
        np.testing.assert_allclose(found.product(), data, atol=0.02)


def test_a_component_of_labels_alone_keeps_them():
    """X says nothing, S stays as it was, and B S may still fit the labels."""
    start = Factorization(np.ones((3, 1)), np.array([[1.0, 2, 3]]))
    found = semisupervised_nmf(
        np.zeros((3, 3)), start, labels=np.array([[2.0, 4, 6]]), max_iter=200
    )
    np.testing.assert_allclose(found.predictions(), [[2, 4, 6]], rtol=0.01)


def test_a_class_that_is_never_known_is_never_predicted(problem):
    X, Y, *_, start = problem
    known = np.ones(Y.shape, bool)
    known[1] = False
    found = semisupervised_nmf(X, start, labels=Y, label_mask=known, max_iter=20)
    assert (found.B[1] == 0).all()
    assert not (found.classes() == 1).any()


# --- errors -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": np.full((12, 30), -1.0)}, "X must be finite and non-negative where"),
        ({"X": np.full((12, 30), np.nan)}, "X must be finite and non-negative where"),
        (
            {"X": np.ones(30)},
            r"X and data_mask must be matrices of the same shape, got",
        ),
        ({"data_mask": np.ones((2, 2))}, r"same shape, got \(12, 30\) and \(2, 2\)"),
        ({"data_mask": np.full((12, 30), -1)}, "data_mask must be finite and non-neg"),
        ({"labels": np.ones((3, 4))}, r"labels must be \(n_classes, 30\), .* \(3, 4\)"),
        ({"label_mask": np.zeros(30, bool)}, "labels must be known for at least one"),
        ({"label_weight": -1}, "label_weight must be at least 0, got -1"),
        ({"label_weight": np.nan}, "label_weight must be at least 0, got nan"),
        ({"beta": "cosine"}, "beta must be euclidean, kl, is or a number"),
        (
            {"beta": 0, "label_beta": 2},
            "must be equal, or one 1 and the other 2, got 0 and 2",
        ),
        ({"label_beta": 1.5}, "must be equal, or one 1 and the other 2, got 2 and 1.5"),
        ({"max_iter": 0}, "max_iter must be at least 1"),
        ({"tol": -1}, "tol must be at least 0"),
        ({"start": 0}, "n_components must be at least 1"),
        (
            {"start": Factorization(np.ones((12, 2)), np.ones((2, 3)))},
            r"the start must fit X of shape \(12, 30\), got \(12, 2\) and \(2, 3\)",
        ),
    ],
)
def test_what_does_not_fit_is_named(problem, change, message):
    X, Y, *_, start = problem
    with pytest.raises(ParameterError, match=message) as raised:
        semisupervised_nmf(**{"X": X, "start": start, "labels": Y, **change})
    assert "\n" not in str(raised.value)
