"""MIDI names: the names of the parts of a file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from specnmf.score.encodings import decoded
from specnmf.score.loading import label
from specnmf.score.midi_strokes import PERCUSSION
from specnmf.score.midi_tracks import Track
from specnmf.score.notes import numbered

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


def part_names(
    tracks: Sequence[Track], *, of_one_track: bool
) -> tuple[dict[tuple[int, int], str], str | None]:
    """The part that each track plays on each channel, by their numbers.

    Also the encoding of the tracks' own names, if it had to be guessed.
    """
    changes = _changes(tracks)
    own, encoding = ([("", "")] * len(tracks), None)
    if not of_one_track:
        own, encoding = _own_names(tracks)
    names, places = [], []
    for track, (name, instrument) in zip(tracks, own, strict=True):
        for channel in sorted(track.strokes):
            neutral = f"channel {channel + 1}" if of_one_track else ""
            if channel == PERCUSSION:
                names.append(name or "drums")
            else:
                program = _program(track, channel, changes)
                generic = program or neutral or f"track {track.number}"
                names.append(name or instrument or generic)
            places.append((track.number, channel))
    return dict(zip(places, numbered(names), strict=True)), encoding


def _own_names(tracks: Sequence[Track]) -> tuple[list[tuple[str, str]], str | None]:
    """The names of tracks and of their instruments, and their encoding if guessed."""
    texts = [text for track in tracks for text in (track.name, track.instrument)]
    others = [text for track in tracks for text in track.texts]
    spelled, encoding = decoded(texts, others)
    labels = list(map(label, spelled))
    is_used = any(
        track.strokes and not (track.name or track.instrument).isascii()
        for track in tracks
    )
    own = list(zip(labels[::2], labels[1::2], strict=True))
    return own, encoding if is_used else None


def _changes(tracks: Sequence[Track]) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """The ticks and numbers of programs, in order, by port and channel."""
    changes: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for track in tracks:
        for tick, channel, program in track.changes:
            changes.setdefault((track.port, channel), []).append((tick, program))
    for own in changes.values():
        own.sort(key=lambda change: change[0])
    return changes


def _program(
    track: Track,
    channel: int,
    changes: Mapping[tuple[int, int], Sequence[tuple[int, int]]],
) -> str:
    """The name of the program of a track's first note; empty if none is set.

    The program of the track itself counts, otherwise the last that another track has
    set.
    """
    program = track.programs.get(channel)
    if program is None:
        start = min(stroke.start for stroke in track.strokes[channel])
        others = changes.get((track.port, channel), ())
        before = bisect_right(others, start, key=lambda change: change[0])
        program = others[before - 1][1] if before else None
    return "" if program is None else PROGRAMS[program]
