"""The inner loops of the Wiener filter over neighbouring bins, compiled.

Covariances are (OFFSETS, n_bins): row j has those of each bin with the bin j above it.
Complex numbers are pairs of real and imaginary parts, the last axis.
"""

import numpy as np

from specnmf.jit import njit

#: Each bin has a covariance with itself and so many bins above it, less one.
OFFSETS = 4

#: Keeps silence from a division by zero.
TINY = 1e-30


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
def covariances(density, taps, variances, correlated, out):
    """Set out to the covariances of one frame of a source.

    ``density`` is (n_fine, n_bins), ``taps`` (OFFSETS, 2 HALF_WIDTH + 1, n_fine). They
    decide on the correlations, which count by the share ``correlated``; ``variances``,
    (n_bins,) or more, are the variances.
    """
    n_bins = out.shape[1]
    reach = taps.shape[1] // 2
    out[:] = 0
    for j in range(OFFSETS):
        for u in range(-reach, reach + 1):
            for r in range(density.shape[0]):
                tap = taps[j, u + reach, r]
                if tap == 0:
                    continue
                first, stop = max(0, -u), min(n_bins, n_bins - u)
                row, points = out[j, first:stop], density[r, first + u : stop + u]
                for k in range(stop - first):
                    row[k] += tap * points[k]
    scales = out[0]
    for k in range(n_bins):
        there = scales[k] > TINY
        scales[k] = np.sqrt(variances[k] / scales[k]) if there else np.float32(0)
    for j in range(1, OFFSETS):
        for k in range(n_bins - j):
            out[j, k] *= correlated * scales[k] * scales[k + j]
        out[j, n_bins - j :] = 0
    for k in range(n_bins):
        out[0, k] = variances[k]


@njit(cache=True, nogil=True, error_model="numpy")
def solve(x, total, unexplained, factors, z, rest):
    """Solve (total + noise) z = x for one frame; rest is what the noise has of x.

    The noise has the share ``unexplained`` of what a bin has in excess of its variance.
    ``factors``, of the shape of total, is overwritten with an LDL decomposition. Odd
    bins of x have the opposite sign.
    """
    n_bins = total.shape[1]
    for k in range(n_bins):
        sign = np.float32(1 - 2 * (k % 2))
        re, im = sign * x[k, 0], sign * x[k, 1]
        d = total[0, k]
        d += unexplained * max(np.float32(0), re * re + im * im - d) + TINY
        least = np.float32(1e-5) * d
        for j in range(1, min(OFFSETS, k + 1)):
            below = factors[j, k - j]
            d -= below * below * factors[0, k - j]
            re -= below * z[k - j, 0]
            im -= below * z[k - j, 1]
        d = max(d, least)
        factors[0, k] = d
        for i in range(1, min(OFFSETS, n_bins - k)):
            value = total[i, k]
            for j in range(1, min(OFFSETS - i, k + 1)):
                below = factors[j, k - j]
                value -= below * factors[i + j, k - j] * factors[0, k - j]
            factors[i, k] = value / d
        z[k, 0], z[k, 1] = re, im
    for k in range(n_bins - 1, -1, -1):
        re, im = z[k, 0] / factors[0, k], z[k, 1] / factors[0, k]
        for j in range(1, min(OFFSETS, n_bins - k)):
            re -= factors[j, k] * z[k + j, 0]
            im -= factors[j, k] * z[k + j, 1]
        z[k, 0], z[k, 1] = re, im
    multiply(total, z, rest)
    for k in range(n_bins):
        rest[k, 0], rest[k, 1] = x[k, 0] - rest[k, 0], x[k, 1] - rest[k, 1]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
def multiply(matrix, z, out):
    """Set out to the product of covariances and z, odd bins with the opposite sign."""
    n_bins = matrix.shape[1]
    for k in range(n_bins):
        re, im = matrix[0, k] * z[k, 0], matrix[0, k] * z[k, 1]
        for j in range(1, OFFSETS):
            if k + j < n_bins:
                re += matrix[j, k] * z[k + j, 0]
                im += matrix[j, k] * z[k + j, 1]
            if k >= j:
                re += matrix[j, k - j] * z[k - j, 0]
                im += matrix[j, k - j] * z[k - j, 1]
        sign = np.float32(1 - 2 * (k % 2))
        out[k, 0], out[k, 1] = sign * re, sign * im


@njit(cache=True, nogil=True, error_model="numpy")
def filter_source(matrix, variances, total, z, rest, out):
    """Set the first bins of one frame, out, to a source's estimate.

    That is its covariances times z, and its share of the rest by the variances.
    """
    multiply(matrix, z, out)
    for k in range(matrix.shape[1]):
        share = variances[k] / total[k]
        out[k, 0] += share * rest[k, 0]
        out[k, 1] += share * rest[k, 1]
