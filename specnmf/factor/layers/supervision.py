"""What labels add to the cost of neural NMF."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from specnmf.factor.layers.labels import Labels
from specnmf.factor.matrices import Doubles
from specnmf.factor.nnls import solve_normal
from specnmf.parallel import Mapper

#: ``term(labels, B, S)``: its cost, and its derivatives in B and in S.
LabelTerm = Callable[[Labels, Doubles, Doubles], tuple[float, Doubles, Doubles]]


def squares(labels: Labels, B: Doubles, S: Doubles) -> tuple[float, Doubles, Doubles]:
    """||L ⊙ (Y - B S)||² / 2."""
    rest = labels.known * (B @ S - labels.Y)
    return float(np.vdot(rest, rest)) / 2, rest @ S.T, B.T @ rest


def cross_entropy(
    labels: Labels, B: Doubles, S: Doubles
) -> tuple[float, Doubles, Doubles]:
    """-sum Y log softmax(B S), over columns whose labels are all known."""
    Y = labels.Y * labels.known.all(axis=0)
    logits = B @ S
    logits -= logits.max(axis=0)
    logs = logits - np.log(np.exp(logits).sum(axis=0))
    rest = np.exp(logs) * Y.sum(axis=0) - Y
    return -float(np.vdot(Y, logs)), rest @ S.T, B.T @ rest


TERMS: dict[str, LabelTerm] = {"l2": squares, "cross-entropy": cross_entropy}


@dataclass(frozen=True, eq=False)
class Supervision:
    """A label term, which ``loss`` names in TERMS, with its weight."""

    labels: Labels
    weight: float
    loss: str
    mapper: Mapper

    def __call__(self, B: Doubles, S: Doubles) -> tuple[float, Doubles, Doubles]:
        """The cost, and its derivatives in B and in S."""
        cost, dB, dS = TERMS[self.loss](self.labels, B, S)
        return self.weight * cost, self.weight * dB, self.weight * dS

    def best(self, S: Doubles) -> Doubles:
        """The B >= 0 that minimises ||L ⊙ (Y - B S)||."""
        return label_templates(self.labels, S, mapper=self.mapper)


def label_templates(labels: Labels, S: Doubles, *, mapper: Mapper) -> Doubles:
    """The B >= 0 that minimises ||L ⊙ (Y - B S)||, shape (n_classes, n_components)."""
    B = np.empty((len(labels.Y), len(S)))
    for classes, columns in labels.alike:
        known = S[:, columns]
        products = known @ labels.Y[np.ix_(classes, columns)].T
        B[classes] = solve_normal(known @ known.T, products, mapper=mapper)[0].T
    return B
