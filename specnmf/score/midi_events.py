"""MIDI events: what the bytes of a standard MIDI file say, and when.

mido reads such files as well, but cannot be handed one from a stranger: a megabyte that
spells one endless number keeps it busy for a minute and a half, every event costs some
300 bytes, the time before a meta event that it does not know is lost, so that all
later notes of the track come early, and a key signature of eight flats is an exception.
This keeps one event at a time, and looks only into those that bear on notes.
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

#: How many data bytes follow a status byte, by its upper half.
_N_DATA = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}

_SYSEX, _SYSEX_CONTINUED, _META = 0xF0, 0xF7, 0xFF

_END_OF_TRACK = bytes((_META, 0x2F, 0x00))


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


class MidiData(NamedTuple):
    """The chunks of a standard MIDI file."""

    #: 0: one track; 1: tracks that sound together.
    format: int
    #: Ticks in a quarter note; or, with bit 15 set, the negative number of frames a
    #: second in the upper byte and ticks in a frame in the lower.
    division: int
    #: The events of each track.
    tracks: tuple[bytes, ...]


def midi_data(data: bytes) -> MidiData:
    """The chunks of a standard MIDI file [1]_, or of one inside a RIFF file.

    Raises ScoreError if it is none, is cut short, or is of format 2.

    References
    ----------
    .. [1] MIDI Manufacturers Association, "Standard MIDI Files 1.0", 1996.
    """
    position = data.find(b"MThd", 0, 64) if data.startswith(b"RIFF") else 0
    if position < 0 or data[position : position + 4] != b"MThd":
        raise ScoreError("no MIDI file: it does not begin with MThd")
    header, position = _chunk(data, position)
    if len(header) < 6:
        raise ScoreError("cut short in its header")
    kind, n_tracks, division = (
        int.from_bytes(header[i : i + 2], "big") for i in (0, 2, 4)
    )
    if kind not in (0, 1):
        raise ScoreError(
            f"a MIDI file of format {kind}, expected 0 or 1; save it as one of those"
        )
    tracks: list[bytes] = []
    while len(tracks) < n_tracks and position < len(data):
        is_track = data[position : position + 4] == b"MTrk"
        chunk, position = _chunk(data, position)
        if is_track:
            tracks.append(chunk)
    if len(tracks) < n_tracks:
        raise ScoreError(f"cut short: holds {len(tracks)} of its {n_tracks} tracks")
    return MidiData(kind, division, tuple(tracks))


def _chunk(data: bytes, position: int) -> tuple[bytes, int]:
    """What a chunk holds, and where it ends.

    Some programs write a wrong length for the last track: it is whole if its end is.
    """
    start = position + 8
    end = start + int.from_bytes(data[position + 4 : start], "big")
    chunk = data[start:end]
    is_whole = end <= len(data) or chunk.endswith(_END_OF_TRACK)
    if data[position : position + 4] == b"MTrk" and not is_whole:
        raise ScoreError("cut short in a track")
    return chunk, end


def events(track: bytes) -> Iterator[Event]:
    """The channel and meta events of a track, up to the one that ends it.

    Raises ScoreError if the bytes are no such events.
    """
    try:
        yield from _events(track)
    except IndexError as error:
        raise ScoreError("cut short in the midst of an event") from error


def _events(track: bytes) -> Iterator[Event]:
    position = tick = running = 0
    while position < len(track):
        wait, position = _number(track, position)
        tick += wait
        status = track[position]
        if status >= 0x80:
            position += 1
        else:
            status = running
        if 0x80 <= status < _SYSEX:
            running = status
            data, position = _take(track, position, _N_DATA[status >> 4])
            if not data.isascii():
                raise ScoreError(f"damaged: an event of data bytes {data.hex(' ')}")
            yield Event(tick, status & 0xF0, status & 0x0F, data)
        elif status == _META:
            kind = META + track[position]
            length, position = _number(track, position + 1)
            data, position = _take(track, position, length)
            yield Event(tick, kind, 0, data)
            if kind == END:
                return
        elif status in (_SYSEX, _SYSEX_CONTINUED):
            length, position = _number(track, position)
            _, position = _take(track, position, length)
        else:
            raise ScoreError(f"damaged: an event of status 0x{status:02x}")


def _number(track: bytes, position: int) -> tuple[int, int]:
    """The number of variable length at a position, and where it ends."""
    number = 0
    for k in range(position, position + 4):
        number = number << 7 | track[k] & 0x7F
        if track[k] < 0x80:
            return number, k + 1
    raise ScoreError("damaged: a number of more than four bytes")


def _take(track: bytes, position: int, length: int) -> tuple[bytes, int]:
    end = position + length
    if end > len(track):
        raise IndexError(end)
    return track[position:end], end
