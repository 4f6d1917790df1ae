"""Judging: the probability of each detected note, from salience and fit."""

from __future__ import annotations

import numpy as np

from specnmf.methods.transcription.describing import TINY, NoteFit
from specnmf.methods.transcription.heard import Float64

#: The weights of the `features`, in logits, and the bias: a logistic regression on
#: right and wrong notes of rendered scores.
WEIGHTS = np.array([1.04, 0.02, -0.22, 0.03, -0.21])
BIAS = 0.1

#: Semitones down from a note to notes of which it may be a partial.
HARMONICS = (12, 19, 24, 28, 31, 34, 36)

#: Spans, in seconds from an onset, in which its pitch is measured before and after it.
BEFORE, AFTER = (-0.15, -0.05), (0.05, 0.2)

#: Additions to strengths, relative to the median note, and to lengths, in seconds, that
#: keep their logarithms bounded.
QUIET = 0.02

#: The bounds of a transcriber's confidence: this, and 1 minus this.
SURE = 1e-6


def confidence(fit: NoteFit) -> Float64:
    """The probability of each fitted note, shape (n,), 0 to 1."""
    logits = features(fit) @ WEIGHTS + BIAS
    return np.asarray(1 / (1 + np.exp(-logits)), np.float64)


def features(fit: NoteFit) -> Float64:
    """The features of notes for the regression, shape (n, 5).

    The transcriber's confidence in logits; the logarithm of the length in seconds; the
    share, 0 to 1, of louder notes of which it may be a partial; the logarithm of the
    rise of its pitch's loudness at the onset; the amplitude of its first partial.
    """
    if not len(fit.heard):
        return np.zeros((0, len(WEIGHTS)))
    prior = np.clip(fit.heard.confidence, SURE, 1 - SURE)
    track = _track(fit)
    columns = (
        np.log(prior / (1 - prior)),
        np.log(fit.heard.duration + QUIET),
        _below(fit, track),
        _rise(fit, track),
        fit.partials.amplitudes[:, 0],
    )
    return np.stack(columns, axis=1).astype(np.float64)


def _track(fit: NoteFit) -> Float64:
    """The strength of each pitch in each frame, (128, n_frames)."""
    support = fit.partials.support
    track = np.zeros((128, support.n_frames))
    np.add.at(track, (fit.heard.pitch[support.template], support.frame), fit.strengths)
    return track


def _below(fit: NoteFit, track: Float64) -> Float64:
    """The mean share of the loudest lower note of which each may be a partial."""
    support, n = fit.partials.support, len(fit.heard)
    row, own = fit.heard.pitch[support.template], fit.strengths
    lower = np.max(
        [np.where(row >= k, track[row - k, support.frame], 0) for k in HARMONICS],
        axis=0,
    )
    share = lower / (lower + own + TINY) * fit.within
    count = support.totals(fit.within.astype(float), n)
    return np.asarray(support.totals(share, n) / np.maximum(count, 1))


def _rise(fit: NoteFit, track: Float64) -> Float64:
    """The logarithm of the rise of each pitch's loudness at the onset."""
    quiet = QUIET * float(np.median(fit.described().energy)) + TINY
    before, after = (_mean(fit, track, span) + quiet for span in (BEFORE, AFTER))
    return np.asarray(np.log(after / before))


def _mean(fit: NoteFit, track: Float64, span: tuple[float, float]) -> Float64:
    """The mean strength of each note's pitch in a span of seconds from its onset."""
    rate, n_frames = fit.grid.sr / fit.grid.hop_length, track.shape[1]
    total = np.cumsum(np.pad(track, ((0, 0), (1, 0))), axis=1)
    frame = np.round(fit.heard.start * rate).astype(int)
    first = (frame + round(span[0] * rate)).clip(0, n_frames)
    stop = (frame + round(span[1] * rate)).clip(0, n_frames)
    pitch = fit.heard.pitch
    sums = total[pitch, stop] - total[pitch, first]
    return np.asarray(sums / np.maximum(stop - first, 1))
