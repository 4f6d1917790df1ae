"""Assigning: which voice plays each heard note.

What it assumes: a voice plays one note at a time where there are voices enough for the
notes, stays near its register, moves by small steps, sounds alike from note to note,
and comes from one side. Where all voices sound, they rarely stand in another order than
that of their registers. A note that fits nowhere is taken for a wrong one: it steers
nothing, and goes with the note of which it may be an overtone, else to the voice that
is most like it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.methods.transcription.heard import Float64, Heard
from specnmf.methods.voices.anchors import anchors, without_anchors
from specnmf.methods.voices.players import Players, learn

Int64 = NDArray[np.int64]

#: States that the search keeps, and rounds of learning and search from each start.
WIDTH, ROUNDS = 100, 3

#: What a semitone from note to note of a voice costs, and after how many seconds of
#: silence that has faded; what notes that sound together in one voice cost, and for how
#: long they may at no cost; what it costs that voices cross.
INTERVAL, FADING, OVERLAP, GRACE, CROSSING = 0.35, 1.5, 10.0, 0.08, 2.0

#: What it costs to give a note of median confidence to no voice, and the share of the
#: notes' median energy below which that is cheaper.
DROP, WEAK = 4.0, 0.3

#: How far to trust the order of voices where all sound, when the players are known, and
#: the seconds that count as none.
TRUST, BRIEF = 0.5, 0.02

#: Two starts, for the cheaper result counts: that order is right, and that sound is.
#: How far the first round trusts order, register, and sound.
STARTS = ((2.5, 1.0, 1.0), (0.3, 0.3, 3.0))

TINY = 1e-12

#: Semitones from a note to those of its overtones for which it is often mistaken. Such
#: an overtone begins with the note, within so many seconds, and sounds together with it
#: for this share of their time; it is nearly pure, by the timbre of its first partial,
#: or softer by this factor.
OVERTONES, AT_ONCE, TOGETHER, PURE, SOFTER = (0, 12, 19, 24, 28), 0.06, 0.3, 0.65, 1.4


def assign(heard: Heard, n_voices: int) -> Int64:
    """The voice of each note, 0 the highest.

    Parameters
    ----------
    heard : Heard
        Notes; energy and timbre count where they are known.
    n_voices : int
        How many voices there are. Fewer than notes that sound together: the rest are
        chords of one voice.

    Returns
    -------
    array of int64, shape (n,)
        Voices that have notes, numbered from 0 by their mean pitch.

    Notes
    -----
    A player's register, timbre and side are learned where all voices sound, in order
    of pitch; then a beam search over the notes in order of onset finds the cheapest
    voices, and both are repeated. States of the search with the same last notes in all
    voices have the same future and count as one, so that it is nearly exhaustive.
    """
    n, n_voices = len(heard), min(n_voices, len(heard))
    if n_voices <= 1:
        return np.zeros(n, np.int64)
    energy = heard.energy if heard.energy.any() else np.ones(n)
    mass = energy * heard.duration * heard.confidence
    seconds = anchors(heard, energy, n_voices)
    members = [seconds]
    if not seconds.any():
        members = without_anchors(heard, energy, mass, n_voices)
    sure = (energy * heard.confidence)[:, np.newaxis]
    doubt, drop = _doubt(seconds), DROP * _sureness(energy, heard.confidence)
    found = [
        _rounds(heard, mass, learn(heard, member * sure), doubt, drop, start)
        for member in members
        for start in STARTS
    ]
    _, said, costs = min(found, key=lambda each: each[0])
    return _from_the_top(heard, _all_placed(heard, said, energy, costs), mass)


def _rounds(
    heard: Heard,
    mass: Float64,
    players: Players,
    doubt: Float64,
    drop: Float64,
    start: tuple[float, float, float],
) -> tuple[float, Int64, Float64]:
    """Search and learn in turn: the last cost, voices, and costs of notes in voices."""
    from specnmf.methods.voices.kernels import search

    said = np.zeros(len(heard), np.int64)
    weights = np.array([INTERVAL, FADING, OVERLAP, GRACE, CROSSING])
    for trust, register, sound in (start, *[(TRUST, 1.0, 1.0)] * (ROUNDS - 1)):
        costs = players.costs(heard, register=register, sound=sound) + trust * doubt
        cost_of = np.column_stack([costs, costs.min(axis=1) + drop])
        total = search(
            heard.start, heard.end, heard.pitch, cost_of, weights, WIDTH, said
        )
        played = said[:, np.newaxis] == np.arange(costs.shape[1])
        players = learn(heard, played * mass[:, np.newaxis], players)
    return float(total), said, costs


def _sureness(energy: Float64, confidence: Float64) -> Float64:
    """How sure each note is beside the others; 1 for one like most."""
    sure: Float64 = np.minimum(energy / max(WEAK * np.median(energy), TINY), 1)
    sure *= confidence / max(np.median(confidence), TINY)
    return sure


def _doubt(seconds: Float64) -> Float64:
    """How unlikely each voice is for a note, by the places where it stood."""
    total = seconds.sum(axis=1, keepdims=True)
    share = (seconds + BRIEF) / (total + BRIEF * seconds.shape[1])
    return np.asarray(-np.log(share))


def _all_placed(heard: Heard, said: Int64, energy: Float64, costs: Float64) -> Int64:
    """Voices, those of dropped notes too."""
    placed, left = said.copy(), said == costs.shape[1]
    dropped = np.flatnonzero(left)
    for note in dropped[np.argsort(heard.pitch[dropped], kind="stable")]:  # roots first
        together = np.where(left, 0.0, _as_overtone(heard, energy, note))
        root = np.argmax(together)
        is_overtone = together[root] > TOGETHER
        placed[note] = placed[root] if is_overtone else np.argmin(costs[note])
        left[note] = False
    return placed


def _as_overtone(heard: Heard, energy: Float64, note: int) -> Float64:
    """How far a note is an overtone of each by time, 0 to 1; 0 where it is none."""
    possible = np.isin(heard.pitch[note] - heard.pitch, OVERTONES)
    possible &= np.abs(heard.start - heard.start[note]) < AT_ONCE
    if heard.timbre[note, 0] < PURE:
        possible &= energy > SOFTER * energy[note]
    return np.where(possible, _together(heard, note), 0.0)


def _together(heard: Heard, note: int) -> Float64:
    """The share of its time and each note's in which both sound, 0 to 1."""
    both = np.minimum(heard.end, heard.end[note])
    both -= np.maximum(heard.start, heard.start[note])
    either = np.maximum(heard.end, heard.end[note])
    either -= np.minimum(heard.start, heard.start[note])
    return np.asarray(np.maximum(both, 0) / np.maximum(either, TINY))


def _from_the_top(heard: Heard, said: Int64, mass: Float64) -> Int64:
    """Voices numbered by their mean pitch, the highest first."""
    used, voice = np.unique(said, return_inverse=True)
    weight = np.bincount(voice, mass + TINY)
    mean = np.bincount(voice, (mass + TINY) * heard.pitch) / weight
    rank = np.empty(len(used), np.int64)
    rank[np.argsort(-mean, kind="stable")] = np.arange(len(used))
    return rank[voice]
