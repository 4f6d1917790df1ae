"""Counting: the number of voices, from the number of simultaneous notes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.methods.transcription.heard import Float64, Heard

#: The most voices: more simultaneous notes are mostly chords of one player.
MOST = 4

#: The share of the time with notes in which all voices must sound.
SHARE = 0.15

#: Seconds at a note's end that may be its release, at most half of it; the share of the
#: median energy below which a note may be a ghost.
RELEASE, WEAK = 0.08, 0.2


def count(heard: Heard) -> int:
    """The number of voices, 1 to MOST; 1 without notes.

    The largest number of notes that sound at once in 15 % of the time with notes.
    Releases that overlap the next note, and much weaker notes, do not count.

    Notes
    -----
    On recordings of two to four players the number is right for about three of four.
    Most errors are one voice too few for lines with many rests, or too many for a
    player of chords, each note of which counts as a voice, up to MOST.
    """
    if not len(heard):
        return 1
    times, sounding = _polyphony(heard[heard.energy >= WEAK * np.median(heard.energy)])
    lengths = np.diff(times)
    seconds = np.bincount(sounding[:-1], lengths, minlength=MOST + 1)
    at_least = seconds[::-1].cumsum()[::-1]
    enough = at_least[1 : MOST + 1] >= SHARE * at_least[1]
    return max(int(enough.sum()), 1)


def _polyphony(heard: Heard) -> tuple[Float64, NDArray[np.int64]]:
    """The times at which notes start or end, and the number of notes from then on."""
    end = heard.end - np.minimum(RELEASE, heard.duration / 2)
    times = np.concatenate([heard.start, end])
    steps = np.repeat([1, -1], len(heard))
    order = np.lexsort((steps, times))
    return times[order], np.cumsum(steps[order])
