"""Exact non-negative least squares, for all columns at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.arrays import array_of
from specnmf.errors import ParameterError
from specnmf.factor.kernels.nnls import solve_columns, solve_supports
from specnmf.factor.matrices import Array, Booleans, Doubles, matrix
from specnmf.factor.options import FitOptions
from specnmf.parallel import Mapper, cut, workers
from specnmf.subnormals import flush_to_zero

#: Columns that a thread takes at a time: their data in double precision fit its cache.
PIECE = 256


def nnls(
    A: ArrayLike,
    B: ArrayLike,
    *,
    support: ArrayLike | None = None,
    start: ArrayLike | None = None,
    threads: int | None = FitOptions.threads,
) -> Array:
    """The X >= 0 that minimises ||B - A X||, to rounding.

    All is computed in double precision: the Gram matrix squares the condition of A,
    which single precision cannot afford. `solve_normal` says what holds of a solution.

    Parameters
    ----------
    A, B : array, shapes (n_rows, n_components) and (n_rows, n_columns)
        Any finite numbers; columns of A may be zero, equal or more than the rows.
    support : array of bool, shape (n_components, n_columns), optional
        Entries that may be other than zero.
    start : array, shape (n_components, n_columns), optional
        A guess, such as the solution of a problem nearby. Only where it is positive
        counts; it changes the time, not the solution.

    Returns
    -------
    array, shape (n_components, n_columns)
        float32 if B is, else float64. Columns that depend on others make solutions
        many; then it is one of them.

    Raises
    ------
    ParameterError
        If shapes do not fit or a number is not finite.
    """
    A, B = matrix("A", A), matrix("B", B)
    if len(A) != len(B):
        raise ParameterError(
            f"A and B need as many rows, got shapes {A.shape} and {B.shape}"
        )
    _check_finite("A", A)
    _check_finite("B", B)
    shape = A.shape[1], B.shape[1]
    free = _by_column("support", support, shape)
    guess = None if start is None else np.asarray(start) > 0
    passive = _by_column("start", guess, shape)
    with workers(threads) as mapper, flush_to_zero():
        return solve_columns_of(A, B, free, passive, mapper, warm=start is not None)


def solve_columns_of(
    A: Array,
    B: Array,
    free: Booleans,
    passive: Booleans,
    mapper: Mapper,
    *,
    warm: bool = False,
) -> Array:
    """What `nnls` returns, of matrices known to fit; masks have a row a column of B."""
    X = np.empty(free.shape, B.dtype)
    A = A.astype(np.float64)
    problem = _Problem.of(_product(A.T, A))

    def solve(piece: slice) -> None:
        columns = np.array(B.T[piece], np.float64, order="C")
        own = _product(columns, A), free[piece], passive[piece]
        X[piece] = problem.solve(*own, warm=warm)

    mapper(solve, cut(slice(0, len(X)), PIECE))
    return np.ascontiguousarray(X.T)


def solve_normal(
    gram: ArrayLike,
    products: ArrayLike,
    *,
    mapper: Mapper,
    passive: ArrayLike | None = None,
) -> tuple[Doubles, Booleans]:
    """The X >= 0 that minimises ||B - A X||, from AᵀA and AᵀB, and where it may grow.

    A column x and its gradient y = AᵀA x - AᵀB are non-negative, and x is zero
    wherever y is not: y_i >= -1e-12 ||a_i|| max_j |a_jᵀb| / ||a_j||, and where x_i > 0
    it is zero up to rounding. A component whose angle to the span of others is below
    3e-7 may be left at zero, with a gradient of at most that share of ||a_i|| ||b||.

    A column begins at its own ``passive``, as returned for a problem nearby, else at
    its neighbour's. If that is right already, it costs one Cholesky factorisation, or
    none if its neighbour has the same.

    Returns
    -------
    X : array of float64, shape (n_components, n_columns), Fortran order
        The solutions.
    passive : array of bool, like X
        Where x_i was free to grow. It is zero elsewhere; there, x is the solution
        of least squares without bounds, and equal components are in it once.

    Raises
    ------
    ParameterError
        If shapes do not fit or a number is not finite.

    Notes
    -----
    Block principal pivoting exchanges all infeasible components at once until there
    is none. It may cycle. Where Kim and Park then exchange one at a time, by index,
    which ends but may take very long, components here enter the set reached so far
    one by one, the steepest first, so that the cost falls with each: Lawson and
    Hanson's method as Bro and de Jong start it. Rounding might keep even that from
    ending: after 10 n_components solves the point reached is returned, which is
    non-negative and no worse than zero.

    References
    ----------
    Kim and Park 2011 (docs/theory.md), section 4; Lawson and Hanson, "Solving least
    squares problems", 1974, chapter 23; Bro and de Jong, "A fast non-negativity-
    constrained least squares algorithm", J. Chemometrics 11, 1997.
    """
    G = np.asarray(gram, np.float64)
    C = np.asarray(products, np.float64)
    if C.ndim != 2 or 0 in C.shape or G.shape != (len(C), len(C)):
        raise ParameterError(
            "gram must be (n_components, n_components) and products (n_components, "
            f"n_columns), got shapes {G.shape} and {C.shape}"
        )
    problem = _Problem.of(G)
    free = np.ones(C.T.shape, bool)
    own = _by_column("passive", passive, C.shape)

    def solve(piece: slice) -> Doubles:
        parts = C.T[piece], free[piece], own[piece]
        return problem.solve(*parts, warm=passive is not None)

    X = np.concatenate(mapper(solve, cut(slice(0, C.shape[1]), PIECE)))
    return X.T, own.T


def solve_supports_of(
    gram: Doubles, products: Doubles, passive: Booleans, *, mapper: Mapper
) -> Doubles:
    """The X of any sign that minimises ||B - A X|| and is zero off ``passive``.

    Of AᵀA, of AᵀB or what else stands in its place, and of what `solve_normal` returns:
    on it, no component depends on others. X is in Fortran order.
    """
    problem = _Problem.of(gram)

    def solve(piece: slice) -> Doubles:
        return problem.solve_supports(products.T[piece], passive.T[piece])

    X = np.concatenate(mapper(solve, cut(slice(0, products.shape[1]), PIECE)))
    return X.T


@dataclass(frozen=True)
class _Problem:
    """What all columns share: AᵀA with a diagonal of ones, and each component's scale.

    Scaled so, tolerances mean the same for loud components and soft ones.
    """

    gram: Doubles
    scale: Doubles

    @classmethod
    def of(cls, gram: Doubles) -> _Problem:
        """Scale AᵀA; zero columns of A stay zero."""
        _check_finite("A", gram)
        norms = np.sqrt(np.maximum(np.diagonal(gram), 0))
        scale = np.divide(1, norms, out=np.zeros_like(norms), where=norms > 0)
        return cls(gram * scale * scale[:, np.newaxis], scale)

    def solve(
        self, products: Doubles, free: Booleans, passive: Booleans, *, warm: bool
    ) -> Doubles:
        """Return the solutions for rows of products; leave their sets in passive."""
        C = self._scaled(products)
        X = np.empty_like(C)
        solve_columns(self.gram, C, free, passive, warm, self._room(), X)
        X *= self.scale
        return X

    def solve_supports(self, products: Doubles, passive: Booleans) -> Doubles:
        """Return the minimisers for rows of products that are zero off their sets."""
        C = self._scaled(products)
        X = np.empty_like(C)
        solve_supports(self.gram, C, passive.copy(), self._room(), X)
        X *= self.scale
        return X

    def _scaled(self, products: Doubles) -> Doubles:
        _check_finite("B", products)
        return np.multiply(products, self.scale, order="C")

    def _room(self) -> tuple[Doubles, NDArray[np.intp], Doubles]:
        """What the kernels work in."""
        k = len(self.scale)
        return np.empty((k, k)), np.full(k, -1), np.empty((6, k))


def _product(A: Array, B: Array) -> Doubles:
    """A B of finite matrices; what of it is not finite is left for a check to name."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(A @ B, np.float64)


def _by_column(name: str, mask: ArrayLike | None, shape: tuple[int, ...]) -> Booleans:
    """Return a copy of a mask, (n_columns, n_components); true where there is none."""
    array = np.ones(shape, bool) if mask is None else array_of(name, mask)
    if array.dtype != np.bool_ or array.shape != shape:
        raise ParameterError(
            f"{name} must be of shape {shape}, one entry for each component and column "
            f"of X, got {array.dtype} of shape {array.shape}"
        )
    return np.array(array.T, order="C")


def _check_finite(name: str, products: Array) -> None:
    if not np.isfinite(products).all():
        raise ParameterError(
            f"{name} must be finite, and so must its products with A; scale it down, "
            "or set what is missing to zero"
        )
