"""Pruning: drop unlikely notes, and extend the notes before them."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from specnmf.methods.transcription.heard import Heard

#: The least probability of notes that are kept.
KEPT = 0.36

#: A dropped note that starts within this many seconds of the end of a kept one is the
#: continuation of that.
GAP = 0.06


def prune(heard: Heard) -> tuple[Heard, NDArray[np.intp]]:
    """The likely notes, and their indices among all.

    A false repetition of a pitch extends the note before it.
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
