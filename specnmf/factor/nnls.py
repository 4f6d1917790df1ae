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
    """The X >= 0 that minimises ||B - A X||, up to rounding.

    Everything is computed in double precision, because the Gram matrix squares the
    condition number of A. `solve_normal` states the properties of a solution.

    Parameters
    ----------
    A, B : array, shapes (n_rows, n_components) and (n_rows, n_columns)
        Any finite numbers; columns of A may be zero, equal or more than the rows.
    support : array of bool, shape (n_components, n_columns), optional
        The entries that may be nonzero.
    start : array, shape (n_components, n_columns), optional
        A guess, such as the solution of a similar problem. Only the places of its
        positive entries matter; they change the time, not the solution.

    Returns
    -------
    array, shape (n_components, n_columns)
        float32 if B is, otherwise float64. If columns of A depend on each other, there
        are several solutions, and one of them is returned.

    Raises
    ------
    ParameterError
        If shapes do not fit or a number is not finite.
    """
    A, B = matrix("A", A), matrix("B", B)
    if len(A) != len(B):
        raise ParameterError(
            "A and B must have the same number of rows, "
            f"got shapes {A.shape} and {B.shape}"
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
    """The result of `nnls` for matrices that fit; masks have a row per column of B."""
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

    A column x and its gradient y = AᵀA x - AᵀB are non-negative, and x is zero wherever
    y is not: y_i >= -1e-12 ||a_i|| max_j |a_jᵀb| / ||a_j||, and where x_i > 0 it is
    zero up to rounding. A component whose angle to the span of others is below 3e-7 may
    stay zero, with a gradient of at most that fraction of ||a_i|| ||b||.

    A column starts from its own ``passive``, as returned for a similar problem,
    otherwise from that of its neighbour. If the set is already right, the column costs
    one Cholesky factorisation, or none if its neighbour has the same set.

    Returns
    -------
    X : array of float64, shape (n_components, n_columns), Fortran order
        The solutions.
    passive : array of bool, like X
        Where x_i was free to grow. X is zero elsewhere; on this set, x solves least
        squares without bounds, and of equal components only one is in it.

    Raises
    ------
    ParameterError
        If shapes do not fit or a number is not finite.

    Notes
    -----
    Block principal pivoting exchanges all infeasible components at once until there are
    none. It may cycle. Kim and Park then exchange one at a time, by index, which ends
    but may take very long. Here, components then enter the set reached so far one by
    one, the steepest first, so the cost falls with each: this is Lawson and Hanson's
    method as Bro and de Jong start it. Rounding might prevent even that from ending:
    after 10 n_components solves the current point is returned, which is non-negative
    and no worse than zero.

    References
    ----------
    Kim and Park, "Fast nonnegative matrix factorization: an active-set-like method and
    comparisons", SIAM J. Scientific Computing 33(6), 2011, section 4; Lawson and
    Hanson, "Solving least squares problems", 1974, chapter 23; Bro and de Jong, "A fast
    non-negativity-constrained least squares algorithm", J. Chemometrics 11, 1997.
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

    It is computed from AᵀA, from AᵀB or what replaces it, and from the set that
    `solve_normal` returns: on that set, no component depends on others. X is in Fortran
    order.
    """
    problem = _Problem.of(gram)

    def solve(piece: slice) -> Doubles:
        return problem.solve_supports(products.T[piece], passive.T[piece])

    X = np.concatenate(mapper(solve, cut(slice(0, products.shape[1]), PIECE)))
    return X.T


@dataclass(frozen=True)
class _Problem:
    """The part that all columns share: AᵀA scaled to a unit diagonal, and the scales.

    With this scaling, tolerances mean the same for loud and soft components.
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
        """Return the solutions for rows of products; write the sets to ``passive``."""
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
        """The work arrays of the kernels."""
        k = len(self.scale)
        return np.empty((k, k)), np.full(k, -1), np.empty((6, k))


def _product(A: Array, B: Array) -> Doubles:
    """A B of finite matrices; a check names a product that is not finite."""
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
            "or set missing entries to zero"
        )
