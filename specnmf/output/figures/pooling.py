"""Pooling: spectra and activations brought to about the size of their picture.

However long the song, a column of a picture shows the mean power of its frames, a row
the strongest frequency within it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.audio.streaming import RollingMagnitudes
from specnmf.errors import ParameterError
from specnmf.notation import hertz

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
#: V, shape (n_bins, n_frames); or read block by block, in order of time.
Magnitudes = NDArray[np.floating] | RollingMagnitudes

#: At most so many columns and rows in the picture of a spectrogram.
COLUMNS, ROWS = 1000, 360
#: Frames pooled at once: the memory that pooling takes.
BLOCK = 512
#: Decibels; a maximum below it is no sound.
SILENCE = -200.0

_ZERO = 1e-30  # stands for a power of zero, -300 dB


class Rows(NamedTuple):
    """Where the rows of a picture lie among the bins."""

    edges: Float64  # in octaves, log2 of Hz
    left: NDArray[np.intp]  # the bin below each point where the spectrum is read,
    weight: Float32  # and how far towards the next bin the point lies
    starts: NDArray[np.intp]  # which of the points are edges


@dataclass(frozen=True, eq=False, kw_only=True)
class Plane:
    """Time and frequency of some figures' pictures."""

    frequencies: NDArray[np.floating]  # (n_bins,), in Hz, rising
    times: NDArray[np.floating]  # (n_frames,), centres in seconds, evenly spaced
    title: str = ""  # above each figure: the recording's name

    def check(self, **shapes: tuple[int, ...]) -> None:
        """Make fields arrays; raise ParameterError if a shape is another."""
        for name, expected in shapes.items():
            given = getattr(self, name)
            array = given if hasattr(given, "shape") else np.asarray(given)
            if array.shape != expected:
                raise ParameterError(
                    f"{name} must have shape {expected}, got {array.shape}"
                )
            object.__setattr__(self, name, array)

    @property
    def hop(self) -> float:
        """Seconds from a frame to the next."""
        if len(self.times) == 1:
            return 0.05
        return float(self.times[-1] - self.times[0]) / (len(self.times) - 1)

    @property
    def span(self) -> tuple[float, float]:
        """Seconds at which the first frame begins and the last one ends."""
        start = float(self.times[0]) - self.hop / 2
        return start, start + self.hop * len(self.times)

    @property
    def group(self) -> int:
        """The number of frames in a column of the pictures."""
        return -(-len(self.times) // COLUMNS)

    @property
    def n_columns(self) -> int:
        """The number of columns of the pictures."""
        return -(-len(self.times) // self.group)

    @cached_property
    def rows(self) -> Rows:
        """The rows of the pictures."""
        return log_axis(self.frequencies)

    def extent(self) -> tuple[float, float]:
        """Seconds at which the first column begins and the last one ends."""
        start = self.span[0]
        return start, start + self.n_columns * self.group * self.hop

    def highest(self, rows: NDArray[Any]) -> NDArray[Any]:
        """The maximum of each column's frames, which keeps what is short."""
        starts = np.arange(0, len(self.times), self.group)
        return np.asarray(np.maximum.reduceat(rows, starts, axis=-1))

    def blocks(self) -> Iterator[tuple[slice, slice]]:
        """Yield the frames in blocks, each with its columns."""
        step = self.group * max(1, BLOCK // self.group)
        for start in range(0, len(self.times), step):
            columns = slice(start // self.group, (start + step) // self.group)
            yield slice(start, min(start + step, len(self.times))), columns


def log_axis(
    frequencies: NDArray[np.floating], low: float = 30.0, high: float = 20_000.0
) -> Rows:
    """Rows of one ratio from ``low`` Hz, or the first bin, to ``high``, or the last."""
    low = max(low, float(frequencies[min(1, len(frequencies) - 1)]))
    high = max(2 * low, min(high, float(frequencies[-1])))
    edges = np.geomspace(low, high, ROWS + 1)
    bins = frequencies[(frequencies > low) & (frequencies < high)]
    points = np.unique(np.concatenate([edges, bins]))
    position = np.interp(points, frequencies, np.arange(len(frequencies)))
    left = np.clip(position.astype(np.intp), 0, max(0, len(frequencies) - 2))
    weight = (position - left).astype(np.float32)
    return Rows(np.log2(edges), left, weight, np.searchsorted(points, edges))


def picture(V: Magnitudes, plane: Plane, rows: Rows) -> Float32:
    """The power of V in dB, shape (ROWS, n_columns)."""
    pooled = np.empty((plane.n_columns, ROWS), np.float32)
    for frames, columns in plane.blocks():
        pooled[columns] = pooled_block(spectra(V, frames), plane.group, rows)
    return pooled.T


def spectra(V: Magnitudes, frames: slice) -> Float32:
    """Some frames of V, a frame a row, as an array of its own."""
    if not isinstance(V, np.ndarray):
        return V(frames)
    return np.array(V[:, frames].T, np.float32, order="C")


def pooled_block(spectra: Float32, group: int, rows: Rows) -> Float32:
    """Decibels of the mean power of each group of frames, shape (n_columns, ROWS).

    Overwrites the spectra.
    """
    return log_rows(mean_power(spectra, group), rows)


def mean_power(spectra: Float32, group: int) -> Float32:
    """The mean power of each group of frames, shape (n_columns, n_bins).

    Overwrites the spectra.
    """
    power = np.square(spectra, out=spectra)
    n_whole = len(power) // group
    whole, rest = np.split(power, [n_whole * group])
    mean = whole.reshape(n_whole, group, power.shape[1]).mean(axis=1)
    if len(rest):
        mean = np.vstack([mean, rest.mean(axis=0)])
    return np.asarray(mean, np.float32)


def log_rows(power: Float32, rows: Rows) -> Float32:
    """Decibels in each row: the maximum there of the spectrum drawn as a line."""
    level = 10 * np.log10(np.maximum(power, np.float32(_ZERO)))
    points = level[:, rows.left]
    between = np.flatnonzero(rows.weight)  # few: most points are bins
    right = np.minimum(rows.left[between] + 1, level.shape[1] - 1)
    rise = level[:, right] - points[:, between]
    points[:, between] += rows.weight[between] * rise
    inside = np.maximum.reduceat(points, rows.starts[:-1], axis=1)
    highest: Float32 = np.maximum(inside, points[:, rows.starts[1:]])
    return highest


def template_rows(W: NDArray[np.floating], rows: Rows, span: float) -> Float32:
    """Each template from 0, ``span`` dB below its maximum, to 1, shape (n, ROWS)."""
    peaks = np.maximum(W.max(axis=0), np.finfo(W.dtype).tiny)
    power = np.square((W / peaks).T).astype(np.float32)
    level = log_rows(power, rows)
    peak = np.maximum(level.max(axis=1, keepdims=True), np.float32(SILENCE))
    return np.asarray(np.maximum((level - peak) / span + 1, 0))


def template_power(
    W: NDArray[np.floating], H: NDArray[np.floating], plane: Plane
) -> Float64:
    """The highest power of each component, shape (n_components, n_columns)."""
    norms = np.sqrt(np.einsum("fk,fk->k", W, W, dtype=np.float64))
    return np.asarray((plane.highest(H) * norms[:, None]) ** 2)


def shades(power: Float64, span: float) -> Float64:
    """From 0, ``span`` dB below the maximum, to 1; below 0 in silence."""
    level = 10 * np.log10(np.maximum(power, _ZERO))
    return np.asarray(1 + (level - max(level.max(), SILENCE)) / span)


def octaves(midi: ArrayLike) -> Float64:
    """Log2 of the frequency in Hz of MIDI numbers."""
    return np.asarray(np.log2(hertz(midi)))
