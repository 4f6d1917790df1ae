"""The toy data of the layers: nine topics in four, in two (Haddock et al. 2019).

Blocks and noise are those of the data in the repository of NeuralNMF.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

#: Rows and columns of each topic's block on the diagonal.
ROWS = (10, 5, 10, 12, 13, 4, 11, 8, 14)
COLUMNS = (10, 10, 5, 7, 5, 20, 10, 9, 14)

#: What each topic belongs to: itself, one of four, one of two.
LEVELS = (
    np.arange(9),
    np.array([0, 0, 1, 1, 2, 2, 3, 3, 3]),
    np.array([0, 0, 0, 0, 1, 1, 1, 1, 1]),
)

#: What X is where row and column belong to the same, by level; and less than what
#: noise adds everywhere.
HEIGHTS = (4.0, 2.0, 1.0)
NOISE = 0.15

#: The ranks of one, two and three layers are the first so many.
RANKS = (9, 4, 2)

#: How many of the 90 columns are labelled in semi-supervision.
LABELLED = 40


class Toy(NamedTuple):
    """X, what each column is of at each level, and whose labels are known."""

    X: Doubles
    labels: tuple[NDArray[np.intp], ...]
    known: NDArray[np.bool_]


def toy(seed: int) -> Toy:
    """Return the data of a seed: 87 x 90, labels (90,) for each number of layers."""
    rng = np.random.default_rng(seed)
    rows, columns = (np.repeat(np.arange(9), sizes) for sizes in (ROWS, COLUMNS))
    blocks = np.max(
        [
            height * np.equal.outer(level[rows], level[columns])
            for height, level in zip(HEIGHTS, LEVELS, strict=True)
        ],
        axis=0,
    )
    X = blocks + rng.uniform(0, NOISE, blocks.shape)
    return Toy(X, tuple(level[columns] for level in LEVELS), _known(columns, rng))


def _known(topics: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Choose columns at random, again until there is one of each topic."""
    while True:
        known = rng.permutation(len(topics)) < LABELLED
        if len(np.unique(topics[known])) == len(ROWS):
            return known


def one_hot(labels: NDArray[np.intp]) -> Doubles:
    """Return Y, shape (n_classes, n_columns)."""
    return np.equal.outer(np.arange(labels.max() + 1), labels).astype(np.float64)


def floor(X: Doubles, rank: int) -> float:
    """Return the relative error that no product of that rank can beat: the SVD's."""
    squares = np.linalg.svd(X, compute_uv=False) ** 2
    return float(np.sqrt(squares[rank:].sum() / squares.sum()))


def error(X: Doubles, model: Doubles) -> float:
    """Return ||X - model|| / ||X||."""
    return float(np.linalg.norm(X - model) / np.linalg.norm(X))


def accuracy(scores: Doubles, labels: NDArray[np.intp]) -> float:
    """Return the share of columns whose highest score is their class's."""
    return float(np.mean(scores.argmax(axis=0) == labels))


def least_squares_accuracy(S: Doubles, labels: NDArray[np.intp]) -> float:
    """Return what the best linear classifier of S reaches: for those without labels."""
    scores = one_hot(labels) @ np.linalg.pinv(S) @ S
    return accuracy(scores, labels)
