"""A spectrogram as a sum of layers: partials of notes, strikes of drums, noise.

Each layer adds to one model of V; all are fitted together by multiplicative updates
for the Kullback-Leibler divergence, a block of frames at a time: by the same model what
is each frame's own, and what all frames share.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specnmf.errors import ParameterError
from specnmf.factor.divergence import floor
from specnmf.factor.iterate import Callback
from specnmf.factor.kernels import divergences as kernels
from specnmf.factor.options import FitOptions
from specnmf.factor.spans import add_up, spans
from specnmf.parallel import Mapper, cut, workers
from specnmf.subnormals import flush_to_zero

Float32 = NDArray[np.float32]

#: Frames a block: their model and ratio stay in a core's own cache.
BLOCK = 32


class Layer:
    """A part of the model; this one is silent and has nothing to learn.

    Models and ratios V / model are (n_channels, n_frames, n_bins) of some frames.
    """

    def add(self, frames: slice, model: Float32) -> None:
        """Add what the layer contributes to the frames."""

    def follow(self, frames: slice, ratio: Float32) -> None:
        """Update what belongs to the frames alone."""

    def gather(self, frames: slice, ratio: Float32, iteration: int) -> Float32:
        """The frames' share of the numerators of what all frames share."""
        return np.zeros(0, np.float32)

    def update(self, frames: slice, ratio: Float32, iteration: int) -> Float32:
        """Gather, then follow."""
        numerators = self.gather(frames, ratio, iteration)
        self.follow(frames, ratio)
        return numerators

    def learn(self, numerators: Float32, iteration: int) -> None:
        """Update what all frames share."""


def fit(
    V: Float32,
    layers: Sequence[Layer],
    *,
    max_iter: int,
    tol: float = 0.0,
    threads: int | None = FitOptions.threads,
    callback: Callback | None = None,
) -> NDArray[np.float64]:
    """Fit the layers to V, in place; return the cost after each iteration.

    V is (n_channels, n_frames, n_bins) in float32, the cost the Kullback-Leibler
    divergence of it from the sum of the layers. An iteration that lowers it by less
    than ``tol`` of itself is the last; 0: none is. Tying, sharpening and giving up are
    no descent steps: once they set in, the cost may rise; ``tol`` ends the run there.
    """
    if V.ndim != 3 or V.dtype != np.float32:
        raise ParameterError(
            "V must be float32 of shape (n_channels, n_frames, n_bins), "
            f"got {V.dtype} of shape {V.shape}"
        )
    least = np.float32(floor(float(V.max(initial=0)), 1))
    losses: list[float] = []

    def note(cost: float) -> None:
        losses.append(cost)
        if callback is not None:
            with flush_to_zero(on=False):
                callback(len(losses), cost)

    with workers(threads) as mapper, flush_to_zero():
        before = np.inf
        for iteration in range(max_iter):
            cost = _iteration(V, layers, iteration, least, mapper)
            if iteration:  # the cost after the one before
                note(cost)
            if tol > 0 and cost >= (1 - tol) * before:
                break
            before = cost
        blocks = cut(slice(0, V.shape[1]), BLOCK)
        note(sum(mapper(lambda block: _split(V, layers, block, least)[0], blocks)))
    return np.array(losses)


def _iteration(
    V: Float32,
    layers: Sequence[Layer],
    iteration: int,
    least: np.float32,
    mapper: Mapper,
) -> float:
    """Update everything once; return the cost before."""

    def visit(span: slice) -> tuple[float, list[Float32]]:
        total = 0.0
        gathered: list[Float32] = []
        for frames in cut(span, BLOCK):
            cost, ratio = _split(V, layers, frames, least)
            if iteration == 0:  # strengths are alike: what all share would not learn
                for layer in layers:
                    layer.follow(frames, ratio)
                ratio = _split(V, layers, frames, least)[1]
                own = [layer.gather(frames, ratio, iteration) for layer in layers]
            else:
                own = [layer.update(frames, ratio, iteration) for layer in layers]
            for sums, values in zip(gathered, own, strict=bool(gathered)):
                sums += values
            gathered = gathered or own
            total += cost
        return total, gathered

    visited = mapper(visit, spans(V.shape[1]))
    for number, layer in enumerate(layers):
        layer.learn(add_up(gathered[number] for _, gathered in visited), iteration)
    return sum(cost for cost, _ in visited)


def _split(
    V: Float32, layers: Sequence[Layer], frames: slice, least: np.float32
) -> tuple[float, Float32]:
    """The cost of some frames, and V divided by its model there."""
    block = V[:, frames]
    model = np.zeros(block.shape, np.float32)
    for layer in layers:
        layer.add(frames, model)
    cost = 0.0
    for channel in range(len(V)):
        cost += kernels.kullback_leibler(block[channel], model[channel], least)
    return cost, model
