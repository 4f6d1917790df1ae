"""The inner loops of masking and resynthesis, compiled.

Arrays are filled in place. Sums run in source order, so that a result does not
depend on the number of threads.
"""

import numpy as np

from specnmf.jit import njit


@njit(cache=True, nogil=True)
def cut_frames(samples, first, hop_length, window, out):
    """Set out, (n_channels, n_frames, n_fft), to windowed frames.

    The first begins at sample ``first``, which may be negative; beyond the samples,
    (n_channels, n), there are zeros.
    """
    n, n_fft = samples.shape[1], window.shape[0]
    for c in range(out.shape[0]):
        for i in range(out.shape[1]):
            at = first + i * hop_length
            begin = min(max(0, -at), n_fft)
            end = max(begin, min(n_fft, n - at))
            frame, place = out[c, i, begin:end], samples[c, at + begin : at + end]
            share = window[begin:end]
            out[c, i, :begin] = 0
            out[c, i, end:] = 0
            for j in range(end - begin):
                frame[j] = place[j] * share[j]


@njit(cache=True, nogil=True)
def root_mean_square(X, out):
    """Set out to the root mean square over channels, the first axis of X, of |X|."""
    n_channels = np.float32(X.shape[0])
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            power = np.float32(0)
            for c in range(X.shape[0]):
                power += X[c, i, j].real * X[c, i, j].real + (
                    X[c, i, j].imag * X[c, i, j].imag
                )
            out[i, j] = np.sqrt(power / n_channels)


@njit(cache=True, nogil=True, error_model="numpy")
def add_power(model, power, total):
    """Raise the model to a power in place, and add it to the total."""
    for i in range(model.shape[0]):
        for j in range(model.shape[1]):
            if power == 2:
                model[i, j] *= model[i, j]
            else:
                model[i, j] = model[i, j] ** power
            total[i, j] += model[i, j]


@njit(cache=True, nogil=True)
def apply_winner(X, winner, source, out):
    """Set out to X where the source has won, to zero elsewhere."""
    for c in range(X.shape[0]):
        for i in range(X.shape[1]):
            for j in range(X.shape[2]):
                out[c, i, j] = X[c, i, j] if winner[c, i, j] == source else 0


@njit(cache=True, nogil=True, fastmath={"contract"})
def overlap_add(frames, window, hop_length, out):
    """Add the windowed frames (n_channels, n_frames, n_fft) at their places."""
    for c in range(frames.shape[0]):
        for i in range(frames.shape[1]):
            place = out[c, i * hop_length : i * hop_length + window.shape[0]]
            for j in range(window.shape[0]):
                place[j] += frames[c, i, j] * window[j]


@njit(cache=True, nogil=True, fastmath={"contract"})
def add_windows(squares, hop_length, n_frames, origin, out):
    """Add the squared windows of all frames that reach the samples from origin on."""
    n_fft, end = squares.shape[0], origin + out.shape[0]
    first = max(0, (origin - n_fft) // hop_length)
    for i in range(first, min(n_frames, end // hop_length + 1)):
        at = i * hop_length
        for t in range(max(at, origin), min(at + n_fft, end)):
            out[t - origin] += squares[t - at]


@njit(cache=True, nogil=True)
def round_running_sum(sources, mixture, scale, span, out, written):
    """Fill a span of out with integers that add up to the mixture exactly.

    Each source is the difference of two rounded running sums, the last of which
    is the mixture itself; what a source cannot hold goes to the others.

    Parameters
    ----------
    sources : array, shape (n_sources, n_channels, n), float32
    mixture : array, shape (n_channels, n), float64
    scale : float
        Full scale, 2^(bits - 1).
    span : tuple of int
        The first sample and the one after the last.
    out : array, shape (n_sources, n, n_channels), int16 or int32
    written : array, shape (n_channels, n), float64
        Filled with the sum of what is written.

    Returns
    -------
    int
        How many samples were held at full scale.
    """
    n_sources = sources.shape[0]
    start, stop = span
    n = stop - start
    running, share, given = np.zeros(n), np.zeros(n), np.zeros(n)
    held = 0
    for c in range(sources.shape[1]):
        whole, sum_written = mixture[c, start:stop], written[c, start:stop]
        for t in range(n):
            share[t] = whole[t]
            running[t] = sum_written[t] = 0
        for s in range(n_sources):
            source = sources[s, c, start:stop]
            for t in range(n):
                share[t] -= source[t]
        for t in range(n):
            share[t] /= n_sources
        for s in range(n_sources):
            source = sources[s, c, start:stop]
            sums = whole if s == n_sources - 1 else running
            for t in range(n):
                running[t] += source[t] + share[t]
            for t in range(n):
                step = np.rint(sums[t] * scale) - sum_written[t]
                given[t] = min(max(step, -scale), scale - 1)
                held += given[t] != step
                sum_written[t] += given[t]
            for t in range(n):
                out[s, start + t, c] = np.int32(given[t])
        for t in range(n):
            missing = np.rint(whole[t] * scale) - sum_written[t]
            for s in range(n_sources):
                if missing == 0:
                    break
                value = out[s, start + t, c]
                more = min(max(value + missing, -scale), scale - 1) - value
                missing -= more
                sum_written[t] += more
                out[s, start + t, c] = np.int32(value + more)
    return held
