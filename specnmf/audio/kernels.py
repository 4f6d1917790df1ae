"""The inner loops of masking and resynthesis, compiled.

Arrays are filled in place. Sums run in source order, so that a result does not
depend on the number of threads.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def add_power(model, power, total):
    """Raise the model to a power in place, and add it to the total."""
    for i in range(model.shape[0]):
        for j in range(model.shape[1]):
            if power == 2:
                model[i, j] *= model[i, j]
            elif power != 1:
                model[i, j] = model[i, j] ** power
            total[i, j] += model[i, j]


@njit(cache=True, nogil=True, error_model="numpy")
def apply_ratio(X, model, total, share, out):
    """Set out to X model / total; to ``share`` of X where the total is zero."""
    for i in range(model.shape[0]):
        for j in range(model.shape[1]):
            mask = model[i, j] / total[i, j] if total[i, j] > 0 else share
            for c in range(X.shape[0]):
                out[c, i, j] = X[c, i, j] * mask


@njit(cache=True, nogil=True)
def apply_winner(X, winner, source, out):
    """Set out to X where the source has won, to zero elsewhere."""
    for i in range(winner.shape[0]):
        for j in range(winner.shape[1]):
            won = winner[i, j] == source
            for c in range(X.shape[0]):
                out[c, i, j] = X[c, i, j] if won else 0


@njit(cache=True, nogil=True, fastmath={"contract"})
def overlap_add(frames, window, hop_length, out):
    """Add the windowed frames (n_channels, n_frames, n_fft) at their places."""
    for c in range(frames.shape[0]):
        for i in range(frames.shape[1]):
            place = out[c, i * hop_length : i * hop_length + window.shape[0]]
            for j in range(window.shape[0]):
                place[j] += frames[c, i, j] * window[j]


@njit(cache=True, nogil=True)
def round_running_sum(sources, mixture, scale, out):
    """Fill out with integers that add up to the mixture exactly.

    Each source is the difference of two rounded running sums, the last of which
    is the mixture itself; what a source cannot hold goes to the others.

    Parameters
    ----------
    sources : array, shape (n_sources, n_channels, n), float32
    mixture : array, shape (n_channels, n), float64
    scale : float
        Full scale, 2^(bits - 1).
    out : array, shape (n_sources, n, n_channels), int32

    Returns
    -------
    int
        How many samples were held at full scale.
    """
    n_sources, n_channels, n = sources.shape
    low, high = -np.int64(scale), np.int64(scale) - 1
    held = 0
    for c in range(n_channels):
        for t in range(n):
            rest = mixture[c, t]
            for s in range(n_sources):
                rest -= sources[s, c, t]
            running, written = 0.0, np.int64(0)
            target = np.int64(np.rint(mixture[c, t] * scale))
            for s in range(n_sources):
                running += sources[s, c, t] + rest / n_sources
                goal = np.int64(np.rint(running * scale))
                if s == n_sources - 1:
                    goal = target
                value = min(max(goal - written, low), high)
                held += value != goal - written
                out[s, t, c] = value
                written += value
            for s in range(n_sources):
                if written == target:
                    break
                value = min(max(out[s, t, c] + target - written, low), high)
                written += value - out[s, t, c]
                out[s, t, c] = value
    return held
