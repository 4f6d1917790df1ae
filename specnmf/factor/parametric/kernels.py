"""The inner loops of the parametric model, compiled.

Arrays are filled in place. ``support`` is (edges, template): frame t has the entries
edges[t] to edges[t + 1], each a template that may sound there. ``lobes`` is (first,
length, offset, values): the partial m of template c at detuning d covers the bins
from first[c, d, m] on, with the values from offset[c, d, m] on. Models and ratios
are (n_channels, n_frames, n_bins) of the frames of a span (start, stop).
"""

import numpy as np

from specnmf.factor.kernels.divergences import FAST, LEAST
from specnmf.jit import njit

#: Strengths below it are silence.
TINY = np.float32(LEAST)

#: Keeps sums of silence from a division by zero.
SILENCE = 1e-20


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _add_template(c, gain, strengths, amplitudes, lobes, row):
    """Add gain times strengths (detunings) times amplitudes (partials) to a row."""
    first, length, offset, values = lobes
    for d in range(strengths.shape[0]):
        if strengths[d] <= 0:
            continue
        for m in range(amplitudes.shape[0]):
            n = length[c, d, m]
            s = gain * strengths[d] * amplitudes[m]
            if n == 0 or s == 0:
                continue
            place = row[first[c, d, m] : first[c, d, m] + n]
            lobe = values[offset[c, d, m] : offset[c, d, m] + n]
            for i in range(n):
                place[i] += s * lobe[i]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _correlate(c, d, m, lobes, row):
    """The inner product of one lobe and a spectrum."""
    first, length, offset, values = lobes
    n = length[c, d, m]
    place = row[first[c, d, m] : first[c, d, m] + n]
    lobe = values[offset[c, d, m] : offset[c, d, m] + n]
    total = np.float32(0)
    for i in range(n):
        total += place[i] * lobe[i]
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _heard(ratio, t, pan, scratch):
    """The channels' ratios of a frame together, weighted as the template is heard."""
    if ratio.shape[0] == 1:
        return ratio[0, t]
    scratch[:] = 0
    for channel in range(ratio.shape[0]):
        row = ratio[channel, t]
        weight = pan[channel]
        for i in range(scratch.shape[0]):
            scratch[i] += weight * row[i]
    return scratch


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def add_partials(span, support, lobes, strengths, amplitudes, pans, owner, models):
    """Add to each owner's model what its entries contribute.

    strengths is (n_entries, n_detunings), amplitudes (n_templates, n_partials), pans
    (n_templates, n_channels), owner (n_entries,) and models (n_owners, n_channels,
    n_frames, n_bins).
    """
    edges, template = support
    for t in range(span[0], span[1]):
        for entry in range(edges[t], edges[t + 1]):
            c = template[entry]
            for channel in range(models.shape[1]):
                gain = pans[c, channel]
                row = models[owner[entry], channel, t - span[0]]
                _add_template(c, gain, strengths[entry], amplitudes[c], lobes, row)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def follow_partials(span, support, lobes, strengths, amplitudes, pans, ratio):
    """Multiply the strengths of the span's entries by their update for KL.

    The lobes sum to one, the amplitudes of a template to one and its pans to the
    number of channels, which is therefore the denominator.
    """
    edges, template = support
    scratch = np.empty(ratio.shape[2], np.float32)
    n_channels = np.float32(ratio.shape[0])
    for t in range(span[0], span[1]):
        for entry in range(edges[t], edges[t + 1]):
            c = template[entry]
            row = _heard(ratio, t - span[0], pans[c], scratch)
            for d in range(strengths.shape[1]):
                if strengths[entry, d] <= 0:
                    continue
                total = np.float32(0)
                for m in range(amplitudes.shape[1]):
                    if amplitudes[c, m] > 0:
                        total += amplitudes[c, m] * _correlate(c, d, m, lobes, row)
                strengths[entry, d] *= total / n_channels


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
def gather_amplitudes(span, support, lobes, strengths, amplitudes, pans, ratio, out):
    """Add to ``out``, of the amplitudes' shape, their numerators."""
    edges, template = support
    scratch = np.empty(ratio.shape[2], np.float32)
    for t in range(span[0], span[1]):
        for entry in range(edges[t], edges[t + 1]):
            c = template[entry]
            row = _heard(ratio, t - span[0], pans[c], scratch)
            for d in range(strengths.shape[1]):
                strength = strengths[entry, d]
                if strength <= 0:
                    continue
                for m in range(amplitudes.shape[1]):
                    if amplitudes[c, m] > 0:
                        out[c, m] += strength * _correlate(c, d, m, lobes, row)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def gather_pans(span, support, lobes, strengths, amplitudes, pans, ratio, out):
    """Add to ``out``, of the pans' shape, their numerators."""
    edges, template = support
    for t in range(span[0], span[1]):
        for entry in range(edges[t], edges[t + 1]):
            c = template[entry]
            for channel in range(ratio.shape[0]):
                row = ratio[channel, t - span[0]]
                for d in range(strengths.shape[1]):
                    strength = strengths[entry, d]
                    if strength <= 0:
                        continue
                    for m in range(amplitudes.shape[1]):
                        if amplitudes[c, m] > 0:
                            s = strength * amplitudes[c, m]
                            out[c, channel] += s * _correlate(c, d, m, lobes, row)


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
