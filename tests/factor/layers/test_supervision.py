"""Label terms: against their definitions, and the best B against SciPy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls as scipy_nnls
from scipy.special import softmax

from specnmf.factor.layers.labels import Labels
from specnmf.factor.layers.supervision import (
    TERMS,
    Supervision,
    cross_entropy,
    squares,
)
from specnmf.parallel import workers


@pytest.fixture
def problem(rng):
    """Labels of three classes and 20 columns, B and S of rank 4."""
    known = rng.random((3, 20)) > 0.2
    labels = Labels(rng.random((3, 20)) * known, known)
    return labels, rng.random((3, 4)), rng.random((4, 20))


def best(labels, S):
    with workers(1) as mapper:
        return Supervision(labels, weight=1, loss="l2", mapper=mapper).best(S)


# --- reference ----------------------------------------------------------------------


def test_squares_are_those_of_what_is_known(problem):
    labels, B, S = problem
    rest = (labels.Y - B @ S)[labels.known]
    assert squares(*problem)[0] == pytest.approx((rest**2).sum() / 2)


def test_cross_entropy_is_over_columns_that_are_known_whole(problem):
    labels, B, S = problem
    whole = labels.known.all(axis=0)
    assert 0 < whole.sum() < 20
    logs = np.log(softmax(B @ S, axis=0))
    expected = -(labels.Y * logs)[:, whole].sum()
    assert cross_entropy(*problem)[0] == pytest.approx(expected)


@pytest.mark.parametrize("term", TERMS.values())
@pytest.mark.parametrize("seed", range(3))
def test_derivatives_agree_with_finite_differences(problem, term, seed):
    labels, B, S = problem
    rng, step = np.random.default_rng(seed), 1e-5
    to_B, to_S = rng.standard_normal(B.shape), rng.standard_normal(S.shape)
    _, dB, dS = term(labels, B, S)
    ahead = term(labels, B + step * to_B, S + step * to_S)[0]
    behind = term(labels, B - step * to_B, S - step * to_S)[0]
    found = np.vdot(dB, to_B) + np.vdot(dS, to_S)
    assert found == pytest.approx((ahead - behind) / (2 * step), rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    n_classes=st.integers(1, 4),
    rank=st.integers(1, 5),
    n_columns=st.integers(1, 12),
    known=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_best_b_is_scipys_class_by_class(n_classes, rank, n_columns, known, seed):
    rng = np.random.default_rng(seed)
    Y, S = rng.random((n_classes, n_columns)), rng.random((rank, n_columns))
    mask = rng.random(Y.shape) < known
    B = best(Labels(Y * mask, mask), S)
    assert (B >= 0).all()
    for own, row, where in zip(B, Y, mask, strict=True):
        if where.any():
            _, missed = scipy_nnls(S[:, where].T, row[where])
            found = np.linalg.norm(row[where] - own @ S[:, where])
            assert found == pytest.approx(missed, abs=1e-7)
        else:
            assert (own == 0).all()


# --- properties ---------------------------------------------------------------------


@pytest.mark.parametrize("loss", TERMS)
def test_the_weight_multiplies_cost_and_derivatives(problem, loss):
    with workers(1) as mapper:
        one, three = (
            Supervision(problem[0], weight=weight, loss=loss, mapper=mapper)
            for weight in (1, 3)
        )
    for plain, weighted in zip(one(*problem[1:]), three(*problem[1:]), strict=True):
        np.testing.assert_allclose(weighted, 3 * np.asarray(plain))


@pytest.mark.parametrize("term", TERMS.values())
def test_what_is_not_known_does_not_count(problem, term):
    labels, B, S = problem
    nothing = Labels(np.zeros(labels.Y.shape), np.zeros(labels.Y.shape, bool))
    for part in term(nothing, B, S):
        assert (np.asarray(part) == 0).all()


def test_cross_entropy_bears_any_logits(problem):
    labels, B, S = problem
    cost, dB, dS = cross_entropy(labels, 1e6 * B, S)
    assert np.isfinite(cost)
    assert np.isfinite(dB).all()
    assert np.isfinite(dS).all()


def test_labels_that_are_exact_are_met_exactly(rng):
    B, S = rng.random((3, 4)), rng.random((4, 50))
    labels = Labels(B @ S, np.ones((3, 50), bool))
    np.testing.assert_allclose(best(labels, S), B, atol=1e-10)
    assert squares(labels, B, S)[0] == 0
