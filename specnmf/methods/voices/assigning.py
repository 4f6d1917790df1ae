"""Assigning: the voice of each detected note.

Assumptions: a voice plays one note at a time if there are enough voices, stays near its
register, moves by small steps, keeps its timbre, and comes from one side. If all voices
sound, they are rarely in another order than that of their registers. A note that fits
nowhere is probably wrong: it influences nothing, and goes to the note of which it may
be an overtone, else to the most similar voice.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.methods.transcription.heard import Float64, Heard
from specnmf.methods.voices.anchors import anchors, without_anchors
from specnmf.methods.voices.players import Players, learn

Int64 = NDArray[np.int64]

#: States in the search, and rounds of learning and search from each start.
WIDTH, ROUNDS = 100, 3

#: The cost of a semitone between notes of a voice, and the seconds of silence over
#: which it fades; the cost of simultaneous notes in one voice, and their free duration;
#: the cost of crossing voices.
INTERVAL, FADING, OVERLAP, GRACE, CROSSING = 0.35, 1.5, 10.0, 0.08, 2.0

#: The cost of a note of median confidence in no voice, and the share of the median
#: energy below which it is cheaper.
DROP, WEAK = 4.0, 0.3

#: The weight of the order of voices if all sound and the players are known, and the
#: seconds that count as none.
TRUST, BRIEF = 0.5, 0.02

#: Two starts, of which the cheaper result counts: by order, and by sound. The weights
#: of order, register and sound in the first round.
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
        Notes; energy and timbre count if they are known.
    n_voices : int
        The number of voices. If more notes sound together, voices play chords.

    Returns
    -------
    array of int64, shape (n,)
        Voices with notes, numbered from 0 by their mean pitch.

    Notes
    -----
    The register, timbre and side of each player are learned where all voices sound, in
    order of pitch. Then a beam search over the notes in order of onset finds the
    cheapest voices. Both steps are repeated. States of the search with the same last
    notes in all voices have the same future and count as one, so the search is nearly
    exhaustive.
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
    """Search and learn alternately; the last cost, voices, and costs of notes."""
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
    """The confidence of each note relative to the others; 1 for a typical note."""
    sure: Float64 = np.minimum(energy / max(WEAK * np.median(energy), TINY), 1)
    sure *= confidence / max(np.median(confidence), TINY)
    return sure


def _doubt(seconds: Float64) -> Float64:
    """The cost of each voice for a note, by its positions in the order."""
    total = seconds.sum(axis=1, keepdims=True)
    share = (seconds + BRIEF) / (total + BRIEF * seconds.shape[1])
    return np.asarray(-np.log(share))


def _all_placed(heard: Heard, said: Int64, energy: Float64, costs: Float64) -> Int64:
    """The voices, including those of dropped notes."""
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
    """The overlap of a note with each note it may be an overtone of, 0 to 1; else 0."""
    possible = np.isin(heard.pitch[note] - heard.pitch, OVERTONES)
    possible &= np.abs(heard.start - heard.start[note]) < AT_ONCE
    if heard.timbre[note, 0] < PURE:
        possible &= energy > SOFTER * energy[note]
    return np.where(possible, _together(heard, note), 0.0)


def _together(heard: Heard, note: int) -> Float64:
    """The share of the time of both notes in which both sound, 0 to 1."""
    both = np.minimum(heard.end, heard.end[note])
    both -= np.maximum(heard.start, heard.start[note])
    either = np.maximum(heard.end, heard.end[note])
    either -= np.minimum(heard.start, heard.start[note])
    return np.asarray(np.maximum(both, 0) / np.maximum(either, TINY))


def _from_the_top(heard: Heard, said: Int64, mass: Float64) -> Int64:
    """Voices, renumbered by their mean pitch, the highest first."""
    used, voice = np.unique(said, return_inverse=True)
    weight = np.bincount(voice, mass + TINY)
    mean = np.bincount(voice, (mass + TINY) * heard.pitch) / weight
    rank = np.empty(len(used), np.int64)
    rank[np.argsort(-mean, kind="stable")] = np.arange(len(used))
    return rank[voice]
