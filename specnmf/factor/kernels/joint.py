"""One pass over V for both factors: Kullback-Leibler and Itakura-Saito."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.factor.kernels.divergences import (
    FAST,
    LEAST,
    itakura_saito_row,
    kullback_leibler_row,
)
from specnmf.factor.kernels.tiles import add_product, fill, new_tile, set_inner
from specnmf.jit import njit

Array = NDArray[np.floating]

#: Frames of a tile: V's model and the sums over it stay in a core's own cache.
FRAMES = 32

#: The share of the momentum that shrinking numbers have: all makes the cost rise.
SLOWED = np.float32(0.7)

#: The most growth that goes on, as a share of the number.
MOST_GROWTH = np.float32(2)

HALF = np.float32(0.5)

TINY = np.float32(LEAST)


class Pass(NamedTuple):
    """What one pass over V reads and writes."""

    VT: Array  # (n_frames, n_bins)
    WT: Array  # a tile, (n_components, n_bins)
    HT: Array  # the last update of the activations, (n_frames, n_components)
    last_HT: Array  # the one before, which becomes the next
    point_HT: Array  # is set to those of which the cost is: beyond the last update


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def beyond(now, last, momentum):
    """Where a number >= 0 goes on to that moved from ``last`` to ``now``.

    A zero stays zero, and a positive number stays one.
    """
    if last < TINY:
        return now
    growth = (now - last) / last
    if growth < 0:
        growth *= SLOWED
    return now + now * momentum * min(growth, MOST_GROWTH)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def relaxed(factor, excess):
    """A factor a little further from 1: its power 1 + 2 ``excess``, nearly.

    Padé's approximation, as powers take longer than the products around them.
    """
    least = HALF - excess
    most = HALF + excess
    return factor * ((least + most * factor) / (most + least * factor))


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def multiply_rows(WT, factor, excess, rows):
    """Multiply the entries of some rows by their factors, `relaxed`."""
    for k in range(WT.shape[0]):
        if rows[k]:
            for j in range(WT.shape[1]):
                WT[k, j] *= relaxed(factor[k, j], excess)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def extrapolate(now, last, momentum, out):
    """Set a matrix to where ``now`` goes on to from ``last``."""
    for i in range(now.shape[0]):
        for j in range(now.shape[1]):
            out[i, j] = beyond(now[i, j], last[i, j], momentum)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def kullback_leibler_pass(job, frames, momentum, excess, least, negative):
    """Update the activations of a span; into the tile ``negative`` goes Hᵀ (V / WH).

    Return the span's share of the divergence, and of the product of the update with the
    whole move since the last: negative where the momentum led astray. The rows of WT
    add up to 1; WH counts as at least ``least``.
    """
    n_bins = job.VT.shape[1]
    P = new_tile(FRAMES, n_bins, job.VT)
    XT = new_tile(len(job.WT), FRAMES, job.VT)
    X = np.zeros((FRAMES, len(job.WT)), job.VT.dtype)
    factor = np.zeros_like(X)
    zero = job.VT.dtype.type(0)
    cost, agreement = 0.0, 0.0
    for k in range(len(negative)):
        fill(negative[k], zero)
    for start in range(frames[0], frames[1], FRAMES):
        n = min(FRAMES, frames[1] - start)
        _go_on(job, start, n, momentum, X)
        _transpose(X, XT)
        for i in range(FRAMES):
            fill(P[i], zero)
        add_product(X, job.WT, P)
        for i in range(n):
            cost += kullback_leibler_row(job.VT[start + i], P[i], least)
        set_inner(P, job.WT, factor)
        for i in range(n):
            for k in range(len(job.WT)):
                factor[i, k] = relaxed(factor[i, k], excess)
        agreement += _update(job, start, n, X, factor)
        add_product(XT, P, negative)
    return cost, agreement


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def itakura_saito_pass(job, frames, momentum, excess, least, negative, positive):
    """The same for Itakura-Saito, where WT may have any scale.

    Into ``negative`` and ``positive`` go the sums with V / (WH)^2 and 1 / WH.
    """
    n_bins, n_components = job.VT.shape[1], len(job.WT)
    P, Q = new_tile(FRAMES, n_bins, job.VT), new_tile(FRAMES, n_bins, job.VT)
    XT = new_tile(n_components, FRAMES, job.VT)
    X = np.zeros((FRAMES, n_components), job.VT.dtype)
    above, below, factor = np.zeros_like(X), np.zeros_like(X), np.zeros_like(X)
    zero = job.VT.dtype.type(0)
    cost, agreement = 0.0, 0.0
    for k in range(n_components):
        fill(negative[k], zero)
        fill(positive[k], zero)
    for start in range(frames[0], frames[1], FRAMES):
        n = min(FRAMES, frames[1] - start)
        _go_on(job, start, n, momentum, X)
        for i in range(FRAMES):
            fill(P[i], zero)
            fill(Q[i], zero)
        add_product(X, job.WT, P)
        for i in range(n):
            cost += itakura_saito_row(job.VT[start + i], P[i], Q[i], least)
        set_inner(Q, job.WT, above)
        set_inner(P, job.WT, below)
        for i in range(FRAMES):
            for k in range(n_components):
                factor[i, k] = 0
                XT[k, i] = 0
                if above[i, k] > 0 and below[i, k] > 0:
                    root = math.sqrt(above[i, k] / below[i, k])
                    factor[i, k] = relaxed(root, excess)
                    # The bound for both factors holds x^2 / h for the new h.
                    XT[k, i] = X[i, k] / factor[i, k]
        agreement += _update(job, start, n, X, factor)
        add_product(XT, Q, negative)
        for i in range(n):
            for k in range(n_components):
                X[i, k] *= factor[i, k]
        _transpose(X, XT)
        add_product(XT, P, positive)
    return cost, agreement


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _go_on(job, start, n, momentum, X):
    """Set X to where the activations of n frames go on to; note it as the point."""
    for i in range(FRAMES):
        fill(X[i], X.dtype.type(0))
    for i in range(n):
        now, last = job.HT[start + i], job.last_HT[start + i]
        point = job.point_HT[start + i]
        for k in range(point.size):
            point[k] = beyond(now[k], last[k], momentum)
            X[i, k] = point[k]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _update(job, start, n, X, factor):
    """Multiply the activations; return how the update agrees with the whole move."""
    agreement = 0.0
    for i in range(n):
        now, following = job.HT[start + i], job.last_HT[start + i]
        for k in range(now.size):
            updated = X[i, k] * factor[i, k]
            if updated > 0:
                agreement += (updated - X[i, k]) * (updated - now[k]) / updated
            following[k] = updated
    return agreement


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _transpose(X, XT):
    for i in range(X.shape[0]):
        for k in range(X.shape[1]):
            XT[k, i] = X[i, k]
