"""Sparse spectra of partials, and where in time they may sound."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.vectors import WIDTH

#: Bins in a chunk: what a vector register holds.
CHUNK = WIDTH


class Chunks(NamedTuple):
    """The lobes in pieces of CHUNK bins, as the kernels take them.

    The lobes of template c and partial m, at all detunings, together cover the chunks
    ``edges[c, m]`` to ``edges[c, m + 1]``. Each begins at bin ``place[i, 0]``; the
    detunings that reach it are ``place[i, 1]`` to ``place[i, 2]``, and detuning d has
    the row ``place[i, 3] + d`` of ``values``, with zeros where its lobe is not.
    """

    edges: NDArray[np.int64]  # shape (n_templates, n_partials + 1)
    place: NDArray[np.int64]  # shape (n_chunks, 4)
    values: NDArray[np.float32]  # shape (n_rows, CHUNK)


@dataclass(frozen=True, eq=False)
class Lobes:
    """For each template, detuning and partial a few neighbouring bins.

    ``first``, ``length`` and ``offset`` are (n_templates, n_detunings, n_partials).
    """

    first: NDArray[np.int32]  # the first bin
    length: NDArray[np.int32]  # how many there are, none above the last bin of V
    offset: NDArray[np.int64]  # where the values begin
    values: NDArray[np.float32]  # those of each lobe sum to one

    @cached_property
    def chunks(self) -> Chunks:
        """The same in pieces that fill vector registers.

        A chunk reaches beyond the last bin of a partial only if that is one of the
        first CHUNK bins.
        """
        low, high = self._reach
        count = -((low - high) // CHUNK)
        start = np.maximum(0, high - CHUNK * count)
        before = np.cumsum(count).reshape(count.shape) - count
        edges = np.concatenate([before, before[:, -1:] + count[:, -1:]], axis=1)

        lengths = self.length.ravel()
        lobe = np.repeat(np.arange(len(lengths)), lengths)
        c, d, m = np.unravel_index(lobe, self.length.shape)
        inner = np.arange(len(lobe)) - (np.cumsum(lengths) - lengths)[lobe]
        bins = self.first[c, d, m] + inner
        number = np.minimum((bins - start[c, m]) // CHUNK, count[c, m] - 1)
        chunk = before[c, m] + number
        last = np.maximum(0, high[c, m] - CHUNK)
        base = np.minimum(start[c, m] + CHUNK * number, last)

        place = np.zeros((int(count.sum()), 4), np.int64)
        place[chunk, 0] = base
        place[:, 1] = len(lengths)
        np.minimum.at(place[:, 1], chunk, d)
        np.maximum.at(place[:, 2], chunk, d + 1)
        place[:, 1] = np.minimum(place[:, 1], place[:, 2])
        rows = place[:, 2] - place[:, 1]
        place[:, 3] = np.cumsum(rows) - rows - place[:, 1]
        values = np.zeros((int(rows.sum()), CHUNK), np.float32)
        source = self.values[self.offset[c, d, m] + inner]
        values[place[chunk, 3] + d, bins - base] = source
        return Chunks(edges, place, values)

    @property
    def _reach(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The bins of each partial at all detunings, from and to."""
        there = self.length > 0
        first = np.where(there, self.first, np.iinfo(np.int32).max).min(axis=1)
        stop = np.where(there, self.first + self.length, 0).max(axis=1)
        return np.minimum(first, stop).astype(np.int64), stop.astype(np.int64)


@dataclass(frozen=True, eq=False)
class Support:
    """Which templates may sound in which frames.

    Frame t has the entries edges[t] to edges[t + 1].
    """

    edges: NDArray[np.int64]  # shape (n_frames + 1,)
    template: NDArray[np.int64]  # of each entry, shape (n_entries,)

    @property
    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Both, as the kernels take them."""
        return self.edges, self.template

    @property
    def n_frames(self) -> int:
        """How many frames there are."""
        return len(self.edges) - 1

    @property
    def frame(self) -> NDArray[np.int64]:
        """The frame of each entry."""
        return np.repeat(np.arange(self.n_frames), np.diff(self.edges))

    def totals(
        self, values: NDArray[np.floating], n_templates: int
    ) -> NDArray[np.float64]:
        """The sum of the entries' values for each template."""
        return np.bincount(self.template, values, n_templates).astype(np.float64)
