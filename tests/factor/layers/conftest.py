"""The toy data of the layers: nine topics in four, in two (Haddock et al. 2019)."""

from typing import NamedTuple

import numpy as np
import pytest

#: Rows and columns of each topic's block on the diagonal.
ROWS = (10, 5, 10, 12, 13, 4, 11, 8, 14)
COLUMNS = (10, 10, 5, 7, 5, 20, 10, 9, 14)

#: What each topic belongs to: itself, one of four, one of two.
LEVELS = np.array(
    [np.arange(9), [0, 0, 1, 1, 2, 2, 3, 3, 3], [0, 0, 0, 0, 1, 1, 1, 1, 1]]
)


class Toy(NamedTuple):
    """X (87, 90), the class of each column at each level, and 40 that are known."""

    X: np.ndarray
    labels: np.ndarray
    known: np.ndarray


@pytest.fixture
def toy():
    rng = np.random.default_rng(3)
    rows, columns = np.repeat(LEVELS, ROWS, axis=1), np.repeat(LEVELS, COLUMNS, axis=1)
    X = rng.uniform(0, 0.15, (87, 90))
    X += np.max(
        [
            height * np.equal.outer(row, column)
            for height, row, column in zip((4, 2, 1), rows, columns, strict=True)
        ],
        axis=0,
    )
    known = np.zeros(90, bool)
    known[[np.flatnonzero(columns[0] == topic)[0] for topic in range(9)]] = True
    known[rng.permutation(np.flatnonzero(~known))[:31]] = True
    return Toy(X, columns, known)


@pytest.fixture
def floor(toy):
    """The relative error that no product of a rank can beat: the SVD's."""
    squares = np.linalg.svd(toy.X, compute_uv=False) ** 2
    return lambda rank: np.sqrt(squares[rank:].sum() / squares.sum())
