"""Network: the templates of all layers as one vector, for a descent to move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from specnmf.factor.layers.descent import Function
from specnmf.factor.layers.labels import Labels
from specnmf.factor.layers.model import Layers
from specnmf.factor.layers.objective import Objective
from specnmf.factor.layers.projection import Doubles
from specnmf.factor.layers.supervision import Supervision
from specnmf.parallel import Mapper, cut


@dataclass(frozen=True, eq=False)
class Costs:
    """What is minimised, of whatever columns.

    Parameters
    ----------
    loss, label_loss : str
        Keys of `objective.DATA_TERMS` and of `supervision.TERMS`.
    label_weight : float
        How much the label term counts.
    mapper : callable
        From `specnmf.parallel.workers`.
    """

    loss: str
    label_loss: str
    label_weight: float
    mapper: Mapper

    def of(self, X: NDArray[np.floating], labels: Labels | None) -> Objective:
        """The cost for some columns, with their labels if they have any."""
        said = None if labels is None else self.supervision(labels)
        return Objective(X, said, loss=self.loss, mapper=self.mapper)

    def supervision(self, labels: Labels) -> Supervision:
        """The term of some labels."""
        return Supervision(
            labels, weight=self.label_weight, loss=self.label_loss, mapper=self.mapper
        )


@dataclass(frozen=True, eq=False)
class Network:
    """The data, and how templates A, and B if it is free, lie in one vector.

    The vector's templates are those of unit norm times any scale, along which no cost
    changes: descents need not mind the norm. Its B is that for an X as loud as one
    on average: steps that suit A suit it, too.

    Parameters
    ----------
    X : array, shape (n_rows, n_columns)
        The data.
    labels : Labels or None
        Those of the columns.
    shapes : sequence of pair of int
        Of each A.
    costs : Costs
        What is minimised.
    with_B : bool
        Whether the vector has a B, or the best one is meant, if there are labels.
    """

    X: NDArray[np.floating]
    labels: Labels | None
    shapes: Sequence[tuple[int, int]]
    costs: Costs
    with_B: bool

    @cached_property
    def loudness(self) -> float:
        """The root mean square of X; 1 for zeros."""
        return (
            float(np.sqrt(self.costs.of(self.X, None).data.square / self.X.size)) or 1.0
        )

    def function(self) -> Function:
        """The cost of a vector, and its gradient."""
        return self._function(self.X, self.labels)

    def batches(self, size: int, rng: np.random.Generator) -> list[Function]:
        """The same for parts of the columns, which are drawn anew each time."""
        order = rng.permutation(self.X.shape[1])
        parts = [np.sort(order[part]) for part in cut(slice(0, len(order)), size)]
        labels = [self.labels and self.labels.take(columns) for columns in parts]
        return [
            self._function(self.X[:, columns], own)
            for columns, own in zip(parts, labels, strict=True)
        ]

    def start(self, given: Layers | None, rng: np.random.Generator) -> Doubles:
        """A vector to start from: at random where nothing is given."""
        A = [1 - rng.random(shape) for shape in self.shapes]
        if given is not None:
            A = [np.asarray(a, np.float64) for a in given.A]
        if self.labels is None or not self.with_B:
            return _pack(A)
        S = self._activations([_unit(a)[0] for a in A])
        B = self.costs.supervision(self.labels).best(S[-1])
        return _pack([*A, B * self.loudness])

    def layers(self, point: Doubles, losses: Sequence[float]) -> Layers:
        """What a vector stands for."""
        A, B = self._unpack(point)
        A, dtype = [_unit(a)[0] for a in A], self.X.dtype
        S = self._activations(A)
        if self.labels is not None and B is None:
            B = self.costs.supervision(self.labels).best(S[-1])
        return Layers(
            [a.astype(dtype) for a in A],
            [np.ascontiguousarray(s, dtype) for s in S],
            None if B is None else B.astype(dtype),
            np.array(losses),
        )

    def _activations(self, A: Sequence[Doubles]) -> list[Doubles]:
        return [layer.S for layer in self.costs.of(self.X, None).forward(A)]

    def _function(self, X: NDArray[np.floating], labels: Labels | None) -> Function:
        objective = self.costs.of(X, labels)

        def function(point: Doubles) -> tuple[float, Doubles]:
            A, B = self._unpack(point)
            units, norms = zip(*map(_unit, A), strict=True)
            cost, dA, dB = objective(list(units), B)
            slopes = [
                (slope - unit * np.einsum("fk,fk->k", unit, slope)) / norm
                for unit, norm, slope in zip(units, norms, dA, strict=True)
            ]
            if dB is not None and B is not None:
                slopes.append(dB / self.loudness)
            return cost, _pack(slopes)

        return function

    def _unpack(self, point: Doubles) -> tuple[list[Doubles], Doubles | None]:
        A, first = [], 0
        for n_rows, rank in self.shapes:
            A.append(point[first : first + n_rows * rank].reshape(n_rows, rank))
            first += n_rows * rank
        B = point[first:].reshape(-1, A[-1].shape[1])
        return A, B / self.loudness if len(B) else None


def _pack(matrices: Sequence[Doubles]) -> Doubles:
    return np.concatenate([matrix.ravel() for matrix in matrices])


def _unit(A: Doubles) -> tuple[Doubles, Doubles]:
    """The columns of A at unit norm, and their norms; 1 for empty ones."""
    norms = np.linalg.norm(A, axis=0)
    norms[norms == 0] = 1
    return A / norms, norms
