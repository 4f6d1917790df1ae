"""Layers: the result of all factorisations in layers or with labels."""

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
    """Factors with ``X ≈ A[0] @ A[1] @ … @ A[L] @ S[L]``.

    With labels Y, also ``Y ≈ B @ S[L]``.

    Attributes
    ----------
    A : list of array, shapes (n_rows, r_0), (r_0, r_1), ..., (r_L-1, r_L)
        The components of each layer, as mixtures of those of the layer below.
    S : list of array, shapes (r_0, n_columns), ..., (r_L, n_columns)
        The activations of each layer.
    B : array, shape (n_classes, r_L), or None
        How strongly each component of the last layer indicates each label.
    losses : array of float64, shape (n_iterations,)
        The cost after each iteration; it never rises.

    Raises
    ------
    ParameterError
        If the shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> A = [np.array([[1.0, 0], [1, 0], [0, 2]]), np.array([[1.0], [1.0]])]
    >>> S = [np.array([[1.0, 2], [1, 2]]), np.array([[1.0, 2]])]
    >>> layers = specnmf.Layers(A, S)
    >>> layers.ranks
    (2, 1)
    >>> layers.templates()  # of the last layer, as columns of X
    array([[1.],
           [1.],
           [2.]])
    >>> layers.product()
    array([[1., 2.],
           [1., 2.],
           [2., 4.]])
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
                "each A must have as many columns as its S and the next A have rows, "
                f"and B as many as the last S has rows, got A {A}, S {S}, "
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
        """The components of a layer as columns of X: ``A[0] @ … @ A[layer]``."""
        last = range(len(self.A))[layer]
        return reduce(np.matmul, self.A[: last + 1])

    def product(self) -> Array:
        """The model of X: ``A[0] @ … @ A[L] @ S[L]``."""
        return self.templates() @ self.S[-1]

    def error(self, X: ArrayLike) -> float:
        """The relative error ``||X - A[0] … A[L] S[L]|| / ||X||``, Frobenius norms.

        If both are zero, the error is 0.

        Raises
        ------
        ParameterError
            If X is not finite.
        """
        X = finite("X", X)
        missed = np.linalg.norm(X - self.product())
        return float(missed / (np.linalg.norm(X) or 1))

    def unit_columns(self) -> Layers:
        """The same products, with the columns of every A at unit norm, or zero."""
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
        """The model of the labels, ``B @ S[L]``, shape (n_classes, n_columns).

        Raises
        ------
        ParameterError
            If there were no labels.
        """
        if self.B is None:
            raise ParameterError(
                "predictions need labels, and the factorisation had none"
            )
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
    """The number of components of each layer; a single number means a single layer.

    Raises
    ------
    ParameterError
        If they are not numbers of components, or there are none.
    """
    numbers = np.atleast_1d(np.asarray(ranks))
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise ParameterError(
            "ranks must be the number of components of each layer, such as [32, 8, 3], "
            f"got {ranks!r}"
        )
    for rank in numbers.tolist():
        check_at_least("rank", rank, 1)
    return tuple(numbers.tolist())
