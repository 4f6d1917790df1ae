"""Edges: when notes begin, by how their strength in a fit rises."""

from __future__ import annotations

import dataclasses

import numpy as np

from specnmf.methods.transcription.describing import NoteFit
from specnmf.methods.transcription.heard import Float64, Heard

#: A note begins where its strength passes this share of its first peak, which is sought
#: up to LOOK seconds after the onset that was heard.
RISEN, LOOK = 0.2, 0.12

#: The share of the way from the onset that was heard to the one that the fit tells:
#: the mean of two estimates errs less than either.
MOVED = 0.5

#: How far the fit's onset may lie from the other, earlier and later, in seconds.
EARLIER, LATER = 0.1, 0.1

#: The shortest note, in seconds.
SHORTEST = 0.03


def refine_onsets(heard: Heard, fit: NoteFit) -> Heard:
    """The notes with onsets moved to where their strength has risen, in order.

    Parameters
    ----------
    heard : Heard
        The notes.
    fit : NoteFit
        A fit of them at a short window and hop.
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
    """Where a note has done its share of the rise; ``start`` if that is not seen."""
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
