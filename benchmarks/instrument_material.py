"""Render mixtures of struck, plucked, blown and bowed instruments, stems known.

    python benchmarks/instrument_material.py OUT [--only NAME...]

Writes OUT/tune/NAME/ and OUT/test/NAME/, no piece in both: mix.flac, ref/PART.flac,
which add up to it to the bit, and score.mid, the notes on the recording's clock. The
scores are those that music21 brings, the sound is fluidsynth's with two soundfonts.
Some are dry, others have a synthetic reverberation; some are mono, others panned; some
parts are doubled at the unison or octave. All parts of a mixture have the same RMS.
Nothing is drawn but by a seed.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from instrument_pieces import PIECES
from numpy.typing import NDArray
from scipy.signal import fftconvolve
from transcription_material import (
    SR,
    TAIL,
    Player,
    corpus,
    instructions,
    played,
    sound,
    write,
)

import specnmf
from specnmf import Note, Score

FONTS = {
    "musescore": Path("/usr/share/sounds/sf3/MuseScore_General_Full.sf3"),
    "tim": Path("/usr/share/sounds/sf2/TimGM6mb.sf2"),
}
PACKAGES = "musescore-general-soundfont timgm6mb-soundfont"

#: Of fluidsynth: only samples that are played are decoded.
LAZY = "synth.dynamic-sample-loading=1"

#: Of fluidsynth: the room is ours.
DRY = ("synth.reverb.active=0", "synth.chorus.active=0", LAZY)

#: A note that starts this late in an excerpt is left out (seconds before its end).
SHORTEST = 0.1

#: The widest position of a player, from 0, the middle, to 1.
WIDEST = 0.7

#: Bands of the reverberation: their centres in Hz, and their decay relative to 1 kHz's.
BANDS = (125, 250, 500, 1000, 2000, 4000, 8000, 16000)
DECAYS = (1.15, 1.1, 1.05, 1.0, 0.9, 0.75, 0.5, 0.3)

#: Seconds between the direct sound and the room's.
PREDELAY = 0.012

#: Energy of the direct sound relative to the room's, dB.
DIRECT = 4.0

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Voice:
    """A player: ``PART[/STAFF][@FROM-TO][,PART...]=INSTRUMENT[+SEMITONES]``.

    ``spans`` are the seconds of the excerpt in which it plays each part.
    """

    spans: dict[str, tuple[float, float]]
    instrument: str
    semitones: int

    @classmethod
    def of(cls, text: str) -> Voice:
        """Read a player as the table of pieces has one."""
        parts, name = text.replace("_", " ").split("=")
        instrument, semitones = re.fullmatch(r"(\w+?)([+-]\d+)?", name).groups()
        spans = {}
        for part in parts.split(","):
            own, _, span = part.partition("@")
            start, _, stop = span.partition("-")
            spans[own] = (float(start or 0), float(stop or np.inf))
        return cls(spans, instrument, int(semitones or 0))

    @property
    def player(self) -> Player:
        """Who plays the instrument."""
        return Player("", 0, self.instrument, self.instrument)

    def notes(self, notes: list[Note]) -> Iterator[Note]:
        """Yield what it plays of the notes of an excerpt."""
        for note in notes:
            for name in (note.part, f"{note.part}/{note.staff}"):
                start, stop = self.spans.get(name, (0.0, 0.0))
                if start <= note.start < stop:
                    pitch = note.pitch + self.semitones
                    yield note._replace(part=self.instrument, pitch=pitch, staff=0)


@dataclass(frozen=True)
class Mixture:
    """A line of the table, or the panned twin of one."""

    group: str
    name: str
    work: str
    pace: float
    skip: float
    seconds: float
    font: str
    rt60: float | None
    stereo: bool
    voices: tuple[Voice, ...]

    @property
    def seed(self) -> int:
        """The same of a mixture and its twin."""
        return zlib.crc32(self.name.removesuffix("_panned").encode())


def mixtures() -> Iterator[Mixture]:
    """Yield the mixtures of the table."""
    for line in PIECES.strip().splitlines():
        group, name, work, pace, skip, seconds, font, room, form, *voices = line.split()
        numbers = float(pace), float(skip), float(seconds)
        rest = None if room == "dry" else float(room), tuple(map(Voice.of, voices))
        for stereo in {"mono": (0,), "stereo": (1,), "both": (0, 1)}[form]:
            twin = f"{name}_panned" if form == "both" and stereo else name
            yield Mixture(
                group, twin, work, *numbers, font, rest[0], bool(stereo), rest[1]
            )


def excerpt(mixture: Mixture, scores: Path) -> Iterator[Note]:
    """Yield what is played: the score's commonest note lasts ``pace`` seconds."""
    score = specnmf.read_score(scores / mixture.work)
    usual = Counter(round(note.duration, 3) for note in score.notes).most_common(1)
    stretch = mixture.pace / usual[0][0]
    begin = mixture.skip * mixture.pace
    end = begin + mixture.seconds
    kept = []
    for note in score.notes:
        start = note.start * stretch
        if begin - 1e-6 <= start < end - SHORTEST:
            length = min(note.duration * stretch, end - start)
            kept.append(note._replace(start=max(0.0, start - begin), duration=length))
    for voice in mixture.voices:
        yield from voice.notes(kept)


