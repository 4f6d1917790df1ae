"""Hierarchical alternating least squares for the Euclidean distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.factor import kernels
from specnmf.factor.iterate import State
from specnmf.factor.spans import add_up, blocks, scratch_for, spans
from specnmf.parallel import Mapper

Array = NDArray[np.floating]

#: Sweeps over H for each product with V: the product costs more than a sweep.
INNER_SWEEPS = 3


class Hals:
    """Each row of H, then of W, is set to its exact non-negative optimum in turn.

    Parameters
    ----------
    VT : array, shape (n_frames, n_bins)
        The data, frame by frame.
    WT, H : array, shape (n_components, n_bins) and (n_components, n_frames)
        The start; changed in place.
    learned : array of bool, shape (n_components,)
        Which templates to update.
    free : pair of bool arrays, shaped like WT and H
        Where an entry may be other than zero.
    mapper : callable
        From `specnmf.parallel.workers`.

    References
    ----------
    Cichocki and Phan 2009; several sweeps for each product after Gillis and
    Glineur 2012.
    """

    def __init__(
        self,
        VT: Array,
        WT: Array,
        H: Array,
        *,
        learned: NDArray[np.bool_],
        free: tuple[NDArray[np.bool_], NDArray[np.bool_]],
        mapper: Mapper,
    ) -> None:
        self.VT, self.WT, self.H = VT, WT, H
        self.free_WT, self.free_H = free
        self.every, self.learned = np.arange(len(WT)), np.flatnonzero(learned)
        self.map = mapper
        self.products = np.empty_like(H)
        self.spans = spans(len(VT))

    def look(self) -> float:
        """The cost, with WᵀV computed from the same pass over V."""
        self.W = np.ascontiguousarray(self.WT.T)
        return float(sum(self.map(self._look, self.spans)))

    def advance(self) -> None:
        """Sweep the rows of H, then the columns of W."""
        self.gram = self.WT @ self.W
        self.map(self._sweep_activations, self.spans)
        if not self.learned.size:
            return
        parts = self.map(self._template_parts, self.spans)
        A = add_up(part[0] for part in parts)
        G = add_up(part[1] for part in parts)
        for _ in range(INNER_SWEEPS):
            kernels.hals_sweep(self.WT, A, G, self.learned, self.free_WT)

    def state(self) -> State:
        """A copy of the factors."""
        return self.WT.copy(), self.H.copy()

    def restore(self, state: State) -> None:
        """Put back a copy."""
        self.WT[:], self.H[:] = state

    def _look(self, span: slice) -> float:
        cost, scratch = 0.0, scratch_for(span, self.VT)
        for block in blocks(span, self.VT.shape[1], self.VT.itemsize):
            V, H = self.VT[block], self.H[:, block]
            P = np.matmul(H.T, self.WT, out=scratch[: len(V)])
            cost += kernels.half_squares(V, P)
            self.products[:, block] = (V @ self.W).T
        return cost

    def _sweep_activations(self, span: slice) -> None:
        # Short runs of frames, so that all rows of a run stay in the cache.
        for block in blocks(span, self.H.shape[0] * 4, self.H.itemsize):
            X, A = self.H[:, block].copy(), self.products[:, block].copy()
            free = self.free_H[:, block].copy()
            for _ in range(INNER_SWEEPS):
                kernels.hals_sweep(X, A, self.gram, self.every, free)
            self.H[:, block] = X

    def _template_parts(self, span: slice) -> tuple[Array, Array]:
        H = self.H[:, span]
        return H @ self.VT[span], H @ H.T
