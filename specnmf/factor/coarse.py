"""A start from part of the frames: neighbouring frames sound alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from specnmf.factor.iterate import Factors, Solver
from specnmf.factor.matrices import Array, Booleans

#: The strides between the frames taken, round after round.
STRIDES = (64, 32, 16, 8, 4)

#: With fewer frames than this, or than components, a round is left out: what sounds
#: seldom is missed, and the templates may settle in a worse minimum.
LEAST_FRAMES = 600

#: Activations begin with at least this share of their component's mean, so that an
#: entry that is zero in the frames beside is not lost.
LEAST_SHARE = 0.01


def approach(
    VT: Array,
    WT: Array,
    H: Array,
    free_H: Booleans,
    *,
    make: Callable[..., Solver],
    n_steps: int,
) -> tuple[Factors, float] | None:
    """Factors learned from every 64th to every 4th frame, interpolated in between.

    The cost of a step is proportional to the number of frames, and at first templates
    learn as well from part of them. The finer the part, the less is left to learn.

    ``make(VT, WT, H, free_H, inertia=inertia)`` makes the solver of a round. The last
    round takes ``n_steps``, the first four times as many, those in between twice as
    many. Returns W transposed and H, and the momentum of the last solver; None if there
    are too few frames to leave any out.
    """
    n_components, n_frames = H.shape
    known: tuple[int, Array] | None = None
    inertia = 1.0
    for stride, times in _rounds(n_frames, max(LEAST_FRAMES, n_components)):
        frames = np.arange(stride // 2, n_frames, stride)
        part = H[:, frames] if known is None else _interpolate(*known, frames)
        free = np.ascontiguousarray(free_H[:, frames])
        part = np.where(free, part, 0)
        (WT, part), inertia = _after(
            n_steps * times, make(VT[frames], WT, part, free, inertia=inertia)
        )
        known = stride, part
    if known is None:
        return None
    between = _interpolate(*known, np.arange(n_frames))
    return (WT, np.where(free_H, between, 0)), inertia


def _after(n_steps: int, solver: Solver) -> tuple[Factors, float]:
    """The factors and the momentum of a solver, without the rest of it."""
    for _ in range(n_steps):
        solver.step()
    return solver.factors(), solver.inertia


def _rounds(n_frames: int, least: int) -> list[tuple[int, int]]:
    """The strides that leave enough frames, and the factor of steps for each."""
    strides = [stride for stride in STRIDES if n_frames // stride >= least]
    times = [min(4, strides[0] // 2), *[2] * len(strides[1:-1]), 1] if strides else []
    return list(zip(strides, times, strict=False))


def _interpolate(stride: int, H: Array, frames: NDArray[np.int_]) -> Array:
    """The activations of some frames, interpolated between those that were kept."""
    place = np.clip((frames - stride // 2) / stride, 0, H.shape[1] - 1)
    left = place.astype(int)
    right = np.minimum(left + 1, H.shape[1] - 1)
    share = (place - left).astype(H.dtype)
    between = np.empty((len(H), len(frames)), H.dtype)
    for known, out in zip(H, between, strict=True):
        np.add(known[left] * (1 - share), known[right] * share, out=out)
        np.maximum(out, LEAST_SHARE * known.mean(), out=out)
    return between
