"""Pruning: which notes are kept, and what becomes of the others' time."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from specnmf.methods.transcription.heard import Heard

#: A note that is less likely to be there than this is left out.
KEPT = 0.36

#: A note that is left out, but begins within so many seconds of the end of one that is
#: kept, is the rest of that one.
GAP = 0.06


def prune(heard: Heard) -> tuple[Heard, NDArray[np.intp]]:
    """The notes that are likely there, and their places among all.

    What was taken for another onset of the same pitch, and is none, makes the note
    before it longer.
    """
    end, kept = heard.end.copy(), heard.confidence >= KEPT
    before: dict[int, int] = {}
    for note, pitch in enumerate(heard.pitch.tolist()):
        last = before.get(pitch)
        if kept[note]:
            before[pitch] = note
        elif last is not None and heard.start[note] - end[last] <= GAP:
            end[last] = max(end[last], heard.end[note])
    longer = dataclasses.replace(heard, end=end)
    return longer[kept], np.flatnonzero(kept)
