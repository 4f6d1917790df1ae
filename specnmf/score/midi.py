"""Writing MIDI: a score as a standard MIDI file.

mido encodes the bytes: our input to it is known to be right, and its encoder does the
work of some thirty lines. Reading is our own, because files from others are not always
right: `specnmf.score.midi_events` tells how mido fails on those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from specnmf.score import midi_tempo
from specnmf.score.beats import Beats
from specnmf.score.loading import PathLike
from specnmf.score.midi_bends import bends_of
from specnmf.score.midi_strokes import Stroke, strokes_of
from specnmf.score.midi_tempo import TICKS_PER_BEAT, TempoMap
from specnmf.score.notes import Score, parts_from

#: What happens at one tick, in this order.
_OFF, _BEND, _ON = range(3)
_KINDS = {_OFF: "note_off", _ON: "note_on"}


class _Event(NamedTuple):
    tick: int
    kind: int
    channel: int
    #: Of a note; 0 for bends.
    pitch: int
    #: The velocity, or how far the wheel is turned.
    value: int


def write_midi(
    path: PathLike,
    score: Score,
    *,
    tempo: float = 120.0,
    beats: Beats | None = None,
    bends: bool = False,
    parts: Sequence[str] = (),
) -> None:
    """Write a score as a standard MIDI file of format 1 [1]_, one track per part.

    Each part has its own channel, percussion the tenth. Beyond fifteen parts, channels
    are shared by parts that do not sound the same pitch at once, as far as possible. If
    a pitch is struck while it sounds on the channel, the first note ends there, and the
    second lasts until both have ended, because the note-off of either would silence
    both; of two notes struck at once, the longer is written.

    Times are kept to the millisecond; a note lasts at least a tick.

    Parameters
    ----------
    path : path
        The file.
    score : Score
        The notes.
    tempo : float
        In beats per minute, 20 to 1000. It determines the bars in an editor, and does
        not change when the notes sound.
    beats : Beats, optional
        The beats of the recording, instead of one tempo: the beats of the file follow
        them, so bars, notes and sound coincide in an editor.
    bends : bool
        Bend each note by its cents. A bend holds for a whole channel, so notes that
        sound together are bent only where they agree.
    parts : sequence of str
        The parts whose tracks come first, in this order; the others follow in order of
        their first notes.

    Raises
    ------
    ParameterError
        If the tempo, or that of the beats, is out of range.

    References
    ----------
    .. [1] MIDI Manufacturers Association, "Standard MIDI Files 1.0", 1996.
    """
    import mido

    clock = midi_tempo.steady(tempo) if beats is None else midi_tempo.along(beats)
    strokes = strokes_of(score, clock)
    events: dict[str, list[_Event]] = {part: [] for part in parts_from(score, parts)}
    for stroke in strokes:
        events[stroke.note.part] += _switches(stroke)
    if bends:
        for bend in bends_of(strokes):
            event = _Event(bend.tick, _BEND, bend.channel, 0, bend.value)
            events[bend.part].append(event)
    # mido's default is Latin-1, which lacks most of the world's names
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    file.tracks.append(_tempo_track(clock))
    file.tracks += [_track(part, own) for part, own in events.items()]
    file.save(path)


def _switches(stroke: Stroke) -> Iterator[_Event]:
    """The moments at which a note goes on and off."""
    channel, pitch = stroke.channel, stroke.note.pitch
    yield _Event(stroke.start, _ON, channel, pitch, stroke.note.velocity)
    yield _Event(stroke.end, _OFF, channel, pitch, 0)


def _tempo_track(clock: TempoMap) -> list[Any]:
    import mido

    waits = np.diff(clock.ticks, prepend=0).tolist()
    return [
        mido.MetaMessage("set_tempo", tempo=microseconds, time=wait)
        for microseconds, wait in zip(clock.microseconds.tolist(), waits, strict=True)
    ]


def _track(part: str, events: Iterable[_Event]) -> list[Any]:
    import mido

    # a name from a file system may hold bytes that no encoding has
    name = part.encode("utf-8", "replace").decode()
    messages = [mido.MetaMessage("track_name", name=name)]
    now = 0
    for tick, kind, channel, pitch, value in sorted(events):
        own = (
            {"type": "pitchwheel", "pitch": value}
            if kind == _BEND
            else {"type": _KINDS[kind], "note": pitch, "velocity": value}
        )
        messages.append(mido.Message(channel=channel, time=tick - now, **own))
        now = tick
    return messages
