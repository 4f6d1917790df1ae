"""MIDI tracks: the notes of each, collected event by event."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from specnmf.errors import ScoreError
from specnmf.score import midi_events
from specnmf.score.midi_events import Event, Walk

#: Controllers, and the value from which on a pedal is down.
_SUSTAIN, _RESET, _DOWN = 64, 121, 64
_NOTES_OFF = (120, *range(123, 128))

#: Characters that alone are not a name.
_BLANK = bytes(range(33))

#: Other texts of a track that are kept, to tell their encoding, and of what length.
_MOST_TEXTS, _LONGEST = 8, 200


class Stroke(NamedTuple):
    """A key struck and released, in ticks."""

    start: int
    end: int
    pitch: int
    velocity: int


@dataclass
class Track:
    """The notes of a track, filled event by event."""

    number: int
    name: bytes = b""
    instrument: bytes = b""
    #: Other texts.
    texts: list[bytes] = field(default_factory=list)
    port: int = 0
    end: int = 0
    tempi: list[tuple[int, int]] = field(default_factory=list)
    #: By channel, the program of its first note.
    programs: dict[int, int] = field(default_factory=dict)
    #: The ticks, channels and numbers of all programs.
    changes: list[tuple[int, int, int]] = field(default_factory=list)
    #: By channel, the notes that have ended.
    strokes: dict[int, list[Stroke]] = field(default_factory=dict)
    #: By channel and pitch, the ticks and velocities of the keys that are down.
    sounding: dict[int, dict[int, deque[tuple[int, int]]]] = field(default_factory=dict)
    #: By channel, the ticks where it moves, and whether down.
    pedal: dict[int, list[tuple[int, bool]]] = field(default_factory=dict)
    #: Faults, and how they were read.
    oddities: list[str] = field(default_factory=list)

    def hear(self, event: Event) -> None:
        """Add the effect of an event."""
        channel, data = event.channel, event.data
        match event.kind:
            case midi_events.NOTE_ON if data[1]:
                self._strike(event)
            case midi_events.NOTE_ON | midi_events.NOTE_OFF:
                self._release(event)
            case midi_events.CONTROL:
                self._control(event)
            case midi_events.PROGRAM:
                self.changes.append((event.tick, channel, data[0]))
                if channel not in self.strokes:
                    self.programs[channel] = data[0]
            case midi_events.TRACK_NAME if not self.name:
                self.name = data if data.strip(_BLANK) else b""
            case midi_events.INSTRUMENT_NAME if not self.instrument:
                self.instrument = data if data.strip(_BLANK) else b""
            case kind if kind in midi_events.TEXTS and len(self.texts) < _MOST_TEXTS:
                self.texts.append(data[:_LONGEST])
            case midi_events.PORT:
                self.port = int.from_bytes(data[:1], "big")
            case midi_events.TEMPO:
                self._set_tempo(event)

    def release_all(self, channel: int, tick: int) -> None:
        """End the notes of a channel."""
        for pitch, begun in self.sounding.pop(channel, {}).items():
            self.strokes[channel] += (
                Stroke(start, tick, pitch, velocity) for start, velocity in begun
            )

    def _strike(self, event: Event) -> None:
        pitch, velocity = event.data
        self.strokes.setdefault(event.channel, [])
        keys = self.sounding.setdefault(event.channel, {})
        keys.setdefault(pitch, deque()).append((event.tick, velocity))

    def _release(self, event: Event) -> None:
        """End the oldest note of a pitch, if one sounds."""
        pitch = event.data[0]
        if begun := self.sounding.get(event.channel, {}).get(pitch):
            start, velocity = begun.popleft()
            self.strokes[event.channel].append(
                Stroke(start, event.tick, pitch, velocity)
            )

    def _control(self, event: Event) -> None:
        controller, value = event.data
        if controller in _NOTES_OFF:
            self.release_all(event.channel, event.tick)
        elif controller in (_SUSTAIN, _RESET):
            is_down = controller == _SUSTAIN and value >= _DOWN
            self.pedal.setdefault(event.channel, []).append((event.tick, is_down))

    def _set_tempo(self, event: Event) -> None:
        tempo = int.from_bytes(event.data[:3], "big")
        if len(event.data) < 3 or tempo == 0:
            self.oddities.append("a tempo of length zero, ignored")
            return
        if len(event.data) > 3:
            self.oddities.append("a tempo of more than three bytes, the rest ignored")
        self.tempi.append((event.tick, tempo))


def read_track(number: int, chunk: bytes) -> Track:
    """The notes in the events of a track; an error names its number.

    A track of odd events is read as a recording of what came over a cable, if it only
    makes sense that way.
    """
    track, walk, error = _walked(number, Walk(chunk))
    if error or walk.n_above or walk.n_system:
        other, stream, _ = _walked(number, Walk(chunk, stream=True))
        if stream.is_whole and not (stream.n_above or walk.is_whole):
            track, walk, error = other, stream, None
    if error is not None:
        raise ScoreError(f"{error}, in track {number}") from error
    for channel in tuple(track.sounding):
        track.release_all(channel, track.end)
    track.oddities += _oddities(walk)
    return track


def _walked(number: int, walk: Walk) -> tuple[Track, Walk, ScoreError | None]:
    """The notes of a walk, and the error that ended it, if there was one."""
    track = Track(number)
    try:
        for event in walk:
            track.end = event.tick
            track.hear(event)
    except ScoreError as error:
        return track, walk, error
    return track, walk, None


def _oddities(walk: Walk) -> Iterator[str]:
    """Yield the faults in the events of a track."""
    if walk.n_above:
        yield "values above 127, such pitches left out, other values read as 127"
    if walk.n_system:
        yield "system messages, ignored"
    if not walk.is_ended:
        yield "no end of track"
    elif walk.data[walk.position : walk.end].strip(b"\0"):
        yield "bytes after the end of track, ignored"
