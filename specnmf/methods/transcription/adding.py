"""Adding: notes that the transcriber missed, where partials exceed the model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Float32
from specnmf.methods.transcription.candidates import spans
from specnmf.methods.transcription.describing import TINY, NoteFit
from specnmf.methods.transcription.heard import Float64, Heard
from specnmf.notation import hertz

#: The range of pitches, as MIDI numbers.
LOWEST, HIGHEST = 36, 96

#: The partials that are used of a pitch, and the search range around each in semitones.
N_PARTIALS, REACH = 4, 0.4

#: A partial stands out if the sound exceeds its model by this much (a logarithm); at
#: most MOST counts.
STANDS_OUT, MOST = 0.7, 1.5

#: Seconds over which salience is smoothed, and the shortest note.
SMOOTH, SHORTEST = 0.25, 0.25

#: The confidence of added notes, and their least strength, relative to the median of
#: the detected notes: on rendered scores, few notes of that strength are wrong.
CONFIDENCE, STRONG = 0.3, 0.4


def missing(fit: NoteFit) -> Heard:
    """Notes whose partials exceed the fit's model for SHORTEST or longer."""
    salience = _residual_salience(fit)
    hop = fit.grid.hop_length / fit.grid.sr
    notes = [
        (first * hop, last * hop, row + LOWEST)
        for row, values in enumerate(salience)
        for first, last in spans(values > STANDS_OUT, gap=0)
        if (last - first) * hop >= SHORTEST
    ]
    start, end, pitch = np.array(notes, float).reshape(-1, 3).T
    return Heard.of(start, end, pitch, np.full(len(notes), CONFIDENCE))


def strong(described: Heard, added: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which notes stay: the detected ones, and strong added ones."""
    if added.all():
        return ~added
    least = STRONG * np.median(described.energy[~added])
    return ~added | (described.energy > least)


def _residual_salience(fit: NoteFit) -> Float64:
    """How far the partials of each pitch stand out, (n_pitches, n_frames).

    The second weakest partial counts, if it exceeds that of its neighbours.
    """
    from scipy.ndimage import uniform_filter1d

    excess = _excess(fit)
    pitches = np.arange(LOWEST, HIGHEST + 1)
    out = np.empty((len(pitches), len(excess)))
    for row, pitch in enumerate(pitches.tolist()):
        partials = [_highest(fit, excess, pitch, m) for m in range(1, N_PARTIALS + 1)]
        out[row] = np.sort(partials, axis=0)[1]
    frames = max(1, round(SMOOTH * fit.grid.sr / fit.grid.hop_length))
    smooth = uniform_filter1d(out, frames, axis=1, mode="constant")
    beside = np.pad(smooth, ((1, 1), (0, 0)))
    highest = (smooth >= beside[:-2]) & (smooth > beside[2:])
    return np.where(highest, smooth, 0.0)


def _excess(fit: NoteFit) -> Float32:
    """The logarithm of the sound over its model, 0 to MOST, (n_frames, n_bins)."""
    V, whole = fit.V.mean(axis=0), slice(0, fit.V.shape[1])
    model = np.zeros_like(fit.V)
    fit.partials.add(whole, model)
    fit.noise.add(whole, model)
    least = 1e-3 * float(V.mean()) + TINY
    ratio = (V + least) / (model.mean(axis=0) + least)
    excess: Float32 = np.clip(np.log(ratio), 0, MOST).astype(np.float32)
    return excess


def _highest(fit: NoteFit, excess: Float32, pitch: int, m: int) -> Float64:
    """The largest excess near a partial, (n_frames,); MOST where no bins are.

    A partial above the spectrum is no evidence against a pitch.
    """
    per_hertz = m * fit.grid.n_fft / fit.grid.sr
    first = round(float(hertz(pitch - REACH)) * per_hertz)
    last = round(float(hertz(pitch + REACH)) * per_hertz)
    if last >= excess.shape[1]:
        return np.full(len(excess), MOST)
    return np.asarray(excess[:, first : last + 1].max(axis=1), np.float64)
