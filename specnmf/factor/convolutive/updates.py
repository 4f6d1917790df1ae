"""Updates of templates of several frames, and of their activations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from specnmf.factor.convolutive.model import stacked
from specnmf.factor.divergence import EPS, floor, multiplier, split
from specnmf.factor.iterate import Factors
from specnmf.factor.matrices import Array, Booleans, Doubles
from specnmf.factor.spans import add_up, blocks, scratch_for, spans
from specnmf.parallel import Mapper


@dataclass(frozen=True, eq=False)
class Freedom:
    """What the updates may change.

    Attributes
    ----------
    adapt : array, shape (n_components,)
        How far templates may leave those of the start, 0 to 1.
    known : array of bool, shape (n_components,)
        The components whose activations stay.
    """

    adapt: Doubles
    known: Booleans

    @property
    def whole(self) -> bool:
        """Whether everything may change."""
        return bool(np.all(self.adapt == 1) and not self.known.any())

    def pull(self, totals: Doubles) -> Doubles:
        """How much the templates of the start weigh, (n_components,).

        ``totals`` are the weights of the recording.
        """
        held = np.where(self.adapt > 0, self.adapt, 1)
        weights: Doubles = totals * (1 - held) / held
        return weights


#: A block, its lagged activations, its cost, and both parts of the slope in the model.
_Look = tuple[slice, Array, float, Array, Array | None]


class Convolution:
    """The passes over V that all updates need.

    VT is (n_frames, n_bins). Templates WT are (n_lags * n_components, n_bins), lag by
    lag, and activations HT (n_frames, n_components).
    """

    def __init__(self, VT: Array, n_lags: int, *, beta: float, mapper: Mapper) -> None:
        self.VT, self.n_lags, self.beta, self.map = VT, n_lags, beta, mapper
        self.floor = floor(float(VT.max()), beta)
        self.spans = spans(len(VT))

    def template_slopes(self, WT: Array, HT: Array) -> tuple[Array, Array]:
        """Both parts of the slope of the cost in the templates, of their shape."""

        def part(span: slice) -> tuple[Array, Array]:
            negative, positive = np.zeros_like(WT), np.zeros_like(WT)
            for _, lagged, _, Q, slope in self._looks(span, WT, HT):
                negative += lagged.T @ Q
                if slope is None:
                    positive += lagged.sum(axis=0)[:, np.newaxis]
                else:
                    positive += lagged.T @ slope
            return negative, positive

        parts = self.map(part, self.spans)
        return add_up(n for n, _ in parts), add_up(p for _, p in parts)

    def activation_slopes(
        self, WT: Array, HT: Array, asking: Array | None = None
    ) -> tuple[float, Array, Array]:
        """The cost, and both parts of its slope in the activations, lag by lag.

        The parts are (n_lags, n_frames, n_components): what the frame so many lags
        later contributes, times the templates ``asking``, by default WT.
        """
        asking = WT if asking is None else asking
        W, heard = np.ascontiguousarray(asking.T), asking.sum(axis=1)
        shape = self.n_lags, *HT.shape
        negative, positive = np.zeros(shape, WT.dtype), np.zeros(shape, WT.dtype)

        def part(span: slice) -> float:
            total = 0.0
            for block, lagged, cost, Q, slope in self._looks(span, WT, HT):
                total += cost
                even = np.broadcast_to(heard, lagged.shape)
                self._place(Q @ W, block, negative)
                self._place(even if slope is None else slope @ W, block, positive)
            return total

        return float(sum(self.map(part, self.spans))), negative, positive

    def _place(self, asked: Array, block: slice, out: Array) -> None:
        """Put what frames ask of each lag where that lag's activations are."""
        by_lag = asked.reshape(len(asked), self.n_lags, -1)
        for lag in range(self.n_lags):
            first, stop = max(0, block.start - lag), max(0, block.stop - lag)
            out[lag, first:stop] = by_lag[len(asked) - (stop - first) :, lag]

    def _looks(self, span: slice, WT: Array, HT: Array) -> Iterator[_Look]:
        """Blocks of the span, with lagged activations, cost, slopes in the model."""
        scratch = scratch_for(span, self.VT)
        for block in blocks(span, self.VT.shape[1], self.VT.itemsize):
            before = min(block.start, self.n_lags - 1)
            heard = HT[block.start - before : block.stop]
            lagged = stacked(heard, self.n_lags)[before:]
            P = np.matmul(lagged, WT, out=scratch[: len(lagged)])
            cost, Q, slope = split(self.VT[block], P, self.beta, self.floor)
            yield block, lagged, cost, Q, slope


