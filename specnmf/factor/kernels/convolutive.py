"""Elementwise work of convolutive NMF between its products of matrices."""

from __future__ import annotations

from specnmf.factor.kernels.divergences import FAST
from specnmf.factor.kernels.joint import relaxed
from specnmf.jit import njit


@njit(cache=True, nogil=True, error_model="numpy")
def lag(HT, first, lagged):
    """Set a row for each frame from ``first``: its activations, and those before it.

    HT is (n_frames, n_components), ``lagged`` is (n, n_lags * n_components), lag by
    lag; before the first frame there are zeros.
    """
    n_components = HT.shape[1]
    n_lags = lagged.shape[1] // n_components
    for i in range(lagged.shape[0]):
        for delay in range(n_lags):
            frame, column = first + i - delay, delay * n_components
            for k in range(n_components):
                value = HT[frame, k] if frame >= 0 else HT.dtype.type(0)
                lagged[i, column + k] = value


@njit(cache=True, nogil=True, error_model="numpy")
def gather_lags(asked, first, out):
    """Add what frames ask of the activations of each lag, where those are.

    The inverse of `lag`: ``asked`` is (n, n_lags * n_components) for the frames from
    ``first``, row 0 of ``out`` is for the frame n_lags - 1 before frame 0.
    """
    n_components = out.shape[1]
    n_lags = asked.shape[1] // n_components
    for i in range(asked.shape[0]):
        for delay in range(n_lags):
            row, column = first + i + n_lags - 1 - delay, delay * n_components
            for k in range(n_components):
                out[row, k] += asked[i, column + k]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def update_activations(point, asked, heard, free, excess, now, out):
    """Set free activations to the point's times asked / heard, `relaxed`.

    Where ``heard``, what a unit of the activation makes, is 0 they become 0; those that
    are not free stay. Return how the steps agree with the whole moves from ``now``: the
    sum of heard (out - point) (out - now) / out.
    """
    zero, total = point.dtype.type(0), 0.0
    for i in range(point.shape[0]):
        own = zero
        for k in range(point.shape[1]):
            value = point[i, k]
            if free[k]:
                factor = asked[i, k] / heard[i, k] if heard[i, k] > zero else zero
                value *= relaxed(factor, excess)
                if value > zero:
                    move = (value - point[i, k]) * (value - now[i, k])
                    own += heard[i, k] * move / value
            out[i, k] = value
        total += own
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def update_templates(point, asked, weights, start, pull, excess, out, sums):
    """Set each row to the point's times its factor, `relaxed`; and set its sum.

    The factor is (asked + pull start / point) / (weight + pull). Rows of weight 0 stay.
    """
    zero = point.dtype.type(0)
    for i in range(point.shape[0]):
        weight, drawn, own = weights[i] + pull[i], pull[i], zero
        for j in range(point.shape[1]):
            value = point[i, j]
            if weights[i] > zero:
                share = asked[i, j]
                if drawn > zero and value > zero:
                    share += drawn * start[i, j] / value
                value *= relaxed(share / weight, excess)
            own += value
            out[i, j] = value
        sums[i] = own


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def scale_templates(updated, scales, weights, point, now):
    """Scale each row, in place; return how the steps agree with the whole moves.

    As `update_activations`, with the weights of the rows.
    """
    zero, total = updated.dtype.type(0), 0.0
    for i in range(updated.shape[0]):
        own = zero
        for j in range(updated.shape[1]):
            value = updated[i, j] * scales[i]
            updated[i, j] = value
            if value > zero:
                own += (value - point[i, j]) * (value - now[i, j]) / value
        total += weights[i] * own
    return total
