"""Play excerpts of scores: mixtures whose notes and stems are known.

    python benchmarks/transcription_material.py OUT [--only NAME...] [--unseen]

Writes OUT/tune/NAME/ and OUT/test/NAME/, no piece in both: mix.flac, ref/PART.flac,
which add up to it to the bit, and score.mid, the notes on the recording's clock. The
scores are those that music21 brings, the sound is fluidsynth's with FluidR3 GM. Every
note is a little early or late, louder or softer; every part a little sharp or flat,
some have vibrato; the beat is not even. Nothing is drawn but by a seed.

With ``--unseen`` it writes OUT/unseen/NAME/: the pieces of `test`, by instruments and
by a soundfont that the built-in transcriber was not trained on.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import mido
import numpy as np
import soundfile as sf
from numpy.typing import NDArray
from transcription_pieces import PIECES

import specnmf
from specnmf import Note, Score
from specnmf.score.midi import write_midi

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
UNSEEN_SOUNDFONT = Path("/usr/share/sounds/sf2/TimGM6mb.sf2")
SR = 44100
PEAK = 0.8  # of the mixture; full scale is 1
LEAD, TAIL = 0.3, 1.5  # seconds of silence before, and to ring out
LOOSE = 0.02  # seconds by which a player is early or late
SWAY, PERIOD = 0.05, 6.0  # seconds by which the beat is early or late, and how often
HELD = 0.95  # of its written length is a note held
SHORTEST = 0.05  # seconds that a note lasts, before the end cuts it off
SHARPEST = 15  # cents that a part is off
LOUDER = 3.0  # decibels by which parts differ from equal strength
ROOM = ("synth.reverb.room-size=0.4", "synth.reverb.level=0.4", "synth.chorus.active=0")

#: General MIDI's programs, from 0, and whether vibrato suits them.
INSTRUMENTS = {
    "piano": (0, False),
    "epiano": (4, False),
    "harpsichord": (6, False),
    "vibraphone": (11, False),
    "marimba": (12, False),
    "organ": (19, False),
    "guitar": (24, False),
    "bass": (33, False),
    "violin": (40, True),
    "viola": (41, True),
    "cello": (42, True),
    "pizzicato": (45, False),
    "harp": (46, False),
    "strings": (48, False),
    "choir": (52, False),
    "trumpet": (56, True),
    "trombone": (57, False),
    "tuba": (58, False),
    "horn": (60, False),
    "altosax": (65, True),
    "tenorsax": (66, True),
    "oboe": (68, True),
    "bassoon": (70, True),
    "clarinet": (71, False),
    "flute": (73, True),
    "drums": (0, False),
}

#: The same without those that training/instruments.py trains on: some others instead.
UNSEEN = {
    **INSTRUMENTS,
    "piano": (2, False),
    "epiano": (5, False),
    "harpsichord": (5, False),
    "marimba": (107, False),
    "organ": (20, False),
    "guitar": (26, False),
    "bass": (32, False),
    "violin": (110, True),
    "cello": (44, False),
    "pizzicato": (107, False),
    "harp": (104, False),
    "strings": (50, False),
    "choir": (53, False),
    "trombone": (59, False),
    "tuba": (62, False),
    "horn": (62, False),
    "tenorsax": (65, True),
    "bassoon": (71, True),
    "flute": (74, True),
}


@dataclass(frozen=True)
class Band:
    """What sounds: the programs of instruments, and the soundfont."""

    programs: dict[str, tuple[int, bool]]
    soundfont: Path


SEEN_BAND = Band(INSTRUMENTS, SOUNDFONT)
UNSEEN_BAND = Band(UNSEEN, UNSEEN_SOUNDFONT)


@dataclass(frozen=True)
class Player:
    """Who plays which part of a score: ``PART[/STAFF]=NAME[:INSTRUMENT]``."""

    part: str
    staff: int
    name: str
    instrument: str

    @classmethod
    def of(cls, text: str) -> Player:
        """Read a player as the table of pieces has one."""
        part, name = text.split("=")
        part, _, staff = part.partition("/")
        name, _, instrument = name.partition(":")
        return cls(part.replace("_", " "), int(staff or 0), name, instrument or name)


@dataclass(frozen=True)
class Piece:
    """A line of the table: what is played by whom, how fast, from where."""

    group: str
    name: str
    work: str
    pace: float
    skip: float
    seconds: float
    stereo: bool
    players: tuple[Player, ...]

    @classmethod
    def of(cls, line: str) -> Piece:
        """Read a line of the table."""
        group, name, work, pace, skip, seconds, channels, *players = line.split()
        return cls(
            group,
            name,
            work,
            float(pace),
            float(skip),
            float(seconds),
            channels == "stereo",
            tuple(map(Player.of, players)),
        )


def excerpt(piece: Piece, corpus: Path) -> Iterator[Note]:
    """Yield what is played: its commonest note lasts ``pace`` seconds."""
    score = specnmf.read_score(corpus / piece.work)
    usual = Counter(round(note.duration, 3) for note in score.notes).most_common(1)
    stretch = piece.pace / usual[0][0]
    begin, end = piece.skip * piece.pace, piece.skip * piece.pace + piece.seconds
    for player in piece.players:
        for note in score.notes:
            own = note.part == player.part and player.staff in (0, note.staff)
            start = note.start * stretch
            if own and begin - 1e-6 <= start < end - SHORTEST:
                length = min(note.duration * stretch, end - start)
                yield note._replace(
                    start=start - begin, duration=length, part=player.name, staff=0
                )
    if any(player.part == "BEAT" for player in piece.players):
        yield from drummed(piece)


def drummed(piece: Piece) -> Iterator[Note]:
    """Yield bass drum, snare and hi-hat, one on each commonest note."""
    for beat in range(int(piece.seconds / piece.pace)):
        for drum, places in ((36, (0, 5)), (38, (2, 6)), (42, range(8))):
            if beat % 8 in places:
                start = beat * piece.pace
                yield Note(start, 0.1, drum, part="drums", percussion=True)


def played(notes: Iterable[Note], rng: np.random.Generator) -> Score:
    """Return notes as people play them, none over another of its pitch and part."""
    by_key: dict[tuple[str, int], list[Note]] = {}
    for note in sorted(notes):
        swayed = SWAY * np.sin(2 * np.pi * note.start / PERIOD)
        start = LEAD + note.start + swayed + rng.uniform(-LOOSE, LOOSE)
        velocity = int(np.clip(rng.normal(85, 10), 60, 110))
        new = note._replace(
            start=float(start), duration=note.duration * HELD, velocity=velocity
        )
        by_key.setdefault((note.part, note.pitch), []).append(new)
    return Score(tuple(note for own in by_key.values() for note in apart(own)))


def apart(notes: list[Note]) -> Iterator[Note]:
    """Yield notes of one pitch, each over before the next; doubled ones once."""
    kept: list[Note] = []
    for note in sorted(notes):
        if kept and note.start - kept[-1].start < 3 * LOOSE:
            continue
        if kept:
            longest = note.start - kept[-1].start - 0.01
            kept[-1] = kept[-1]._replace(duration=min(kept[-1].duration, longest))
        kept.append(note)
    yield from kept


def instructions(
    path: Path,
    notes: Iterable[Note],
    player: Player,
    rng: np.random.Generator,
    programs: dict[str, tuple[int, bool]] = INSTRUMENTS,
) -> None:
    """Write what fluidsynth is to play: notes, tuning and vibrato."""
    program, vibrato = programs[player.instrument]
    channel = 9 if player.instrument == "drums" else 0
    bend = round(rng.uniform(-SHARPEST, SHARPEST) / 200 * 8192)
    depth = int(rng.uniform(10, 60)) if vibrato else 0
    track = mido.MidiTrack(
        [
            mido.Message("program_change", program=program, channel=channel),
            mido.Message("control_change", control=1, value=depth, channel=channel),
            mido.Message(
                "pitchwheel", pitch=0 if channel == 9 else bend, channel=channel
            ),
        ]
    )
    now = 0
    for ms, on, pitch, velocity in sorted(switches(notes)):
        track.append(
            mido.Message(
                "note_on" if on else "note_off",
                note=pitch,
                velocity=velocity,
                channel=channel,
                time=ms - now,
            )
        )
        now = ms
    track.append(mido.MetaMessage("end_of_track", time=round(1000 * TAIL)))
    file = mido.MidiFile(type=0, ticks_per_beat=500)  # 120 beats: a tick is 1 ms
    file.tracks.append(track)
    file.save(path)


def switches(notes: Iterable[Note]) -> Iterator[tuple[int, bool, int, int]]:
    """When each note goes on and off, in milliseconds."""
    for note in notes:
        yield round(1000 * note.start), True, note.pitch, note.velocity
        yield round(1000 * (note.start + note.duration)), False, note.pitch, 0


def sound(
    midi: Path,
    n_samples: int,
    soundfont: Path = SOUNDFONT,
    room: tuple[str, ...] = ROOM,
) -> NDArray[np.float64]:
    """Return what fluidsynth makes of a file, shape (n_samples, 2)."""
    wav = midi.with_suffix(".wav")
    options = [word for option in room for word in ("-o", option)]
    subprocess.run(
        [
            *("fluidsynth", "-niq", "-r", str(SR), "-g", "0.5", *options),
            *("-O", "float", "-T", "wav", "-F", str(wav), str(soundfont), str(midi)),
        ],
        check=True,
        capture_output=True,
    )
    heard, _ = sf.read(wav, always_2d=True)
    out = np.zeros((n_samples, 2))
    out[: len(heard)] = heard[:n_samples]
    return out


def placed(y: NDArray[np.float64], pan: float | None) -> NDArray[np.float64]:
    """Mix to mono, or place in a stereo field, from -1, left, to 1."""
    mono = y.mean(1, keepdims=True)
    if pan is None:
        return mono
    angle = (pan + 1) * np.pi / 4
    room = y - mono  # the reverberation's sides
    return mono * np.sqrt(2) * np.array([np.cos(angle), np.sin(angle)]) + room


def stems(
    piece: Piece, score: Score, band: Band = SEEN_BAND
) -> dict[str, NDArray[np.float64]]:
    """Return each player's sound, about equally strong, shape (n_samples, channels)."""
    rng = np.random.default_rng(zlib.crc32(piece.name.encode()) + 1)
    n_samples = int((score.duration + TAIL) * SR)
    pans = rng.permutation(np.linspace(-0.6, 0.6, len(piece.players)))
    out = {}
    with tempfile.TemporaryDirectory() as folder:
        for player, pan in zip(piece.players, pans, strict=True):
            midi = Path(folder) / f"{player.name}.mid"
            own = [note for note in score.notes if note.part == player.name]
            instructions(midi, own, player, rng, band.programs)
            y = placed(
                sound(midi, n_samples, band.soundfont), pan if piece.stereo else None
            )
            level = 10 ** (rng.uniform(-LOUDER, LOUDER) / 20)
            out[player.name] = y / np.sqrt((y**2).mean()) * level
    return out


