"""What neural NMF minimises, and its exact gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from specnmf.factor.layers.projection import Projection
from specnmf.factor.layers.supervision import Supervision
from specnmf.factor.matrices import Array, Booleans, Doubles
from specnmf.parallel import Mapper, cut

#: Columns, or rows, of X that are in double precision at a time, a thread; and of such
#: rows the columns.
PIECE, LENGTH = 256, 4096


class Data:
    """X in any precision, of which no more than products with it is ever asked.

    Those are in double precision, computed a piece of X at a time.
    """

    def __init__(self, X: Array, mapper: Mapper) -> None:
        self.X, self.mapper = X, mapper
        #: ||X||².
        self.square = float(sum(mapper(self._square, self._cut(1))))

    def under(self, A: Doubles) -> Doubles:
        """AᵀX, shape (n_components, n_columns)."""
        out = np.empty((A.shape[1], self.X.shape[1]))

        def multiply(piece: slice) -> None:
            np.matmul(A.T, self._columns(piece), out=out[:, piece])

        self.mapper(multiply, self._cut(1))
        return out

    def times(self, M: Doubles) -> Doubles:
        """X Mᵀ, shape (n_rows, n_components)."""
        out = np.empty((len(self.X), len(M)))

        def multiply(piece: slice) -> None:
            parts = (
                self.X[piece, columns].astype(np.float64, copy=False) @ M[:, columns].T
                for columns in cut(slice(0, self.X.shape[1]), LENGTH)
            )
            out[piece] = sum(parts)

        self.mapper(multiply, self._cut(0))
        return out

    def _square(self, piece: slice) -> float:
        columns = self._columns(piece)
        return float(np.vdot(columns, columns))

    def _columns(self, piece: slice) -> Doubles:
        return self.X[:, piece].astype(np.float64, copy=False)

    def _cut(self, axis: int) -> list[slice]:
        return list(cut(slice(0, self.X.shape[axis]), PIECE))


@dataclass(eq=False)
class Slopes:
    """The derivatives of a cost, as far as they are known yet."""

    A: list[Doubles]  # in each layer's A but the first
    S: list[Doubles]  # in each layer's S
    gram: Doubles  # in A[0]ᵀA[0]: by this and A[0]ᵀX alone, the first layer knows X
    products: Doubles  # in A[0]ᵀX


#: Adds a term's derivatives to the slopes; returns its cost.
DataTerm = Callable[[float, list[Doubles], list[Projection], Slopes], float]


def energy(
    square: float, A: list[Doubles], layers: list[Projection], slopes: Slopes
) -> float:
    """The sum over the layers of ||S[l-1] - A[l] S[l]||² / 2, S[-1] being X."""
    cost = _first_residual(square, layers[0], layers[0].S, slopes)
    for below, (a, own) in enumerate(zip(A[1:], layers[1:], strict=True)):
        rest = layers[below].S - a @ own.S
        cost += float(np.vdot(rest, rest)) / 2
        slopes.S[below] += rest
        slopes.A[below + 1] -= rest @ own.S.T
    return cost  # its slope in the own S is zero on the support


def reconstruction(
    square: float, A: list[Doubles], layers: list[Projection], slopes: Slopes
) -> float:
    """||X - A[0] ... A[L] S[L]||² / 2."""
    S = layers[-1].S
    T = reduce(np.matmul, A[1:], np.eye(A[0].shape[1]))
    Z = T @ S
    cost = _first_residual(square, layers[0], Z, slopes)
    dZ = layers[0].gram @ Z - layers[0].products
    slopes.S[-1] += T.T @ dZ
    dT = dZ @ S.T
    left = np.eye(A[0].shape[1])
    for layer in range(1, len(A)):
        right = reduce(np.matmul, A[layer + 1 :], np.eye(A[layer].shape[1]))
        slopes.A[layer] += left.T @ dT @ right.T
        left = left @ A[layer]
    return cost


def _first_residual(square: float, first: Projection, Z: Doubles, to: Slopes) -> float:
    """||X - A[0] Z||² / 2 for a Z that is given; to ``to`` its slopes in A[0]."""
    ZZ = Z @ Z.T
    to.gram += ZZ / 2
    to.products -= Z
    squares = square - 2 * np.vdot(first.products, Z) + np.vdot(first.gram, ZZ)
    return max(0.0, float(squares)) / 2


DATA_TERMS: dict[str, DataTerm] = {"energy": energy, "reconstruction": reconstruction}


class Objective:
    """The cost of templates A, and of B: S[l] = q(S[l-1], A[l]) follows from them.

    ``loss`` names the data term in DATA_TERMS. Each evaluation starts from the supports
    of the last, which few columns leave.
    """

    def __init__(
        self, X: Array, supervision: Supervision | None, *, loss: str, mapper: Mapper
    ) -> None:
        self.data, self.supervision, self.mapper = Data(X, mapper), supervision, mapper
        self.data_term = DATA_TERMS[loss]
        self.supports: list[Booleans | None] = []

    def forward(self, A: Sequence[Doubles]) -> list[Projection]:
        """The projections of all layers."""
        supports = self.supports or [None] * len(A)
        layers: list[Projection] = []
        for a, support in zip(A, supports, strict=True):
            products = a.T @ layers[-1].S if layers else self.data.under(a)
            layers.append(Projection.of(a.T @ a, products, self.mapper, support))
        self.supports = [layer.passive for layer in layers]
        return layers

    def activations(self, A: Sequence[Doubles]) -> list[Doubles]:
        """S of all layers, whatever was evaluated before."""
        self.supports = []
        return [layer.S for layer in self.forward(A)]

    def __call__(
        self, A: list[Doubles], B: Doubles | None
    ) -> tuple[float, list[Doubles], Doubles | None]:
        """The cost, and its derivatives in each A and in B.

        Without a B it is the best one, with which the cost of squares does not change.
        """
        layers = self.forward(A)
        slopes = Slopes(
            [np.zeros_like(a) for a in A],
            [np.zeros_like(layer.S) for layer in layers],
            np.zeros_like(layers[0].gram),
            np.zeros_like(layers[0].products),
        )
        cost, dB = self.data_term(self.data.square, A, layers, slopes), None
        if self.supervision is not None:
            S = layers[-1].S
            B = self.supervision.best(S) if B is None else B
            said, dB, dS = self.supervision(B, S)
            cost += said
            slopes.S[-1] += dS
        return cost, self._backward(A, layers, slopes), dB

    def _backward(
        self, A: list[Doubles], layers: list[Projection], slopes: Slopes
    ) -> list[Doubles]:
        """The derivative in each A, from what is known of it and from that in S."""
        for layer in range(len(A) - 1, 0, -1):
            d_gram, d_products = layers[layer].pull_back(slopes.S[layer], self.mapper)
            a, below = A[layer], layers[layer - 1].S
            slopes.A[layer] += below @ d_products.T + 2 * a @ d_gram
            slopes.S[layer - 1] += a @ d_products
        d_gram, d_products = layers[0].pull_back(slopes.S[0], self.mapper)
        products = self.data.times(slopes.products + d_products)
        return [products + 2 * A[0] @ (slopes.gram + d_gram), *slopes.A[1:]]
