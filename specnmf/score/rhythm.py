"""Rhythm: the beats that the notes of a score lie on."""

from __future__ import annotations

import numpy as np

from specnmf.audio.beats import Beats, find_beats
from specnmf.score.notes import Score


def beats_of(score: Score, duration: float) -> Beats | None:
    """The beats on which notes lie, over a recording of a duration in seconds.

    Loud and sure notes count more. None where none are found: see `find_beats`.
    """
    onsets = np.array([note.start for note in score.notes])
    weights = [np.sqrt(note.velocity / 127) * note.confidence for note in score.notes]
    return find_beats(onsets, duration, weights=weights)
