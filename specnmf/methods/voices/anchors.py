"""Anchors: moments in which all voices sound, so that their order identifies them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.methods.transcription.heard import Float64, Heard


def anchors(heard: Heard, strength: Float64, n_voices: int) -> Float64:
    """The seconds of each note at each position from the top, (n, n_voices).

    Only moments with at least ``n_voices`` notes count: the strongest notes, in order
    of pitch.
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
    """Initial assignments if all voices never sound together, each (n, n_voices).

    Either one voice fewer has anchors, and any of those may be two voices in the same
    register; or the notes fill the registers evenly.
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
    """An assignment without anchors: each note to the nearest of even registers."""
    order = np.argsort(-heard.pitch, kind="stable")
    share = np.cumsum(mass[order]) - mass[order] / 2
    place = np.minimum(share / max(mass.sum(), 1e-12) * n_voices, n_voices - 1)
    member = np.zeros((len(heard), n_voices))
    member[order, place.astype(np.int64)] = 1.0
    return member
