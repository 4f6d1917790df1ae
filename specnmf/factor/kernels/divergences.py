"""The inner loops: every compiled function of the factorisation.

Arrays lie frame by frame (``n_frames, n_bins``) and are filled in place. Floats
may be reassociated, so that sums run in vector registers; the order is fixed by
the compiled code, so a result is the same at every call. The rows are inlined: a
process that compiles might else run another copy of them, with another order, than one
that loads the same kernel from the cache.
"""

import math

import numpy as np
from numba import types
from numba.extending import overload

from specnmf.jit import njit

#: No NaN or infinity reaches these loops: the public functions check.
FAST = {"reassoc", "contract", "nsz", "arcp", "nnan", "ninf"}

#: What is smaller cannot be divided by: its reciprocal may overflow in float32.
LEAST = 1e-30

SQRT_HALF_BITS = np.int32(0x3F3504F3)
MANTISSA_BITS = np.int32(23)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _log_single(x):
    """The natural logarithm of a float32, in arithmetic that vectorises.

    x = 2^e m with m in [sqrt(1/2), sqrt(2)); log m is the series of
    2 artanh((m - 1) / (m + 1)), good to the last bit or two.
    """
    # Numba makes 64 bits of sums and shifts: half as many would fit into a register.
    bits = np.float32(x).view(np.int32)
    e = np.int32(np.int32(bits - SQRT_HALF_BITS) >> MANTISSA_BITS)
    m = np.int32(bits - np.int32(e << MANTISSA_BITS)).view(np.float32)
    s = (m - np.float32(1)) / (m + np.float32(1))
    z = s * s
    series = np.float32(0.4) + z * np.float32(0.2966)
    series = np.float32(2) + z * (np.float32(2 / 3) + z * series)
    return np.float32(e) * np.float32(0.6931472) + s * series


def _log(x):
    """The natural logarithm of a positive number; any finite one of zero."""
    return np.log(x)  # what Python takes; compiled code takes the overload


@overload(_log, jit_options={"fastmath": FAST, "error_model": "numpy"})
def _log_of_its_precision(x):
    if x == types.float32:
        return lambda x: _log_single(x)
    return lambda x: math.log(x) if x > 0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST, inline="always")
def kullback_leibler_row(v, p, floor):
    """Replace p by v / p, as far as v goes; return the divergence of v from p."""
    total = v.dtype.type(0)
    for j in range(v.size):
        model = p[j] if p[j] > floor else floor
        ratio = v[j] / model
        total += v[j] * _log(ratio) - v[j] + model
        p[j] = ratio
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST, inline="always")
def itakura_saito_row(v, p, q, floor):
    """Replace p by 1 / p and q by v / p^2; return the divergence of v from p.

    v and p count as at least ``floor``, so that a zero costs what it must, not an
    infinity.
    """
    one = v.dtype.type(1)  # a plain 1 would make all of it double precision
    total = one - one
    for j in range(v.size):
        data = v[j] if v[j] > floor else floor
        inverse = one / (p[j] if p[j] > floor else floor)
        ratio = data * inverse
        total += ratio - _log(ratio) - one
        q[j] = ratio * inverse
        p[j] = inverse
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def kullback_leibler(V, P, floor):
    """Replace P by V / P; return the divergence of V from P."""
    total = 0.0
    for i in range(V.shape[0]):
        total += kullback_leibler_row(V[i], P[i], floor)
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def itakura_saito(V, P, Q, floor):
    """Replace P by 1 / P and Q by V / P^2; return the divergence of V from P."""
    total = 0.0
    for i in range(V.shape[0]):
        total += itakura_saito_row(V[i], P[i], Q[i], floor)
    return total


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
