"""Edges: when notes begin and end, by how their strength in a fit rises and falls."""

from __future__ import annotations

import dataclasses

import numpy as np

from specnmf.methods.transcription.describing import NoteFit
from specnmf.methods.transcription.heard import Float64, Heard

#: A note begins where its strength passes this share of its first peak, which is sought
#: up to LOOK seconds after the onset that was heard.
RISEN, LOOK = 0.25, 0.12

#: A note has ended once its strength stays below this share of its highest.
FALLEN = 0.3

#: How far onsets move at most, to earlier and to later, in seconds.
EARLIER, LATER = 0.1, 0.05

#: The shortest note, in seconds.
SHORTEST = 0.03


def refine_edges(heard: Heard, fit: NoteFit) -> Heard:
    """The notes from where their strength has risen to where it has fallen, in order.

    Parameters
    ----------
    heard : Heard
        The notes.
    fit : NoteFit
        A fit of them at a short window and hop.
    """
    start, end = heard.start.copy(), heard.end.copy()
    for note, (times, strengths) in enumerate(fit.courses()):
        start[note] = _risen(heard.start[note], heard.end[note], times, strengths)
        end[note] = _fallen(heard.start[note], heard.end[note], times, strengths)
    end = np.maximum(end, start + SHORTEST)
    moved = dataclasses.replace(heard, start=start, end=end)
    return moved[np.lexsort((moved.pitch, moved.start))]


def _risen(start: float, end: float, times: Float64, strengths: Float64) -> float:
    """Where a note has done its share of the rise; ``start`` if that is not seen."""
    around = (times >= start - EARLIER) & (times <= min(start + LOOK, end))
    times, strengths = times[around], strengths[around]
    if len(times) < 3:
        return start
    peak = int(np.argmax(strengths))
    share = RISEN * strengths[peak]
    low = np.flatnonzero(strengths[:peak] < share)
    if not len(low):
        return start
    last = slice(low[-1], low[-1] + 2)
    risen = float(np.interp(share, strengths[last], times[last]))
    return min(max(risen, start - EARLIER), start + LATER)


def _fallen(start: float, end: float, times: Float64, strengths: Float64) -> float:
    """When a note is last strong, ``end`` at the latest."""
    during = (times >= start) & (times <= end)
    times, strengths = times[during], strengths[during]
    strong = np.flatnonzero(strengths > FALLEN * strengths.max(initial=0))
    return float(times[strong[-1]]) if len(strong) else end
