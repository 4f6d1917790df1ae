"""MIDI tracks: what each plays, gathered event by event."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from specnmf.errors import ScoreError
from specnmf.score import midi_events
from specnmf.score.loading import label
from specnmf.score.midi_events import Event

#: Controllers, and the value from which on a pedal is down.
_SUSTAIN, _RESET, _DOWN = 64, 121, 64
_NOTES_OFF = (120, *range(123, 128))


class Stroke(NamedTuple):
    """A key struck and released, in ticks."""

    start: int
    end: int
    pitch: int
    velocity: int


@dataclass
class Track:
    """What a track plays, filled event by event.

    Attributes
    ----------
    programs : dict
        By channel, the program of its first note.
    strokes : dict
        By channel, the notes that have ended.
    sounding : dict
        By channel and pitch, the ticks and velocities of the keys that are down.
    pedal : dict
        By channel, the ticks where it moves, and whether down.
    """

    number: int
    name: str = ""
    instrument: str = ""
    port: int = 0
    end: int = 0
    tempi: list[tuple[int, int]] = field(default_factory=list)
    programs: dict[int, int] = field(default_factory=dict)
    strokes: dict[int, list[Stroke]] = field(default_factory=dict)
    sounding: dict[int, dict[int, deque[tuple[int, int]]]] = field(default_factory=dict)
    pedal: dict[int, list[tuple[int, bool]]] = field(default_factory=dict)

    def _strike(self, event: Event) -> None:
        pitch, velocity = event.data
        if velocity == 0:
            self._release(event)
            return
        self.strokes.setdefault(event.channel, [])
        keys = self.sounding.setdefault(event.channel, {})
        keys.setdefault(pitch, deque()).append((event.tick, velocity))

    def _release(self, event: Event) -> None:
        """End the note of a pitch that began first, if any sounds."""
        pitch = event.data[0]
        if begun := self.sounding.get(event.channel, {}).get(pitch):
            start, velocity = begun.popleft()
            self.strokes[event.channel].append(
                Stroke(start, event.tick, pitch, velocity)
            )

    def _release_all(self, channel: int, tick: int) -> None:
        for pitch, begun in self.sounding.pop(channel, {}).items():
            self.strokes[channel] += (
                Stroke(start, tick, pitch, velocity) for start, velocity in begun
            )

    def _control(self, event: Event) -> None:
        controller, value = event.data
        if controller in _NOTES_OFF:
            self._release_all(event.channel, event.tick)
        elif controller in (_SUSTAIN, _RESET):
            is_down = controller == _SUSTAIN and value >= _DOWN
            self.pedal.setdefault(event.channel, []).append((event.tick, is_down))

    def _choose(self, event: Event) -> None:
        if event.channel not in self.strokes:
            self.programs[event.channel] = event.data[0]

    def _call(self, event: Event) -> None:
        self.name = self.name or _text(event.data)

    def _call_instrument(self, event: Event) -> None:
        self.instrument = self.instrument or _text(event.data)

    def _plug(self, event: Event) -> None:
        self.port = int.from_bytes(event.data[:1], "big")

    def _set_tempo(self, event: Event) -> None:
        tempo = int.from_bytes(event.data, "big")
        if len(event.data) != 3 or tempo == 0:
            raise ScoreError(f"damaged: a tempo of bytes {event.data[:8].hex(' ')!r}")
        self.tempi.append((event.tick, tempo))


#: What a track does at each kind of event.
_DEEDS = {
    midi_events.NOTE_OFF: Track._release,
    midi_events.NOTE_ON: Track._strike,
    midi_events.CONTROL: Track._control,
    midi_events.PROGRAM: Track._choose,
    midi_events.TRACK_NAME: Track._call,
    midi_events.INSTRUMENT_NAME: Track._call_instrument,
    midi_events.PORT: Track._plug,
    midi_events.TEMPO: Track._set_tempo,
}


def read_track(number: int, chunk: bytes) -> Track:
    """What the events of a track play; an error names its number."""
    track = Track(number)
    try:
        for event in midi_events.events(chunk):
            track.end = event.tick
            if deed := _DEEDS.get(event.kind):
                deed(track, event)
    except ScoreError as error:
        raise ScoreError(f"{error}, in track {number}") from error
    for channel in tuple(track.sounding):
        track._release_all(channel, track.end)
    return track


def _text(data: bytes) -> str:
    try:
        return label(data.decode("utf-8"))
    except UnicodeDecodeError:
        return label(data.decode("latin-1"))