def write(folder: Path, score: Score, heard: dict[str, NDArray[np.float64]]) -> None:
    """Write notes, stems and their sum, in whole numbers of 24 bits."""
    (folder / "ref").mkdir(parents=True, exist_ok=True)
    scale = PEAK * 2**23 / np.abs(sum(heard.values())).max()
    whole = {
        name: np.round(y * scale).astype(np.int32) << 8 for name, y in heard.items()
    }
    for name, y in whole.items():
        sf.write(folder / "ref" / f"{name}.flac", y, SR, subtype="PCM_24")
    sf.write(folder / "mix.flac", sum(whole.values()), SR, subtype="PCM_24")
    write_midi(folder / "score.mid", score)


def corpus() -> Path:
    """Where music21 keeps its scores."""
    found = find_spec("music21")
    if found is None or found.origin is None:
        sys.exit("the scores are music21's; install it: pip install music21")
    if shutil.which("fluidsynth") is None or not SOUNDFONT.exists():
        sys.exit(f"needs fluidsynth and {SOUNDFONT} (Debian: fluid-soundfont-gm)")
    return Path(found.origin).parent / "corpus"


def main() -> None:
    """Make all pieces, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="make these alone")
    parser.add_argument("--unseen", action="store_true", help="by other instruments")
    args = parser.parse_args()
    scores = corpus()
    if args.unseen and not UNSEEN_SOUNDFONT.exists():
        sys.exit(f"needs {UNSEEN_SOUNDFONT} (Debian: timgm6mb-soundfont)")
    for piece in map(Piece.of, PIECES.strip().splitlines()):
        if args.only and piece.name not in args.only:
            continue
        if args.unseen and piece.group == "tune":
            continue
        rng = np.random.default_rng(zlib.crc32(piece.name.encode()))
        score = played(excerpt(piece, scores), rng)
        heard = stems(piece, score, UNSEEN_BAND if args.unseen else SEEN_BAND)
        group = "unseen" if args.unseen else piece.group
        write(args.out / group / piece.name, score, heard)
        print(
            f"{group}/{piece.name}: {score.duration:.1f} s, "
            f"{len(score.notes)} notes, {', '.join(heard)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
