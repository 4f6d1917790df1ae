"""Writing MIDI: a score as a standard MIDI file.

mido spells the bytes: what we hand it is known to be right, and its encoder does what
some thirty lines of ours would. Reading is our own, for strangers' files are not:
`specnmf.score.midi_events` says what mido makes of those.
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
    """Write a score as a standard MIDI file of format 1 [1]_, a track for each part.

    Each part has a channel of its own, percussion the tenth. Beyond fifteen parts,
    those share one that do not sound the same pitch at once, as far as possible.
    Where a pitch is struck that already sounds on the channel, the first note ends
    there and the second lasts until both have ended, for the note-off of either
    would silence both; of two struck at once the longer is written.

    Times are kept to the millisecond; a note lasts a tick at least.

    Parameters
    ----------
    path : path
        Where to.
    score : Score
        What to write.
    tempo : float
        In beats a minute, 20 to 1000. It makes the bars that an editor shows, and does
        not change when the notes sound.
    beats : Beats, optional
        Those of the recording, in place of one tempo: the file's beats follow them, so
        that in an editor bars, notes and sound fall together.
    bends : bool
        Bend each note by its cents. A bend holds for a whole channel, so notes that
        sound together are bent only where they agree.
    parts : sequence of str
        Those whose tracks come first, in this order; the others in order of their
        first notes.

    Raises
    ------
    ParameterError
        If the tempo is out of range, or that of the beats.

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
    """When a note goes on and off."""
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
