"""Sparse spectra of partials, and where in time they may sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Lobes:
    """For each template, detuning and partial a few neighbouring bins.

    ``first``, ``length`` and ``offset`` are (n_templates, n_detunings, n_partials).
    """

    first: NDArray[np.int32]  # the first bin
    length: NDArray[np.int32]  # how many there are, none above the last bin of V
    offset: NDArray[np.int64]  # where the values begin
    values: NDArray[np.float32]  # those of each lobe sum to one

    @property
    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """All four, as the kernels take them."""
        return self.first, self.length, self.offset, self.values


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
