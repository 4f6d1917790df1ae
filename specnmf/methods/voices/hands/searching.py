"""A search for the hand of each note, by the possible positions of hands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.methods.transcription.heard import Heard

#: The numbers of the hands.
RIGHT, LEFT = 0, 1

#: Notes that start within this many seconds are struck together.
TOGETHER = 0.05
#: The window, in seconds, that divides notes into high and low.
AROUND = 4.0
#: How far their division moves towards middle C, which decides for a lone line.
LEAN, MIDDLE_C = 0.1, 60
#: The number of alternatives in the search.
WIDTH = 32

#: The costs of a hand: for a note an octave on the other's side; an octave from its
#: recent notes; twice or half as long as the notes that it strikes with it; for a
#: stretch of an octave beyond an octave; for a sudden leap of an octave; for crossing
#: the other by an octave; for having nothing to do; for sharing a chord that one hand
#: could play; for taking over a lone line from the other. They started from a logistic
#: regression on scores of piano music, whose staves are the hands; the costs of length,
#: idling and sharing suit detected notes, whose ends are not exact.
WEIGHTS = {
    "side": 0.3,
    "nearest": 2.0,
    "lengths": 1.2,
    "stretch": 1.5,
    "leap": 0.9,
    "crossing": 0.8,
    "idle": 0.2,
    "shared": 0.2,
    "handover": 1.0,
}


def hands(heard: Heard) -> NDArray[np.int64]:
    """The hand of a keyboard player that strikes each note.

    Notes that start together are a chord. A beam search over the chords follows the
    position of each hand and the keys that it holds: a hand stays near its last keys,
    spans about an octave, and rarely crosses the other; notes that it strikes together
    have similar lengths. The pitches within a few seconds decide which hand is the
    right one. There is no fixed split: a melody may cross middle C.

    Parameters
    ----------
    heard : Heard
        The notes of one player.

    Returns
    -------
    array, shape (n,), int64
        RIGHT (0) or LEFT (1) for each note.

    References
    ----------
    Nakamura, Ono, Sagayama, "Merged-output HMM for piano fingering of both hands",
    ISMIR 2014. Hadjakos, Waloschek, Leemhuis, "Detecting hands from piano MIDI data",
    Mensch und Computer 2019.
    """
    from specnmf.methods.voices.hands import kernels

    hand = np.zeros(len(heard), np.int64)
    if len(heard) == 0:
        return hand
    order, first = chords(heard)
    times, keys = heard.start[order[first[:-1]]], heard.pitch[order]
    divisions = np.empty(len(times))
    kernels.divide(times, first, keys, AROUND, divisions)
    divisions += LEAN * (MIDDLE_C - divisions)
    said = np.empty(len(heard), np.int64)
    weights, ends = np.array(list(WEIGHTS.values())), heard.end[order]
    kernels.search(times, first, keys, ends, divisions, weights, WIDTH, said)
    hand[order] = said
    return hand


def chords(heard: Heard) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """The notes by chord, each from its lowest note, and the starts of the chords.

    The last start is the number of notes.
    """
    in_time = np.argsort(heard.start, kind="stable")
    start = heard.start[in_time]
    first = [0]
    for place in np.flatnonzero(np.diff(start, prepend=start[0]) > 0).tolist():
        if start[place] - start[first[-1]] > TOGETHER:
            first.append(place)
    bounds = np.array([*first, len(start)])
    chord = np.repeat(np.arange(len(first)), np.diff(bounds))
    order = in_time[np.lexsort((heard.pitch[in_time], chord))]
    return order, bounds
