"""Sparse spectra of partials, and where in time they may sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Lobes:
    """For each template, detuning and partial a few neighbouring bins.

    Attributes
    ----------
    first, length : array, shape (n_templates, n_detunings, n_partials), int32
        The first bin, and how many there are; none above the last bin of V.
    offset : array of the same shape, int64
        Where the values begin.
    values : array, float32
        Those of each lobe sum to one.
    """

    first: NDArray[np.int32]
    length: NDArray[np.int32]
    offset: NDArray[np.int64]
    values: NDArray[np.float32]

    @property
    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """All four, as the kernels take them."""
        return self.first, self.length, self.offset, self.values


@dataclass(frozen=True, eq=False)
class Support:
    """Which templates may sound in which frames.

    Attributes
    ----------
    edges : array, shape (n_frames + 1,), int64
        Frame t has the entries edges[t] to edges[t + 1].
    template : array, shape (n_entries,), int64
        The template of each entry.
    """

    edges: NDArray[np.int64]
    template: NDArray[np.int64]

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
        sums = np.bincount(self.template, values, n_templates)
        return np.asarray(sums, np.float64)
