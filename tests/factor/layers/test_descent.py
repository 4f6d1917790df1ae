"""Descents with bounds: against SciPy on quadratics, then what holds of all."""

from functools import partial

import numpy as np
import pytest
from scipy.optimize import nnls as scipy_nnls

from specnmf.factor.layers.descent import (
    WINDOW,
    Progress,
    l_bfgs_b,
    projected_gradient,
    stochastic_gradient,
)


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


def stochastic(function, start, **options):
    """Steps for the whole, as if it were all there is of parts."""
    return stochastic_gradient(function, start, batches=lambda: [function], **options)


DESCENTS = (l_bfgs_b, projected_gradient, stochastic)


def descend(descent, function, start, *, max_iter=2000, tol=0, callback=None):
    progress = Progress(tol, callback)
    point = descent(function, start, max_iter=max_iter, progress=progress)
    progress.end()
    return point, progress.losses


# --- reference ----------------------------------------------------------------------


@pytest.mark.parametrize("descent", DESCENTS)
@pytest.mark.parametrize("scale", [1e-30, 1, 1e30])
def test_quadratics_end_where_scipy_does_at_any_scale(quadratic, descent, scale):
    function, expected, least = quadratic

    def scaled(x):
        cost, slope = function(x)
        return scale * cost, scale * slope

    point, losses = descend(descent, scaled, np.ones(6))
    precise = 1e-3 if descent is stochastic else 1e-6
    np.testing.assert_allclose(point, expected, atol=precise)
    assert losses[-1] == pytest.approx(scale * least, rel=precise)


# --- properties ---------------------------------------------------------------------


@pytest.mark.parametrize("descent", DESCENTS)
def test_losses_never_rise_and_are_those_of_the_points(quadratic, descent):
    function, *_ = quadratic
    asked = []

    def heard(x):
        asked.append(x.min())
        return function(x)

    point, losses = descend(descent, heard, np.ones(6), max_iter=200)
    assert (np.diff(losses) <= 0).all()
    assert losses[-1] < function(np.ones(6))[0]
    assert losses[-1] == pytest.approx(function(point)[0], rel=1e-12)
    assert min(asked) >= 0
    assert point.min() >= 0


@pytest.mark.parametrize("descent", DESCENTS)
def test_the_most_iterations_are_kept_to_and_told_of(quadratic, descent):
    function, *_ = quadratic
    heard = []
    _, losses = descend(
        descent, function, np.ones(6), max_iter=3,
        callback=lambda *call: heard.append(call),
    )  # fmt: skip
    assert len(losses) == 3
    assert heard == list(enumerate(losses, start=1))


@pytest.mark.parametrize("descent", DESCENTS)
def test_a_tolerance_ends_a_descent_and_leaves_its_point(quadratic, descent):
    function, *_ = quadratic
    point, losses = descend(descent, function, np.ones(6), tol=1)
    assert len(losses) == WINDOW
    assert losses[-1] == pytest.approx(function(point)[0], rel=1e-12)
    _, some = descend(descent, function, np.ones(6), tol=0.02)
    _, more = descend(descent, function, np.ones(6), tol=1e-6)
    assert WINDOW < len(some) < len(more) < 2000


def test_progress_ends_when_ten_iterations_bring_too_little():
    for cost, worth in ((91, False), (89, True)):
        progress = Progress(tol=0.01)
        progress.begin(100)
        assert all(progress.goes_on(100) for _ in range(WINDOW - 1))
        assert progress.goes_on(cost) is worth
        assert progress.losses == [100] * 9 + [cost]


def test_parts_of_the_cost_lead_to_the_minimum_of_the_whole(rng):
    M = rng.random((400, 4))
    truth = np.array([0.5, 0, 1, 0.2])
    b = M @ truth

    def cost(rows, x):
        rest = M[rows] @ x - b[rows]
        return rest @ rest / 2, M[rows].T @ rest

    def batches():
        order = rng.permutation(400).reshape(8, 50)
        return [partial(cost, rows) for rows in order]

    progress = Progress(0)
    point = stochastic_gradient(
        partial(cost, slice(None)), np.ones(4), batches=batches, max_iter=300,
        progress=progress,
    )  # fmt: skip
    np.testing.assert_allclose(point, truth, atol=1e-3)
    assert (np.diff(progress.losses) <= 0).all()


# --- edges --------------------------------------------------------------------------


@pytest.mark.parametrize("descent", DESCENTS)
@pytest.mark.parametrize("cost", [0.0, 5.0])
def test_a_start_that_nothing_lowers_is_the_end_with_a_loss(descent, cost):
    start = np.array([1.0, 0, 2])
    point, losses = descend(descent, lambda x: (cost, np.zeros(3)), start)
    assert (point == start).all()
    assert set(losses) == {cost}


@pytest.mark.parametrize("descent", DESCENTS)
def test_a_slope_against_the_bounds_leads_nowhere(descent):
    point, losses = descend(descent, lambda x: (1 + x.sum(), np.ones(3)), np.zeros(3))
    assert (point == 0).all()
    assert set(losses) == {1}


@pytest.mark.parametrize("descent", DESCENTS)
@pytest.mark.parametrize("seed", range(5))
def test_losses_never_rise_though_the_cost_has_kinks(descent, seed):
    rng = np.random.default_rng(seed)
    M, b = rng.standard_normal((6, 4)), rng.standard_normal(6)

    def function(x):
        rest = M @ x - b
        return np.abs(rest).sum(), M.T @ np.sign(rest)

    start = rng.random(4)
    point, losses = descend(descent, function, start, max_iter=100)
    assert (np.diff([function(start)[0], *losses]) <= 0).all()
    assert losses[-1] == pytest.approx(function(point)[0], rel=1e-12)


@pytest.mark.parametrize("descent", DESCENTS)
def test_a_slope_that_lies_does_not_raise_the_cost(descent):
    point, losses = descend(descent, lambda x: (x @ x, -2 * x), np.ones(3), max_iter=20)
    assert (point == 1).all()
    assert set(losses) == {3}
