"""Reading MIDI: from events to notes in seconds, with their parts."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from specnmf.errors import ScoreError
from specnmf.score import midi_events
from specnmf.score.clock import Clock, clock
from specnmf.score.instruments import PROGRAMS
from specnmf.score.loading import PathLike, load
from specnmf.score.midi import PERCUSSION
from specnmf.score.midi_tracks import Stroke, Track, read_track
from specnmf.score.notes import Note, Score, numbered

#: A million notes take about as much.
MAX_BYTES = 8 << 20

#: In seconds. Drum machines release a note as they strike it.
SHORTEST = 0.001

#: Microseconds that a quarter note lasts, unless the file says otherwise.
DEFAULT_TEMPO = 500_000


def read_midi(path: PathLike) -> Score:
    """The score in a standard MIDI file of format 0 or 1, or in one inside a RIFF file.

    A part is what a track plays on a channel. It is called as the track is, else as
    the track's instrument, else as the General MIDI program, else ``track 2`` or the
    like; in files of format 0, whose one track is called as the piece is, by the
    program or ``channel 2`` or the like. The tenth channel is percussion, called as
    the track is or ``drums``. Names that come again are numbered.

    Notes of one pitch that overlap end in the order in which they began. What is
    released under the sustain pedal lasts until the pedal is lifted or the pitch is
    struck again on the channel. A note that is never released ends with its track,
    one released as it is struck lasts a millisecond.

    Parameters
    ----------
    path : path
        The file. Names in it are UTF-8, else Latin-1.

    Raises
    ------
    ScoreError
        If the file is missing, no such file, damaged or of format 2, holds no notes,
        or is larger than 8 MB, a million notes or a day.
    """
    return load(path, _notes, max_bytes=MAX_BYTES)


def _notes(data: bytes) -> Iterator[Note]:
    file = midi_events.midi_data(data)
    tracks = [read_track(number, chunk) for number, chunk in enumerate(file.tracks, 1)]
    seconds = _clock(file.division, tracks).seconds
    names = _names(tracks, of_one_track=file.format == 0)
    pedals = _pedals(tracks)
    for track in tracks:
        for channel, strokes in track.strokes.items():
            part, is_drum = names[track.number, channel], channel == PERCUSSION
            pedal = pedals.get((track.port, channel))
            for stroke in strokes:
                start = seconds(stroke.start)
                end = seconds(pedal.end(stroke) if pedal else stroke.end)
                length = max(end - start, SHORTEST)
                yield Note(start, length, stroke.pitch, stroke.velocity, part, is_drum)


def _names(
    tracks: Sequence[Track], *, of_one_track: bool
) -> dict[tuple[int, int], str]:
    """The part that each track plays on each channel, by their numbers."""
    keys = [(track, channel) for track in tracks for channel in sorted(track.strokes)]
    names = (_name(track, channel, of_one_track) for track, channel in keys)
    places = ((track.number, channel) for track, channel in keys)
    return dict(zip(places, numbered(names), strict=True))


def _name(track: Track, channel: int, of_one_track: bool) -> str:
    if channel == PERCUSSION:
        return "drums" if of_one_track else track.name or "drums"
    own = "" if of_one_track else track.name or track.instrument
    if own:
        return own
    if channel in track.programs:
        return PROGRAMS[track.programs[channel]]
    return f"channel {channel + 1}" if of_one_track else f"track {track.number}"


def _clock(division: int, tracks: Sequence[Track]) -> Clock:
    """The clock of a file: its tempi hold for all tracks, whichever they stand in."""
    if division & 0x8000:
        return _film_clock(0x100 - (division >> 8), division & 0xFF)
    if division == 0:
        raise ScoreError("damaged: a quarter note of no ticks")
    changes = [change for track in tracks for change in track.tempi]
    return clock(DEFAULT_TEMPO, changes, per_second=1_000_000 * division)


def _film_clock(frames_per_second: int, ticks_per_frame: int) -> Clock:
    """The clock of a file that counts frames, as film and television do."""
    if frames_per_second not in (24, 25, 29, 30) or ticks_per_frame == 0:
        raise ScoreError(
            f"damaged: {frames_per_second} frames a second of {ticks_per_frame} ticks"
        )
    rate = 30_000 / 1001 if frames_per_second == 29 else frames_per_second
    return clock(1, (), per_second=rate * ticks_per_frame)


@dataclass(frozen=True)
class _Pedal:
    """The sustain pedal of a channel.

    Attributes
    ----------
    downs, ups : list of int
        The ticks where it is pressed, and where it is lifted again.
    strikes : dict of list
        The ticks where each pitch is struck.
    """

    downs: list[int]
    ups: list[int]
    strikes: dict[int, list[int]]

    def end(self, stroke: Stroke) -> int:
        """When a note ends."""
        k = bisect_right(self.downs, stroke.end) - 1
        if k < 0 or stroke.end >= self.ups[k]:
            return stroke.end
        strikes = self.strikes[stroke.pitch]
        again = bisect_left(strikes, max(stroke.end, stroke.start + 1))
        return min([self.ups[k], *strikes[again : again + 1]])


def _pedals(tracks: Sequence[Track]) -> dict[tuple[int, int], _Pedal]:
    """The pedals of the channels that use one, by port and channel.

    Any track may move the pedal of a channel, and strike its notes again.
    """
    moves: dict[tuple[int, int], list[tuple[int, bool]]] = defaultdict(list)
    for track in tracks:
        for channel, its_moves in track.pedal.items():
            if channel != PERCUSSION:
                moves[track.port, channel] += its_moves
    strikes: dict[tuple[int, int], dict[int, list[int]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for track in tracks:
        for channel, strokes in track.strokes.items():
            if (track.port, channel) in moves:
                for stroke in strokes:
                    strikes[track.port, channel][stroke.pitch].append(stroke.start)
    end = max((track.end for track in tracks), default=0)
    return {key: _pedal(moves[key], strikes[key], end) for key in moves}


def _pedal(
    moves: list[tuple[int, bool]], strikes: dict[int, list[int]], end: int
) -> _Pedal:
    downs: list[int] = []
    ups: list[int] = []
    for tick, is_down in sorted(moves, key=lambda move: move[0]):
        if is_down and len(downs) == len(ups):
            downs.append(tick)
        elif not is_down and len(downs) > len(ups):
            ups.append(tick)
    if len(downs) > len(ups):
        ups.append(end)
    return _Pedal(downs, ups, {pitch: sorted(s) for pitch, s in strikes.items()})
