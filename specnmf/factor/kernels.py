"""The inner loops: every compiled function of the factorisation.

Arrays lie frame by frame (``n_frames, n_bins``) and are filled in place. Floats
may be reassociated, so that sums run in vector registers; the order is fixed by
the compiled code, so a result is the same at every call.
"""

import math

import numpy as np
from numba import njit

#: No NaN or infinity reaches these loops: the public functions check.
FAST = {"reassoc", "contract", "nsz", "arcp", "nnan", "ninf"}

SQRT_HALF_BITS = np.int32(0x3F3504F3)
MANTISSA_BITS = np.int32(23)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _log_single(x):
    """The natural logarithm of a float32, in arithmetic that vectorises.

    x = 2^e m with m in [sqrt(1/2), sqrt(2)); log m is the series of
    2 artanh((m - 1) / (m + 1)), good to the last bit or two.
    """
    bits = np.float32(x).view(np.int32)
    e = (bits - SQRT_HALF_BITS) >> MANTISSA_BITS
    m = np.int32(bits - (e << MANTISSA_BITS)).view(np.float32)
    s = (m - np.float32(1)) / (m + np.float32(1))
    z = s * s
    series = np.float32(0.4) + z * np.float32(0.2966)
    series = np.float32(2) + z * (np.float32(2 / 3) + z * series)
    return np.float32(e) * np.float32(0.6931472) + s * series


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _kl_single(V, P, floor):
    total = 0.0
    for i in range(V.shape[0]):
        row = np.float32(0)
        for j in range(V.shape[1]):
            v = V[i, j]
            p = P[i, j] if P[i, j] > floor else floor
            ratio = v / p
            row += v * _log_single(ratio) - v + p
            P[i, j] = ratio
        total += row
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _kl_double(V, P, floor):
    total = 0.0
    for i in range(V.shape[0]):
        for j in range(V.shape[1]):
            v = V[i, j]
            p = max(P[i, j], floor)
            ratio = v / p
            total += p - v
            if v > 0:
                total += v * math.log(ratio)
            P[i, j] = ratio
    return total


def kullback_leibler(V, P, floor):
    """Replace P by V / P; return the divergence of V from P."""
    if P.dtype == np.float32:
        return _kl_single(V, P, np.float32(floor))
    return _kl_double(V, P, floor)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def ratio(V, P, floor):
    """Replace P by V / P."""
    for i in range(V.shape[0]):
        for j in range(V.shape[1]):
            p = P[i, j] if P[i, j] > floor else floor
            P[i, j] = V[i, j] / p


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def half_squares(V, P):
    """Return the sum of (V - P)^2 / 2."""
    total = 0.0
    for i in range(V.shape[0]):
        row = V[i, 0] * 0
        for j in range(V.shape[1]):
            d = V[i, j] - P[i, j]
            row += d * d
        total += row
    return total / 2


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def itakura_saito(V, P, Q, floor):
    """Replace Q by V / P^2 and P by 1 / P; return the divergence of V from P.

    V and P count as at least ``floor``, so that a zero costs what it must, not
    an infinity.
    """
    total = 0.0
    for i in range(V.shape[0]):
        for j in range(V.shape[1]):
            v = V[i, j] if V[i, j] > floor else floor
            inverse = 1 / (P[i, j] if P[i, j] > floor else floor)
            r = v * inverse
            total += r - math.log(r) - 1
            Q[i, j] = r * inverse
            P[i, j] = inverse
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def beta_parts(V, P, Q, floor, beta):
    """Replace Q by V P^(beta-2) and P by P^(beta-1); return the divergence.

    For any beta but 0 and 1.
    """
    total = 0.0
    v_floor = floor if beta < 0 else floor * 0
    for i in range(V.shape[0]):
        for j in range(V.shape[1]):
            v = V[i, j] if V[i, j] > v_floor else v_floor
            p = P[i, j] if P[i, j] > floor else floor
            slope = p ** (beta - 1)
            total += _beta_term(v, p, slope, beta)
            Q[i, j] = v * slope / p
            P[i, j] = slope
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _beta_term(v, p, slope, beta):
    """One entry's beta-divergence; ``slope`` is p^(beta-1)."""
    own = v**beta if v > 0 else 0.0
    return (own + (beta - 1) * slope * p - beta * v * slope) / (beta * (beta - 1))


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def hals_sweep(X, A, G, rows, free):
    """Minimise ||V - Y^T X||^2 over the rows of X >= 0, one after another.

    X and A = Y V are (n_components, n); G = Y Y^T. Only ``rows`` are touched, and
    only where ``free`` is true (Cichocki and Phan 2009, eq. 7).
    """
    n_components, n = X.shape
    step = np.empty(n, X.dtype)
    for k in rows:
        if G[k, k] <= 0:
            continue
        step[:] = A[k]
        for other in range(n_components):
            for i in range(n):
                step[i] -= G[k, other] * X[other, i]
        for i in range(n):
            x = X[k, i] + step[i] / G[k, k]
            X[k, i] = x if x > 0 and free[k, i] else 0
