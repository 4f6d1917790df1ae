"""Judging: how likely a heard note is there, by what was heard and by the fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.methods.transcription.describing import TINY, NoteFit
from specnmf.methods.transcription.heard import Float64
from specnmf.methods.transcription.salience import HIGHEST, LOWEST, Salience

#: How much each of the `features` speaks for a note, in logits, and the logit where all
#: are zero: a logistic regression on notes that were there or not.
WEIGHTS = np.array([4.77, 7.98, 0.80, 1.27, -1.39, -0.98, 0.85, -3.40, -2.33])
BIAS = -8.54

#: Semitones from a note down to those of which it may be a partial.
HARMONICS = (12, 19, 24, 28, 31, 34, 36)

#: Seconds around its onset in which that is heard, and between which the sound before
#: and the sound after are measured.
NEAR, BEFORE, AFTER = 0.05, (-0.15, -0.05), (0.05, 0.2)

#: What is silent before an onset is still so loud, relative to the median note.
QUIET = 0.02


def confidence(fit: NoteFit, salience: Salience) -> Float64:
    """How likely each fitted note is there, shape (n,), 0 to 1."""
    logits = features(fit, salience) @ WEIGHTS + BIAS
    return np.asarray(1 / (1 + np.exp(-logits)), np.float64)


def features(fit: NoteFit, salience: Salience) -> Float64:
    """What tells notes that are there from others, shape (n, 9).

    How salient the note and its onset are; the logarithms of its length, and of its
    shares of the loudest note's magnitude and of all; how much louder notes are of
    which it may be a partial; the logarithm of how much louder its pitch is after the
    onset than before; and the amplitudes of the first and of all even partials.
    """
    if not len(fit.heard):
        return np.zeros((0, len(WEIGHTS)))
    return np.stack([*_heard(fit, salience), *_fitted(fit)], axis=1)


def _heard(fit: NoteFit, salience: Salience) -> tuple[Float64, Float64, Float64]:
    """The salience of each note and of its onset, and the logarithm of its length."""
    heard, n_frames, near = fit.heard, len(salience.times), round(NEAR / salience.hop)
    row = np.clip(heard.pitch, LOWEST, HIGHEST) - LOWEST
    begin = np.round(heard.start / salience.hop).clip(0, n_frames - 1).astype(int)
    end = np.maximum(np.round(heard.end / salience.hop).astype(int), begin + 1)
    places = list(zip(row, begin, end, strict=True))
    peak = [salience.notes[r, b:e].max() for r, b, e in places]
    onset = [
        salience.onsets[r, max(0, b - near) : b + near + 1].max() for r, b, _ in places
    ]
    return np.array(peak, float), np.array(onset, float), np.log(heard.duration + QUIET)


def _fitted(fit: NoteFit) -> tuple[Float64, ...]:
    """What the fit tells of each note."""
    heard, support, n = fit.heard, fit.partials.support, len(fit.heard)
    note, frame = support.template, support.frame
    count = np.maximum(support.totals(fit.within.astype(float), n), 1)

    def mean(values: Float64) -> Float64:
        return support.totals(values * fit.within, n) / count

    own, row = fit.strengths + TINY, heard.pitch[note] + max(HARMONICS)
    track = np.zeros((128 + max(HARMONICS), support.n_frames))
    np.add.at(track, (row, frame), own)
    below = np.max([track[row - k, frame] for k in HARMONICS], axis=0)
    whole = fit.V.mean(axis=0).sum(axis=1, dtype=np.float64)[frame]
    even = fit.partials.amplitudes[:, 1::2].sum(axis=1)
    return (
        np.log(mean(own / (track.max(axis=0)[frame] + TINY)) + TINY),
        np.log(mean(own / (whole + TINY)) + 1e-6),
        mean(below / (below + own)),
        _rise(fit, track[max(HARMONICS) :], np.median(mean(own))),
        fit.partials.amplitudes[:, 0].astype(float),
        even.astype(float),
    )


def _rise(fit: NoteFit, track: Float64, median: np.floating) -> Float64:
    """The logarithm of how much louder each pitch is after the onset than before."""
    quiet = QUIET * median + TINY
    before, after = (_mean(fit, track, span) + quiet for span in (BEFORE, AFTER))
    return np.asarray(np.log(after / before))


def _mean(fit: NoteFit, track: Float64, span: tuple[float, float]) -> Float64:
    """The mean of each note's pitch (rows of ``track``) in a span around its onset."""
    rate, n_frames = fit.grid.sr / fit.grid.hop_length, track.shape[1]
    total = np.cumsum(np.pad(track, ((0, 0), (1, 0))), axis=1)
    frame = np.round(fit.heard.start * rate).astype(int)
    first = (frame + round(span[0] * rate)).clip(0, n_frames)
    stop = (frame + round(span[1] * rate)).clip(0, n_frames)
    pitch = fit.heard.pitch
    sums = total[pitch, stop] - total[pitch, first]
    return np.asarray(sums / np.maximum(stop - first, 1))
