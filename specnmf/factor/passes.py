"""V that does not fit into memory: templates from a sample, then passes over all of it.

A pass solves for the activations of one block of frames after another with fixed
templates, and sums what the update of the templates needs. So the total cost is known
after each pass, and no pass raises it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial, reduce
from operator import add
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.factor import spans
from specnmf.factor.divergence import EPS, floor, multiplier, split
from specnmf.factor.factorization import Factorization
from specnmf.factor.matrices import Array
from specnmf.factor.nmf import nmf
from specnmf.factor.options import NmfOptions
from specnmf.parallel import workers
from specnmf.subnormals import flush_to_zero

#: Called for each pass: V in blocks of frames, (n_frames of the block, n_bins).
Blocks = Callable[[], Iterable[Array]]

#: Called with the frames that a pass has done.
Tell = Callable[[int], None]

#: Passes over all frames, of which the first only solves for the activations.
MOST_PASSES = 4

#: The last pass is the one that lowers the cost by less than this share of it.
WORTHWHILE = 1e-3

#: The most iterations that a block's activations get in a pass.
MOST_ITERATIONS = 50

#: Updates of the templates from the sums of a pass, where those stay valid: beta 2.
SWEEPS = 30

#: What activations begin with at least, in relation to their component's largest:
#: a zero of the sample need not be one in the frames that it stands for.
LEAST_ACTIVATION = 1e-3


class Sample(NamedTuple):
    """Frames that represent all frames."""

    frames: NDArray[np.int64]  # their numbers, rising, shape (n_sampled,)
    counts: NDArray[np.int64]  # for how many frames in a row each stands


class _Sums(NamedTuple):
    """The cost of some frames, and their part in the update of the templates."""

    cost: float
    negative: Array  # (n_components, n_bins)
    positive: Array  # the same, or (.., 1) for beta 1, (.., n_components) for beta 2


def sample(n_frames: int, n_sampled: int, *, rng: int | np.random.Generator) -> Sample:
    """One random frame from each of ``n_sampled`` stretches of similar length."""
    n_sampled = min(n_sampled, n_frames)
    edges = np.arange(n_sampled + 1) * n_frames // n_sampled
    frames = np.random.default_rng(rng).integers(edges[:-1], edges[1:])
    return Sample(frames, np.diff(edges))


def refine(
    blocks: Blocks,
    sampled: Factorization,
    counts: NDArray[np.int64],
    settings: NmfOptions,
    *,
    peak: float,
    fixed: NDArray[np.bool_],
    callback: Callable[[int, int], None] | None = None,
) -> Factorization:
    """V ≈ WH for all frames, from the factorisation of a sample of them.

    ``counts`` is the number of frames that each sampled one represents, ``peak`` the
    largest entry of V; the templates of ``fixed`` components do not change. The
    activations of a block get ``max_iter`` iterations, at most MOST_ITERATIONS, and
    fewer once ``tol`` is reached. ``callback(n_passes, n_frames)`` gets the number of
    passes done, and the frames done of the next pass.

    Returns
    -------
    Factorization
        Learned templates have a maximum of 1. ``losses`` holds the cost of all frames
        after each pass; it never rises. There are at most MOST_PASSES, and none after
        one that lowers the cost by less than WORTHWHILE of it.

    References
    ----------
    The activations: as in `specnmf.nmf`. The templates: Févotte and Idier 2011, section
    4; for beta 2, Lee and Seung 2001 on the sums of Mairal, Bach, Ponce and Sapiro 2010
    ("Online learning for matrix factorization and sparse coding").
    """
    passes = _Passes(sampled, counts, settings, peak=peak, fixed=fixed)
    losses: list[float] = []
    with flush_to_zero():
        for number in range(1 if fixed.all() else MOST_PASSES):
            if number:
                passes.update_templates()
            tell = None if callback is None else partial(callback, number)
            cost = passes.look(blocks(), tell)
            losses.append(min([cost, *losses[-1:]]))  # above the last by rounding only
            if _settled(losses):
                break
    W = np.ascontiguousarray(passes.WT.T)
    return Factorization(W, passes.H, sampled.labels, np.array(losses))


def _settled(losses: list[float]) -> bool:
    if losses[-1] == 0:
        return True
    return len(losses) > 1 and losses[-2] - losses[-1] < WORTHWHILE * losses[-2]


class _Passes:
    """The factors, and the results of the last pass."""

    def __init__(
        self,
        sampled: Factorization,
        counts: NDArray[np.int64],
        settings: NmfOptions,
        *,
        peak: float,
        fixed: NDArray[np.bool_],
    ) -> None:
        self.settings, self.learned = settings, ~fixed
        self.peak, self.floor = peak, floor(peak, settings.beta)
        self.WT = np.ascontiguousarray(sampled.W.T)
        least = LEAST_ACTIVATION * sampled.H.max(axis=1, keepdims=True)
        self.H = np.repeat(np.maximum(sampled.H, least), counts, axis=1)

    def look(self, blocks: Iterable[Array], tell: Tell | None) -> float:
        """Solve for the activations of all frames; the cost."""
        self.sums = reduce(_plus, self._solved(blocks, tell))
        return self.sums.cost

    def update_templates(self) -> None:
        """Take a step of the templates, from the sums of the last pass."""
        WT, beta = self.WT.copy(), self.settings.beta
        _, negative, positive = self.sums
        if beta == 2:
            for _ in range(SWEEPS):
                WT *= negative / (positive @ WT + EPS)
        else:
            WT *= multiplier(negative, positive, beta)
        peaks = WT.max(axis=1, keepdims=True)
        peaks[peaks == 0] = 1
        WT /= peaks
        self.WT[self.learned] = WT[self.learned]
        self.H[self.learned] *= peaks[self.learned]

    def _solved(self, blocks: Iterable[Array], tell: Tell | None) -> Iterator[_Sums]:
        """Solve for the activations block by block; yield the parts of the sums."""
        done = 0
        for VT in blocks:
            own = slice(done, done + len(VT))
            self.H[:, own] = self._activations(VT, self.H[:, own])
            yield self._sums(VT, self.H[:, own])
            done = own.stop
            if tell is not None:
                with flush_to_zero(on=False):
                    tell(done)

    def _activations(self, VT: Array, H: Array) -> Array:
        """The activations of a block of frames, starting from the current ones."""
        n_frames, beta = len(VT), self.settings.beta
        if beta <= 0:
            # What counts as silence depends on the largest entry: here is a frame of
            # it, so that every block counts like all of V.
            VT = np.pad(VT, ((0, 1), (0, 0)), constant_values=self.peak)
            H = np.pad(H, ((0, 0), (0, 1)), constant_values=self.peak)
        found = nmf(
            VT.T,
            Factorization(self.WT.T, H),
            beta=beta,
            solver=self.settings.solver,
            max_iter=min(self.settings.max_iter, MOST_ITERATIONS),
            tol=self.settings.tol,
            fixed=np.ones(len(self.WT), bool),
            threads=self.settings.threads,
        )
        return found.H[:, :n_frames]

    def _sums(self, VT: Array, H: Array) -> _Sums:
        """The parts of the sums of a block, from pieces that stay in the cache."""
        HT = np.ascontiguousarray(H.T)

        def summed(span: slice) -> _Sums:
            pieces = spans.blocks(span, VT.shape[1], VT.itemsize)
            return reduce(_plus, (self._piece(VT[own], HT[own]) for own in pieces))

        with workers(self.settings.threads) as mapper:
            return reduce(_plus, mapper(summed, spans.spans(len(VT))))

    def _piece(self, VT: Array, HT: Array) -> _Sums:
        beta = self.settings.beta
        cost, negative, positive = split(VT, HT @ self.WT, beta, self.floor)
        if beta == 2:
            slope = HT.T @ HT
        elif positive is None:
            slope = HT.sum(axis=0)[:, np.newaxis]
        else:
            slope = HT.T @ positive
        return _Sums(cost, (HT.T @ negative).astype(float), slope.astype(float))


def _plus(one: _Sums, other: _Sums) -> _Sums:
    return _Sums(*map(add, one, other))
