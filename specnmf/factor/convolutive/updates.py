"""Updates of templates of several frames, and of their activations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from specnmf.factor.divergence import EPS, floor, multiplier, split
from specnmf.factor.iterate import Factors
from specnmf.factor.kernels import convolutive, divergences
from specnmf.factor.matrices import Array, Booleans, Doubles
from specnmf.factor.spans import add_up, blocks, scratch_for, spans
from specnmf.parallel import Mapper

#: Frames of a span at least: each adds sums of the size of all templates.
LEAST_FRAMES = 128


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
        self.spans = spans(len(VT), LEAST_FRAMES)

    def template_slopes(self, WT: Array, HT: Array) -> tuple[Array, Array]:
        """Both parts of the slope of the cost in the templates, of their shape."""

        def part(span: slice) -> tuple[Array, Array]:
            negative, positive = np.zeros_like(WT), np.zeros_like(WT)
            for _, lagged, _, Q, slope in self._looks(span, WT, HT, priced=False):
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

    def joint_slopes(
        self, WT: Array, HT: Array, *, learned: bool
    ) -> tuple[float, Array | None, Array]:
        """The cost, and what the updates of both factors multiply; only for beta 1.

        These are the sums over frames, and over lags and bins, of V over the model
        times the other factor. Those of templates are None if they are not learned.
        """

        def part(span: slice) -> tuple[float, Array | None, Array]:
            total, negative = 0.0, np.empty_like(WT) if learned else None
            asked = np.zeros((span.stop - span.start + self.n_lags - 1, n), HT.dtype)
            for block, lagged, cost, Q, _ in self._looks(span, WT, HT):
                total += cost
                convolutive.gather_lags(Q @ WT.T, block.start - span.start, asked)
                if negative is not None and block.start == span.start:
                    np.matmul(lagged.T, Q, out=negative)
                elif negative is not None:
                    negative += lagged.T @ Q
            return total, negative, asked

        n_frames, n = HT.shape
        costs, negatives, asked = zip(*self.map(part, self.spans), strict=True)
        padded = np.zeros((n_frames + self.n_lags - 1, n), HT.dtype)
        for span, own in zip(self.spans, asked, strict=True):
            padded[span.start : span.start + len(own)] += own
        negative: Array | None = negatives[0]
        for own in negatives[1:] if learned else ():
            negative += own
        return float(sum(costs)), negative, padded[self.n_lags - 1 :]

    def pull(self, WT: Array, HT: Array, freedom: Freedom) -> Doubles:
        """The weight of each component's template of the start, (n_components,)."""
        activations = HT.astype(np.float64)
        heard = WT.sum(axis=1).reshape(self.n_lags, -1).sum(axis=0)
        loudness = max(float(activations.sum(axis=0) @ heard), self.floor)
        activations *= self.VT.sum(dtype=np.float64) / loudness
        powers = np.zeros_like(activations)
        np.power(activations, self.beta, out=powers, where=activations > 0)
        return freedom.pull(powers.sum(axis=0))

    def distance(self, start: Array, WT: Array, pull: Doubles) -> float:
        """The cost of templates that have left those of the start."""
        cost = 0.0
        for row, weight in enumerate(np.tile(pull, self.n_lags)):
            if weight > 0:
                own = start[row : row + 1], WT[row : row + 1].copy()
                cost += float(weight) * split(*own, self.beta, self.floor)[0]
        return cost

    def _place(self, asked: Array, block: slice, out: Array) -> None:
        """Put what frames ask of each lag where that lag's activations are."""
        by_lag = asked.reshape(len(asked), self.n_lags, -1)
        for lag in range(self.n_lags):
            first, stop = max(0, block.start - lag), max(0, block.stop - lag)
            out[lag, first:stop] = by_lag[len(asked) - (stop - first) :, lag]

    def _looks(
        self, span: slice, WT: Array, HT: Array, *, priced: bool = True
    ) -> Iterator[_Look]:
        """Blocks of the span, with lagged activations, cost, slopes in the model.

        Without a price the cost is not computed where that saves time, and is 0.
        """
        scratch = scratch_for(span, self.VT)
        for block in blocks(span, self.VT.shape[1], self.VT.itemsize):
            lagged = np.empty((block.stop - block.start, len(WT)), HT.dtype)
            convolutive.lag(HT, block.start, lagged)
            P = np.matmul(lagged, WT, out=scratch[: len(lagged)])
            if self.beta == 1 and not priced:
                divergences.ratio(self.VT[block], P, P.dtype.type(self.floor))
                yield block, lagged, 0.0, P, None
                continue
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
        self.drawn = passes.pull(WT, HT, freedom)
        pull = self.drawn.astype(WT.dtype)
        self.pull = np.tile(pull, passes.n_lags)[:, np.newaxis]
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

    def _look(self) -> float:
        """The cost, with the factor of the next H from the same pass over V."""
        cost, negative, positive = self.passes.activation_slopes(self.WT, self.HT)
        self.next_H = multiplier(negative.sum(axis=0), positive.sum(axis=0), self.beta)
        return cost + self.passes.distance(self.start, self.WT, self.drawn)

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
