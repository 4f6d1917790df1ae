"""Columns of time of a page, and how loud each stem is in each of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Float32

Bytes = NDArray[np.uint8]
Float64 = NDArray[np.float64]

#: At most so many columns, and at least so many seconds in one.
MOST_COLUMNS, SHORTEST = 2000, 0.01

#: So many decibels below the loudest column of all stems there is no sound.
LEVEL_SPAN = 60.0


@dataclass(frozen=True)
class Columns:
    """Stretches of a recording, all of about one length.

    Attributes
    ----------
    n_samples, sr : int
        Of the recording.
    """

    n_samples: int
    sr: int

    @property
    def count(self) -> int:
        """How many there are."""
        fitting = int(self.n_samples / (SHORTEST * self.sr))
        return min(MOST_COLUMNS, max(1, fitting))

    @cached_property
    def edges(self) -> NDArray[np.int64]:
        """The samples between which they lie, shape (count + 1,)."""
        return np.linspace(0, self.n_samples, self.count + 1).astype(np.int64)


class Loudness:
    """The power of a stem in each column, of samples that come block by block."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.sums = np.zeros(columns.count)
        self.position = 0

    def add(self, block: Float32) -> None:
        """Take the next samples, (n_channels, n); what goes beyond the end is left."""
        edges, first = self.columns.edges, self.position
        block = block[:, : max(0, int(edges[-1]) - first)]
        self.position += block.shape[1]
        if not block.shape[1]:
            return
        squares = np.square(block.ravel(order="F"))  # as files have it: no copy
        start = int(np.searchsorted(edges, first, side="right")) - 1
        stop = int(np.searchsorted(edges, self.position, side="left"))
        cuts = len(block) * np.maximum(edges[start:stop] - first, 0)
        self.sums[start:stop] += np.add.reduceat(squares, cuts)

    def power(self) -> Float64:
        """The mean square of all channels together in each column, shape (count,)."""
        return np.asarray(self.sums / np.diff(self.columns.edges))


def as_levels(powers: list[Float64]) -> list[Bytes]:
    """The loudness of stems in bytes, on one scale for all.

    255 is the loudest column of all stems, 0 is 60 dB below it and all that is fainter.
    """
    loudest = max((float(power.max()) for power in powers), default=0.0)
    return [as_bytes(power, loudest, LEVEL_SPAN) for power in powers]


def as_bytes(power: NDArray[np.floating], loudest: float, span: float) -> Bytes:
    """Powers as bytes: 255 is the loudest, 0 is ``span`` dB or more below it."""
    if not loudest > 0:
        return np.zeros(power.shape, np.uint8)
    with np.errstate(divide="ignore"):
        level = 10 * np.log10(power / loudest)
    shade = np.clip(np.rint(255 * (1 + level / span)), 0, 255)
    return np.asarray(shade, np.uint8)
