"""The inner loops of the parametric model, compiled.

Arrays are filled in place. ``support`` is (edges, template): frame t has the entries
edges[t] to edges[t + 1], each a template that may sound there. ``lobes`` is
(edges, place, values), as `specnmf.factor.parametric.lobes.Chunks` tells. Models and
ratios are (n_channels, n_frames, n_bins) of the frames of a span (start, stop).
"""

import numpy as np

from specnmf.factor.kernels.divergences import FAST, LEAST
from specnmf.jit import njit
from specnmf.vectors import WIDTH, load, number, plus, product, store, total, zeros

#: Strengths below it are silence.
TINY = np.float32(LEAST)

#: Keeps sums of silence from a division by zero.
SILENCE = 1e-20


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _sounding(span, support, strengths, n_templates):
    """The entries of the frames that sound, template by template.

    Returns the first place of each template, and by place: the entry, its frame,
    counted from the start of the span, the first detuning that sounds and the one after
    the last, and the strengths in one row.
    """
    edges, template = support
    begin, stop = edges[span[0]], edges[span[1]]
    n = strengths.shape[1]
    reach = np.zeros((stop - begin, 2), np.int64)
    starts = np.zeros(n_templates + 1, np.int64)
    for entry in range(begin, stop):
        low, high = 0, n
        while low < n and strengths[entry, low] <= 0:
            low += 1
        while high > low and strengths[entry, high - 1] <= 0:
            high -= 1
        reach[entry - begin, 0], reach[entry - begin, 1] = low, high
        if low < high:
            starts[template[entry] + 1] += 1
    for c in range(n_templates):
        starts[c + 1] += starts[c]
    free = starts[:-1].copy()
    order = np.empty(starts[-1], np.int64)
    frame = np.empty(starts[-1], np.int64)
    lows = np.empty(starts[-1], np.int64)
    highs = np.empty(starts[-1], np.int64)
    weights = np.empty(starts[-1] * n, np.float32)
    for t in range(span[0], span[1]):
        for entry in range(edges[t], edges[t + 1]):
            low, high = reach[entry - begin]
            if low < high:
                i = free[template[entry]]
                free[template[entry]] += 1
                order[i], frame[i] = entry, t - span[0]
                lows[i], highs[i] = low, high
                for d in range(n):
                    weights[i * n + d] = strengths[entry, d]
    return starts, order, frame, lows, highs, weights


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def add_partials(span, support, lobes, factors, owner, models):
    """Add to each owner's model what its entries contribute.

    ``factors`` are strengths (n_entries, n_detunings), amplitudes (n_templates,
    n_partials) and pans (n_templates, n_channels); owner is (n_entries,) and models
    (n_owners, n_channels, n_frames, n_bins).
    """
    strengths, amplitudes, pans = factors
    edges, place, values = lobes
    starts, order, frame, lows, highs, weights = _sounding(
        span, support, strengths, len(amplitudes)
    )
    n, n_channels = strengths.shape[1], models.shape[1]
    channel_step, row_step = models.shape[2] * models.shape[3], models.shape[3]
    flat, shapes = models.reshape(-1), values.reshape(-1)
    rows = frame * row_step
    for i in range(len(order)):
        rows[i] += owner[order[i]] * n_channels * channel_step
    gains = np.empty(n_channels, np.float32)
    for c in range(len(amplitudes)):
        begin, count = starts[c], starts[c + 1] - starts[c]
        if count == 0:
            continue
        low_of, high_of = lows[begin : begin + count], highs[begin : begin + count]
        row_of = rows[begin : begin + count]
        lowest, highest = low_of.min(), high_of.max()
        for m in range(amplitudes.shape[1]):
            a = amplitudes[c, m]
            if a <= 0:
                continue
            for channel in range(n_channels):
                gains[channel] = a * pans[c, channel]
            for q in range(edges[c, m], edges[c, m + 1]):
                first, from_here, to_here = place[q, 0], place[q, 1], place[q, 2]
                if from_here >= highest or to_here <= lowest:
                    continue
                shape = place[q, 3] * WIDTH
                for k in range(count):
                    low, high = max(from_here, low_of[k]), min(to_here, high_of[k])
                    if low >= high:
                        continue
                    own = (begin + k) * n
                    summed = zeros()
                    for d in range(low, high):
                        lobe = load(shapes, (shape + d * WIDTH,))
                        summed = plus(summed, number(weights, own + d), lobe)
                    at = row_of[k] + first
                    for channel in range(n_channels):
                        after = plus(load(flat, (at,)), number(gains, channel), summed)
                        store(flat, (at,), after)
                        at += channel_step


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def update_partials(span, support, lobes, factors, ratio, out, follow):
    """Add the numerators of the amplitudes, channel by channel, to ``out``.

    It is (n_templates, n_partials, n_channels). If ``follow``, multiply then the
    strengths of the frames' entries by their update. The lobes sum to one, the
    amplitudes of a template to one and its pans to the number of channels, which is
    therefore the denominator.
    """
    strengths, amplitudes, pans = factors
    edges, place, values = lobes
    starts, order, frame, lows, highs, weights = _sounding(
        span, support, strengths, len(amplitudes)
    )
    n, n_channels = strengths.shape[1], ratio.shape[0]
    channel_step, row_step = ratio.shape[1] * ratio.shape[2], ratio.shape[2]
    flat, shapes = ratio.reshape(-1), values.reshape(-1)
    rows = frame * row_step
    asked = np.zeros(len(weights) * WIDTH, np.float32)
    gains = np.empty(n_channels, np.float32)
    products = np.empty(n_channels * WIDTH, np.float32)
    one = np.float32(1)
    for c in range(len(amplitudes)):
        begin, count = starts[c], starts[c + 1] - starts[c]
        if count == 0:
            continue
        low_of, high_of = lows[begin : begin + count], highs[begin : begin + count]
        row_of = rows[begin : begin + count]
        lowest, highest = low_of.min(), high_of.max()
        for m in range(amplitudes.shape[1]):
            a = amplitudes[c, m]
            if a <= 0:
                continue
            for channel in range(n_channels):
                gains[channel] = a * pans[c, channel]
                store(products, (channel * WIDTH,), zeros())
            for q in range(edges[c, m], edges[c, m + 1]):
                first, from_here, to_here = place[q, 0], place[q, 1], place[q, 2]
                if from_here >= highest or to_here <= lowest:
                    continue
                shape = place[q, 3] * WIDTH
                for k in range(count):
                    low, high = max(from_here, low_of[k]), min(to_here, high_of[k])
                    if low >= high:
                        continue
                    at = row_of[k] + first
                    heard = zeros()
                    for channel in range(n_channels):
                        there = load(flat, (at + channel * channel_step,))
                        heard = plus(heard, number(gains, channel), there)
                    own = (begin + k) * n
                    summed = zeros()
                    for d in range(low, high):
                        lobe = load(shapes, (shape + d * WIDTH,))
                        summed = plus(summed, number(weights, own + d), lobe)
                        wanted = load(asked, ((own + d) * WIDTH,))
                        wanted = plus(wanted, one, product(heard, lobe))
                        store(asked, ((own + d) * WIDTH,), wanted)
                    for channel in range(n_channels):
                        there = load(flat, (at + channel * channel_step,))
                        before = load(products, (channel * WIDTH,))
                        after = plus(before, one, product(there, summed))
                        store(products, (channel * WIDTH,), after)
            for channel in range(n_channels):
                out[c, m, channel] += total(load(products, (channel * WIDTH,)))
    if follow:
        for i in range(len(order)):
            for d in range(n):
                wanted = total(load(asked, ((i * n + d) * WIDTH,)))
                strengths[order[i], d] *= wanted / np.float32(n_channels)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def sharpen(strengths, power, least):
    """Raise each entry's strengths, relative to its largest, to 1 + power.

    What falls below ``least`` of the largest is zero from then on.
    """
    for entry in range(strengths.shape[0]):
        peak = strengths[entry].max()
        if peak < TINY:  # whose reciprocal may not be finite
            strengths[entry] = 0
            continue
        for d in range(strengths.shape[1]):
            share = strengths[entry, d] / peak
            strengths[entry, d] *= share**power if share > least else 0


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def fade(strengths, previous, most, least):
    """Limit each entry's strengths, in sum, to ``most`` times those before.

    A ``most`` above 1 is no limit. A limited entry that falls below ``least`` of the
    peak of its note is silent.
    """
    totals = np.zeros(strengths.shape[0], np.float32)
    peaks = np.zeros(strengths.shape[0], np.float32)
    for entry in range(strengths.shape[0]):
        totals[entry] = strengths[entry].sum()
        before = previous[entry]
        if most[entry] > 1:
            peaks[entry] = totals[entry]
            if before >= 0 and most[before] > 1:
                peaks[entry] = max(peaks[entry], peaks[before])
            continue
        if before < 0:
            continue
        peaks[entry] = peaks[before]
        limit = most[entry] * totals[before]
        if totals[entry] > limit:
            strengths[entry] *= limit / totals[entry]
            totals[entry] = limit
        if totals[entry] <= least * peaks[entry]:
            strengths[entry] = 0
            totals[entry] = 0


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def add_strikes(span, strikes, strengths, spectra, owner, models):
    """Add to each owner's model its strikes that sound in the frames.

    strikes is (frame, drum), one a strike; spectra is (n_drums, n_lags, n_channels,
    n_bins): what a drum sounds like so many frames after it is struck; owner is
    (n_strikes,) and models (n_owners, n_channels, n_frames, n_bins).
    """
    frame, drum = strikes
    for s in range(frame.shape[0]):
        first = max(span[0], frame[s])
        for t in range(first, min(span[1], frame[s] + spectra.shape[1])):
            for channel in range(models.shape[1]):
                row = models[owner[s], channel, t - span[0]]
                spectrum = spectra[drum[s], t - frame[s], channel]
                for i in range(row.shape[0]):
                    row[i] += strengths[s] * spectrum[i]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def gather_strikes(span, strikes, spectra, ratio, out):
    """Add to ``out`` (n_strikes,) the numerators of the strikes' strengths."""
    frame, drum = strikes
    for s in range(frame.shape[0]):
        first = max(span[0], frame[s])
        for t in range(first, min(span[1], frame[s] + spectra.shape[1])):
            for channel in range(ratio.shape[0]):
                row = ratio[channel, t - span[0]]
                spectrum = spectra[drum[s], t - frame[s], channel]
                total = np.float32(0)
                for i in range(row.shape[0]):
                    total += row[i] * spectrum[i]
                out[s] += total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def gather_spectra(span, strikes, strengths, ratio, out):
    """Add to ``out``, of the spectra's shape, their numerators."""
    frame, drum = strikes
    for s in range(frame.shape[0]):
        first = max(span[0], frame[s])
        for t in range(first, min(span[1], frame[s] + out.shape[1])):
            for channel in range(ratio.shape[0]):
                row = ratio[channel, t - span[0]]
                spectrum = out[drum[s], t - frame[s], channel]
                for i in range(row.shape[0]):
                    spectrum[i] += strengths[s] * row[i]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def add_noise(strengths, bands, edges, model):
    """Add to the model (n_channels, n_frames, n_bins) the bands as loud as they are.

    ``strengths`` is (n_channels, n_frames, n_bands), and ``edges``, (n_bands, 2), are
    the bins of each band, from and to.
    """
    for channel in range(model.shape[0]):
        for t in range(model.shape[1]):
            row = model[channel, t]
            for b in range(bands.shape[0]):
                strength = strengths[channel, t, b]
                place = row[edges[b, 0] : edges[b, 1]]
                band = bands[b, edges[b, 0] : edges[b, 1]]
                for i in range(place.shape[0]):
                    place[i] += strength * band[i]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def follow_noise(strengths, bands, edges, sums, ratio):
    """Multiply the strengths by their update; ``sums`` are those of the bands."""
    for channel in range(ratio.shape[0]):
        for t in range(ratio.shape[1]):
            row = ratio[channel, t]
            for b in range(bands.shape[0]):
                place = row[edges[b, 0] : edges[b, 1]]
                band = bands[b, edges[b, 0] : edges[b, 1]]
                total = np.float32(0)
                for i in range(place.shape[0]):
                    total += place[i] * band[i]
                strengths[channel, t, b] *= total / sums[b]
