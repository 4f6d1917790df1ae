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
from specnmf.methods.transcription.salience import LOWEST, Salience

Array = NDArray[np.float64]

#: What each piece of evidence counts, and the log odds without any: see `likelihood`.
WEIGHTS = (1.36, -1.54, -1.66, 12.6, 5.47, -2.22)
BIAS = -13.4

#: Candidates more likely than this are notes.
LIKELY = 0.4

#: Onset salience peaks so much later than a note begins, in seconds.
LEAD = 0.015

#: The shortest note, in seconds.
SHORTEST = 0.05

#: Thirds of a semitone around a pitch in which its mean frequency is looked for.
AROUND = np.arange(-2, 3)


def pick(salience: Salience, *, keen: float = 1.0) -> Heard:
    """Notes that a transcriber hears.

    Parameters
    ----------
    salience : Salience
        How likely each pitch sounds and begins.
    keen : float
        Above 1 takes less likely notes too: the threshold is divided by it.

    Returns
    -------
    Heard
        Notes with their confidence, and their cents where there is a contour.
    """
    found = candidates(salience)
    confidence = likelihood(evidence(salience, found))
    likely = confidence > LIKELY / keen
    found = found[likely]
    start = np.maximum(_onsets(salience, found) - LEAD, 0.0)
    end = salience.times[0] + found.until() * salience.hop
    heard = Heard.of(start, end, found.row + LOWEST, confidence[likely])
    order = np.lexsort((found.row, start))  # as `Heard.of` orders them
    heard = replace(heard, cents=_cents(salience, found)[order])
    return heard[heard.duration >= SHORTEST]


def likelihood(evidence: Array) -> Array:
    """How likely candidates are notes, shape (n,): a logistic model of their evidence.

    Its weights were fitted to rendered music of two to five parts, whose notes are
    known; `evidence` says what is weighed.
    """
    odds: Array = np.exp(evidence @ np.array(WEIGHTS) + BIAS)
    return odds / (1 + odds)


def _onsets(salience: Salience, found: Candidates) -> Array:
    """When onset salience peaks, between frames by a parabola, in seconds, (n,)."""
    before, at, after = (
        salience.onsets[
            found.row, np.clip(found.first + away, 0, len(salience.times) - 1)
        ]
        for away in (-1, 0, 1)
    )
    curvature = np.minimum(before - at, 0) + np.minimum(after - at, 0)
    slope = np.where(curvature < 0, (before - after) / np.minimum(curvature, -1e-9), 0)
    between = np.clip(slope / 2, -0.5, 0.5)
    return salience.times[0] + (found.first + between) * salience.hop


def _cents(salience: Salience, found: Candidates) -> Array:
    """How far the contour lies above each pitch, weighted by its square, (n,)."""
    cents = np.zeros(len(found))
    if salience.contour is None:
        return cents
    n_rows = len(salience.contour)
    rows = np.clip(3 * found.row[:, np.newaxis] + 1 + AROUND, 0, n_rows - 1)
    for n, (first, until) in enumerate(zip(found.first, found.until(), strict=True)):
        weights = salience.contour[rows[n], first:until].mean(axis=1) ** 2
        cents[n] = weights @ AROUND / max(weights.sum(), 1e-9) * 100 / 3
    return cents
