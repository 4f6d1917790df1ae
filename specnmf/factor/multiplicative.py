"""Multiplicative updates for any beta-divergence (Lee and Seung; Févotte and Idier)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.factor import kernels
from specnmf.factor.divergence import EPS, floor, gamma, split
from specnmf.factor.iterate import State
from specnmf.factor.spans import add_up, blocks, scratch_for, spans
from specnmf.parallel import Mapper

Array = NDArray[np.floating]


class MultiplicativeUpdates:
    """H <- H (Wᵀ(V P^(beta-2)) / (Wᵀ P^(beta-1) + eps))^gamma, P = WH; then W.

    Parameters
    ----------
    VT : array, shape (n_frames, n_bins)
        The data, frame by frame.
    WT, HT : array, shape (n_components, n_bins) and (n_frames, n_components)
        The start; changed in place.
    beta : float
        The divergence.
    learned : array of bool, shape (n_components,)
        Which templates to update.
    mapper : callable
        From `specnmf.parallel.workers`.

    References
    ----------
    Févotte and Idier 2011, section 4; for beta 2 the steps of Lee and Seung 2001
    as the FMP notebooks take them.
    """

    def __init__(
        self,
        VT: Array,
        WT: Array,
        HT: Array,
        *,
        beta: float,
        learned: NDArray[np.bool_],
        mapper: Mapper,
    ) -> None:
        self.VT, self.WT, self.HT = VT, WT, HT
        self.beta, self.gamma = beta, gamma(beta)
        self.floor = floor(float(VT.max()), beta)
        self.learned, self.map = learned, mapper
        self.next_HT = np.empty_like(HT)
        self.spans = spans(len(VT))

    def look(self) -> float:
        """The cost, with the next H computed from the same pass over V."""
        self.W = np.ascontiguousarray(self.WT.T)
        self.template_sums = self.WT.sum(axis=1)
        self.gram = self.WT @ self.W
        return float(sum(self.map(self._look, self.spans)))

    def advance(self) -> None:
        """Take the H prepared by `look`, then update W with it."""
        self.HT, self.next_HT = self.next_HT, self.HT
        if not self.learned.any():
            return
        parts = self.map(self._template_parts, self.spans)
        negative = add_up(part[0] for part in parts)
        positive = add_up(part[1] for part in parts)
        if self.beta == 2:
            positive = positive @ self.WT
        updated = self.WT * self._factor(negative, positive)
        self.WT[self.learned] = updated[self.learned]

    def state(self) -> State:
        """A copy of the factors."""
        return self.WT.copy(), self.HT.copy()

    def restore(self, state: State) -> None:
        """Put back a copy."""
        self.WT[:], self.HT[:] = state

    def _factor(self, negative: Array, positive: Array) -> Array:
        factor = negative / (positive + negative.dtype.type(EPS))
        return factor if self.gamma == 1 else factor**self.gamma

    def _look(self, span: slice) -> float:
        cost, scratch = 0.0, scratch_for(span, self.VT)
        for block in blocks(span, self.VT.shape[1], self.VT.itemsize):
            V, H = self.VT[block], self.HT[block]
            P = np.matmul(H, self.WT, out=scratch[: len(H)])
            part, negative, positive = split(V, P, self.beta, self.floor)
            cost += part
            if self.beta == 2:
                slope = H @ self.gram
            elif positive is None:
                slope = self.template_sums
            else:
                slope = positive @ self.W
            self.next_HT[block] = H * self._factor(negative @ self.W, slope)
        return cost

    def _template_parts(self, span: slice) -> tuple[Array, Array]:
        """The span's share of the sums over frames that update W."""
        if self.beta == 2:
            H = self.HT[span]
            return H.T @ self.VT[span], H.T @ H
        negative, positive = np.zeros_like(self.WT), np.zeros_like(self.WT)
        if self.beta == 1:
            positive = self.HT[span].sum(axis=0)[:, np.newaxis]
        scratch = scratch_for(span, self.VT)
        for block in blocks(span, self.VT.shape[1], self.VT.itemsize):
            V, H = self.VT[block], self.HT[block]
            P = np.matmul(H, self.WT, out=scratch[: len(H)])
            if self.beta == 1:
                kernels.ratio(V, P, P.dtype.type(self.floor))
                negative += H.T @ P
                continue
            _, Q, slope = split(V, P, self.beta, self.floor)
            negative += H.T @ Q
            if slope is not None:
                positive += H.T @ slope
        return negative, positive