# --- the sound --------------------------------------------------------------------


def stems(mixture: Mixture, score: Score) -> dict[str, Float64]:
    """Return each player's sound, all equally strong, shape (n_samples, channels)."""
    rng = np.random.default_rng(mixture.seed + 1)
    n_samples = int((score.duration + TAIL) * SR)
    places = rng.permutation(np.linspace(-WIDEST, WIDEST, len(mixture.voices)))
    out = {}
    with tempfile.TemporaryDirectory() as folder:
        for voice, place in zip(mixture.voices, places, strict=True):
            midi = Path(folder) / f"{voice.instrument}.mid"
            own = [note for note in score.notes if note.part == voice.instrument]
            instructions(midi, own, voice.player, rng)
            dry = sound(midi, n_samples, FONTS[mixture.font], DRY).mean(1)
            y = placed(dry, place) if mixture.stereo else dry[:, np.newaxis]
            if mixture.rt60 is not None:
                y = y + room(dry, mixture.rt60, y.shape[1], rng.spawn(1)[0])
            out[voice.instrument] = y / np.sqrt((y**2).mean())
    return out


def placed(dry: Float64, place: float) -> Float64:
    """Place a sound in a stereo field, from -1, left, to 1, with equal power."""
    angle = (place + 1) * np.pi / 4
    return dry[:, np.newaxis] * np.sqrt(2) * np.array([np.cos(angle), np.sin(angle)])


def room(dry: Float64, rt60: float, n_channels: int, rng: np.random.Generator):
    """Return what a room adds to a sound, channels independent of each other."""
    tail = np.stack([reverberation(rt60, rng) for _ in range(n_channels)], axis=1)
    return fftconvolve(dry[:, np.newaxis], tail, axes=0)[: len(dry)]


def reverberation(rt60: float, rng: np.random.Generator) -> Float64:
    """Return an impulse response: noise that decays exponentially in each band.

    The bands fade into each other over an octave; they decay by 60 dB in ``rt60``
    seconds times DECAYS.
    """
    n_samples = int(1.2 * rt60 * SR)
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    frequencies = np.maximum(np.fft.rfftfreq(n_samples, 1 / SR), 1.0)
    octaves = np.interp(np.log2(frequencies), np.log2(BANDS), np.arange(len(BANDS)))
    seconds = np.arange(n_samples) / SR
    out = np.zeros(n_samples)
    for band, decay in enumerate(DECAYS):
        share = np.maximum(0, 1 - np.abs(octaves - band))
        noise = np.fft.irfft(spectrum * share, n_samples)
        out += noise * 10 ** (-3 * seconds / (rt60 * decay))
    out *= 10 ** (-DIRECT / 20) / np.sqrt((out**2).sum())
    return np.concatenate([np.zeros(int(PREDELAY * SR)), out])


def main() -> None:
    """Render all mixtures, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="make these alone")
    args = parser.parse_args()
    if shutil.which("fluidsynth") is None or not all(map(Path.exists, FONTS.values())):
        sys.exit(f"needs fluidsynth and its soundfonts: apt-get install {PACKAGES}")
    scores = corpus()
    for mixture in mixtures():
        if args.only and mixture.name not in args.only:
            continue
        rng = np.random.default_rng(mixture.seed)
        score = played(excerpt(mixture, scores), rng)
        write(args.out / mixture.group / mixture.name, score, stems(mixture, score))
        print(described(mixture, score), flush=True)


def described(mixture: Mixture, score: Score) -> str:
    """Return a line of the list of mixtures."""
    notes = Counter(note.part for note in score.notes)
    parts = ", ".join(
        f"{voice.instrument} ({' and '.join(voice.spans)}"
        f"{f'{voice.semitones:+}' if voice.semitones else ''}, "
        f"{notes[voice.instrument]} notes)"
        for voice in mixture.voices
    )
    room = "dry" if mixture.rt60 is None else f"RT60 {mixture.rt60} s"
    return (
        f"{mixture.group}/{mixture.name}: {score.duration + TAIL:.1f} s, "
        f"{mixture.font}, {room}, {'stereo' if mixture.stereo else 'mono'}; {parts}"
    )


if __name__ == "__main__":
    main()
