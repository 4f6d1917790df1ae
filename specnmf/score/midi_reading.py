"""Reading MIDI: from events to notes in seconds, with their parts."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from specnmf.errors import ScoreError
from specnmf.score import midi_events
from specnmf.score.loading import PathLike, clock, load
from specnmf.score.midi import PERCUSSION
from specnmf.score.midi_tracks import Stroke, Track, read_track
from specnmf.score.notes import Note, Score, numbered

#: A million notes take about as much.
MAX_BYTES = 8 << 20

#: In seconds. Drum machines release a note as they strike it.
SHORTEST = 0.001

#: Microseconds that a quarter note lasts, unless the file says otherwise.
DEFAULT_TEMPO = 500_000

#: The names of General MIDI's programs, from 0 [1]_.
#:
#: .. [1] MIDI Manufacturers Association, "General MIDI System Level 1", 1991.
PROGRAMS = (
    *("Acoustic Grand Piano", "Bright Acoustic Piano", "Electric Grand Piano"),
    *("Honky-tonk Piano", "Electric Piano 1", "Electric Piano 2", "Harpsichord"),
    *("Clavinet", "Celesta", "Glockenspiel", "Music Box", "Vibraphone", "Marimba"),
    *("Xylophone", "Tubular Bells", "Dulcimer", "Drawbar Organ", "Percussive Organ"),
    *("Rock Organ", "Church Organ", "Reed Organ", "Accordion", "Harmonica"),
    *("Tango Accordion", "Acoustic Guitar (nylon)", "Acoustic Guitar (steel)"),
    *("Electric Guitar (jazz)", "Electric Guitar (clean)", "Electric Guitar (muted)"),
    *("Overdriven Guitar", "Distortion Guitar", "Guitar Harmonics", "Acoustic Bass"),
    *("Electric Bass (finger)", "Electric Bass (pick)", "Fretless Bass"),
    *("Slap Bass 1", "Slap Bass 2", "Synth Bass 1", "Synth Bass 2", "Violin", "Viola"),
    *("Cello", "Contrabass", "Tremolo Strings", "Pizzicato Strings"),
    *("Orchestral Harp", "Timpani", "String Ensemble 1", "String Ensemble 2"),
    *("Synth Strings 1", "Synth Strings 2", "Choir Aahs", "Voice Oohs", "Synth Choir"),
    *("Orchestra Hit", "Trumpet", "Trombone", "Tuba", "Muted Trumpet", "French Horn"),
    *("Brass Section", "Synth Brass 1", "Synth Brass 2", "Soprano Sax", "Alto Sax"),
    *("Tenor Sax", "Baritone Sax", "Oboe", "English Horn", "Bassoon", "Clarinet"),
    *("Piccolo", "Flute", "Recorder", "Pan Flute", "Blown Bottle", "Shakuhachi"),
    *("Whistle", "Ocarina", "Lead 1 (square)", "Lead 2 (sawtooth)"),
    *("Lead 3 (calliope)", "Lead 4 (chiff)", "Lead 5 (charang)", "Lead 6 (voice)"),
    *("Lead 7 (fifths)", "Lead 8 (bass + lead)", "Pad 1 (new age)", "Pad 2 (warm)"),
    *("Pad 3 (polysynth)", "Pad 4 (choir)", "Pad 5 (bowed)", "Pad 6 (metallic)"),
    *("Pad 7 (halo)", "Pad 8 (sweep)", "FX 1 (rain)", "FX 2 (soundtrack)"),
    *("FX 3 (crystal)", "FX 4 (atmosphere)", "FX 5 (brightness)", "FX 6 (goblins)"),
    *("FX 7 (echoes)", "FX 8 (sci-fi)", "Sitar", "Banjo", "Shamisen", "Koto"),
    *("Kalimba", "Bagpipe", "Fiddle", "Shanai", "Tinkle Bell", "Agogo"),
    *("Steel Drums", "Woodblock", "Taiko Drum", "Melodic Tom", "Synth Drum"),
    *("Reverse Cymbal", "Guitar Fret Noise", "Breath Noise", "Seashore"),
    *("Bird Tweet", "Telephone Ring", "Helicopter", "Applause", "Gunshot"),
)


def read_midi(path: PathLike) -> Score:
    """The score in a standard MIDI file of format 0 or 1, or in one inside a RIFF file.

    A part is what a track plays on a channel. It is called as the track is, else as
    the track's instrument, else as the General MIDI program, else ``track 2`` or the
    like; in files of format 0, whose one track is called as the piece is, by the
    program or ``channel 2`` or the like. The tenth channel is percussion, called as
    the track is or ``drums``. Names are UTF-8, else Latin-1, and numbered where they
    come again.

    Notes of one pitch that overlap end in the order in which they began. What is
    released under the sustain pedal lasts until the pedal is lifted or the pitch is
    struck again on the channel. A note that is never released ends with its track,
    one released as it is struck lasts a millisecond.

    Raises ScoreError if the file is missing, no such file, damaged or of format 2,
    holds no notes, or is larger than 8 MB, a million notes or a day.
    """
    return load(path, _notes, max_bytes=MAX_BYTES)


def _notes(data: bytes) -> Iterator[Note]:
    file = midi_events.midi_data(data)
    tracks = [read_track(number, chunk) for number, chunk in enumerate(file.tracks, 1)]
    seconds = _clock(file.division, tracks)
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


def _clock(division: int, tracks: Sequence[Track]) -> Callable[[float], float]:
    """The seconds of a tick: tempi hold for all tracks, whichever they stand in."""
    if division & 0x8000:
        return _film_clock(0x100 - (division >> 8), division & 0xFF)
    if division == 0:
        raise ScoreError("damaged: a quarter note of no ticks")
    changes = [change for track in tracks for change in track.tempi]
    return clock(DEFAULT_TEMPO, changes, per_second=1_000_000 * division)


def _film_clock(rate: float, ticks_per_frame: int) -> Callable[[float], float]:
    """The same where a file counts frames, as film and television do."""
    if rate not in (24, 25, 29, 30) or ticks_per_frame == 0:
        raise ScoreError(f"damaged: {rate} frames a second of {ticks_per_frame} ticks")
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
