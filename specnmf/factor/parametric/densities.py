"""The power of partials on a grid that is finer than the bins, compiled."""

import numpy as np

from specnmf.jit import njit


@njit(cache=True, nogil=True, error_model="numpy")
def add_densities(span, support, owner, factors, steps, out):
    """Add to each owner's density the power of what its entries contribute.

    ``support`` and ``factors`` are as in `specnmf.factor.parametric.kernels`, ``owner``
    is (n_entries,). A partial has the power of its magnitude at all detunings, divided
    among them by the squares of the strengths. ``steps``, (n_templates, n_detunings,
    n_partials, 2), are the bins, with fractions, from and to which each partial may
    lie; out, (n_owners, n_channels, n_frames, n_fine, n_bins), has the points of each
    bin in its rows.
    """
    edges, template = support
    strengths, amplitudes, pans = factors
    for t in range(span[0], span[1]):
        for entry in range(edges[t], edges[t + 1]):
            total = strengths[entry].sum()
            squares = (strengths[entry] * strengths[entry]).sum()
            if squares <= 0:
                continue
            c = template[entry]
            for channel in range(out.shape[1]):
                place = out[owner[entry], channel, t - span[0]]
                level = np.float32(0.5) * total * pans[c, channel]  # of a lobe's peak
                for m in range(amplitudes.shape[1]):
                    magnitude = level * amplitudes[c, m]
                    if steps[c, 0, m, 0] >= place.shape[1]:
                        break
                    if magnitude <= 0:
                        continue
                    power = magnitude * magnitude / squares
                    for d in range(strengths.shape[1]):
                        own = power * strengths[entry, d] * strengths[entry, d]
                        if own > 0:
                            _spread(own, steps[c, d, m], place)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _spread(power, step, place):
    """Add power evenly between two bins to the points of the fine grid there."""
    n_fine = place.shape[0]
    size = n_fine * place.shape[1]
    low, high = n_fine * step[0], n_fine * step[1]
    if high - low < 1:
        middle = np.float32(0.5) * (low + high)
        first = int(middle)
        above = middle - first
        if first + 1 < size:
            place[first % n_fine, first // n_fine] += power * (1 - above)
            place[(first + 1) % n_fine, (first + 1) // n_fine] += power * above
        return
    first, last = int(np.ceil(low - 0.5)), int(np.floor(high + 0.5))
    share = power / (last - first + 1)
    for point in range(first, min(last + 1, size)):
        place[point % n_fine, point // n_fine] += share
