"""Dynamic time warping: the alignment of two sequences of features.

It is multiscale and memory-restricted: a path between coarse features restricts the
path between finer ones to a band around it, so time and memory grow with the length of
the music and not with its square.
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
Float64 = NDArray[np.float64]
_Sides = tuple[Float64, Float64]

#: How far from a coarser path a finer one may lie, in frames of the coarser level.
RADIUS = 5

#: A frame at least so silent is left out at the ends of a finer path.
HALF = 0.5

#: The weights of a diagonal and of a straight step, as the Sync Toolbox has them.
DIAGONAL, STRAIGHT = 2.0, 1.5


class Level(NamedTuple):
    """Both sequences (n_frames, n_dimensions), at the same rate in frames per second.

    ``silences`` tells how silent each frame of X, and of Y, is: 0 to 1; None: not at
    all.
    """

    X: Float32
    Y: Float32
    rate: float
    silences: tuple[Float32, Float32] | None = None


class Prices(NamedTuple):
    """The costs of leaving out frames, in units of two frames that do not match.

    ``skip`` is the cost per frame, ``begin`` that of starting to leave out frames
    within the music, in seconds of such frames; before the music begins and after it
    ends, starting is free. In silence, ``silent_begin`` and ``silent_skip`` apply
    instead.
    """

    begin: float
    skip: float
    silent_begin: float = 0.0
    silent_skip: float = 0.0


class Band(NamedTuple):
    """The columns of each row in which a path is searched: first to before last."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]


#: Prices at which nothing is left out within the music, and little at its ends.
HARDLY_ANY = Prices(begin=inf, skip=1.1)


def everywhere(n: int, m: int) -> Band:
    """The band that is the whole grid."""
    return Band(np.zeros(n, np.int64), np.full(n, m, np.int64))


def around(path: Path, scale: float, n: int, m: int, radius: int) -> Band:
    """A band of n rows and m columns around a path from a coarser level.

    ``scale`` is the number of frames of the finer level per frame of the coarser one;
    ``radius`` is how many of them the band extends beyond the path.
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
    """A path whose jumps are filled with steps: down, then to the right."""
    steps = np.diff(path, axis=0)
    lengths = np.maximum(1, steps.sum(axis=1))
    origin = np.repeat(np.arange(len(steps)), lengths)
    within = np.arange(len(origin)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    down = np.minimum(within, steps[origin, 0])
    walked = path[origin] + np.stack([down, within - down], axis=1)
    return np.concatenate([walked, path[-1:]])


def coarse_path(levels: Sequence[Level], prices: Prices) -> Path:
    """The path between two sequences, from the coarsest level to the finest.

    Shape (n_points, 2): corresponding frames of X and of Y at the finest level. The
    path jumps where frames are left out. On the first level the whole grid is searched.
    """
    coarsest = levels[0]
    path = warp(coarsest, everywhere(len(coarsest.X), len(coarsest.Y)), prices)
    for coarse, level in pairwise(levels):
        scale = level.rate / coarse.rate
        band = around(path, scale, len(level.X), len(level.Y), RADIUS * ceil(scale))
        path = warp(level, band, prices)
    return path


def fine_paths(level: Level, path: Path, rate: float) -> list[Path]:
    """The pieces of a path at a finer level, one for each piece of the coarser path.

    The coarser path is cut where it jumps; the finer rate is a multiple of its
    ``rate``.
    """
    scale = round(level.rate / rate)
    found = []
    for run in _runs(path):
        low, high = run[0] * scale, (run[-1] + 1) * scale
        n, m = high - low
        band = around(run - run[0], scale, n, m, RADIUS * scale)
        inner, end = _sounding(level, low, high)
        band = _cropped(band, inner - low, end - inner)
        X, Y = level.X[inner[0] : end[0]], level.Y[inner[1] : end[1]]
        part = Level(X, Y, level.rate)
        fine = bridge(warp(part, band, HARDLY_ANY), part)
        # a last chord dies away: where it ends, the coarser path knows better
        corner = np.array([[len(X) - 1, len(Y) - 1]])
        found.append(inner + np.concatenate([fine, corner]))
    return found


def _sounding(level: Level, low: Path, high: Path) -> tuple[Path, Path]:
    """The frames of each side from low to before high, without silence at the ends.

    The finer level finds where silence begins and ends.
    """
    low, high = low.copy(), np.minimum(high, (len(level.X), len(level.Y)))
    for side, silence in enumerate(level.silences or ()):
        sounds = np.flatnonzero(silence[low[side] : high[side]] < HALF)
        if len(sounds):
            low[side], high[side] = low[side] + sounds[0], low[side] + sounds[-1] + 1
    return low, high


def _cropped(band: Band, corner: Path, size: Path) -> Band:
    """The part of a band in some rows and columns from a corner on, at least one."""
    rows = slice(corner[0], corner[0] + size[0])
    first = np.clip(band.first[rows] - corner[1], 0, size[1] - 1)
    return Band(first, np.clip(band.last[rows] - corner[1], first + 1, size[1]))


def bridge(path: Path, level: Level, *, ratio: float = inf, brief: int = 0) -> Path:
    """A path made straight where it leaves out frames of both sides, or at its end.

    This applies if one side leaves out at most ``ratio`` times as much as the other, or
    both at most ``brief`` frames. The corners of the level count as the ends of the
    path.
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
    weights, charged = (DIAGONAL, STRAIGHT), _charged(level, prices)
    row, column = fill_steps(level.X, level.Y, *band, weights, *charged, steps)
    path = np.empty((row + column + 1, 2), np.int64)
    n = trace(steps, starts, band.first, row, column, path)
    return path[:n][::-1]


def _charged(level: Level, prices: Prices) -> tuple[_Sides, _Sides]:
    """The costs of each row and column: to begin a leap there, and to leave it out."""
    unit = mismatch(level)
    shares = level.silences or (np.zeros(len(level.X)), np.zeros(len(level.Y)))

    def by_place(price: float, silent: float) -> _Sides:
        rows, columns = (_mixed(price, silent, share) for share in shares)
        return rows, columns

    begin, skip, silent_begin, silent_skip = (unit * price for price in prices)
    begins = by_place(begin * level.rate, silent_begin * level.rate)
    return begins, by_place(skip, silent_skip)


def _mixed(price: float, silent: float, shares: NDArray[np.floating]) -> Float64:
    """The costs of frames with some share of silence; the cost may be infinite."""
    mixed = np.full(len(shares), price)
    quiet = shares > 0
    mixed[quiet] += shares[quiet].astype(np.float64) * (silent - price)
    return mixed


def mismatch(level: Level) -> float:
    """The mean cost of two frames of X and Y that have nothing in common."""
    squares = (float(np.einsum("ij,ij->", Z, Z)) / len(Z) for Z in level[:2])
    return 0.5 * sum(squares)
