"""Running medians, and the masks of harmonic and percussive sound, compiled.

The window of a running median is kept in order. A step takes out the oldest value and
puts in the newest, and moves what lies between the two places: some values of dozens,
next to each other in the core's own cache.
"""

import numpy as np

from specnmf.jit import njit


@njit(cache=True, nogil=True, inline="always")
def mirrored(i, n):
    """The place in an axis of length n that one beyond its ends is mirrored to.

    The edge itself is repeated: ... 1 0 0 1 ... n-1 n-1 n-2 ...
    """
    i %= 2 * n
    return i if i < n else 2 * n - 1 - i


@njit(cache=True, nogil=True)
def insert(window, length, value):
    """Put a value into an ordered window that has so many values."""
    i = length
    while i > 0 and window[i - 1] > value:
        window[i] = window[i - 1]
        i -= 1
    window[i] = value


@njit(cache=True, nogil=True)
def exchange(window, old, new):
    """Take a value out of an ordered window, put another in."""
    if old == new:
        return
    low, high = 0, window.shape[0]
    while low < high:  # the first place of the old value
        middle = (low + high) // 2
        if window[middle] < old:
            low = middle + 1
        else:
            high = middle
    last = window.shape[0] - 1
    if new > old:
        while low < last and window[low + 1] < new:
            window[low] = window[low + 1]
            low += 1
    else:
        while low > 0 and window[low - 1] > new:
            window[low] = window[low - 1]
            low -= 1
    window[low] = new


@njit(cache=True, nogil=True)
def medians_along(V, first, windows, out):
    """Set out to the medians over time of frames of V, from ``first`` on.

    V is (n_frames, n_bins), out has some of its frames, and ``windows``, as many bins
    as are done side by side, by the odd length of the filter. Finite, without NaN.
    """
    n_frames, n_bins = V.shape
    length = windows.shape[1]
    half = length // 2
    for start in range(0, n_bins, windows.shape[0]):
        stop = min(n_bins, start + windows.shape[0])
        for i in range(length):
            row = V[mirrored(first - half + i, n_frames)]
            for k in range(start, stop):
                insert(windows[k - start], i, row[k])
        for k in range(start, stop):
            out[0, k] = windows[k - start, half]
        for n in range(1, out.shape[0]):
            old = V[mirrored(first + n - 1 - half, n_frames)]
            new = V[mirrored(first + n + half, n_frames)]
            for k in range(start, stop):
                exchange(windows[k - start], old[k], new[k])
                out[n, k] = windows[k - start, half]


@njit(cache=True, nogil=True)
def medians_across(V, first, window, out):
    """Set out to the medians over frequency of frames of V, from ``first`` on.

    V and out as of `medians_along`; ``window`` has the odd length of the filter.
    """
    n_bins, length = V.shape[1], window.shape[0]
    half = length // 2
    for n in range(out.shape[0]):
        row = V[first + n]
        for i in range(length):
            insert(window, i, row[mirrored(i - half, n_bins)])
        out[n, 0] = window[half]
        for k in range(1, n_bins):
            old = row[mirrored(k - 1 - half, n_bins)]
            new = row[mirrored(k + half, n_bins)]
            exchange(window, old, new)
            out[n, k] = window[half]


@njit(cache=True, nogil=True, error_model="numpy")
def share(tones, clicks, margin, tiny):
    """Set two medians to masks in place: the shares of their squares.

    One median must exceed the other ``margin`` times to have a half. Where both are
    below ``tiny``, the masks are a half if the margin is 1, else zero.
    """
    one = np.float32(1)
    nothing = np.float32(0.5) if margin == one else np.float32(0)
    for n in range(tones.shape[0]):
        for k in range(tones.shape[1]):
            tone, click = tones[n, k], clicks[n, k]
            tones[n, k] = ratio(tone, click * margin, tiny, nothing)
            clicks[n, k] = ratio(click, tone * margin, tiny, nothing)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def ratio(own, other, tiny, nothing):
    """The share of a square in the sum of two."""
    most = max(own, other)
    if most < tiny:
        return nothing
    own /= most
    other /= most
    own *= own
    return own / (own + other * other)
