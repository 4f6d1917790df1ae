"""MIDI chunks: the header and the tracks of a standard MIDI file, also of faulty ones.

Many files violate the standard, and players play them. They are read here too, with a
remark. The length of a track is trusted if it leads to the next chunk or the end of the
file; otherwise the track ends at its end-of-track event, or where the next track
begins, or at its stated length. Tracks are counted, whatever the header states. Bytes
before the header or between chunks are skipped.

A file that ends within a track is an error, because music is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from specnmf.errors import ScoreError
from specnmf.score.midi_events import TRACK, Walk

HEADER = b"MThd"

#: As many as a header can count.
MAX_TRACKS = 65_535

#: How often a byte may be looked at to find where tracks end.
_MOST_LOOKS = 4


class MidiData(NamedTuple):
    """The chunks of a standard MIDI file."""

    #: 0: one track; 1: tracks that sound together.
    format: int
    #: Ticks in a quarter note; or, with bit 15 set, the negative number of frames a
    #: second in the upper byte and ticks in a frame in the lower.
    division: int
    #: The events of each track.
    tracks: tuple[bytes, ...]
    #: The faults of the file.
    remarks: tuple[str, ...] = ()
    #: The numbers of the tracks, from 1, whose length is not what they say.
    mismeasured: tuple[int, ...] = ()


def midi_data(data: bytes) -> MidiData:
    """The chunks of a standard MIDI file [1]_, or of one inside another file.

    Raises ScoreError if there is none, it is cut short, or of format 2 with several
    tracks, or there are more than 65 535 tracks.

    References
    ----------
    .. [1] MIDI Manufacturers Association, "Standard MIDI Files 1.0", 1996.
    """
    begin = 0 if data.startswith(HEADER) else data.find(HEADER + bytes(3))
    if begin < 0:
        raise ScoreError("not a MIDI file: it has no header (MThd)")
    length = int.from_bytes(data[begin + 4 : begin + 8], "big")
    fields = data[begin + 8 : begin + 14]
    if length < 6 or len(fields) < 6:
        raise ScoreError("the file ends within its header")
    kind, n_tracks, division = (
        int.from_bytes(fields[i : i + 2], "big") for i in (0, 2, 4)
    )
    search = _Search(data, _after_header(data, begin + 14, length - 6))
    search.run()
    kind, remarks = _format(kind, len(search.tracks))
    if begin and not data.startswith(b"RIFF"):
        remarks.append(f"{begin} bytes before its header, skipped")
    if n_tracks != len(search.tracks):
        counted = "1 track" if n_tracks == 1 else f"{n_tracks} tracks"
        remarks.append(f"its header states {counted}, there are {len(search.tracks)}")
    remarks += search.remarks
    tracks, mismeasured = tuple(search.tracks), tuple(search.mismeasured)
    return MidiData(kind, division, tracks, tuple(remarks), mismeasured)


def _after_header(data: bytes, position: int, more: int) -> int:
    """The start of the chunks, if the header states that it has more bytes."""
    first = data.find(TRACK, position)
    return position if more == 0 else min(position + more, max(first, position))


def _format(kind: int, n_tracks: int) -> tuple[int, list[str]]:
    """The format of a file with so many tracks, 0 or 1, and remarks on it."""
    if kind == 2 and n_tracks > 1:
        raise ScoreError(
            "MIDI format 2, whose tracks are separate pieces, expected format 0 or 1; "
            "save it in one of these"
        )
    fitting = min(kind, 1) if n_tracks > 1 or kind == 1 else 0
    if n_tracks > 1 and kind != 1:
        return 1, [f"of format {kind} with {n_tracks} tracks, read as format 1"]
    return fitting, []


@dataclass
class _Search:
    """The search for the tracks of a file."""

    data: bytes
    position: int
    tracks: list[bytes] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    mismeasured: list[int] = field(default_factory=list)
    looked_at: int = 0

    def __post_init__(self) -> None:
        #: From where on there are zeros only, but for one that belongs to an end.
        self.last = len(self.data.rstrip(b"\0"))
        self.last += self.data.startswith(b"\xff\x2f\0", self.last - 2)

    def run(self) -> None:
        """Find all tracks."""
        while self.position < len(self.data):
            if self.data.startswith(TRACK, self.position):
                self._add_track()
            elif self.tracks and self.data.startswith(HEADER, self.position):
                self.remarks.append("another MIDI file after its end, ignored")
                return
            else:
                self._pass_over()

    def _add_track(self) -> None:
        number, begin = len(self.tracks) + 1, self.position + 8
        if number > MAX_TRACKS:
            raise ScoreError(f"holds more than {MAX_TRACKS} tracks")
        said = begin + int.from_bytes(self.data[begin - 4 : begin], "big")
        end = self._end(begin, said)
        if end is None:
            raise ScoreError(
                f"the file ends within track {number}, which states "
                f"{said - begin} bytes and has {max(len(self.data) - begin, 0)}, "
                "without an end of track"
            )
        if end != said:
            self.mismeasured.append(number)
        self.tracks.append(self.data[begin:end])
        self.position = end

    def _end(self, begin: int, said: int) -> int | None:
        """The end of a track; None if the file ends before."""
        data = self.data
        is_there = said <= len(data)
        is_alone = data.find(TRACK, begin, said + 3) < 0
        if is_there and is_alone and self._is_joint(said):
            return said
        walk = self._walk(begin)
        if walk is None:
            return said if is_there else None
        end = walk.position
        if is_there and end <= said and data.find(TRACK, end, said + 3) < 0:
            return said  # what stands behind its end is its own affair
        if end <= said or not walk.is_ended or self._is_joint(end):
            return end
        return said if is_there else None

    def _walk(self, begin: int) -> Walk | None:
        """A walk along the events of a track, until it ends or the next begins."""
        walk = Walk(self.data, begin, until_track=True)
        try:
            for _ in walk:
                pass
            met_next = self.data.startswith(TRACK, walk.position)
            found = walk if walk.is_ended or met_next else None
        except ScoreError:
            found = None
        self.looked_at += walk.position - begin
        if self.looked_at > _MOST_LOOKS * len(self.data):
            raise ScoreError("damaged: no track is as long as it states")
        return found

    def _is_joint(self, position: int) -> bool:
        """Whether a chunk may end at a position: another begins there, or none."""
        return position >= self.last or self._chunk_end(position) is not None

    def _chunk_end(self, position: int) -> int | None:
        """The stated end of the chunk at a position; None if none begins there."""
        name = self.data[position : position + 4]
        end = position + 8
        end += int.from_bytes(self.data[position + 4 : end], "big")
        if name in (TRACK, HEADER):
            return end
        is_name = len(name) == 4 and name.isascii() and name.decode().isprintable()
        return end if is_name and end <= len(self.data) else None

    def _pass_over(self) -> None:
        """Go on to the next track, or past a chunk of another kind."""
        end = self._chunk_end(self.position)
        if end is not None:
            padded = end + (end - self.position) % 2
            if self._is_joint(end) or self._is_joint(padded):
                self.position = end if self._is_joint(end) else padded
                return
        begin, rest = self.position, self.data[self.position : self.position + 4]
        self.position = self.data.find(TRACK, begin)
        if self.position < 0:
            self.position = len(self.data)
            if TRACK.startswith(rest):
                raise ScoreError(f"the file ends before track {len(self.tracks) + 1}")
        elif self.data[begin : self.position].strip(b"\0"):
            n_bytes, number = self.position - begin, len(self.tracks) + 1
            self.remarks.append(f"{n_bytes} bytes before track {number}, skipped")
