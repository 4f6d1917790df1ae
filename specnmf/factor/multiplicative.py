"""Multiplicative updates for any beta-divergence (Lee and Seung; Févotte and Idier)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.factor.divergence import floor, multiplier, split
from specnmf.factor.iterate import Factors
from specnmf.factor.kernels import divergences as kernels
from specnmf.factor.matrices import Array
from specnmf.factor.spans import add_up, blocks, scratch_for, spans
from specnmf.parallel import Mapper


class MultiplicativeUpdates:
    """H <- H (Wᵀ(V P^(beta-2)) / (Wᵀ P^(beta-1) + eps))^gamma, P = WH; then W.

    References
    ----------
    Févotte and Idier 2011, section 4; for beta 2, the steps of Lee and Seung 2001 as in
    the FMP notebooks.
    """

    inertia = 1.0

    def __init__(
        self,
        VT: Array,
        WT: Array,
        H: Array,
        *,
        beta: float,
        learned: NDArray[np.bool_],
        mapper: Mapper,
    ) -> None:
        self.VT, self.WT, self.HT = VT, WT.copy(), np.ascontiguousarray(H.T)
        self.floor = floor(float(VT.max()), beta)
        self.beta, self.learned, self.map = beta, learned, mapper
        self.next_HT = np.empty_like(self.HT)
        self.spans = spans(len(VT))
        self.cost = self._look()

    def step(self) -> float:
        """Update H, then W; return the cost, which never rises."""
        last_WT, last_HT = self.WT, self.HT
        self.HT, self.next_HT = self.next_HT, np.empty_like(self.HT)
        self._update_templates()
        cost = self._look()
        if cost > self.cost:  # by rounding, or the eps of a denominator
            self.WT, self.HT = last_WT, last_HT
            return self.cost
        self.cost = cost
        return cost

    def factors(self) -> Factors:
        """W transposed, and H."""
        return self.WT, np.ascontiguousarray(self.HT.T)

    def _look(self) -> float:
        """The cost, with the next H computed from the same pass over V."""
        self.W = np.ascontiguousarray(self.WT.T)
        self.template_sums = self.WT.sum(axis=1)
        self.gram = self.WT @ self.W
        return float(sum(self.map(self._look_at, self.spans)))

    def _update_templates(self) -> None:
        if not self.learned.any():
            return
        parts = self.map(self._template_parts, self.spans)
        negative = add_up(part[0] for part in parts)
        positive = add_up(part[1] for part in parts)
        if self.beta == 2:
            positive = positive @ self.WT
        updated = self.WT * multiplier(negative, positive, self.beta)
        updated[~self.learned] = self.WT[~self.learned]
        self.WT = updated

    def _look_at(self, span: slice) -> float:
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
            self.next_HT[block] = H * multiplier(negative @ self.W, slope, self.beta)
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
