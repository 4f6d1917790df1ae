"""Writing MIDI: a score as a standard MIDI file.

mido spells the bytes: what we hand it is known to be right, and its encoder does what
some thirty lines of ours would. Reading is our own, for strangers' files are not:
`specnmf.score.midi_events` says what mido makes of those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from specnmf.errors import ParameterError
from specnmf.score.loading import PathLike
from specnmf.score.notes import Note, Score, pitched_parts

#: A tick lasts 0.26 ms at 120 beats a minute and 1.6 ms at the slowest tempo.
TICKS_PER_BEAT = 1920

#: The tempi allowed, in beats a minute.
SLOWEST, FASTEST = 20.0, 1000.0

PERCUSSION = 9
PITCHED = tuple(channel for channel in range(16) if channel != PERCUSSION)


@dataclass
class _Stroke:
    """A note as MIDI has it: when it is struck and released, in ticks."""

    start: int
    end: int
    channel: int
    note: Note

    def gap(self, other: _Stroke) -> int:
        """The ticks that must lie between the two.

        Players merge the tracks in their order, so that at one tick the note-off of
        a later track follows the note-on of an earlier one.
        """
        return int(self.note.part != other.note.part)

    def sounds_at(self, other: _Stroke) -> bool:
        """Whether a note that does not start earlier finds its pitch sounding."""
        mine = self.channel, self.note.pitch
        theirs = other.channel, other.note.pitch
        return mine == theirs and other.start < self.end + self.gap(other)


def write_midi(path: PathLike, score: Score, *, tempo: float = 120.0) -> None:
    """Write a score as a standard MIDI file of format 1 [1]_, a track for each part.

    Each part has a channel of its own, percussion the tenth. Beyond fifteen parts,
    those share one that do not sound the same pitch at once, as far as possible.
    Where a pitch is struck that already sounds on the channel, the first note ends
    there and the second lasts until both have ended, for the note-off of either
    would silence both; of two struck at once the longer is written.

    Times are kept to the millisecond; a note lasts a tick at least. The tempo in beats
    a minute, 20 to 1000, else ParameterError, makes the bars that an editor shows. It
    does not change when the notes sound.

    References
    ----------
    .. [1] MIDI Manufacturers Association, "Standard MIDI Files 1.0", 1996.
    """
    import mido

    if not SLOWEST <= tempo <= FASTEST:
        raise ParameterError(
            f"tempo must lie between {SLOWEST:g} and {FASTEST:g}, got {tempo}"
        )
    microseconds = mido.bpm2tempo(tempo)
    strokes = _strokes(score, TICKS_PER_BEAT * 1e6 / microseconds)
    # mido's default is Latin-1, which lacks most of the world's names
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    file.tracks.append([mido.MetaMessage("set_tempo", tempo=microseconds)])
    for part in score.parts:
        own = [stroke for stroke in strokes if stroke.note.part == part]
        file.tracks.append(_track(part, own))
    file.save(path)


def _track(part: str, strokes: Iterable[_Stroke]) -> list[Any]:
    import mido

    # a name from a file system may hold bytes that no encoding has
    name = part.encode("utf-8", "replace").decode()
    messages = [mido.MetaMessage("track_name", name=name)]
    now = 0
    # at one tick, offs sort before ons
    for tick, kind, channel, pitch, velocity in sorted(_switches(strokes)):
        messages.append(
            mido.Message(
                kind, channel=channel, note=pitch, velocity=velocity, time=tick - now
            )
        )
        now = tick
    return messages


def _switches(strokes: Iterable[_Stroke]) -> Iterator[tuple[int, str, int, int, int]]:
    """When each note goes on and off."""
    for stroke in strokes:
        pitch, velocity = stroke.note.pitch, stroke.note.velocity
        yield stroke.start, "note_on", stroke.channel, pitch, velocity
        yield stroke.end, "note_off", stroke.channel, pitch, 0


def _strokes(score: Score, ticks_per_second: float) -> list[_Stroke]:
    """The notes in ticks, no pitch sounding twice at once on a channel."""
    channels = _channels(score)
    strokes = []
    for note in score.notes:
        start = round(note.start * ticks_per_second)
        end = round((note.start + note.duration) * ticks_per_second)
        channel = PERCUSSION if note.percussion else channels[note.part]
        strokes.append(_Stroke(start, max(end, start + 1), channel, note))
    strokes.sort(key=lambda s: (s.channel, s.note.pitch, s.start, -s.end))
    return _apart(strokes)


def _apart(strokes: Iterable[_Stroke]) -> list[_Stroke]:
    """Make the overlapping notes of each channel and pitch follow one another."""
    apart: list[_Stroke] = []
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
    """A channel for each part that has pitches."""
    taken: dict[int, list[list[Note]]] = {channel: [] for channel in PITCHED}
    channels = {}
    for part, notes in pitched_parts(score).items():
        channels[part] = _freest(taken, notes)
        taken[channels[part]].append(notes)
    return channels


def _freest(taken: dict[int, list[list[Note]]], notes: Sequence[Note]) -> int:
    """The channel where notes clash least, of those the one with fewest parts."""
    pitches = {note.pitch for note in notes}

    def cost(channel: int) -> tuple[int, int]:
        others = [n for part in taken[channel] for n in part if n.pitch in pitches]
        more = _n_clashes([*others, *notes]) - _n_clashes(others)
        return more, len(taken[channel])

    return min(taken, key=cost)


def _n_clashes(notes: Sequence[Note]) -> int:
    """How many notes begin while their pitch sounds."""
    until: dict[int, float] = {}
    clashes = 0
    for note in sorted(notes, key=lambda n: n.start):
        clashes += note.start < until.get(note.pitch, 0.0)
        end = note.start + note.duration
        until[note.pitch] = max(end, until.get(note.pitch, 0.0))
    return clashes