class AlternatingUpdates:
    """H <- H (sum of Wᵀ(V P^(beta-2)) / sum of Wᵀ P^(beta-1))^gamma; then W.

    The sums are over the lags, each with the frames so many lags later. Every update
    minimises a majoriser of the cost, for P is linear in H and in W (Févotte and Idier
    2011). So the cost never rises.

    Templates W that are drawn to those of the start, W0, add D_beta(W0 | W) to the
    cost, times the sum of h^beta over the frames of a start that is as loud as V.
    """

    def __init__(
        self, passes: Convolution, WT: Array, HT: Array, freedom: Freedom
    ) -> None:
        self.passes, self.beta = passes, passes.beta
        self.WT, self.HT, self.start = WT, HT, WT
        self.freedom = freedom
        self.pull = np.tile(self._pull(), passes.n_lags)[:, np.newaxis]
        self.learned = np.tile(freedom.adapt > 0, passes.n_lags)[:, np.newaxis]
        self.cost = self._look()

    def step(self) -> float:
        """Update H, then W; return the cost, which never rises."""
        last = self.WT, self.HT
        self.HT = np.where(self.freedom.known, self.HT, self.HT * self.next_H)
        if self.learned.any():
            self._update_templates()
        cost = self._look()
        if cost > self.cost:  # by rounding, or the eps of a denominator
            self.WT, self.HT = last
            return self.cost
        self.cost = cost
        return cost

    def factors(self) -> Factors:
        """The templates, lag by lag, and the activations, (n_components, n_frames)."""
        return self.WT, np.ascontiguousarray(self.HT.T)

    def _pull(self) -> Array:
        """The weight of each component's template of the start."""
        passes, HT = self.passes, self.HT.astype(np.float64)
        heard = self.WT.sum(axis=1).reshape(passes.n_lags, -1).sum(axis=0)
        loudness = max(float(HT.sum(axis=0) @ heard), passes.floor)
        HT *= passes.VT.sum(dtype=np.float64) / loudness
        powers = np.power(HT, self.beta, out=np.zeros_like(HT), where=HT > 0)
        return self.freedom.pull(powers.sum(axis=0)).astype(self.WT.dtype)

    def _look(self) -> float:
        """The cost, with the factor of the next H from the same pass over V."""
        cost, negative, positive = self.passes.activation_slopes(self.WT, self.HT)
        self.next_H = multiplier(negative.sum(axis=0), positive.sum(axis=0), self.beta)
        return cost + self._distance()

    def _distance(self) -> float:
        """The cost of templates that have left the start."""
        cost, least = 0.0, self.passes.floor
        for i in np.flatnonzero(self.pull):
            start, now = self.start[i : i + 1], self.WT[i : i + 1].copy()
            cost += float(self.pull[i, 0]) * split(start, now, self.beta, least)[0]
        return cost

    def _update_templates(self) -> None:
        negative, positive = self.passes.template_slopes(self.WT, self.HT)
        if self.pull.any():
            W = np.maximum(self.WT, self.WT.dtype.type(self.passes.floor))
            drawn = self.pull * W ** W.dtype.type(self.beta - 1)
            negative, positive = negative + drawn * self.start / W, positive + drawn
        updated = self.WT * multiplier(negative, positive, self.beta)
        self.WT = np.where(self.learned, updated, self.WT)


class AveragingUpdates:
    """The steps of Smaragdis 2004, for the Kullback-Leibler divergence, as libnmfd's.

    From one model: W; then H by the mean over the lags of each lag's update, with the
    new W. Then each template is scaled to a sum of one, but not H. The cost may rise.
    """

    def __init__(self, passes: Convolution, WT: Array, HT: Array) -> None:
        self.passes, self.WT, self.HT = passes, WT, HT

    def step(self) -> float:
        """Update W and H; return the cost before."""
        passes, eps = self.passes, self.WT.dtype.type(EPS)
        WT = self.WT * multiplier(*passes.template_slopes(self.WT, self.HT), beta=1)
        cost, negative, _ = passes.activation_slopes(self.WT, self.HT, WT)
        heard = WT.sum(axis=1).reshape(passes.n_lags, 1, -1)
        self.HT = self.HT * multiplier(negative, heard, beta=1).mean(axis=0)
        sums = np.tile(heard.sum(axis=0)[0], passes.n_lags)
        self.WT = WT / (sums[:, np.newaxis] + eps)
        return cost
