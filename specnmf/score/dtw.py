"""Dynamic time warping: two sequences of features brought to one another.

Multiscale and memory-restricted: a path found between coarse features restricts the
path between finer ones to a band around it, so that time and memory grow with the
length of the music and not with its square.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Path = NDArray[np.int64]

#: How far from a coarser path a finer one may lie, in frames of the coarser level.
RADIUS = 5

#: The weights of a diagonal and of a straight step, as the Sync Toolbox has them.
DIAGONAL, STRAIGHT = 2.0, 1.5


class Level(NamedTuple):
    """Both sequences (n_frames, n_dimensions), at one rate in frames a second."""

    X: Float32
    Y: Float32
    rate: float


class Prices(NamedTuple):
    """What a path pays to leave out frames, in costs of two frames that do not match.

    ``skip`` is for each frame, ``begin`` to begin to leave out frames within the music,
    in seconds of such frames; it is free before the music begins and after it ends.
    """

    begin: float
    skip: float


class Band(NamedTuple):
    """The columns of each row in which a path is sought: first to before last."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]


#: Prices at which nothing is left out within the music, and little at its ends.
HARDLY_ANY = Prices(begin=inf, skip=1.1)


def everywhere(n: int, m: int) -> Band:
    """The band that is the whole grid."""
    return Band(np.zeros(n, np.int64), np.full(n, m, np.int64))


def around(path: Path, scale: float, n: int, m: int, radius: int) -> Band:
    """A band of n rows and m columns around a path from a coarser level.

    ``scale`` is how many frames of the finer level one of the coarser has, ``radius``
    how many of them the band reaches beyond the path.
    """
    points = _joined(path)
    rows = (points[:, 0] * scale).astype(np.int64)
    columns = (points[:, 1] * scale).astype(np.int64)
    first, last = np.full(n, m), np.zeros(n, np.int64)
    np.minimum.at(first, np.clip(rows, 0, n - 1), columns)
    np.maximum.at(last, np.clip(rows, 0, n - 1), columns + ceil(scale))
    # a band is monotone: what it holds above, it holds on the left below
    first = np.minimum.accumulate(first[::-1])[::-1]
    last = np.maximum.accumulate(last)
    first = np.pad(first, (radius, 0), mode="edge")[:n] - radius
    last = np.pad(last, (0, radius), mode="edge")[radius:] + radius
    first = np.clip(first, 0, m)
    return Band(first, np.clip(last, first, m))


def _joined(path: Path) -> Path:
    """A path with its jumps walked through: down, then to the right."""
    steps = np.diff(path, axis=0)
    lengths = np.maximum(1, steps.sum(axis=1))
    origin = np.repeat(np.arange(len(steps)), lengths)
    within = np.arange(len(origin)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    down = np.minimum(within, steps[origin, 0])
    walked = path[origin] + np.stack([down, within - down], axis=1)
    return np.concatenate([walked, path[-1:]])


def coarse_path(levels: Sequence[Level], prices: Prices) -> Path:
    """The path between two sequences, found from the coarsest level to the finest.

    Shape (n_points, 2): the frames of X and of Y that belong together at the finest
    level. Where frames are left out, the path jumps. Of the first level the whole grid
    is searched.
    """
    coarsest = levels[0]
    path = warp(coarsest, everywhere(len(coarsest.X), len(coarsest.Y)), prices)
    for coarse, level in pairwise(levels):
        scale = level.rate / coarse.rate
        band = around(path, scale, len(level.X), len(level.Y), RADIUS * ceil(scale))
        path = warp(level, band, prices)
    return path


def fine_paths(level: Level, path: Path, rate: float) -> list[Path]:
    """The pieces of a path at a finer level, one for each that a coarser path has.

    The coarser path is in pieces where it jumps; the finer rate is a multiple of its
    ``rate``.
    """
    scale = round(level.rate / rate)
    found = []
    for run in _runs(path):
        low, high = run[0] * scale, (run[-1] + 1) * scale
        X, Y = level.X[low[0] : high[0]], level.Y[low[1] : high[1]]
        part = Level(X, Y, level.rate)
        band = around(run - run[0], scale, len(X), len(Y), RADIUS * scale)
        fine = bridge(warp(part, band, HARDLY_ANY), part)
        # a last chord dies away: where it ends, the coarser path knows better
        corner = np.array([[len(X) - 1, len(Y) - 1]])
        found.append(low + np.concatenate([fine, corner]))
    return found


def bridge(path: Path, level: Level, *, ratio: float = inf, brief: int = 0) -> Path:
    """A path made straight where it leaves out frames of both sides, or at the end.

    It is where one side leaves out at most ``ratio`` times as much as the other, or
    neither more than ``brief`` frames. The level's corners count as the path's ends.
    """
    end = len(level.X), len(level.Y)
    corners = np.concatenate([[(-1, -1)], path, [end]])
    pieces = []
    for before, after in pairwise(corners):
        shorter, longer = np.sort(after - before - 1)
        # only a beginning is heard so well that what precedes it can be left out
        bridged = 0 < longer <= brief and (shorter > 0 or tuple(after) == end)
        if bridged or (shorter > 0 and longer <= ratio * shorter):
            inside = np.linspace(before, after, longer + 2)[1:-1]
            pieces.append(np.clip(np.rint(inside), before + 1, after - 1).astype(int))
        pieces.append(after[np.newaxis])
    return np.concatenate(pieces[:-1])


def _runs(path: Path) -> list[Path]:
    """A path cut where it jumps."""
    jumps = np.diff(path, axis=0).max(axis=1, initial=0) > 1
    return np.split(path, np.flatnonzero(jumps) + 1)


def warp(level: Level, band: Band, prices: Prices) -> Path:
    """The best path at one level, within a band."""
    from specnmf.score.kernels import fill_steps, trace

    starts = np.concatenate([[0], np.cumsum(band.last - band.first)])
    steps = np.empty(starts[-1], np.uint8)
    begin, skip = (mismatch(level) * price for price in prices)
    charged = DIAGONAL, STRAIGHT, begin * level.rate, skip
    row, column = fill_steps(level.X, level.Y, *band, charged, steps)
    path = np.empty((row + column + 1, 2), np.int64)
    n = trace(steps, starts, band.first, row, column, path)
    return path[:n][::-1]


def mismatch(level: Level) -> float:
    """The mean cost of a frame of X and one of Y that have nothing in common."""
    X, Y, _ = level
    squares = (float(np.einsum("ij,ij->", Z, Z)) / len(Z) for Z in (X, Y))
    return 0.5 * sum(squares)
