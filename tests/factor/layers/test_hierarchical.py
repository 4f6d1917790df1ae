"""hierarchical_nmf: one factorisation after the other, and no more than that."""

import numpy as np
import pytest

from specnmf import ParameterError, deep_nmf, neural_nmf, nmf
from specnmf.factor.divergence import beta_divergence
from specnmf.factor.layers.hierarchical import hierarchical_nmf
from specnmf.factor.layers.semisupervised import semisupervised_nmf

#: Solvers and divergences that they minimise.
SOLVERS = (("mu", 2), ("hals", 2), ("auto", 2), ("mu", 0), ("joint", 1), ("auto", 0.5))


# --- reference ----------------------------------------------------------------------


@pytest.mark.parametrize(("solver", "beta"), SOLVERS)
def test_one_layer_is_the_factorisation(toy, solver, beta):
    options = {"solver": solver, "beta": beta, "max_iter": 30, "rng": 5}
    found = hierarchical_nmf(toy.X, [4], **options)
    plain = nmf(toy.X, 4, **options)
    norms = np.linalg.norm(plain.W, axis=0)
    np.testing.assert_allclose(found.A[0], plain.W / norms, rtol=1e-10)
    np.testing.assert_allclose(
        found.S[0], plain.H * norms[:, np.newaxis], rtol=1e-10
    )  # fmt: skip
    np.testing.assert_array_equal(found.losses, plain.losses)


@pytest.mark.parametrize(("solver", "beta"), SOLVERS)
def test_each_layer_factorises_the_activations_of_the_one_below(toy, solver, beta):
    found = hierarchical_nmf(toy.X, [9, 4, 2], solver=solver, beta=beta, max_iter=50)
    assert found.ranks == (9, 4, 2)
    for below, a, s in zip(found.S, found.A[1:], found.S[1:], strict=False):
        nothing = np.full(below.shape, below.mean())
        assert beta_divergence(below, a @ s, beta) < 0.7 * beta_divergence(
            below, nothing, beta
        )
    cost = beta_divergence(found.S[1], found.A[2] @ found.S[2], beta)
    assert found.losses[-1] == pytest.approx(cost, rel=1e-8)
    norms = [np.linalg.norm(a, axis=0) for a in found.A]
    np.testing.assert_allclose(np.concatenate(norms), 1)
    assert min(part.min() for part in (*found.A, *found.S)) >= 0


@pytest.mark.parametrize(
    ("ranks", "most"), [((9,), 0.06), ((9, 4), 0.31), ((9, 4, 2), 0.53)]
)
def test_toy_data_are_modelled_about_as_well_as_can_be(toy, floor, ranks, most):
    found = hierarchical_nmf(toy.X, ranks, solver="mu", restarts=5)
    assert floor(ranks[-1]) <= found.error(toy.X) < most


# --- properties ---------------------------------------------------------------------


@pytest.mark.slow  # many factorizations
@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("beta", [0, 1, 2])
def test_more_restarts_are_never_worse(toy, labelled, beta):
    options = {"beta": beta, "solver": "mu", "max_iter": 40}
    if labelled:
        options |= {"labels": toy.labels[1], "label_mask": toy.known}
    costs = []
    for restarts in (1, 2, 5):
        found = hierarchical_nmf(toy.X, (6, 4), restarts=restarts, **options)
        costs.append(beta_divergence(toy.X, found.product(), beta))
        if labelled:
            Y = np.equal.outer(np.arange(4), toy.labels[1])[:, toy.known]
            P = found.predictions()[:, toy.known]
            costs[-1] += beta_divergence(Y.astype(float), P, beta)
    assert costs[0] >= costs[1] >= costs[2]
    assert costs[0] > costs[2]


def test_labels_teach_the_last_layer(toy):
    groups = toy.labels[1]
    options = {"labels": groups, "label_mask": toy.known, "label_weight": 1000}
    found = hierarchical_nmf(toy.X, (9, 4), solver="mu", restarts=5, **options)
    assert np.mean(found.classes()[~toy.known] == groups[~toy.known]) == 1
    assert found.error(toy.X) < 0.31
    plain = hierarchical_nmf(toy.X, (9, 4), solver="mu", rng=0)
    taught = hierarchical_nmf(toy.X, (9, 4), solver="mu", rng=0, **options)
    assert (taught.S[0] == plain.S[0]).all()
    assert taught.B.shape == (4, 4)
    assert plain.B is None


def test_labels_of_one_layer_go_on_from_the_factorisation(toy):
    options = {"labels": toy.labels[0], "label_mask": toy.known}
    found = hierarchical_nmf(toy.X, (9,), max_iter=200, rng=1, **options)
    alone = semisupervised_nmf(toy.X, 9, max_iter=200, rng=1, **options)
    assert found.losses[-1] < alone.losses[-1]
    assert (np.diff(found.losses) <= 0).all()


