"""Pitch bends: the cents of notes, as bends of MIDI channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from specnmf.score.midi_strokes import PERCUSSION, Stroke

#: The wheel's steps on one side, and the cents that they are unless a player is told.
STEPS, RANGE = 8192, 200.0

#: Notes that sound together agree if their cents differ by no more.
AGREEING = 5.0

#: Notes sound together if they overlap by more seconds, or by half the first one.
LEGATO = 0.05


class Bend(NamedTuple):
    """A turn of the pitch wheel of a channel."""

    tick: int
    channel: int
    #: The part in whose track it stands.
    part: str
    #: -8192 to 8191; 0 is the centre.
    value: int


def bends_of(strokes: Sequence[Stroke]) -> Iterator[Bend]:
    """Yield the bends of notes, in order of time for each channel.

    Notes of a channel that sound together are bent by their mean if they agree,
    otherwise not. A bend holds until the next note, because a note may ring on, and
    ends with the channel.
    """
    pitched = [stroke for stroke in strokes if stroke.channel != PERCUSSION]
    for channel in sorted({stroke.channel for stroke in pitched}):
        own = [stroke for stroke in pitched if stroke.channel == channel]
        value = 0
        for group in _together(own):
            first, wanted = group[0], _wheel(group)
            if wanted != value:
                yield Bend(first.start, channel, first.note.part, wanted)
                value = wanted
        if value:
            last = max(own, key=lambda stroke: stroke.end)
            yield Bend(last.end, channel, last.note.part, 0)


def _together(strokes: Sequence[Stroke]) -> Iterator[list[Stroke]]:
    """Yield groups of notes; no note sounds together with one of another group."""
    group: list[Stroke] = []
    until = 0.0
    for stroke in sorted(strokes, key=lambda s: (s.start, s.end)):
        note = stroke.note
        if group and note.start >= until:
            yield group
            group = []
        group.append(stroke)
        overlap = min(LEGATO, note.duration / 2)
        until = max(until, note.start + note.duration - overlap)
    if group:
        yield group


def _wheel(strokes: Sequence[Stroke]) -> int:
    """The turn of the wheel for notes that sound together."""
    cents = [stroke.note.cents for stroke in strokes]
    if max(cents) - min(cents) > AGREEING:
        return 0
    return round(float(np.clip(np.mean(cents) * STEPS / RANGE, -STEPS, STEPS - 1)))
