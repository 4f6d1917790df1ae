"""A descent with bounds: against SciPy on quadratics, then what holds of others."""

import numpy as np
import pytest
from scipy.optimize import nnls as scipy_nnls

from specnmf.factor.layers.descent import WINDOW, is_worthwhile, l_bfgs_b


@pytest.fixture
def quadratic(rng):
    """||Mx - b||² / 2, whose minimum over x >= 0 leaves some x at zero."""
    M = rng.random((20, 6))
    b = M @ [1, -1, 2, 0.5, -2, 1] + 0.1 * rng.standard_normal(20)

    def function(x):
        rest = M @ x - b
        return rest @ rest / 2, M.T @ rest

    expected, missed = scipy_nnls(M, b)
    assert 0 < (expected == 0).sum() < 6
    return function, expected, missed**2 / 2


def descend(function, start, *, max_iter=2000, tol=0, callback=None):
    return l_bfgs_b(function, start, max_iter=max_iter, tol=tol, callback=callback)


# --- reference ----------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-30, 1, 1e30])
def test_quadratics_end_where_scipy_does_at_any_scale(quadratic, scale):
    function, expected, least = quadratic

    def scaled(x):
        cost, slope = function(x)
        return scale * cost, scale * slope

    point, losses = descend(scaled, np.ones(6))
    np.testing.assert_allclose(point, expected, atol=1e-6)
    assert losses[-1] == pytest.approx(scale * least, rel=1e-6)


# --- properties ---------------------------------------------------------------------


def test_losses_never_rise_and_are_those_of_the_points(quadratic):
    function, *_ = quadratic
    asked = []

    def heard(x):
        asked.append(x.min())
        return function(x)

    point, losses = descend(heard, np.ones(6), max_iter=200)
    assert (np.diff(losses) <= 0).all()
    assert losses[-1] < function(np.ones(6))[0]
    assert losses[-1] == pytest.approx(function(point)[0], rel=1e-12)
    assert min(asked) >= 0
    assert point.min() >= 0


def test_the_most_iterations_are_kept_to_and_told_of(quadratic):
    function, *_ = quadratic
    heard = []
    _, losses = descend(
        function, np.ones(6), max_iter=3,
        callback=lambda *call: heard.append(call),
    )  # fmt: skip
    assert len(losses) == 3
    assert heard == list(enumerate(losses, start=1))


def test_a_tolerance_ends_a_descent_and_leaves_its_point(quadratic):
    function, *_ = quadratic
    point, losses = descend(function, np.ones(6), tol=1)
    assert len(losses) == WINDOW
    assert losses[-1] == pytest.approx(function(point)[0], rel=1e-12)
    _, some = descend(function, np.ones(6), tol=0.02)
    _, more = descend(function, np.ones(6), tol=1e-6)
    assert WINDOW < len(some) < len(more) < 2000


def test_ten_iterations_that_bring_too_little_are_the_last():
    assert is_worthwhile([100] * WINDOW, tol=0.01)
    for cost, worth in ((91, False), (90, False), (89, True)):
        assert is_worthwhile([100] * WINDOW + [cost], tol=0.01) is worth


# --- edges --------------------------------------------------------------------------


@pytest.mark.parametrize("cost", [0.0, 5.0])
def test_a_start_that_nothing_lowers_is_the_end_with_a_loss(cost):
    start = np.array([1.0, 0, 2])
    point, losses = descend(lambda x: (cost, np.zeros(3)), start)
    assert (point == start).all()
    assert set(losses) == {cost}


def test_a_slope_against_the_bounds_leads_nowhere():
    point, losses = descend(lambda x: (1 + x.sum(), np.ones(3)), np.zeros(3))
    assert (point == 0).all()
    assert set(losses) == {1}


@pytest.mark.parametrize("seed", range(5))
def test_losses_never_rise_though_the_cost_has_kinks(seed):
    rng = np.random.default_rng(seed)
    M, b = rng.standard_normal((6, 4)), rng.standard_normal(6)

    def function(x):
        rest = M @ x - b
        return np.abs(rest).sum(), M.T @ np.sign(rest)

    start = rng.random(4)
    point, losses = descend(function, start, max_iter=100)
    assert (np.diff([function(start)[0], *losses]) <= 0).all()
    assert losses[-1] == pytest.approx(function(point)[0], rel=1e-12)


def test_a_slope_that_lies_does_not_raise_the_cost():
    point, losses = descend(lambda x: (x @ x, -2 * x), np.ones(3), max_iter=20)
    assert (point == 1).all()
    assert set(losses) == {3}