@pytest.mark.parametrize("labelled", [False, True])
def test_single_precision_stays_single_and_close(toy, labelled):
    options = {"labels": toy.labels[1]} if labelled else {}
    options |= {"solver": "mu", "max_iter": 30, "tol": 0}
    double = hierarchical_nmf(toy.X, (9, 4), **options)
    single = hierarchical_nmf(toy.X.astype(np.float32), (9, 4), **options)
    parts = [*single.A, *single.S, *([single.B] if labelled else [])]
    assert {part.dtype for part in parts} == {np.dtype(np.float32)}
    assert single.error(toy.X) == pytest.approx(double.error(toy.X), rel=0.01)


def test_the_callback_hears_of_all_layers_and_starts_and_threads_do_not_show(toy):
    heard, results = [], []
    for threads in (1, 2):
        found = hierarchical_nmf(
            toy.X, (9, 4), labels=toy.labels[1], restarts=2, max_iter=5, tol=0,
            threads=threads, callback=lambda *call: heard.append(call),
        )  # fmt: skip
        results.append(found)
    assert [number for number, _ in heard] == 2 * list(range(1, 31))
    assert heard[:30] == heard[30:]
    for one, other in zip(results[0].S, results[1].S, strict=True):
        assert one.tobytes() == other.tobytes()
    assert heard[9][1] not in results[0].losses
    assert {loss for _, loss in heard} >= set(results[0].losses)


# --- edges --------------------------------------------------------------------------


@pytest.mark.slow  # many factorizations
@pytest.mark.parametrize("beta", [0, 1, 2])
@pytest.mark.parametrize("labelled", [False, True])
def test_zeros_and_ranks_above_the_shape_are_no_harm(rng, beta, labelled):
    options = {"labels": rng.integers(2, size=5)} if labelled else {}
    for X in (np.zeros((4, 5)), np.diag([1.0, 0, 2, 0, 0])[:4], rng.random((1, 5))):
        found = hierarchical_nmf(
            X, (7, 6), beta=beta, max_iter=10, restarts=2, **options
        )
        for part in (*found.A, *found.S, found.losses):
            assert np.isfinite(part).all()


@pytest.mark.parametrize("factorise", [hierarchical_nmf, deep_nmf, neural_nmf])
def test_a_single_number_is_a_single_layer(toy, factorise):
    options = {"max_iter": 5, "rng": 3}
    one, listed = (factorise(toy.X, ranks, **options) for ranks in (4, [4]))
    assert one.ranks == (4,)
    np.testing.assert_array_equal(one.product(), listed.product())


def test_a_list_of_one_number_serves_a_layer_with_labels(toy):
    options = {"labels": toy.labels[0], "max_iter": 5, "rng": 3}
    one, listed = (semisupervised_nmf(toy.X, rank, **options) for rank in (4, [4]))
    np.testing.assert_array_equal(one.product(), listed.product())
    with pytest.raises(ParameterError, match=r"one number of components, got \[4, 2\]"):
        semisupervised_nmf(toy.X, [4, 2], **options)


# --- errors -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ranks": []}, "ranks must be the number of components of each layer"),
        ({"ranks": 2.0}, r"such as \[32, 8, 3\], got 2.0"),
        ({"ranks": (9, 2.5)}, r"got \(9, 2.5\)"),
        ({"ranks": (9, 0)}, "rank must be at least 1, got 0"),
        ({"X": np.ones(5)}, r"X must be a matrix, got shape \(5,\)"),
        ({"X": np.ones((5, 0))}, r"X must be a matrix, got shape \(5, 0\)"),
        ({"X": np.full((5, 6), -1.0)}, "must be finite and non-negative"),
        ({"X": np.full((5, 6), np.nan)}, "must be finite and non-negative"),
        ({"solver": "hals", "beta": 1}, "solver hals minimises only beta 2"),
        ({"solver": "newton"}, "solver must be one of"),
        ({"restarts": 0}, "restarts must be at least 1, got 0"),
        ({"label_weight": -1}, "label_weight must be at least 0, got -1"),
        ({"labels": [0, 1]}, r"labels must be \(n_classes, 6\)"),
        ({"beta": "cosine"}, "beta must be euclidean, kl, is or a number"),
        ({"max_iter": 0}, "max_iter must be at least 1"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    options = {"X": np.ones((5, 6)), "ranks": (3, 2), **change}
    with pytest.raises(ParameterError, match=message) as raised:
        hierarchical_nmf(**options)
    assert "\n" not in str(raised.value)
