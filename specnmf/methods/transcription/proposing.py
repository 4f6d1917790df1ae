"""Proposing: more notes than there are, of which a fit keeps those it needs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from specnmf.methods.transcription.heard import Heard
from specnmf.methods.transcription.salience import LOWEST, Salience

Float32 = NDArray[np.float32]

#: Notes begin at peaks of onset salience above ONSET, and last while their own is above
#: SOUNDING, gaps of up to GAP seconds aside; what is that long without a peak, and
#: LOUD somewhere, is a note as well.
ONSET, SOUNDING, LOUD, GAP = 0.3, 0.2, 0.3, 0.12

#: The shortest note, in seconds.
SHORTEST = 0.06

#: Onsets of a pitch are so far apart, in seconds.
APART = 0.1


def propose(salience: Salience) -> Heard:
    """All notes that a transcriber may have heard, likely or not."""
    spans = [
        (begin, end, row + LOWEST)
        for row, (notes, onsets) in enumerate(
            zip(salience.notes, _onsets(salience), strict=True)
        )
        for begin, end in _row(notes, onsets, salience.hop)
        if (end - begin) * salience.hop >= SHORTEST
    ]
    begin, end, pitch = np.array(spans, np.int64).reshape(-1, 3).T
    times = np.append(salience.times, salience.times[-1:] + salience.hop)
    return Heard.of(times[begin], times[end], pitch, np.ones(len(pitch)))


def _row(notes: Float32, onsets: Float32, hop: float) -> Iterator[tuple[int, int]]:
    """First frame, and frame after the last, of each note of a pitch."""
    peaks = _peaks(onsets, hop)
    for first, last in _spans(notes > SOUNDING, round(GAP / hop)):
        inside = peaks[(peaks >= first - 2) & (peaks < last)].tolist()
        until = inside[0] if inside else last
        long = (until - first) * hop >= APART
        if (long or not inside) and notes[first:until].max(initial=0) > LOUD:
            inside.insert(0, first)
        yield from pairwise([*inside, last])


def _peaks(onsets: Float32, hop: float) -> NDArray[np.intp]:
    """Where onsets are likely: the highest of those nearby."""
    from scipy.signal import find_peaks

    padded = np.pad(onsets, 1)
    peaks: NDArray[np.intp] = find_peaks(
        padded, height=ONSET, distance=max(1, round(APART / hop))
    )[0]
    return peaks - 1


def _onsets(salience: Salience) -> Float32:
    """The salience of onsets, or how fast that of notes rises, if that is more."""
    notes = salience.notes
    rise = np.zeros_like(notes)
    rise[:, 2:] = np.minimum(
        notes[:, 2:] - notes[:, 1:-1], notes[:, 2:] - notes[:, :-2]
    )
    most = max(float(rise.max(initial=0)), 1e-9)
    return np.maximum(salience.onsets, rise * (salience.onsets.max(initial=0) / most))


def _spans(on: NDArray[np.bool_], gap: int) -> NDArray[np.intp]:
    """First frames, and frames after the last, of spans with no longer gap, (n, 2)."""
    frames = np.flatnonzero(on)
    breaks = np.flatnonzero(np.diff(frames) > gap + 1)
    first = np.append(frames[:1], frames[breaks + 1])
    last = np.append(frames[breaks], frames[-1:]) + 1
    return np.stack([first, last], axis=1)
