"""The inner loops of the multichannel Wiener filter, for two channels, compiled.

Spectra are pairs of real and imaginary parts, (2, n_frames, n_bins, 2); shares are
(n_sources, n_frames, n_bins) and add up to one. A covariance R, Hermitian, is four
numbers: both diagonal elements, real and imaginary part of the upper right one.
"""

import numpy as np

from specnmf.jit import njit

FAST = {"contract", "nsz", "arcp"}


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def add_powers(model, power, out, total):
    """Set out to the sum over channels of a model's powers; add it to the total.

    The model is (n_channels, n_frames, n_bins), the others (n_frames, n_bins).
    """
    for t in range(out.shape[0]):
        share, whole = out[t], total[t]
        for c in range(model.shape[0]):
            own = model[c, t]
            for f in range(share.shape[0]):
                value = own[f] * own[f] if power == 2 else own[f] ** power
                share[f] = value if c == 0 else share[f] + value
        for f in range(share.shape[0]):
            whole[f] += share[f]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def divide(shares, total, least):
    """Divide shares, (n_sources, n_frames, n_bins), by their total, (n_frames, n_bins).

    Where that is below ``least``, all are equal.
    """
    equal = np.float32(1) / np.float32(shares.shape[0])
    for t in range(total.shape[0]):
        whole = total[t]
        for k in range(shares.shape[0]):
            share = shares[k, t]
            for f in range(whole.shape[0]):
                share[f] = share[f] / whole[f] if whole[f] >= least else equal


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _mix(shares, t, R, total):
    """Set total, (4, n_bins), to the mixture's covariance in a frame."""
    total[:] = 0
    for k in range(R.shape[0]):
        share = shares[k, t]
        for i in range(4):
            for f in range(share.shape[0]):
                total[i, f] += share[f] * R[k, i, f]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _invert(total, inverse):
    """Set inverse to that of the covariances, both (4, n_bins)."""
    for f in range(total.shape[1]):
        a, d, re, im = total[0, f], total[1, f], total[2, f], total[3, f]
        g = np.float32(1) / (a * d - re * re - im * im)
        inverse[0, f], inverse[1, f] = d * g, a * g
        inverse[2, f], inverse[3, f] = -re * g, -im * g


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _apply(R, X, t, out):
    """Set out, (4, n_bins), to R X in a frame: two complex numbers a bin."""
    left, right = X[0, t], X[1, t]
    for f in range(out.shape[1]):
        lr, li, rr, ri = left[f, 0], left[f, 1], right[f, 0], right[f, 1]
        a, d, re, im = R[0, f], R[1, f], R[2, f], R[3, f]
        out[0, f] = a * lr + re * rr - im * ri
        out[1, f] = a * li + re * ri + im * rr
        out[2, f] = d * rr + re * lr + im * li
        out[3, f] = d * ri + re * li - im * lr


@njit(cache=True, nogil=True)
def whiten(X, shares, R, out, rest):
    """Set out to the inverse of the mixture's covariance times X.

    ``rest`` is set to what the covariance times ``out`` lacks of X, by rounding.
    """
    n_bins = X.shape[2]
    inverse = np.empty((4, n_bins), np.float32)
    total = np.empty((4, n_bins), np.float32)
    found = np.empty((4, n_bins), np.float32)
    for t in range(X.shape[1]):
        _mix(shares, t, R, total)
        _invert(total, inverse)
        _apply(inverse, X, t, found)
        _store(found, t, out)
        _apply(total, out, t, found)
        for f in range(n_bins):
            rest[0, t, f, 0] = X[0, t, f, 0] - found[0, f]
            rest[0, t, f, 1] = X[0, t, f, 1] - found[1, f]
            rest[1, t, f, 0] = X[1, t, f, 0] - found[2, f]
            rest[1, t, f, 1] = X[1, t, f, 1] - found[3, f]


@njit(cache=True, nogil=True)
def _store(found, t, out):
    """Set a frame of out to two complex numbers a bin."""
    for f in range(found.shape[1]):
        out[0, t, f, 0] = found[0, f]
        out[0, t, f, 1] = found[1, f]
        out[1, t, f, 0] = found[2, f]
        out[1, t, f, 1] = found[3, f]


@njit(cache=True, nogil=True)
def estimate(whitened, rest, share, R, out):
    """Set out to a source's estimate, and its share of the rest."""
    found = np.empty((4, share.shape[1]), np.float32)
    for t in range(share.shape[0]):
        _apply(R, whitened, t, found)
        for f in range(share.shape[1]):
            w = share[t, f]
            out[0, t, f, 0] = w * (found[0, f] + rest[0, t, f, 0])
            out[0, t, f, 1] = w * (found[1, f] + rest[0, t, f, 1])
            out[1, t, f, 0] = w * (found[2, f] + rest[1, t, f, 0])
            out[1, t, f, 1] = w * (found[3, f] + rest[1, t, f, 1])


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def gather_covariances(X, shares, R, posterior, out):
    """Add to out, (n_sources, 4, n_bins), each source's covariances over the frames.

    A frame's is y y* + posterior p (w R - w^2 R S R), where y is the estimate, w the
    share, p the power of X, and S the inverse of the mixture's covariance.
    """
    n_bins = X.shape[2]
    inverse = np.empty((4, n_bins), np.float32)
    total = np.empty((4, n_bins), np.float32)
    found = np.empty((4, n_bins), np.float32)
    white = np.empty((2, 1, n_bins, 2), np.float32)
    power = np.empty(n_bins, np.float32)
    for t in range(X.shape[1]):
        _mix(shares, t, R, total)
        _invert(total, inverse)
        _apply(inverse, X, t, found)
        _store(found, 0, white)
        for f in range(n_bins):
            power[f] = posterior * (
                X[0, t, f, 0] ** 2
                + X[0, t, f, 1] ** 2
                + X[1, t, f, 0] ** 2
                + X[1, t, f, 1] ** 2
            )
        for k in range(R.shape[0]):
            _apply(R[k], white, 0, found)
            _add_covariance(shares[k, t], R[k], inverse, found, power, out[k])


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _add_covariance(share, R, inverse, y, power, out):
    """Add what `gather_covariances` does for one source in one frame."""
    for f in range(share.shape[0]):
        w, p = share[f], power[f]
        a, d, re, im = R[0, f], R[1, f], R[2, f], R[3, f]
        ia, id_, ire, iim = inverse[0, f], inverse[1, f], inverse[2, f], inverse[3, f]
        # the rows of R S
        first = a * ia + re * ire + im * iim
        first_im = im * ire - re * iim
        upper, upper_im = a * ire + re * id_, a * iim + im * id_
        lower, lower_im = re * ia + d * ire, -im * ia - d * iim
        last = re * ire + im * iim + d * id_
        square = w * w
        own, less = p * w, p * square
        out[0, f] += square * (y[0, f] ** 2 + y[1, f] ** 2) + own * a
        out[0, f] -= less * (first * a + upper * re + upper_im * im)
        out[1, f] += square * (y[2, f] ** 2 + y[3, f] ** 2) + own * d
        out[1, f] -= less * (lower * re - lower_im * im + last * d)
        out[2, f] += square * (y[0, f] * y[2, f] + y[1, f] * y[3, f]) + own * re
        out[2, f] -= less * (first * re - first_im * im + upper * d)
        out[3, f] += square * (y[1, f] * y[2, f] - y[0, f] * y[3, f]) + own * im
        out[3, f] -= less * (first * im + first_im * re + upper_im * d)
