"""Picking: from salience to notes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from specnmf.methods.transcription.candidates import (
    Candidates,
    candidates,
    evidence,
)
from specnmf.methods.transcription.heard import Heard
from specnmf.methods.transcription.salience import LOWEST, Odds, Salience

Array = NDArray[np.float64]
Int = NDArray[np.intp]


#: The delay of the peak of onset salience after the start of a note, in seconds, for
#: slow attacks. A sharp onset peaks within a frame.
LEAD = 0.015

#: Candidates less likely than this are never notes: the threshold of noise.
LEAST = 0.2

#: A note ends where its salience is last above this share of its median.
FADED = 0.7

#: Seconds that a note lingers after it has faded; until the next of its pitch at most.
LINGER = 0.02

#: The shortest note, in seconds.
SHORTEST = 0.05


def pick(salience: Salience, *, keen: float = 1.0) -> Heard:
    """The notes in the salience of a transcriber.

    Parameters
    ----------
    salience : Salience
        The likelihoods of pitches and onsets.
    keen : float
        A divisor of the threshold; values above 1 also pick less likely notes. The
        threshold itself maximises the expected F-measure.

    Returns
    -------
    Heard
        Notes with their confidence and cents.
    """
    found = candidates(salience)
    confidence = likelihood(evidence(salience, found), salience.odds)
    likely = confidence > max(_threshold(confidence), LEAST) / keen
    found, since = found[likely], salience.times[0]
    until = _ends(salience, found)
    start = np.maximum(since + _onsets(salience, found) * salience.hop - LEAD, 0.0)
    end = since + until * salience.hop + LINGER
    follows = np.append(found.row[1:] == found.row[:-1], False)
    end = np.where(follows, np.minimum(end, np.append(start[1:], 0.0)), end)
    heard = Heard.of(start, end, found.row + LOWEST, confidence[likely])
    order = np.lexsort((found.row, start))  # that of `Heard.of`
    heard = replace(heard, cents=_cents(salience, found, until)[order])
    return heard[heard.duration >= SHORTEST]


def likelihood(evidence: Array, odds: Odds) -> Array:
    """The probability that candidates are notes, shape (n,): a logistic model."""
    log_odds = evidence @ np.array(odds.weights) + odds.bias
    probability: Array = (1 + np.tanh(log_odds / 2)) / 2  # never overflows
    return probability


def _threshold(confidence: Array) -> float:
    """The threshold for the best expected F-measure: half of that F-measure.

    It is lower if few notes are clear, so that music with soft onsets has notes too
    (Lipton, Elkan and Naryanaswamy, ECML 2014, theorem 1).
    """
    true = np.cumsum(np.sort(confidence)[::-1])
    chosen = np.arange(1, len(true) + 1)
    expected = 2 * true / (chosen + confidence.sum())
    return float(expected.max(initial=0.0)) / 2


def _onsets(salience: Salience, found: Candidates) -> Array:
    """The peaks of onset salience in frames, interpolated by a parabola, (n,)."""
    last = len(salience.times) - 1
    before, at, after = (
        salience.onsets[found.row, np.clip(found.first + away, 0, last)]
        for away in (-1, 0, 1)
    )
    curvature = before - 2 * at + after
    peaks = (at >= before) & (at >= after) & (curvature < 0)
    between = (before - after) / np.where(peaks, 2 * curvature, 1)
    return found.first.astype(float) + np.where(peaks, between, 0.0)


def _ends(salience: Salience, found: Candidates) -> Int:
    """The frames after each note's last, (n,)."""
    until = found.until()
    for n, (row, first) in enumerate(zip(found.row, found.first, strict=True)):
        notes = salience.notes[row, first : until[n]]
        until[n] = first + np.flatnonzero(notes >= FADED * np.median(notes))[-1] + 1
    return until


def _cents(salience: Salience, found: Candidates, until: Int) -> Array:
    """The mean cents while each note lasts, (n,), by its likelihood."""
    cents = np.zeros(len(found))
    for n, (row, first) in enumerate(zip(found.row, found.first, strict=True)):
        weights = salience.notes[row, first : until[n]]
        total = weights @ salience.cents[row, first : until[n]]
        cents[n] = total / max(weights.sum(), 1e-9)
    return cents
