"""Pieces of music, played by partials that die away, and their scores on other clocks.

Notes are told apart by their staff.
"""

import numpy as np

from specnmf.audio.features import features
from specnmf.audio.recording import Audio
from specnmf.score.notes import Note, Score

SR = 11025

#: Two lines, two octaves apart.
DUET = Score(
    tuple(
        Note(0.7 * beat + 0.2, 0.6, pitch, 90, part)
        for part, line in (("high", (76, 74, 72, 77)), ("low", (48, 50, 52, 45)))
        for beat, pitch in enumerate(line)
    )
)


def numbered(notes):
    """A score whose notes can be told apart: by their staff."""
    return Score(tuple(note._replace(staff=k) for k, note in enumerate(notes)))


def piece(rng, n_notes=60, lowest=50):
    """A melody of eighths and quarters over held notes."""
    lengths = rng.choice([0.25, 0.25, 0.5], n_notes)
    starts = np.cumsum(lengths) - lengths
    pitches = rng.integers(lowest + 12, lowest + 30, n_notes)
    melody = [
        Note(float(start), float(length), int(pitch), 90, "melody")
        for start, length, pitch in zip(starts, lengths, pitches, strict=True)
    ]
    bass = [
        Note(float(second), 0.9, int(rng.integers(lowest, lowest + 12)), 60, "bass")
        for second in range(int(starts[-1]))
    ]
    return numbered([*melody, *bass])


def sound(score, *, before=0.0, after=0.5, cents=0.0):
    """What a score sounds like, in samples."""
    y = np.zeros(round((before + score.duration + after) * SR))
    for note in score.notes:
        first = round((before + note.start) * SR)
        t = np.arange(round(note.duration * SR)) / SR
        f0 = 440 * 2 ** ((note.pitch - 69) / 12 + cents / 1200)
        partials = sum(np.sin(2 * np.pi * m * f0 * t) / m for m in range(1, 6))
        y[first : first + len(t)] += partials * np.exp(-2 * t)
    return y


def recorded(y):
    """The features of samples."""
    return features(Audio(y[np.newaxis].astype(np.float32), SR), threads=1)


def played(score, rng, **times):
    """The features of a synthetic recording with a little noise."""
    y = sound(score, **times)
    return recorded(y + 1e-4 * rng.standard_normal(len(y)))


def paused(y, pauses, noise):
    """Samples with pauses: at so many seconds, of so many, filled with noise."""
    pieces, last = [], 0
    for at, seconds in sorted(pauses):
        stop, filling = round(at * SR), noise[: round(seconds * SR)]
        pieces += [y[last:stop], filling]
        last = stop
    return np.concatenate([*pieces, y[last:]])


def warped(score, clock):
    """The score with its times mapped."""
    return Score(
        tuple(
            note._replace(
                start=float(clock(note.start)),
                duration=float(clock(note.start + note.duration) - clock(note.start)),
            )
            for note in score.notes
        )
    )


def delayed_from(score, pauses):
    """The score as a recording with pauses has it: what begins later comes later."""

    def later(seconds):
        return seconds + sum(length for at, length in pauses if seconds >= at - 1e-6)

    return warped(score, later)


def rubato(seconds):
    """A clock that is 20% slow and never steady: 0.7 to 1.4 times its speed."""
    return 1.2 * (seconds + 0.35 * np.sin(seconds) / 1.2)


def errors(alignment, truth):
    """The distances of onsets and offsets, in seconds, of the notes that are left."""
    true = {note.staff: note for note in truth.notes}
    pairs = [(note, true[note.staff]) for note in alignment.score.notes]
    onsets = [a.start - b.start for a, b in pairs]
    offsets = [a.start + a.duration - b.start - b.duration for a, b in pairs]
    return np.abs(onsets), np.abs(offsets)
