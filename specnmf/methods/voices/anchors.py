"""Anchors: moments in which every voice sounds, so that order tells which is which."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.methods.transcription.heard import Float64, Heard


def anchors(heard: Heard, strength: Float64, n_voices: int) -> Float64:
    """Seconds that each note stands at each place from the top, (n, n_voices).

    Counted are the moments in which at least ``n_voices`` notes sound: the strongest
    of them, in order of pitch.
    """
    seconds = np.zeros((len(heard), n_voices))
    times = np.unique(np.concatenate([heard.start, heard.end]))
    for time, length in zip(times[:-1], np.diff(times), strict=True):
        sounding = np.flatnonzero((heard.start <= time) & (time < heard.end))
        chosen = _strongest(sounding, strength, n_voices)
        pitches = heard.pitch[chosen]
        if len(np.unique(pitches)) == n_voices:
            in_order = chosen[np.argsort(-pitches)]
            seconds[in_order, np.arange(n_voices)] += length
    return seconds


def without_anchors(
    heard: Heard, strength: Float64, mass: Float64, n_voices: int
) -> list[Float64]:
    """Starts where never all voices sound: who plays each note, (n, n_voices).

    One voice fewer has anchors, of which any may be two that share a register; or the
    notes fill registers evenly.
    """
    even = spread(heard, mass, n_voices)
    if n_voices == 2:
        return [even]
    fewer = anchors(heard, strength, n_voices - 1)
    if not fewer.any():
        return [even]
    shared = [np.insert(fewer, v, fewer[:, v], axis=1) for v in range(n_voices - 1)]
    return [even, *shared]


def _strongest(notes: NDArray[np.intp], strength: Float64, n: int) -> NDArray[np.intp]:
    return notes[np.argsort(-strength[notes], kind="stable")[:n]]


def spread(heard: Heard, mass: Float64, n_voices: int) -> Float64:
    """A start without anchors: each note to the nearest of evenly filled registers."""
    order = np.argsort(-heard.pitch, kind="stable")
    share = np.cumsum(mass[order]) - mass[order] / 2
    place = np.minimum(share / max(mass.sum(), 1e-12) * n_voices, n_voices - 1)
    member = np.zeros((len(heard), n_voices))
    member[order, place.astype(np.int64)] = 1.0
    return member
