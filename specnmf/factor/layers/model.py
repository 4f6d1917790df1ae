"""Layers: what every factorisation in layers, and every one with labels, returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.checks import check_at_least
from specnmf.errors import ParameterError
from specnmf.factor.matrices import Array, finite
from specnmf.notation import counted


@dataclass(frozen=True, eq=False)
class Layers:
    """X ≈ A[0] @ A[1] @ ... @ A[L] @ S[L], and, with labels, Y ≈ B @ S[L].

    Attributes
    ----------
    A : list of array, shapes (n_rows, r_0), (r_0, r_1), ..., (r_L-1, r_L)
        What each layer's components are made of: those of the layer below.
    S : list of array, shapes (r_0, n_columns), ..., (r_L, n_columns)
        Each layer's representation of the columns of X.
    B : array, shape (n_classes, r_L), or None
        What each component of the last layer says of the labels.
    losses : array of float64, shape (n_iterations,)
        The cost after each iteration; it never rises.

    Raises
    ------
    ParameterError
        If the shapes do not fit.
    """

    A: list[Array]
    S: list[Array]
    B: Array | None = None
    losses: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        ranks = [len(s) for s in self.S]
        fit = (
            len(self.A) == len(self.S) > 0
            and [a.shape[1] for a in self.A] == ranks
            and [len(a) for a in self.A[1:]] == ranks[:-1]
            and len({s.shape[1] for s in self.S}) == 1
            and (self.B is None or self.B.shape[1] == ranks[-1])
        )
        if not fit:
            A, S = ([part.shape for part in parts] for parts in (self.A, self.S))
            raise ParameterError(
                "each A must end with the rank that its S and the next A begin with, "
                f"and B too, got A {A}, S {S}, "
                f"B {None if self.B is None else self.B.shape}"
            )

    def __repr__(self) -> str:
        """One line without the numbers."""
        columns = self.S[0].shape[1]
        labels = f", {counted(len(self.B), 'label')}" if self.B is not None else ""
        return (
            f"Layers(ranks {', '.join(map(str, self.ranks))}, {len(self.A[0])} rows, "
            f"{columns} columns{labels}, {counted(len(self.losses), 'iteration')})"
        )

    @property
    def ranks(self) -> tuple[int, ...]:
        """The number of components of each layer."""
        return tuple(len(s) for s in self.S)

    def templates(self, layer: int = -1) -> Array:
        """A[0] @ ... @ A[layer]: a layer's components as columns of X would be."""
        last = range(len(self.A))[layer]
        return reduce(np.matmul, self.A[: last + 1])

    def product(self) -> Array:
        """A[0] @ ... @ A[L] @ S[L], the model of X."""
        return self.templates() @ self.S[-1]

    def error(self, X: ArrayLike) -> float:
        """||X - A[0] ... A[L] S[L]|| / ||X||, Frobenius norms; of zeros, 0 / 0 is 0.

        Raises
        ------
        ParameterError
            If X is not finite.
        """
        X = finite("X", X)
        missed = np.linalg.norm(X - self.product())
        return float(missed / (np.linalg.norm(X) or 1))

    def unit_columns(self) -> Layers:
        """The same products, with columns of every A of unit norm, or zero."""
        A: list[Array] = []
        S: list[Array] = []
        scale = np.ones(self.A[0].shape[0], self.A[0].dtype)
        for a, s in zip(self.A, self.S, strict=True):
            a = a * scale[:, np.newaxis]
            # In double precision, as squares may underflow.
            norms = np.linalg.norm(a.astype(np.float64), axis=0)
            scale = np.where(norms > 0, norms, 1).astype(a.dtype)
            A.append(a / scale)
            S.append(s * scale[:, np.newaxis])
        B = None if self.B is None else self.B / scale
        return replace(self, A=A, S=S, B=B)

    def predictions(self) -> Array:
        """B @ S[L], the model of the labels, shape (n_classes, n_columns).

        Raises
        ------
        ParameterError
            If there were no labels.
        """
        if self.B is None:
            raise ParameterError("predictions need labels, and there were none")
        product: Array = self.B @ self.S[-1]
        return product

    def classes(self) -> NDArray[np.intp]:
        """The strongest class of each column, shape (n_columns,).

        Raises
        ------
        ParameterError
            If there were no labels.
        """
        strongest: NDArray[np.intp] = np.argmax(self.predictions(), axis=0)
        return strongest


def parse_ranks(ranks: int | Sequence[int]) -> tuple[int, ...]:
    """The number of components of each layer; a single one is that of a single layer.

    Raises
    ------
    ParameterError
        If they are no numbers of components, or none.
    """
    numbers = np.atleast_1d(np.asarray(ranks))
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise ParameterError(
            "ranks are whole numbers of components, one a layer, such as [32, 8, 3], "
            f"got {ranks!r}"
        )
    for rank in numbers.tolist():
        check_at_least("rank", rank, 1)
    return tuple(numbers.tolist())
