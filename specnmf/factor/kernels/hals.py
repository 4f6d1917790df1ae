"""Coordinate descent for the Euclidean distance, a tile of columns at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.factor.kernels.divergences import FAST
from specnmf.factor.kernels.tiles import add_product, copy, fill, new_tile, set_inner
from specnmf.jit import njit

Array = NDArray[np.floating]

#: Columns of a tile: V's frames and the sums over them stay in a core's own cache.
COLUMNS = 64


class Pass(NamedTuple):
    """What one pass over V reads and writes; from H on, all have the shape of H."""

    VT: Array  # (n_frames, n_bins)
    WT: Array  # a tile, (n_components, n_bins)
    slope: Array  # a tile: minus the Gram matrix of the templates
    H: Array  # where the activations are, (n_components, n_frames)
    swept: Array  # where the last sweeps left them
    next_H: Array  # the same after this pass
    next_swept: Array
    free: NDArray[np.bool_]  # where H may be other than zero; (0, 0): everywhere


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def sweep(X, A, slope, free, learned):
    """Minimise ||V - Yᵀ X||^2 over the rows of X >= 0, one after another.

    X, A = Y V and ``free`` (ones and zeros) are tiles (n_components, n), ``slope`` is
    -Y Yᵀ; only rows that are ``learned`` change (Cichocki and Phan 2009, eq. 7). Four
    rows at a time get their slope from all others in one product; among themselves
    they tell each other what they change.
    """
    S = new_tile(4, X.shape[1], X)
    zero, one = X.dtype.type(0), X.dtype.type(1)
    for first in range(0, X.shape[0], 4):
        for i in range(4):
            copy(A[first + i], S[i])
        add_product(slope[first : first + 4], X, S)
        for i in range(4):
            row = first + i
            if slope[row, row] >= 0 or not learned[row]:
                fill(S[i], zero)
                continue
            x, s, allowed = X[row], S[i], free[row]
            gain = -one / slope[row, row]
            for j in range(x.size):
                there = x[j] + s[j] * gain
                there = there * allowed[j] if there > zero else zero
                s[j] = there - x[j]
                x[j] = there
            for other in range(i + 1, 4):
                coupling, theirs = slope[first + other, row], S[other]
                for j in range(x.size):
                    theirs[j] += coupling * s[j]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def sweep_columns(WT, A, slope, free, learned, columns, n_sweeps):
    """Sweep some columns of the tile WT; A, slope and ``learned`` as for `sweep`.

    ``free`` is a bool array like WT or (0, 0), and ``columns`` a pair.
    """
    first, n = columns[0], columns[1] - columns[0]
    x = new_tile(len(WT), n, WT)
    a, allowed = new_tile(len(WT), n, WT), new_tile(len(WT), n, WT)
    for k in range(len(WT)):
        for j in range(n):
            x[k, j] = WT[k, first + j]
            a[k, j] = A[k, first + j]
            allowed[k, j] = free[k, first + j] if free.size else True
    for _ in range(n_sweeps):
        sweep(x, a, slope, allowed, learned)
    for k in range(len(WT)):
        for j in range(n):
            WT[k, first + j] = x[k, j]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def hals_pass(job, frames, momentum, n_sweeps, HV, HH):
    """Sweep the activations of a span; set its share of H Vᵀ and H Hᵀ.

    Return that of the inner product of V and WH, with the new H. ``momentum`` tells how
    far to go beyond what the sweeps found, in the direction in which that has moved
    since the last pass. HV is a tile, HH a matrix in double precision.
    """
    n_bins = job.VT.shape[1]
    V = new_tile(COLUMNS, n_bins, job.VT)
    A = new_tile(len(job.WT), COLUMNS, job.VT)
    X = new_tile(len(job.WT), COLUMNS, job.VT)
    free = new_tile(len(job.WT), COLUMNS, job.VT)
    gram = np.zeros((len(A), len(A)), A.dtype)
    every = np.ones(len(A), np.bool_)
    inner = 0.0
    for k in range(len(HV)):
        fill(HV[k], V.dtype.type(0))
        fill(HH[k], 0.0)
    for start in range(frames[0], frames[1], COLUMNS):
        n = min(COLUMNS, frames[1] - start)
        for j in range(n):
            copy(job.VT[start + j], V[j])
        for j in range(n, COLUMNS):
            fill(V[j], V.dtype.type(0))
        for k in range(len(job.H)):
            for j in range(n):
                X[k, j] = job.H[k, start + j]
                free[k, j] = job.free[k, start + j] if job.free.size else True
            for j in range(n, COLUMNS):
                X[k, j] = 0
        set_inner(job.WT, V, A)
        for _ in range(n_sweeps):
            sweep(X, A, job.slope, free, every)
        for k in range(len(job.H)):
            _go_beyond(X[k], job.swept[k], job.next_swept[k], start, n, momentum)
            for j in range(n):
                job.next_H[k, start + j] = X[k, j]
        inner += inner_product(A, X)
        add_product(X, V, HV)
        set_inner(X, X, gram)
        for k in range(len(gram)):
            for other in range(len(gram)):
                HH[k, other] += gram[k, other]
    return inner


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _go_beyond(x, swept, next_swept, start, n, momentum):
    """Note n activations found; move them on as they moved since the last pass."""
    zero = x.dtype.type(0)
    for j in range(n):
        found = x[j]
        beyond = found + momentum * (found - swept[start + j])
        next_swept[start + j] = found
        x[j] = beyond if beyond > zero else zero


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def inner_product(A, B):
    """The sum of the products of the entries, in double precision."""
    total = 0.0
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            total += np.float64(A[i, j]) * np.float64(B[i, j])
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def half_square_pass(VT, WT, H, frames):
    """A span's share of half the squared distance of V from WH; WT is a tile."""
    n_components, n_bins = len(H), VT.shape[1]
    P = new_tile(COLUMNS, n_bins, VT)
    X = np.zeros((len(P), len(WT)), VT.dtype)
    zero = VT.dtype.type(0)
    total = 0.0
    for start in range(frames[0], frames[1], COLUMNS):
        n = min(COLUMNS, frames[1] - start)
        for i in range(len(P)):
            fill(P[i], zero)
        for i in range(n):
            for k in range(n_components):
                X[i, k] = H[k, start + i]
        add_product(X, WT, P)
        for i in range(n):
            v, p = VT[start + i], P[i]
            row = zero
            for j in range(n_bins):
                row += (v[j] - p[j]) * (v[j] - p[j])
            total += row
    return total / 2
