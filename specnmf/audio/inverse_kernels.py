"""The inner loops of inverse transforms, two real frames at a time, compiled.

The spectra A and B of two real frames are packed as A + i B over all n bins, so that
one complex transform gives one frame as its real, the other as its imaginary part.
Passes are Stockham's, from one buffer to another: the first of radix 8, the others of
radix 4, the last of 4 or 2. Planes are (2, n): real parts, imaginary parts.
"""

import numpy as np

from specnmf.jit import njit
from specnmf.vectors import (
    WIDTH,
    add,
    apart,
    backwards,
    fused,
    load,
    plus,
    product,
    scaled,
    store,
    store_columns,
    subtract,
)

#: What a row is: nothing, sound of its own, or equal to the other row of its pair.
SILENT, OWN, ALIKE = range(3)

#: The real part of the eighth root of one.
EIGHTH = np.float32(np.sqrt(0.5))


@njit(cache=True, nogil=True)
def pack(X, masks, out, heard):
    """Set out to the packed spectra of pairs of rows, which masks may multiply.

    Rows are frames, and in each frame channels. The last row may be without another.

    Parameters
    ----------
    X : array, shape (n_channels, n_frames, n_bins, 2), float32
        Real and imaginary parts.
    masks : array, shape (n_channels or 1 or 0, n_frames, n_bins), float32
        Those of each channel, one for all, or none.
    out : array, shape (n_pairs, 2, n_fft), float32
    heard : array, shape (n_channels n_frames,), int8
        Set to SILENT, to OWN, or to ALIKE for the second row of a pair of two equal
        ones, of which only the first is packed: so equal channels stay equal.
    """
    n_channels, n_bins = X.shape[0], X.shape[2]
    ones, nothing = np.ones(n_bins, np.float32), np.zeros(2 * n_bins, np.float32)
    for first in range(0, heard.shape[0], 2):
        t, c = first // n_channels, first % n_channels
        one, mask = X[c, t].reshape(2 * n_bins), ones
        if masks.shape[0] > 0:
            mask = masks[min(c, masks.shape[0] - 1), t]
        heard[first] = OWN if _is_heard(one, mask) else SILENT
        other, other_mask = nothing, ones
        if first + 1 < heard.shape[0]:
            t, c = (first + 1) // n_channels, (first + 1) % n_channels
            other = X[c, t].reshape(2 * n_bins)
            if masks.shape[0] > 0:
                other_mask = masks[min(c, masks.shape[0] - 1), t]
            heard[first + 1] = OWN if _is_heard(other, other_mask) else SILENT
            if heard[first] and _are_equal(one, mask, other, other_mask):
                heard[first + 1] = ALIKE
                other = nothing
        _pack_pair(one, mask, other, other_mask, out[first // 2])


@njit(cache=True, nogil=True)
def _is_heard(spectrum, mask):
    """Whether anything is left of a spectrum."""
    for f in range(mask.shape[0]):
        if mask[f] != 0 and (spectrum[2 * f] != 0 or spectrum[2 * f + 1] != 0):
            return True
    return False


@njit(cache=True, nogil=True)
def _are_equal(one, mask, other, other_mask):
    """Whether two masked spectra have the same numbers."""
    for f in range(mask.shape[0]):
        if mask[f] != other_mask[f]:
            return False
        if one[2 * f] != other[2 * f] or one[2 * f + 1] != other[2 * f + 1]:
            return False
    return True


@njit(cache=True, nogil=True)
def _pack_pair(one, mask, other, other_mask, planes):
    """Set planes to A + i B over all bins, of two masked spectra A and B."""
    n, last = planes.shape[1], mask.shape[0] - 1
    first = n - 2 * last  # zero
    _pack_bins(one, mask, other, other_mask, first, first + 1, planes)
    f = first + 1
    while f + WIDTH <= last:
        ar, ai = _bins(one, mask, f)
        br, bi = _bins(other, other_mask, f)
        store(planes, (0, f), subtract(ar, bi))
        store(planes, (1, f), add(ai, br))
        mirrored = n - f - WIDTH + 1
        store(planes, (0, mirrored), backwards(add(ar, bi)))
        store(planes, (1, mirrored), backwards(subtract(br, ai)))
        f += WIDTH
    _pack_bins(one, mask, other, other_mask, f, last + 1, planes)


@njit(cache=True, nogil=True)
def _bins(spectrum, mask, f):
    """Real and imaginary parts of eight masked bins."""
    m = load(mask, (f,))
    real, imaginary = apart(load(spectrum, (2 * f,)), load(spectrum, (2 * f + WIDTH,)))
    return product(real, m), product(imaginary, m)


@njit(cache=True, nogil=True)
def _pack_bins(one, mask, other, other_mask, first, stop, planes):
    """`_pack_pair` for the bins of a range."""
    n, last = planes.shape[1], mask.shape[0] - 1
    for f in range(first, stop):
        ar, br = mask[f] * one[2 * f], other_mask[f] * other[2 * f]
        planes[0, f], planes[1, f] = ar, br
        if 0 < f < last:  # those at the ends are real
            ai = mask[f] * one[2 * f + 1]
            bi = other_mask[f] * other[2 * f + 1]
            planes[0, f], planes[1, f] = ar - bi, ai + br
            planes[0, n - f], planes[1, n - f] = ar + bi, br - ai


@njit(cache=True, nogil=True)
def add_pairs(packed, mask, gains, heard, window, hop, twiddles, roots, begin, out):
    """Add the frames of packed spectra to out, (n_channels, n), from begin on.

    Parameters
    ----------
    packed, heard
        As of `pack`; the frame is a power of two, of at least 64 samples.
    mask : array, shape (n_fft,), float32
        Multiplies all spectra.
    gains : array, shape (n_frames,), float32
        Multiply the frames.
    window : array, shape (n_fft,), float32
        Multiplies each frame; divided by the length, for the transforms are not.
    hop : int
        The distance of frames.
    twiddles : array, shape (2, 7 n_fft // 8), float32
        Of the first pass: the powers 1 to 7 of roots, one after the other.
    roots : array, shape (n_fft, 2), float32
        The roots of one.
    """
    n_channels, n = out.shape[0], packed.shape[2]
    one, other = np.empty((2, n), np.float32), np.empty((2, n), np.float32)
    for first in range(0, heard.shape[0], 2):
        rows = range(first, min(first + 2, heard.shape[0]))
        is_silent = True
        for row in rows:
            if heard[row] and gains[row // n_channels] != 0:
                is_silent = False
        if is_silent:
            continue
        _first_pass(packed[first // 2], mask, twiddles, one)
        source, target = one, other
        left = n // WIDTH  # the length of the transforms that are to be done
        while left > 4:
            _middle_pass(source, n // left, roots, target)
            source, target = target, source
            left //= 4
        _last_pass(source, left, target)
        for row in rows:
            t, c = row // n_channels, row % n_channels
            if heard[row]:
                part = 0 if heard[row] == ALIKE else row - first
                place = begin + t * hop
                _add_frame(target[part], window, gains[t], place, out[c])


@njit(cache=True, nogil=True)
def _add_frame(frame, window, gain, begin, out):
    """Add a windowed frame at its place."""
    for at in range(0, frame.shape[0], WIDTH):
        weights = scaled(load(window, (at,)), gain)
        there = load(out, (begin + at,))
        store(out, (begin + at,), fused(there, weights, load(frame, (at,))))


@njit(cache=True, nogil=True)
def _four(a, b, c, d, e, f, g, h):
    """The inverse transform of four complex numbers, real part before imaginary."""
    sr, si, tr, ti = add(a, e), add(b, f), subtract(a, e), subtract(b, f)
    ur, ui, vr, vi = add(c, g), add(d, h), subtract(c, g), subtract(d, h)
    return (
        add(sr, ur), add(si, ui), subtract(tr, vi), add(ti, vr),
        subtract(sr, ur), subtract(si, ui), add(tr, vi), subtract(ti, vr),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _masked(planes, mask, at):
    """Eight complex numbers times a mask."""
    m = load(mask, (at,))
    return product(load(planes, (0, at)), m), product(load(planes, (1, at)), m)


@njit(cache=True, nogil=True)
def _four_masked(planes, mask, at):
    """The inverse transform of every second of eight complex numbers, masked."""
    step = planes.shape[1] // 4
    a, b = _masked(planes, mask, at)
    c, d = _masked(planes, mask, at + step)
    e, f = _masked(planes, mask, at + 2 * step)
    g, h = _masked(planes, mask, at + 3 * step)
    return _four(a, b, c, d, e, f, g, h)


@njit(cache=True, nogil=True)
def _turned(real, imaginary, twiddles, at):
    """Eight complex numbers times twiddles."""
    c, s = load(twiddles, (0, at)), load(twiddles, (1, at))
    minus = subtract(product(real, c), product(imaginary, s))
    return minus, fused(product(imaginary, c), real, s)


@njit(cache=True, nogil=True)
def _first_pass(planes, mask, twiddles, out):
    """The pass of radix 8, of planes that a mask multiplies."""
    m = planes.shape[1] // 8
    for p in range(0, m, WIDTH):
        a0, b0, a2, b2, a4, b4, a6, b6 = _four_masked(planes, mask, p)
        a1, b1, a3, b3, a5, b5, a7, b7 = _four_masked(planes, mask, p + m)
        # the odd ones, times eighth roots of one
        a3, b3 = scaled(subtract(a3, b3), EIGHTH), scaled(add(a3, b3), EIGHTH)
        a7, b7 = scaled(add(a7, b7), -EIGHTH), scaled(subtract(a7, b7), EIGHTH)
        a0, b0, a1, b1 = add(a0, a1), add(b0, b1), subtract(a0, a1), subtract(b0, b1)
        a2, b2, a3, b3 = add(a2, a3), add(b2, b3), subtract(a2, a3), subtract(b2, b3)
        a4, b4, a5, b5 = subtract(a4, b5), add(b4, a5), add(a4, b5), subtract(b4, a5)
        a6, b6, a7, b7 = add(a6, a7), add(b6, b7), subtract(a6, a7), subtract(b6, b7)
        a2, b2 = _turned(a2, b2, twiddles, p)
        a4, b4 = _turned(a4, b4, twiddles, p + m)
        a6, b6 = _turned(a6, b6, twiddles, p + 2 * m)
        a1, b1 = _turned(a1, b1, twiddles, p + 3 * m)
        a3, b3 = _turned(a3, b3, twiddles, p + 4 * m)
        a5, b5 = _turned(a5, b5, twiddles, p + 5 * m)
        a7, b7 = _turned(a7, b7, twiddles, p + 6 * m)
        store_columns(out, (0, 8 * p), (a0, a2, a4, a6, a1, a3, a5, a7))
        store_columns(out, (1, 8 * p), (b0, b2, b4, b6, b1, b3, b5, b7))


@njit(cache=True, nogil=True)
def _fourth(planes, at):
    """The inverse transform of four complex numbers a quarter apart, eight times."""
    step = planes.shape[1] // 4
    return _four(
        load(planes, (0, at)), load(planes, (1, at)),
        load(planes, (0, at + step)), load(planes, (1, at + step)),
        load(planes, (0, at + 2 * step)), load(planes, (1, at + 2 * step)),
        load(planes, (0, at + 3 * step)), load(planes, (1, at + 3 * step)),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _middle_pass(planes, size, roots, out):
    """A pass of radix 4 on transforms of ``size`` numbers, which are done so far."""
    for p in range(planes.shape[1] // size // 4):
        c1, s1 = roots[p * size, 0], roots[p * size, 1]
        c2, s2 = roots[2 * p * size, 0], roots[2 * p * size, 1]
        c3, s3 = roots[3 * p * size, 0], roots[3 * p * size, 1]
        for at in range(p * size, (p + 1) * size, WIDTH):
            a0, b0, a1, b1, a2, b2, a3, b3 = _fourth(planes, at)
            to = at + 3 * p * size
            store(out, (0, to), a0)
            store(out, (1, to), b0)
            store(out, (0, to + size), plus(scaled(a1, c1), -s1, b1))
            store(out, (1, to + size), plus(scaled(b1, c1), s1, a1))
            store(out, (0, to + 2 * size), plus(scaled(a2, c2), -s2, b2))
            store(out, (1, to + 2 * size), plus(scaled(b2, c2), s2, a2))
            store(out, (0, to + 3 * size), plus(scaled(a3, c3), -s3, b3))
            store(out, (1, to + 3 * size), plus(scaled(b3, c3), s3, a3))


@njit(cache=True, nogil=True)
def _last_pass(planes, radix, out):
    """The pass of radix 2 or 4 that is left."""
    n = planes.shape[1]
    step = n // radix
    for at in range(0, step, WIDTH):
        if radix == 4:
            a0, b0, a1, b1, a2, b2, a3, b3 = _fourth(planes, at)
            store(out, (0, at), a0)
            store(out, (1, at), b0)
            store(out, (0, at + step), a1)
            store(out, (1, at + step), b1)
            store(out, (0, at + 2 * step), a2)
            store(out, (1, at + 2 * step), b2)
            store(out, (0, at + 3 * step), a3)
            store(out, (1, at + 3 * step), b3)
        else:
            for part in range(2):
                one, other = load(planes, (part, at)), load(planes, (part, at + step))
                store(out, (part, at), add(one, other))
                store(out, (part, at + step), subtract(one, other))
