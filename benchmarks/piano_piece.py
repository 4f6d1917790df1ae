"""A piece for piano of any length, made from a seed, and its sound."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

import specnmf
from specnmf import Note

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
SR = 44100
PEAK = 0.9  # of the recording; full scale is 1

BEAT = 60 / 120  # seconds
BAR = 4 * BEAT
LEAD, TAIL = 0.5, 2.0  # seconds of silence before, and to ring out
LOOSE = 0.008  # seconds by which a player is early or late

MINOR = (0, 2, 3, 5, 7, 8, 10)  # semitones of the degrees
KEY = 45  # A2, the MIDI pitch of degree 0
CHORDS = (0, 0, 0, 3, 3, 4, 4, 5, 2, 6)  # degrees that chords stand on

#: How the left hand plays a chord's root, third, fifth and octave (degrees above
#: the root) in eighths, and for how many eighths each is held.
BROKEN = ((0, 4, 7, 4, 9, 4, 7, 4), 1)
WIDE = ((0, 4, 7, 9, 11, 9, 7, 4), 2)

#: The melody's rhythms: a bar in beats.
RHYTHMS = (
    (1, 1, 1, 1),
    (1.5, 0.5, 1, 1),
    (0.5, 0.5, 1, 0.5, 0.5, 1),
    (0.5,) * 8,
    (0.25,) * 4 + (0.5, 0.5) + (0.25,) * 4 + (1,),
    (0.75, 0.25) * 4,
)
LOWEST, HIGHEST = 10, 28  # degrees that the melody stays between

#: Plain tones, in samples: how long one rings at most, and after it is let go; how
#: much sound is made at a time.
RINGING, RELEASE, BLOCK = 4 * SR, SR // 20, 30 * SR
PARTIALS = 8


def compose(seconds: float, seed: int = 0) -> specnmf.Score:
    """Return a piece for two hands, some ten notes a second.

    The left hand breaks or repeats the chord of each bar; the right hand has a
    melody that wanders by small steps, with a third or a sixth below some notes.
    """
    rng = np.random.default_rng(seed)
    notes: list[Note] = []
    degree = (LOWEST + HIGHEST) // 2
    for bar in range(int((seconds - LEAD - TAIL) / BAR)):
        begin = LEAD + bar * BAR
        notes += left_hand(begin, int(rng.choice(CHORDS)), rng)
        melody, degree = right_hand(begin, degree, rng)
        notes += melody
    return specnmf.Score(tuple(notes))


def left_hand(begin: float, root: int, rng: np.random.Generator) -> Iterator[Note]:
    """Yield a bar of a chord: broken in one of two ways, or struck on each beat."""
    way = rng.integers(3)
    if way == 2:
        for beat in range(4):
            for degree in (0, 4, 7) if beat else (-7, 0, 4, 7):
                yield played(begin + beat * BEAT, BEAT, root + degree, "left", rng)
        return
    degrees, held = (BROKEN, WIDE)[way]
    for eighth, degree in enumerate(degrees):
        start = begin + eighth * BEAT / 2
        length = min(held * BEAT / 2, begin + BAR - start)
        yield played(start, length, root + degree, "left", rng)


def right_hand(
    begin: float, degree: int, rng: np.random.Generator
) -> tuple[list[Note], int]:
    """Return a bar of the melody, and the degree it ends on."""
    notes = []
    for beats in RHYTHMS[rng.integers(len(RHYTHMS))]:
        step = int(rng.choice([-3, -2, -1, -1, 1, 1, 2, 3]))
        if not LOWEST <= degree + step <= HIGHEST:
            step = -step
        degree += step
        below = [0, 2, 5][rng.choice(3, p=[0.6, 0.2, 0.2])]
        for one in sorted({degree, degree - below}):
            notes.append(played(begin, beats * BEAT, one, "right", rng))
        begin += beats * BEAT
    return notes, degree


def played(
    start: float, length: float, degree: int, hand: str, rng: np.random.Generator
) -> Note:
    """Return a note as a player plays it: nearly in time, at a strength of its own."""
    octave, step = divmod(degree, len(MINOR))
    loud = 78 if hand == "right" else 62
    return Note(
        start + float(np.clip(rng.normal(0, LOOSE), -0.03, 0.03)),
        0.95 * length,
        KEY + 12 * octave + MINOR[step],
        int(np.clip(rng.normal(loud, 8), 30, 110)),
        hand,
    )


# --- a sampled piano --------------------------------------------------------------


def record(score: specnmf.Score, folder: Path) -> None:
    """Write ``song.wav``, and each part alone as ``stems/PART.wav``, with fluidsynth.

    Stereo, 44.1 kHz, without reverb, so that the stems add up; song.mid and song.csv
    are the score.
    """
    (folder / "stems").mkdir(parents=True)
    for suffix in ("mid", "csv"):
        specnmf.write_score(folder / f"song.{suffix}", score)
    stems = {part: sampled(part_of(score, part)) for part in score.parts}
    n_samples = max(map(len, stems.values()))
    song = np.zeros((n_samples, 2), np.float32)
    for y in stems.values():
        song[: len(y)] += y
    gain = PEAK / np.abs(song).max()
    sf.write(folder / "song.wav", gain * song, SR, subtype="PCM_16")
    for part, y in stems.items():
        whole = np.pad(gain * y, ((0, n_samples - len(y)), (0, 0)))
        sf.write(folder / "stems" / f"{part}.wav", whole, SR, subtype="FLOAT")


def part_of(score: specnmf.Score, part: str) -> specnmf.Score:
    return specnmf.Score(tuple(note for note in score.notes if note.part == part))


def sampled(score: specnmf.Score) -> NDArray[np.float32]:
    """Return the sound of a piano, shape (n_samples, 2)."""
    with tempfile.TemporaryDirectory() as folder:
        midi, sound = Path(folder, "part.mid"), Path(folder, "part.wav")
        specnmf.write_score(midi, score)
        dry = ["-n", "-i", "-q", "-R", "0", "-C", "0", "-r", str(SR), "-O", "float"]
        command = ["fluidsynth", *dry, "-F", str(sound), str(SOUNDFONT), str(midi)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        samples: NDArray[np.float32] = sf.read(sound, dtype="float32")[0]
    return samples


# --- plain tones: an hour of them in seconds --------------------------------------


def record_plainly(score: specnmf.Score, path: Path) -> None:
    """Write the notes as decaying harmonic tones: mono, 44.1 kHz, 16 bit."""
    tones = {pitch: tone(pitch) for pitch in {note.pitch for note in score.notes}}
    waiting = [*reversed(score.notes)]
    sound = np.zeros(BLOCK + RINGING, np.float32)  # of a block, and what rings on
    with sf.SoundFile(path, "w", SR, 1, "PCM_16") as file:
        for first in range(0, round((score.duration + TAIL) * SR), BLOCK):
            while waiting and waiting[-1].start * SR < first + BLOCK:
                note = waiting.pop()
                y = released(tones[note.pitch], note)
                offset = round(note.start * SR) - first
                sound[offset : offset + len(y)] += y
            file.write(sound[:BLOCK])
            sound = np.pad(sound[BLOCK:], (0, BLOCK))


def tone(pitch: int) -> NDArray[np.float32]:
    """Return a tone that rings until it is let go."""
    seconds = np.arange(RINGING) / SR
    f0 = 440 * 2 ** ((pitch - 69) / 12)
    y = np.zeros(RINGING)
    for m in range(1, PARTIALS + 1):
        y += np.sin(2 * np.pi * m * f0 * seconds) * np.exp(-0.7 * m * seconds) / m
    return y.astype(np.float32)


def released(y: NDArray[np.float32], note: Note) -> NDArray[np.float32]:
    """Return a note's tone, as loud and as long as it is played."""
    held = min(round(note.duration * SR), RINGING - RELEASE)
    end = np.linspace(1, 0, RELEASE, dtype=np.float32)
    loudness = np.float32(0.1 * (note.velocity / 127) ** 2)
    return loudness * np.concatenate([y[:held], y[held : held + RELEASE] * end])
