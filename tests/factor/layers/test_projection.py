"""q(X, A): against SciPy's, and its derivative against two others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls as scipy_nnls

from specnmf import ParameterError
from specnmf.factor.layers.projection import Projection
from specnmf.parallel import workers


def project(A, X, **options):
    with workers(1) as mapper:
        return Projection.of(A.T @ A, A.T @ X, mapper, **options)


def pull_back(projection, dS):
    with workers(1) as mapper:
        return projection.pull_back(dS, mapper)


def derivatives(A, X, dS):
    """The derivatives in A and in X, by the chain rule through AᵀA and AᵀX."""
    d_gram, d_products = pull_back(project(A, X), dS)
    return X @ d_products.T + 2 * A @ d_gram, A @ d_products


@pytest.fixture
def problem(rng):
    """A, X and a slope in S, where no S is near the edge of its support."""
    A, X = rng.random((12, 4)), rng.random((12, 9))
    found = project(A, X)
    multipliers = found.gram @ found.S - found.products
    assert np.where(found.passive, found.S, multipliers).min() > 1e-3
    assert 0.2 < found.passive.mean() < 0.9
    return A, X, rng.standard_normal((4, 9))


# --- reference ----------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(
    n_rows=st.integers(1, 12),
    rank=st.integers(1, 8),
    n_columns=st.integers(1, 12),
    seed=st.integers(0, 2**32 - 1),
)
def test_columns_are_those_of_scipy(n_rows, rank, n_columns, seed):
    rng = np.random.default_rng(seed)
    A, X = rng.random((n_rows, rank)), rng.random((n_rows, n_columns))
    found = project(A, X)
    expected = np.stack([scipy_nnls(A, x)[0] for x in X.T], axis=1)
    np.testing.assert_allclose(A @ found.S, A @ expected, atol=1e-7)
    if rank <= n_rows and np.linalg.cond(A) < 1e4:
        np.testing.assert_allclose(found.S, expected, atol=1e-7)
    assert (found.S[~found.passive] == 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_derivative_agrees_with_finite_differences(problem, seed):
    A, X, dS = problem
    rng = np.random.default_rng(seed)
    dA, dX = derivatives(A, X, dS)
    towards_A, towards_X = rng.standard_normal(A.shape), rng.standard_normal(X.shape)
    step = 1e-6
    ahead = project(A + step * towards_A, X + step * towards_X)
    behind = project(A - step * towards_A, X - step * towards_X)
    assert (ahead.passive == behind.passive).all()
    expected = np.vdot(dS, ahead.S - behind.S) / (2 * step)
    found = np.vdot(dA, towards_A) + np.vdot(dX, towards_X)
    assert found == pytest.approx(expected, rel=1e-6)


class Dual:
    """A matrix and its derivative in one direction: forward differentiation."""

    def __init__(self, value, slope):
        self.value, self.slope = value, slope

    def __add__(self, other):
        return Dual(self.value + other.value, self.slope + other.slope)

    def __sub__(self, other):
        return Dual(self.value - other.value, self.slope - other.slope)

    def __matmul__(self, other):
        slope = self.slope @ other.value + self.value @ other.slope
        return Dual(self.value @ other.value, slope)

    def scaled(self, number):
        return Dual(number * self.value, number * self.slope)

    def positive(self):
        return Dual(np.maximum(self.value, 0), self.slope * (self.value > 0))

    @property
    def T(self):
        return Dual(self.value.T, self.slope.T)


@pytest.mark.parametrize("seed", range(3))
def test_the_derivative_agrees_with_that_of_an_unrolled_descent(problem, seed):
    A, X, dS = problem
    rng = np.random.default_rng(seed)
    towards_A, towards_X = rng.standard_normal(A.shape), rng.standard_normal(X.shape)
    dual_A, dual_X = Dual(A, towards_A), Dual(X, towards_X)
    gram, products = dual_A.T @ dual_A, dual_A.T @ dual_X
    step = 1 / np.linalg.norm(gram.value, 2)
    S = Dual(np.zeros(dS.shape), np.zeros(dS.shape))
    for _ in range(3000):
        S = (S - (gram @ S - products).scaled(step)).positive()
    np.testing.assert_allclose(S.value, project(A, X).S, atol=1e-10)
    dA, dX = derivatives(A, X, dS)
    found = np.vdot(dA, towards_A) + np.vdot(dX, towards_X)
    assert found == pytest.approx(np.vdot(dS, S.slope), rel=1e-6)


# --- properties ---------------------------------------------------------------------


def test_the_slope_in_the_gram_matrix_is_symmetric_and_that_off_supports_none(problem):
    A, X, dS = problem
    found = project(A, X)
    d_gram, d_products = pull_back(found, dS)
    np.testing.assert_allclose(d_gram, d_gram.T)
    assert (d_products[~found.passive] == 0).all()
    elsewhere = pull_back(found, np.where(found.passive, dS, 7))
    np.testing.assert_array_equal(elsewhere[1], d_products)


def test_a_start_nearby_changes_nothing(problem):
    A, X, _ = problem
    found = project(A, X)
    for passive in (found.passive, ~found.passive, np.ones_like(found.passive)):
        again = project(A, X, passive=passive)
        np.testing.assert_allclose(again.S, found.S, atol=1e-12)
        assert (again.passive == found.passive).all()


def test_the_number_of_threads_does_not_show(rng):
    A, X, dS = rng.random((6, 4)), rng.random((6, 1000)), rng.random((4, 1000))
    results = []
    for threads in (1, 2):
        with workers(threads) as mapper:
            found = Projection.of(A.T @ A, A.T @ X, mapper)
            results.append((found.S, *found.pull_back(dS, mapper)))
    for one, other in zip(*results, strict=True):
        assert one.tobytes() == other.tobytes()


# --- edges --------------------------------------------------------------------------


def test_of_equal_components_one_alone_is_in_the_support(rng):
    A, X = rng.random((6, 3)), rng.random((6, 20))
    A[:, 2] = A[:, 0]
    found = project(A, X)
    assert not (found.passive[0] & found.passive[2]).any()
    dA, _ = derivatives(A, X, rng.standard_normal((3, 20)))
    assert np.isfinite(dA).all()
    alone = project(A[:, :2], X)
    np.testing.assert_allclose(A @ found.S, A[:, :2] @ alone.S, atol=1e-12)


def test_components_of_zeros_stay_at_zero_and_without_slope(rng):
    A, X = rng.random((6, 3)), rng.random((6, 20))
    A[:, 1] = 0
    found = project(A, X)
    _, d_products = pull_back(found, np.ones((3, 20)))
    for part in (found.S, found.passive, d_products):
        assert (part[1] == 0).all()
    assert found.S[[0, 2]].any()


def test_columns_of_zeros_are_projected_on_zero(rng):
    A, X = rng.random((6, 3)), rng.random((6, 4))
    X[:, 2] = 0
    assert (project(A, X).S[:, 2] == 0).all()
    found = project(A, np.zeros((6, 4)))
    d_gram, d_products = pull_back(found, np.ones((3, 4)))
    assert (found.S == 0).all()
    assert (d_gram == 0).all()
    assert np.isfinite(d_products).all()


# --- errors -------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["A", "B"])
def test_what_is_not_finite_is_named(name, bad):
    gram, products = np.ones((2, 2)), np.ones((2, 4))
    (gram if name == "A" else products)[0, 1] = bad
    with workers(1) as mapper, pytest.raises(ParameterError, match=f"{name} must be"):
        Projection.of(gram, products, mapper)
