"""Joint majorisation with momentum, for Kullback-Leibler and Itakura-Saito."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.factor.divergence import floor
from specnmf.factor.iterate import Factors
from specnmf.factor.kernels import joint as kernels
from specnmf.factor.kernels.divergences import LEAST
from specnmf.factor.kernels.tiles import add_up, tile_of, tiles_like
from specnmf.factor.matrices import Array
from specnmf.factor.spans import spans
from specnmf.parallel import Mapper

#: The most momentum: with all of it, errors would never fade.
MOST_MOMENTUM = 0.99

#: How much further updates go than to the minimum of the bound; see `relaxed`.
EXCESS: dict[float, float] = {1: 0.1, 0: 0.075}


class _Sums(NamedTuple):
    """What a pass leaves: the cost, and what updates the templates."""

    cost: float
    agreement: float
    negative: Array
    positive: Array


class JointMajorisation:
    """Both factors updated from one model of V, with momentum.

    Multiplicative updates compute WH for H, and again with the new H for W. The cost
    has an upper bound that touches it at the current WH, and whose minimum over both
    factors is known, so one WH per iteration is enough. Each iteration starts from a
    point extrapolated from the last two (Nesterov's weights), and restarts when the
    last move and the momentum disagree. If the cost would rise, the plain step is taken
    from the last point; it cannot raise the cost.

    Zeros of the start stay zero.

    References
    ----------
    The theory page on joint updates gives them in full. The bound: Marmin, Goulart and
    Févotte 2023; for beta 1 and templates of sum 1 it is the EM algorithm of Shashanka,
    Raj and Smaragdis 2008. Momentum: Hien, Leplat and Gillis 2024. Restart: O'Donoghue
    and Candès 2015.
    """

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
        self.VT, self.beta, self.map = VT, beta, mapper
        self.spans, self.shape = spans(len(VT)), WT.shape
        self.least = VT.dtype.type(floor(float(VT.max()), beta))
        # Here each template adds up to 1; its scale is in the activations.
        self.scale = np.maximum(WT.sum(axis=1), WT.dtype.type(LEAST))
        self.WT = self.last_WT = tile_of(WT / self.scale[:, np.newaxis])
        self.HT = np.ascontiguousarray(H.T) * self.scale
        self.last_HT = self.HT.copy()
        self.point_WT, self.point_HT = self.WT, self.HT.copy()
        self.trial_HT = np.empty_like(self.HT)
        self.negative = tiles_like(self.WT, len(self.spans))
        self.positive = tiles_like(self.WT, 0 if beta == 1 else len(self.spans))
        self.learned = np.zeros(len(self.WT), np.bool_)
        self.learned[: len(learned)] = learned
        self.inertia = 1.0
        self.cost = math.inf
        self._move(0.0)

    def step(self) -> float:
        """Update both factors; return the cost, which never rises."""
        before = self.inertia
        self.inertia = (1 + math.sqrt(1 + 4 * before**2)) / 2
        if not self._move(min((before - 1) / self.inertia, MOST_MOMENTUM)):
            self.inertia = 1.0
            self.WT, self.HT[:] = self.point_WT, self.point_HT
            if self._move(0.0, excess=0.0):
                self._move(0.0)
        return self.cost

    def factors(self) -> Factors:
        """W transposed, and H, in the scale of the start."""
        n_components, n_bins = self.shape
        scale = self.scale[:, np.newaxis]
        WT = self.point_WT[:n_components, :n_bins] * scale
        return WT, np.ascontiguousarray(self.point_HT.T) / scale

    def _move(self, momentum: float, excess: float | None = None) -> bool:
        """Extrapolate and update from there; False if the cost there is higher."""
        excess = EXCESS[self.beta] if excess is None else excess
        WT = self._templates_beyond(momentum)
        sums = self._pass(WT, momentum, excess)
        if not sums.cost <= self.cost:  # nor if it is no number
            return False
        updated = self._updated(WT, sums, excess)
        agreement = sums.agreement + self._agreement(WT, updated)
        self.last_WT, self.WT, self.point_WT = self.WT, updated, WT
        self.last_HT, self.HT = self.HT, self.last_HT
        self.point_HT, self.trial_HT = self.trial_HT, self.point_HT
        self.cost = sums.cost
        if agreement < 0:
            self.inertia = 1.0
        return True

    def _templates_beyond(self, momentum: float) -> Array:
        if momentum == 0:
            return self.WT
        WT = tile_of(self.WT)
        kernels.extrapolate(self.WT, self.last_WT, WT.dtype.type(momentum), WT)
        return self._with_sums_of_one(WT) if self.beta == 1 else WT

    def _pass(self, WT: Array, momentum: float, excess: float) -> _Sums:
        job = kernels.Pass(self.VT, WT, self.HT, self.last_HT, self.trial_HT)
        beyond, further = WT.dtype.type(momentum), WT.dtype.type(excess)

        def share(number: int) -> tuple[float, float]:
            ends = self.spans[number].start, self.spans[number].stop
            given = job, ends, beyond, further, self.least, self.negative[number]
            shares: tuple[float, float] = (
                kernels.kullback_leibler_pass(*given)
                if self.beta == 1
                else kernels.itakura_saito_pass(*given, self.positive[number])
            )
            return shares

        costs, agreements = zip(*self.map(share, range(len(self.spans))), strict=True)
        negative, positive = np.empty_like(WT), np.empty_like(WT)
        add_up(self.negative, negative)
        add_up(self.positive, positive)
        return _Sums(sum(costs), sum(agreements), negative, positive)

    def _updated(self, WT: Array, sums: _Sums, excess: float) -> Array:
        """The templates that minimise the bound, with the activations that do."""
        tile, tiny = tile_of(WT), WT.dtype.type(LEAST)
        if self.beta == 1:
            totals = (WT * sums.negative).sum(axis=1, keepdims=True)
            factor = sums.negative / np.maximum(totals, tiny)
            heard = totals[:, 0] > 0  # what is silent keeps its template
        else:
            factor = np.sqrt(sums.negative / np.maximum(sums.positive, tiny))
            heard = factor.any(axis=1)
        rows = self.learned & heard
        kernels.multiply_rows(tile, factor, tile.dtype.type(excess), rows)
        return self._with_sums_of_one(tile) if self.beta == 1 else tile

    def _with_sums_of_one(self, WT: Array) -> Array:
        """Scale the learned rows; in place."""
        sums = WT.sum(axis=1, keepdims=True)
        scaled = self.learned[:, np.newaxis] & (sums > 0)
        np.divide(WT, sums, out=WT, where=scaled)
        return WT

    def _agreement(self, WT: Array, updated: Array) -> float:
        """How well the update agrees with the whole move, weighted by activations."""
        moves = (updated - WT) * (updated - self.WT)
        relative = np.divide(moves, updated, out=moves, where=updated > 0)
        shares = relative.sum(axis=1, dtype=np.float64)[: self.shape[0]]
        sums = np.maximum(updated.sum(axis=1)[: self.shape[0]], LEAST)
        return float(shares / sums @ self.last_HT.sum(axis=0, dtype=np.float64))
