"""Accelerated hierarchical alternating least squares, for the Euclidean distance."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from specnmf.factor.iterate import Factors
from specnmf.factor.kernels import hals as kernels
from specnmf.factor.kernels.tiles import add_up, tile_of, tiles_like
from specnmf.factor.matrices import Array, Booleans
from specnmf.factor.nnls import solve_columns_of
from specnmf.factor.spans import spans
from specnmf.parallel import Mapper, cut

#: Sweeps over the components for each product with V: the product costs more.
SWEEPS = 4

#: The momentum at first; how it grows while the cost falls, and so does its bound; and
#: what it is divided by where the cost would rise (Ang and Gillis 2019, section 3.4).
MOMENTUM, GROWTH, BOUND_GROWTH, CUT = 0.5, 1.05, 1.01, 1.5

#: The cost is a difference of sums as large as V's energy, less precise than a sum of
#: squared differences. That is taken always below this share of the energy, and to put
#: the difference right at first and whenever the cost has fallen by a third.
ALWAYS_PRECISE, FALLEN = 2e-4, 2 / 3

#: Represents a mask that is true everywhere.
EVERYWHERE = np.zeros((0, 0), np.bool_)

#: Bins that one thread sweeps at a time.
BINS = 128


class _Sums(NamedTuple):
    """What a pass leaves, in double precision: H Vᵀ, H Hᵀ, and <V, WH>."""

    HV: Array
    HH: Array
    inner: float


class Hals:
    """Each row of H, then of W, is set to its exact non-negative optimum in turn.

    One pass over V does everything: the activations of a tile of frames are found by a
    few sweeps on one product with V, and the tile adds to the sums that update W. Both
    factors are then extrapolated in the direction of their last move; if the cost would
    rise, the step is repeated without extrapolation.

    References
    ----------
    The theory page on HALS gives them in full: Cichocki and Phan 2009; several sweeps
    for each product, Gillis and Glineur 2012; extrapolation and restart, Ang and Gillis
    2019.
    """

    inertia = 1.0

    def __init__(
        self,
        VT: Array,
        WT: Array,
        H: Array,
        *,
        learned: Booleans,
        free: tuple[Booleans, Booleans],
        mapper: Mapper,
    ) -> None:
        self.VT, self.map, self.spans = VT, mapper, spans(len(VT))
        self.shape = WT.shape
        self.WT = self.swept_WT = self.ahead_WT = tile_of(WT)
        self.learned = np.zeros(len(self.WT), np.bool_)
        self.learned[: len(learned)] = learned
        self.free_WT = EVERYWHERE if free[0].all() else tile_of(free[0])
        self.free_H = EVERYWHERE if free[1].all() else free[1].copy("C")
        self.H, self.swept_H = H.copy("C"), H.copy("C")
        self.next_H, self.next_swept_H = np.empty_like(self.H), np.empty_like(self.H)
        self.HV = tiles_like(self.WT, len(self.spans))
        self.HH = np.zeros((len(self.spans), len(self.WT), len(self.WT)))
        self.momentum, self.bound = MOMENTUM, 1.0
        self.energy = float(sum(mapper(self._half_energy, self.spans)))
        self.cost = _half_squared_distance(VT, self.WT, self.H, mapper)
        self.precise_cost, self.correction = math.inf, 0.0

    def step(self) -> float:
        """Update H, then W; return the cost, which never rises."""
        if not self._ahead():
            self._step_from(self.WT, momentum=0.0)
        return self.cost

    def factors(self) -> Factors:
        """W transposed, and H."""
        n_components, n_bins = self.shape
        return self.WT[:n_components, :n_bins].copy(), self.H.copy()

    def _ahead(self) -> bool:
        """Step from the extrapolated point; return whether that lowered the cost."""
        momentum = self.momentum
        if self._step_from(self.ahead_WT, momentum):
            self.momentum = min(self.bound, GROWTH * momentum)
            self.bound = min(1.0, BOUND_GROWTH * self.bound)
            return True
        self.bound, self.momentum = momentum, momentum / CUT
        return False

    def _step_from(self, WT: Array, momentum: float) -> bool:
        sums = self._pass(WT, momentum)
        updated = self._templates(WT, sums)
        return self._accepts(updated, self._cost(updated, WT, sums), momentum)

    def _accepts(self, WT: Array, cost: float, momentum: float) -> bool:
        """Take W, and the H of the last pass, if the cost is no higher."""
        if not cost <= self.cost:  # nor if it is no number
            return False
        moved = WT.dtype.type(momentum) * (WT - self.swept_WT)
        self.WT = self.swept_WT = WT
        self.ahead_WT = np.maximum(WT + moved, 0, out=tile_of(WT))
        self.H, self.next_H = self.next_H, self.H
        self.swept_H, self.next_swept_H = self.next_swept_H, self.swept_H
        self.cost = cost
        return True

    def _pass(self, WT: Array, momentum: float) -> _Sums:
        """Sweep H with the templates given, into ``next_H``."""
        activations = self.H, self.swept_H, self.next_H, self.next_swept_H
        job = kernels.Pass(self.VT, WT, -(WT @ WT.T), *activations, self.free_H)
        beyond = WT.dtype.type(momentum)

        def share(number: int) -> float:
            ends = self.spans[number].start, self.spans[number].stop
            room = self.HV[number], self.HH[number]
            return float(kernels.hals_pass(job, ends, beyond, SWEEPS, room[0], room[1]))

        inner = sum(self.map(share, range(len(self.spans))))
        sums = _Sums(np.empty(WT.shape), np.empty(self.HH.shape[1:]), inner)
        add_up(self.HV, sums.HV)
        add_up(self.HH, sums.HH)
        return sums

    def _templates(self, WT: Array, sums: _Sums) -> Array:
        """W after a sweep, with the activations that the sums are from."""
        updated, HV = tile_of(WT), sums.HV.astype(WT.dtype)
        slope = -sums.HH.astype(WT.dtype)

        def sweep(bins: slice) -> None:
            ends = bins.start, bins.stop
            kernels.sweep_columns(
                updated, HV, slope, self.free_WT, self.learned, ends, SWEEPS
            )

        if self.learned.any():
            self.map(sweep, cut(slice(0, WT.shape[1]), BINS))
        return updated

    def _cost(self, WT: Array, last_WT: Array, sums: _Sums) -> float:
        """The cost of W and ``next_H``, from the sums of the pass with the last W.

        The product with V has the largest rounding errors, so it is summed tile by tile
        with the last W. Only the difference that W makes comes from the sum over all
        tiles.
        """
        new, last = WT.astype(np.float64), last_WT.astype(np.float64)
        cost = (
            self.energy
            - sums.inner
            - float(np.vdot(sums.HV, new - last))
            + float(np.vdot(sums.HH, new @ new.T)) / 2
        )
        corrected = cost + self.correction
        enough = max(ALWAYS_PRECISE * self.energy, FALLEN * self.precise_cost)
        if corrected < enough:
            corrected = _half_squared_distance(self.VT, WT, self.next_H, self.map)
            self.precise_cost = corrected
            self.correction = corrected - cost
        return corrected

    def _half_energy(self, span: slice) -> float:
        V = self.VT[span]
        return float(kernels.inner_product(V, V)) / 2


class ExactActivations:
    """The optimal activations of templates that are all held fixed."""

    inertia = 1.0

    def __init__(
        self, VT: Array, WT: Array, H: Array, *, free_H: Booleans, mapper: Mapper
    ) -> None:
        self.VT, self.WT, self.H, self.map = VT, WT, H, mapper
        self.free_H, self.cost, self.solved = free_H, self._cost(H), False

    def step(self) -> float:
        """Solve; a second step changes nothing."""
        if not self.solved:
            free = np.ascontiguousarray(self.free_H.T)
            passive = np.zeros_like(free)
            H = solve_columns_of(self.WT.T, self.VT.T, free, passive, self.map)
            cost = self._cost(H)
            if cost <= self.cost:
                self.H, self.cost = H, cost
            self.solved = True
        return self.cost

    def factors(self) -> Factors:
        """W transposed, and H."""
        return self.WT, self.H

    def _cost(self, H: Array) -> float:
        return _half_squared_distance(self.VT, tile_of(self.WT), H, self.map)


def _half_squared_distance(VT: Array, WT: Array, H: Array, mapper: Mapper) -> float:
    """Half the squared distance of V from WH, summed entry by entry; WT is a tile."""

    def share(span: slice) -> float:
        ends = span.start, span.stop
        return float(kernels.half_square_pass(VT, WT, H, ends))

    return float(sum(mapper(share, spans(len(VT)))))
