"""Joint updates with momentum: templates and activations from one model of V."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from specnmf.factor.convolutive.updates import Convolution, Freedom
from specnmf.factor.iterate import Factors
from specnmf.factor.joint import EXCESS, MOST_MOMENTUM
from specnmf.factor.kernels import convolutive as kernels
from specnmf.factor.kernels.joint import extrapolate
from specnmf.factor.matrices import Array, Booleans, Doubles


class Pair(NamedTuple):
    """Both factors: templates, lag by lag, and activations, frame by frame."""

    WT: Array
    HT: Array


class JointUpdates:
    """Both factors from one model, for the Kullback-Leibler divergence.

    The cost has an upper bound that touches it at the current factors: V is divided
    among components and lags as the model has them (the E step of an EM algorithm). The
    bound is minimised over the activations, then over the templates with the new
    activations; away from the last frames that is its minimum over both. So an
    iteration needs one model of V, and the cost cannot rise.

    Each iteration starts from a point beyond the last two, as that of
    `specnmf.factor.joint.JointMajorisation`: momentum, restart and fallback are its.

    References
    ----------
    Shashanka, Raj and Smaragdis 2008; the theory page has the equations.
    """

    def __init__(
        self, passes: Convolution, WT: Array, HT: Array, freedom: Freedom
    ) -> None:
        self.passes, self.freedom, self.start = passes, freedom, WT
        self.learned: Booleans = freedom.adapt > 0
        self.sums = self._by_component(WT.sum(axis=1))
        self.pull = passes.pull(WT, HT, freedom)
        self.now = self.last = Pair(WT, HT)
        self.inertia, self.cost = 1.0, math.inf
        self._move(0.0)

    @property
    def WT(self) -> Array:
        """The templates of which the cost is."""
        return self.point.WT

    @property
    def HT(self) -> Array:
        """The activations of which the cost is."""
        return self.point.HT

    def step(self) -> float:
        """Update both factors; return the cost, which never rises."""
        before = self.inertia
        self.inertia = (1 + math.sqrt(1 + 4 * before**2)) / 2
        if not self._move(min((before - 1) / self.inertia, MOST_MOMENTUM)):
            self.inertia = 1.0
            self.now = self.point
            if self._move(0.0, excess=0.0):
                self._move(0.0)
        return self.cost

    def factors(self) -> Factors:
        """The templates, lag by lag, and the activations, (n_components, n_frames)."""
        return self.WT, np.ascontiguousarray(self.HT.T)

    def _move(self, momentum: float, excess: float | None = None) -> bool:
        """Extrapolate and update from there; False if the cost there is higher."""
        point, learned = self._beyond(momentum), bool(self.learned.any())
        cost, asked_W, asked_H = self.passes.joint_slopes(*point, learned=learned)
        cost += self.passes.distance(self.start, point.WT, self.pull)
        if not cost <= self.cost:  # nor if it is no number
            return False
        further = EXCESS[1] if excess is None else excess
        HT, agreement = self._updated_activations(point, asked_H, further)
        WT = point.WT
        if asked_W is not None:
            WT, agreed = self._updated_templates(point, asked_W, HT, further)
            agreement += agreed
        self.point, self.last, self.now = point, self.now, Pair(WT, HT)
        self.cost = cost
        if agreement < 0:
            self.inertia = 1.0
        return True

    def _beyond(self, momentum: float) -> Pair:
        """Where both factors go on to."""
        if momentum == 0:
            return self.now
        further = Pair(*map(np.empty_like, self.now))
        for now, last, out in zip(self.now, self.last, further, strict=True):
            extrapolate(now, last, now.dtype.type(momentum), out)
        return further

    def _updated_activations(
        self, point: Pair, asked: Array, excess: float
    ) -> tuple[Array, float]:
        """The activations, and how their step agrees with the whole move."""
        updated = np.empty_like(point.HT)
        agreement: float = kernels.update_activations(
            point.HT,
            asked,
            self._heard(point.WT),
            ~self.freedom.known,
            updated.dtype.type(excess),
            self.now.HT,
            updated,
        )
        return updated, agreement

    def _updated_templates(
        self, point: Pair, asked: Array, HT: Array, excess: float
    ) -> tuple[Array, float]:
        """The templates, and how their step agrees with the whole move."""
        weights = np.where(self.learned, self._weights(HT), 0)
        rows = weights.ravel().astype(point.WT.dtype)
        updated, sums = np.empty_like(point.WT), np.empty_like(rows)
        pull, further = self._by_row(self.pull), rows.dtype.type(excess)
        kernels.update_templates(
            point.WT, asked, rows, self.start, pull, further, updated, sums
        )
        scales = self._by_row(self._scales(sums) if excess > 0 else 1)
        agreement: float = kernels.scale_templates(
            updated, scales, rows + pull, point.WT, self.now.WT
        )
        return updated, agreement

    def _scales(self, sums: Array) -> Doubles:
        """What brings free templates to the sums of the start: the bound's minimum."""
        now = self._by_component(sums)
        free = self.learned & ~self.freedom.known & (now > 0)
        scales = np.ones_like(now)
        np.divide(self.sums, now, out=scales, where=free)
        return scales

    def _by_component(self, rows: Array) -> Doubles:
        """The sum over lags of a number for each row of the templates."""
        by_lag = rows.reshape(self.passes.n_lags, -1)
        sums: Doubles = by_lag.sum(axis=0, dtype=np.float64)
        return sums

    def _by_row(self, numbers: Doubles | float) -> Array:
        """A number for each component, for each row of the templates."""
        wide = np.broadcast_to(numbers, len(self.learned))
        return np.tile(wide, self.passes.n_lags).astype(self.start.dtype)

    def _heard(self, WT: Array) -> Array:
        """What a unit of each activation makes, (n_frames, n_components).

        That is the sum of its template, as far as it does not reach beyond the end.
        """
        sums = WT.sum(axis=1, dtype=np.float64).reshape(self.passes.n_lags, -1)
        within = np.cumsum(sums, axis=0)  # row n: of lags 0 to n
        heard = np.empty((len(self.passes.VT), sums.shape[1]), WT.dtype)
        heard[:] = within[-1]
        n_last = min(self.passes.n_lags, len(heard))
        heard[len(heard) - n_last :] = within[:n_last][::-1]
        return heard

    def _weights(self, HT: Array) -> Doubles:
        """The sum of the activations that each lag has, (n_lags, n_components).

        Those that would sound beyond the end do not count.
        """
        n_lags = self.passes.n_lags
        sums = HT.sum(axis=0, dtype=np.float64)
        last = np.cumsum(HT[::-1][: n_lags - 1], axis=0, dtype=np.float64)
        beyond = np.zeros((n_lags, len(sums)))
        beyond[1 : len(last) + 1] = last
        beyond[len(last) + 1 :] = sums
        weights: Doubles = np.maximum(sums - beyond, 0)
        return weights
