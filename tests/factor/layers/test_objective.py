"""The cost of neural NMF against its definition, its gradient against differences."""

from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from reference import beta_divergence
from scipy.optimize import nnls as scipy_nnls
from scipy.special import softmax

from specnmf.factor.layers.labels import Labels
from specnmf.factor.layers.objective import DATA_TERMS, Data, Objective
from specnmf.factor.layers.supervision import TERMS, Supervision
from specnmf.parallel import workers

RANKS = (5, 4, 2)


@pytest.fixture
def problem(rng):
    """X (12, 30), labels of three classes, templates of three layers, and B's."""
    known = rng.random((3, 30)) > 0.3
    labels = Labels(rng.random((3, 30)) * known, known)
    A = [rng.random(pair) + 0.01 for pair in pairwise((12, *RANKS))]
    return rng.random((12, 30)), labels, A, [rng.random((3, rank)) for rank in RANKS]


def objective(X, labels=None, *, loss="reconstruction", label_loss="l2", threads=1):
    with workers(threads) as mapper:
        said = None
        if labels is not None:
            said = Supervision(labels, weight=0.7, loss=label_loss, mapper=mapper)
        return Objective(X, said, loss=loss, mapper=mapper)


def project(X, A):
    return np.stack([scipy_nnls(A, x)[0] for x in X.T], axis=1)


def plain_cost(X, A, labels, B, loss, label_loss):
    """Will et al. 2023, by SciPy's least squares a column."""
    S = [X]
    for a in A:
        S.append(project(S[-1], a))
    if loss == "energy":
        cost = sum(
            beta_divergence(below, a @ own, 2)
            for below, own, a in zip(S, S[1:], A, strict=False)
        )
    else:
        cost = beta_divergence(X, reduce(np.matmul, [*A, S[-1]]), 2)
    if label_loss == "l2":
        said = beta_divergence(labels.Y, labels.known * (B @ S[-1]), 2)
    else:
        logs = np.log(softmax(B @ S[-1], axis=0))
        said = -(labels.Y * logs)[:, labels.known.all(axis=0)].sum()
    return cost + 0.7 * said


# --- reference ----------------------------------------------------------------------


@pytest.mark.parametrize("n_layers", [1, 2, 3])
@pytest.mark.parametrize("loss", DATA_TERMS)
@pytest.mark.parametrize("label_loss", TERMS)
def test_the_cost_is_that_of_the_definitions(problem, n_layers, loss, label_loss):
    X, labels, A, B = problem
    own = objective(X, labels, loss=loss, label_loss=label_loss)
    A, B = A[:n_layers], B[n_layers - 1]
    expected = plain_cost(X, A, labels, B, loss, label_loss)
    assert own(A, B)[0] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("n_layers", [1, 2, 3])
@pytest.mark.parametrize("loss", DATA_TERMS)
@pytest.mark.parametrize("label_loss", [None, *TERMS])
@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_agrees_with_differences(
    problem, n_layers, loss, label_loss, seed
):
    X, labels, A, B = problem
    labels = None if label_loss is None else labels
    own = objective(X, labels, loss=loss, label_loss=label_loss)
    A, B = A[:n_layers], None if labels is None else B[n_layers - 1]
    rng = np.random.default_rng(seed)
    to_A = [rng.standard_normal(a.shape) for a in A]
    to_B = rng.standard_normal((3, RANKS[n_layers - 1]))

    def at(step):
        moved = [a + step * to for a, to in zip(A, to_A, strict=True)]
        return own(moved, None if B is None else B + step * to_B)[0]

    _, dA, dB = own(A, B)
    found = sum(np.vdot(slope, to) for slope, to in zip(dA, to_A, strict=True))
    if dB is not None:
        found += np.vdot(dB, to_B)
    step = 1e-5  # by four points: rounding and curvature both below 1e-9
    expected = 8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))
    assert found == pytest.approx(expected / (12 * step), rel=1e-6)


