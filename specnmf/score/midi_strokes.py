"""Strokes: the notes of a score as MIDI events, in ticks and on channels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specnmf.score.midi_tempo import TempoMap
from specnmf.score.notes import Note, Score, pitched_parts

Float64 = NDArray[np.float64]

PERCUSSION = 9
PITCHED = tuple(channel for channel in range(16) if channel != PERCUSSION)


@dataclass
class Stroke:
    """A note in MIDI, with the ticks at which it is struck and released."""

    start: int
    end: int
    channel: int
    note: Note

    def gap(self, other: Stroke) -> int:
        """The ticks required between the two.

        Players merge the tracks in order, so at one tick, the note-off of a later track
        follows the note-on of an earlier one.
        """
        return int(self.note.part != other.note.part)

    def sounds_at(self, other: Stroke) -> bool:
        """Whether the pitch of a note that does not start earlier is still sounding."""
        mine = self.channel, self.note.pitch
        theirs = other.channel, other.note.pitch
        return mine == theirs and other.start < self.end + self.gap(other)


def strokes_of(score: Score, clock: TempoMap) -> list[Stroke]:
    """The notes in ticks; no pitch sounds twice at once on a channel."""
    channels = _channels(score)
    begun = np.array([note.start for note in score.notes])
    ended = np.array([note.start + note.duration for note in score.notes])
    strokes = []
    for note, start, end in zip(
        score.notes, _whole(clock.at(begun)), _whole(clock.at(ended)), strict=True
    ):
        channel = PERCUSSION if note.percussion else channels[note.part]
        strokes.append(Stroke(start, max(end, start + 1), channel, note))
    strokes.sort(key=lambda s: (s.channel, s.note.pitch, s.start, -s.end))
    return _apart(strokes)


def _whole(ticks: Float64) -> list[int]:
    rounded: list[int] = np.rint(ticks).astype(int).tolist()
    return rounded


def _apart(strokes: Iterable[Stroke]) -> list[Stroke]:
    """Make the overlapping notes of each channel and pitch follow one another."""
    apart: list[Stroke] = []
    for stroke in strokes:
        if apart and apart[-1].sounds_at(stroke):
            last = apart[-1]
            if stroke.start == last.start:
                continue
            stroke.end = max(stroke.end, last.end)
            last.end = max(stroke.start - last.gap(stroke), last.start + 1)
        apart.append(stroke)
    return apart


def _channels(score: Score) -> dict[str, int]:
    """A channel for each part that has pitched notes."""
    taken: dict[int, list[list[Note]]] = {channel: [] for channel in PITCHED}
    channels = {}
    for part, notes in pitched_parts(score).items():
        channels[part] = _freest(taken, notes)
        taken[channels[part]].append(notes)
    return channels


def _freest(taken: dict[int, list[list[Note]]], notes: Sequence[Note]) -> int:
    """The channel with the fewest clashes of notes, and of those the fewest parts."""
    pitches = {note.pitch for note in notes}

    def cost(channel: int) -> tuple[int, int]:
        others = [n for part in taken[channel] for n in part if n.pitch in pitches]
        more = _n_clashes([*others, *notes]) - _n_clashes(others)
        return more, len(taken[channel])

    return min(taken, key=cost)


def _n_clashes(notes: Sequence[Note]) -> int:
    """The number of notes that begin while their pitch sounds."""
    until: dict[int, float] = {}
    clashes = 0
    for note in sorted(notes, key=lambda n: n.start):
        clashes += note.start < until.get(note.pitch, 0.0)
        end = note.start + note.duration
        until[note.pitch] = max(end, until.get(note.pitch, 0.0))
    return clashes
