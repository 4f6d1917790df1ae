"""MIDI events: the meaning of the bytes of a standard MIDI file, and their times.

mido reads such files as well, but fails on files from others. A megabyte that spells
one endless number keeps it busy for a minute and a half; every event takes some 300
bytes; the time before an unknown meta event is lost, so that all later notes of the
track come early; and a key signature of eight flats is an exception. This reader keeps
one event at a time, and decodes only those that affect notes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from specnmf.errors import ScoreError

NOTE_OFF, NOTE_ON, CONTROL, PROGRAM = 0x80, 0x90, 0xB0, 0xC0

#: Added to the type of a meta event, which would clash with the kinds above.
META = 0x100
TRACK_NAME, INSTRUMENT_NAME, PORT, END, TEMPO = (
    META + number for number in (0x03, 0x04, 0x21, 0x2F, 0x51)
)

#: Those that hold text: copyright, lyrics and the like.
TEXTS = range(META + 0x01, META + 0x08)

#: How many data bytes follow a status byte, by its upper half.
_N_DATA = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}

_SYSEX, _SYSEX_CONTINUED, _META = 0xF0, 0xF7, 0xFF

#: How many follow those of the system that are for cables, not for files.
_N_SYSTEM = {0xF1: 1, 0xF2: 2, 0xF3: 1}

#: From here on, what may come at any moment on a cable: clock, start, stop.
_REAL_TIME = 0xF8

#: The first bytes of a track.
TRACK = b"MTrk"


class Event(NamedTuple):
    """One event of a track."""

    #: Ticks since the beginning of the track.
    tick: int
    #: `NOTE_ON` and its like, or `TEMPO` and its like.
    kind: int
    #: 0 to 15; 0 for meta events.
    channel: int
    #: What follows, each below 128 but for meta events.
    data: bytes


class Walk:
    """A walk along the events of a track, up to the event that ends it.

    Parameters
    ----------
    data : bytes
        The data that contain the track.
    begin, end : int
        The range of its events; by default all data.
    stream : bool
        Read the events as if they came over a cable: real-time bytes stand anywhere,
        without a time before them, and exclusive messages last until their end.
    until_track : bool
        Stop also where another track begins.

    Attributes
    ----------
    position : int
        The byte after the last event.
    is_ended : bool
        Whether the walk reached the end of the track.
    n_above, n_system : int
        The numbers of events with values above 127, and of system events that no file
        should have.
    """

    def __init__(
        self,
        data: bytes,
        begin: int = 0,
        end: int | None = None,
        *,
        stream: bool = False,
        until_track: bool = False,
    ) -> None:
        self.data, self.position = data, begin
        self.end = len(data) if end is None else end
        self.stream, self.until_track = stream, until_track
        self.is_ended = False
        self.n_above = self.n_system = 0

    @property
    def is_whole(self) -> bool:
        """Whether the end of the track is the end of the data."""
        return self.is_ended and self.position == self.end

    def __iter__(self) -> Iterator[Event]:
        """Yield the channel and meta events.

        Raises ScoreError if the bytes are not such events.
        """
        try:
            yield from self._events()
        except IndexError as error:
            raise ScoreError("the file ends within an event") from error

    def _events(self) -> Iterator[Event]:
        data, tick, running = self.data, 0, 0
        while self.position < self.end and not self.is_ended:
            if self.until_track and data.startswith(TRACK, self.position):
                return
            wait, position = _number(data, self.position)
            tick += wait
            if self.stream:
                position = self._after_real_time(position)
            status = data[position]
            if status >= 0x80:
                position += 1
            else:
                status = running
            if 0x80 <= status < _SYSEX:
                running = status
                values, position = self._values(position, _N_DATA[status >> 4])
                event = self._voice(tick, status, values)
            else:
                event, position = self._other(tick, status, position)
            if position > self.end:
                raise IndexError(position)
            self.position = position
            if event is not None:
                yield event

    def _other(self, tick: int, status: int, position: int) -> tuple[Event | None, int]:
        """A meta event, or None for exclusive and other ones, and its end."""
        data = self.data
        if status == _META:
            kind = META + data[position]
            length, position = _number(data, position + 1)
            content, position = _take(data, position, length)
            self.is_ended = kind == END
            return Event(tick, kind, 0, content), position
        if status in (_SYSEX, _SYSEX_CONTINUED):
            return None, self._after_exclusive(position)
        if status < _SYSEX:
            raise ScoreError(f"damaged: an event without a status at byte {position}")
        self.n_system += 1
        return None, position + _N_SYSTEM.get(status, 0)

    def _after_exclusive(self, position: int) -> int:
        if self.stream:
            end = self.data.find(_SYSEX_CONTINUED, position, self.end)
            return end + 1 if end >= 0 else len(self.data) + 1
        length, position = _number(self.data, position)
        return position + length

    def _values(self, position: int, n_values: int) -> tuple[bytes, int]:
        """The bytes that follow a status byte, and their end."""
        if not self.stream:
            return _take(self.data, position, n_values)
        values = bytearray()
        for _ in range(n_values):
            position = self._after_real_time(position)
            values.append(self.data[position])
            position += 1
        return bytes(values), position

    def _after_real_time(self, position: int) -> int:
        while _REAL_TIME <= self.data[position] < _META:
            position += 1
            self.n_system += 1
        return position

    def _voice(self, tick: int, status: int, values: bytes) -> Event | None:
        """A channel event; None if its pitch, program or the like is impossible."""
        kind, channel = status & 0xF0, status & 0x0F
        if not values.isascii():
            self.n_above += 1
            if values[0] > 127:
                return None
            values = bytes(min(value, 127) for value in values)
        return Event(tick, kind, channel, values)


def _number(track: bytes, position: int) -> tuple[int, int]:
    """The number of variable length at a position, and its end."""
    number = 0
    for k in range(position, position + 4):
        number = number << 7 | track[k] & 0x7F
        if track[k] < 0x80:
            return number, k + 1
    raise ScoreError("damaged: a number longer than four bytes")


def _take(track: bytes, position: int, length: int) -> tuple[bytes, int]:
    end = position + length
    if end > len(track):
        raise IndexError(end)
    return track[position:end], end