def test_without_a_b_it_is_the_best_one_and_its_slope_none(problem):
    X, labels, A, B = problem
    own = objective(X, labels)
    cost, dA, dB = own(A, None)
    best = own.supervision.best(own.forward(A)[-1].S)
    with_best = own(A, best)
    assert cost == pytest.approx(with_best[0], rel=1e-12)
    assert cost < own(A, B[-1])[0]
    np.testing.assert_allclose(dB[best > 0], 0, atol=1e-10)
    assert dB.min() > -1e-10
    for one, other in zip(dA, with_best[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)


# --- properties ---------------------------------------------------------------------


def test_products_with_the_data_are_exact_in_pieces(rng):
    X = rng.random((300, 700), np.float32)
    with workers(2) as mapper:
        data = Data(X, mapper)
        A, M = rng.random((300, 3)), rng.random((3, 700))
        np.testing.assert_allclose(data.under(A), A.T @ X.astype(float), rtol=1e-12)
        np.testing.assert_allclose(data.times(M), X.astype(float) @ M.T, rtol=1e-12)
    assert data.square == pytest.approx((X.astype(float) ** 2).sum(), rel=1e-12)


@pytest.mark.parametrize("order", ["C", "F"])
def test_single_precision_counts_as_its_copy_in_double(problem, order):
    X, labels, A, _ = problem
    single = np.asarray(X, np.float32, order=order)
    one, other = (
        objective(data, labels)(A, None) for data in (single, single.astype(float))
    )
    assert one[0] == pytest.approx(other[0], rel=1e-12)
    for a, b in zip(one[1], other[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)


@pytest.mark.parametrize("loss", DATA_TERMS)
def test_supports_of_the_last_evaluation_change_nothing(problem, rng, loss):
    X, labels, A, _ = problem
    warm = objective(X, labels, loss=loss)
    warm([rng.random(a.shape) for a in A], None)
    one, other = warm(A, None), objective(X, labels, loss=loss)(A, None)
    assert one[0] == pytest.approx(other[0], rel=1e-12)
    for a, b in zip(one[1], other[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_with_one_layer_energy_is_reconstruction(problem):
    X, labels, A, _ = problem
    one, other = (objective(X, labels, loss=loss)(A[:1], None) for loss in DATA_TERMS)
    assert one[0] == pytest.approx(other[0], rel=1e-12)
    np.testing.assert_allclose(one[1][0], other[1][0], rtol=1e-9)


def test_the_number_of_threads_does_not_show(rng):
    X, A = (
        rng.random((300, 600), np.float32),
        [rng.random((300, 4)), rng.random((4, 2))],
    )
    results = []
    for threads in (1, 2):
        with workers(threads) as mapper:
            results.append(Objective(X, None, loss="energy", mapper=mapper)(A, None))
    assert results[0][0] == results[1][0]
    for one, other in zip(results[0][1], results[1][1], strict=True):
        assert one.tobytes() == other.tobytes()


# --- edges --------------------------------------------------------------------------


@pytest.mark.parametrize("loss", DATA_TERMS)
def test_data_and_templates_of_zeros_give_a_cost_and_a_gradient(problem, loss):
    X, labels, A, _ = problem
    zeros = [0 * a for a in A]
    cost, dA, _ = objective(X, loss=loss)(zeros, None)
    assert cost == pytest.approx((X**2).sum() / 2)
    assert all((slope == 0).all() for slope in dA)
    cost, dA, _ = objective(0 * X, labels, loss=loss)(A, None)
    assert cost == pytest.approx(0.35 * (labels.Y**2).sum())
    assert all((slope == 0).all() for slope in dA)


def test_an_exact_model_costs_nothing(rng):
    A = [rng.random((6, 3)), np.eye(3)]
    X = A[0] @ rng.random((3, 8))
    for loss in DATA_TERMS:
        assert objective(X, loss=loss)(A, None)[0] < 1e-13 * (X**2).sum()
