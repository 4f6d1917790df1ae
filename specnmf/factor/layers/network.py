"""Network: the templates of all layers as one vector, for a descent to move."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from specnmf.factor.layers.labels import Labels
from specnmf.factor.layers.model import Layers
from specnmf.factor.layers.objective import Objective
from specnmf.factor.layers.options import NeuralFit
from specnmf.factor.layers.supervision import Supervision
from specnmf.factor.matrices import Doubles
from specnmf.parallel import Mapper


class Network:
    """The cost of a vector that holds templates A, and B if it is free.

    The vector's templates are those of unit norm times any scale, along which no cost
    changes: descents need not mind the norm. Its B is that for an X as loud as one
    on average: steps that suit A suit it, too. Where the label term is of squares the
    best B follows from S, and the vector has none. ``shapes`` are those of each A.
    """

    def __init__(
        self,
        X: NDArray[np.floating],
        labels: Labels | None,
        shapes: Sequence[tuple[int, int]],
        options: NeuralFit,
        mapper: Mapper,
    ) -> None:
        self.shapes, self.dtype = shapes, X.dtype
        said = None
        if labels is not None:
            weight, loss = options.label_weight, options.label_loss
            said = Supervision(labels, weight, loss, mapper)
        self.supervision, self.frees_B = said, options.label_loss != "l2"
        self.objective = Objective(X, said, loss=options.loss, mapper=mapper)

    @cached_property
    def loudness(self) -> float:
        """The root mean square of X; 1 for zeros."""
        data = self.objective.data
        return float(np.sqrt(data.square / data.X.size)) or 1.0

    def __call__(self, point: Doubles) -> tuple[float, Doubles]:
        """The cost of a vector, and its gradient."""
        A, B = self._unpack(point)
        units, norms = zip(*map(_unit, A), strict=True)
        cost, dA, dB = self.objective(list(units), B)
        slopes = [
            (slope - unit * np.einsum("fk,fk->k", unit, slope)) / norm
            for unit, norm, slope in zip(units, norms, dA, strict=True)
        ]
        if dB is not None and B is not None:
            slopes.append(dB / self.loudness)
        return cost, _pack(slopes)

    def start(self, A: Sequence[Doubles]) -> Doubles:
        """The vector of some templates, with the best B for them."""
        if self.supervision is None or not self.frees_B:
            return _pack(A)
        S = self.objective.activations([_unit(a)[0] for a in A])
        return _pack([*A, self.supervision.best(S[-1]) * self.loudness])

    def layers(self, point: Doubles, losses: Sequence[float]) -> Layers:
        """What a vector stands for."""
        A, B = self._unpack(point)
        A = [_unit(a)[0] for a in A]
        S = self.objective.activations(A)
        if self.supervision is not None and B is None:
            B = self.supervision.best(S[-1])
        return Layers(
            [a.astype(self.dtype) for a in A],
            [np.ascontiguousarray(s, self.dtype) for s in S],
            None if B is None else B.astype(self.dtype),
            np.array(losses),
        )

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
