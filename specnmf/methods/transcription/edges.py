"""Edges: the onsets of notes, from the rise of their strength in a fit."""

from __future__ import annotations

import dataclasses

import numpy as np

from specnmf.methods.transcription.describing import NoteFit
from specnmf.methods.transcription.heard import Float64, Heard

#: A note starts where its strength passes this share of its first peak, which is
#: searched up to LOOK seconds after the detected onset.
RISEN, LOOK = 0.2, 0.12

#: The weight of the fit's onset against the detected one: a mean of two estimates has a
#: smaller error than either.
MOVED = 0.5

#: The largest distance of the fit's onset from the other, earlier and later, in
#: seconds.
EARLIER, LATER = 0.1, 0.1

#: The shortest note, in seconds.
SHORTEST = 0.03


def refine_onsets(heard: Heard, fit: NoteFit) -> Heard:
    """The notes with corrected onsets, in order.

    Parameters
    ----------
    heard : Heard
        The notes.
    fit : NoteFit
        A fit of the notes with a short window and hop.
    """
    risen = [
        _risen(start, end, *course)
        for start, end, course in zip(
            heard.start, heard.end, fit.courses(), strict=True
        )
    ]
    start = (1 - MOVED) * heard.start + MOVED * np.array(risen)
    end = np.maximum(heard.end, start + SHORTEST)
    moved = dataclasses.replace(heard, start=start, end=end)
    return moved[np.lexsort((moved.pitch, moved.start))]


def _risen(start: float, end: float, times: Float64, strengths: Float64) -> float:
    """The time at which the strength passes its share; ``start`` if there is none."""
    around = (times >= start - EARLIER) & (times <= min(start + LOOK, end))
    times, strengths = times[around], strengths[around]
    peak = int(np.argmax(strengths)) if len(strengths) else 0
    share = RISEN * strengths[peak] if len(strengths) else 0.0
    low = np.flatnonzero(strengths[:peak] < share)
    if not len(low):
        return start
    last = slice(low[-1], low[-1] + 2)
    risen = float(np.interp(share, strengths[last], times[last]))
    return min(max(risen, start - EARLIER), start + LATER)
