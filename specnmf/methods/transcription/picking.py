"""Picking: from salience to notes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from specnmf.methods.transcription.heard import Heard
from specnmf.methods.transcription.salience import LOWEST, Salience

Float32 = NDArray[np.float32]

#: A note begins at a peak of onset salience above ONSET, and where salience rises
#: above LOUD without one; it lasts while its salience is above SOUNDING.
ONSET, LOUD, SOUNDING = 0.5, 0.5, 0.3

#: Gaps of salience that a note lasts through, and the shortest note, in seconds.
GAP, SHORTEST = 0.12, 0.1


def pick(salience: Salience, *, keen: float = 1.0) -> Heard:
    """Notes that a transcriber hears.

    Parameters
    ----------
    salience : Salience
        How likely each pitch sounds and begins.
    keen : float
        Divides the thresholds of onset and of notes without one: above 1 brings more
        notes, and more that are not there.

    Returns
    -------
    Heard
        Notes with their confidence, and their cents where there is a contour.
    """
    notes = [
        (start, end, row + LOWEST, confidence)
        for row in range(len(salience.notes))
        for start, end, confidence in _row(
            salience.notes[row], salience.onsets[row], salience.hop, keen
        )
    ]
    start, end, pitch, confidence = np.array(notes).reshape(-1, 4).T
    first = salience.times[0] if len(salience.times) else 0.0
    return Heard.of(first + start, first + end, pitch, confidence)


def _row(
    notes: Float32, onsets: Float32, hop: float, keen: float
) -> Iterator[tuple[float, float, float]]:
    """Start, end and confidence of each note of a pitch."""
    peaks = np.flatnonzero(
        (onsets > ONSET / keen)
        & (onsets >= np.r_[0, onsets[:-1]])
        & (onsets > np.r_[onsets[1:], 0])
    )
    for first, last in _spans(notes > SOUNDING, round(GAP / hop)):
        inside = peaks[(peaks >= first - 2) & (peaks < last - 1)]
        begins = list(inside)
        until = begins[0] if begins else last
        if notes[first:until].max(initial=0) > LOUD / keen and until - first > 4:
            begins.insert(0, first)
        for begin, end in pairwise([*begins, last]):
            if (end - begin) * hop >= SHORTEST:
                yield begin * hop, end * hop, float(notes[begin:end].mean())


def _spans(on: NDArray[np.bool_], gap: int) -> NDArray[np.intp]:
    """First frames, and frames after the last, of spans with no gap so long."""
    frames = np.flatnonzero(on)
    if not len(frames):
        return np.zeros((0, 2), np.intp)
    breaks = np.flatnonzero(np.diff(frames) > gap + 1)
    first = frames[np.r_[0, breaks + 1]]
    last = frames[np.r_[breaks, len(frames) - 1]] + 1
    return np.stack([first, last], axis=1)
