"""Reading MIDI: from events to notes in seconds, with their parts."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from specnmf.errors import ScoreError
from specnmf.score.loading import PathLike, clock, load
from specnmf.score.midi_chunks import MidiData, midi_data
from specnmf.score.midi_names import part_names
from specnmf.score.midi_strokes import PERCUSSION
from specnmf.score.midi_tracks import Stroke, Track, read_track
from specnmf.score.notes import Note, Score

#: A million notes take about as much.
MAX_BYTES = 8 << 20

#: In seconds. Drum machines release a note as they strike it.
SHORTEST = 0.001

#: Microseconds that a quarter note lasts, unless the file says otherwise.
DEFAULT_TEMPO = 500_000

#: Odd tracks that a remark lists.
_MOST_LISTED = 4


def read_midi(path: PathLike) -> Score:
    """The score in a standard MIDI file of format 0 or 1, or in one inside a RIFF file.

    A part is what a track plays on one channel. Its name is that of the track,
    otherwise the instrument of the track, otherwise the General MIDI program of its
    first note, which any track may set, otherwise ``track 2`` or the like. In files of
    format 0, whose one track has the name of the piece, it is the program or ``channel
    2`` or the like. The tenth channel is percussion, with the name of the track or
    ``drums``. Names are UTF-8, otherwise in the encoding that fits those of the file
    best; repeated names are numbered.

    Overlapping notes of one pitch end in the order in which they began. A note released
    under the sustain pedal lasts until the pedal is lifted or the pitch is struck again
    on the channel. A note that is never released ends with its track; one released as
    it is struck lasts a millisecond.

    Files that violate the standard are read as players read them, and the remarks of
    the score tell how: wrong numbers or lengths of tracks, no end of track, bytes
    before the header or between tracks, values above 127 (read as 127; such pitches are
    left out), messages that belong on a cable, tempi of length zero.

    Raises ScoreError if the file is missing, not such a file, ends within a track, has
    impossible events or an impossible division, is of format 2 with several tracks,
    contains no notes, or is larger than 8 MB, a million notes or a day.
    """
    remarks: list[str] = []
    return load(
        path, partial(_notes, remarks=remarks), max_bytes=MAX_BYTES, remarks=remarks
    )


def _notes(data: bytes, *, remarks: list[str]) -> Iterator[Note]:
    file = midi_data(data)
    tracks = [read_track(number, chunk) for number, chunk in enumerate(file.tracks, 1)]
    seconds = _clock(file.division, tracks)
    names, encoding = part_names(tracks, of_one_track=file.format == 0)
    remarks += _remarks(file, tracks, encoding)
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


def _remarks(
    file: MidiData, tracks: Sequence[Track], encoding: str | None
) -> Iterator[str]:
    """The faults of a file in one line, and how its names were read."""
    where: dict[str, list[int]] = {}
    for number in file.mismeasured:
        where.setdefault("a length other than stated", []).append(number)
    for track in tracks:
        for oddity in dict.fromkeys(track.oddities):
            where.setdefault(oddity, []).append(track.number)
    found = [*file.remarks, *(f"{what} ({_numbers(n)})" for what, n in where.items())]
    if found:
        yield f"breaks the MIDI standard, read as players do: {'; '.join(found)}"
    if encoding is not None:
        yield f"its names are not UTF-8, read as {encoding}"


def _numbers(numbers: Sequence[int]) -> str:
    """The numbers of tracks, and how many more there are."""
    listed = ", ".join(map(str, numbers[:_MOST_LISTED]))
    more = len(numbers) - _MOST_LISTED
    tracks = "track" if len(numbers) == 1 else "tracks"
    return f"{tracks} {listed}" + (f" and {more} more" if more > 0 else "")


def _clock(division: int, tracks: Sequence[Track]) -> Callable[[float], float]:
    """The function from ticks to seconds: tempi of any track hold for all tracks."""
    if division & 0x8000:
        return _film_clock(0x100 - (division >> 8), division & 0xFF)
    if division == 0:
        raise ScoreError(
            "damaged: a quarter note has no ticks, so times are undefined; save it "
            "again with a sequencer"
        )
    changes = [change for track in tracks for change in track.tempi]
    return clock(DEFAULT_TEMPO, changes, per_second=1_000_000 * division)


def _film_clock(rate: float, ticks_per_frame: int) -> Callable[[float], float]:
    """The clock of a file that counts frames, as for film and television."""
    if rate not in (24, 25, 29, 30) or ticks_per_frame == 0:
        raise ScoreError(
            f"damaged: {rate} frames per second of {ticks_per_frame} ticks"
        )
    if rate == 29:
        rate = 30_000 / 1001
    return clock(1, (), per_second=rate * ticks_per_frame)


@dataclass(frozen=True)
class _Pedal:
    """The sustain pedal of a channel: ticks where it moves, and pitches are struck."""

    downs: list[int]
    ups: list[int]
    strikes: dict[int, list[int]]

    def end(self, stroke: Stroke) -> int:
        """The end of a note."""
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
    strokes: dict[tuple[int, int], list[Stroke]] = defaultdict(list)
    for track in tracks:
        for channel, its_strokes in track.strokes.items():
            strokes[track.port, channel] += its_strokes
    end = max((track.end for track in tracks), default=0)
    return {key: _pedal(moves[key], strokes[key], end) for key in moves}


def _pedal(
    moves: Sequence[tuple[int, bool]], strokes: Iterable[Stroke], end: int
) -> _Pedal:
    strikes: dict[int, list[int]] = defaultdict(list)
    for stroke in sorted(strokes):
        strikes[stroke.pitch].append(stroke.start)
    downs: list[int] = []
    ups: list[int] = []
    for tick, is_down in sorted(moves, key=lambda move: move[0]):
        if is_down and len(downs) == len(ups):
            downs.append(tick)
        elif not is_down and len(downs) > len(ups):
            ups.append(tick)
    if len(downs) > len(ups):
        ups.append(end)
    return _Pedal(downs, ups, strikes)
