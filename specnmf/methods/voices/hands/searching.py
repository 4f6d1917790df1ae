"""A search for who strikes what, by where hands can be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.methods.transcription.heard import Heard

#: What stands for each hand.
RIGHT, LEFT = 0, 1

#: Notes that begin within so many seconds are struck together.
TOGETHER = 0.05
OCTAVE = 12
#: High and low notes are told apart by the notes so many seconds around.
AROUND = 4.0
#: By so much of the way their division leans to middle C: it decides on a lone line.
LEAN, MIDDLE_C = 0.1, 60
#: So many ways to play what was heard are followed.
WIDTH = 32

#: What it costs a hand to strike a note that lies an octave on the other's side, or an
#: octave from all that it played lately, or is twice or half as long as what it strikes
#: with it; to stretch by an octave more than an octave; to leap an octave at once; to
#: cross the other by an octave; to have nothing to do; to share what one could strike;
#: to take over a lone line from the other.
#: Begun with logistic regression on scores of piano music, whose staves are the hands;
#: the costs of length, idling and sharing fit heard notes, whose ends are not exact.
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

#: What is heard an octave below a note that lasts longer, with a first partial as weak
#: as this, is no note; nor is what is so much less sure than one whose overtone it is.
WEAK, LESS_SURE, OVERTONES = 0.33, 0.1, (12, 19, 24)


def hands(heard: Heard) -> NDArray[np.int64]:
    """Which hand of a keyboard's player strikes each note.

    Notes that begin together are a chord. A beam search over the chords follows where
    each hand lies, and what it holds: it stays near the keys that it played, spans
    about an octave, and seldom crosses the other; notes that it strikes together are
    alike in length. Which of the two is the right one follows from the pitches a few
    seconds around. Nothing is fixed to the keyboard: a melody may cross middle C.

    Parameters
    ----------
    heard : Heard
        The notes of one player.

    Returns
    -------
    array, shape (n,), int64
        RIGHT (0) or LEFT (1), for each note.

    References
    ----------
    Nakamura, Ono, Sagayama, "Merged-output HMM for piano fingering of both hands",
    ISMIR 2014. Hadjakos, Waloschek, Leemhuis, "Detecting hands from piano MIDI data",
    Mensch und Computer 2019.
    """
    wrong = _wrong(heard)
    if not wrong.any():
        return _search(heard)
    hand = np.empty(len(heard), np.int64)
    hand[~wrong] = _search(heard[~wrong])
    for note in np.flatnonzero(wrong):
        far = np.abs(heard.start - heard.start[note]) * (OCTAVE / TOGETHER)
        far += np.abs(heard.pitch - heard.pitch[note])
        hand[note] = hand[np.argmin(np.where(wrong, np.inf, far))]
    return hand


def _wrong(heard: Heard) -> NDArray[np.bool_]:
    """Which notes are parts of others: they would pull chords apart."""
    wrong = np.zeros(len(heard), bool)
    for note in range(len(heard)):
        above = heard.pitch - heard.pitch[note]
        at_once = np.abs(heard.start - heard.start[note]) < TOGETHER
        longer = at_once & (above == OCTAVE) & (heard.duration > heard.duration[note])
        surer = heard.confidence > heard.confidence[note] + LESS_SURE
        surer &= at_once & np.isin(-above, OVERTONES)
        weak = 0 < heard.timbre[note, 0] < WEAK
        wrong[note] = surer.any() or (weak and longer.any())
    return wrong


def _search(heard: Heard) -> NDArray[np.int64]:
    """The hands of notes that are all there."""
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
    """The notes chord by chord, each from its lowest, and where the chords begin.

    The last of the beginnings is the number of notes.
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
