"""Random songs: a melody, sung or played, above an accompaniment; and ensembles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from composing import (
    SCALES,
    SECONDS,
    Part,
    Piece,
    Played,
    Rhythm,
    Rng,
    apart,
    pitches_of,
    rhythm,
)
from instruments import ACCOMPANYING, BY_PROGRAM, SINGER, SUSTAINED

#: Beats of the notes of a melody, by how calm it is.
MELODIES = (
    (0.5, 1, 2),
    (1, 1, 2, 3),
    (1, 2, 4),
    (0.5, 0.5, 1, 1.5, 3),
    (2, 4, 6),
    (0.25, 0.5, 1),
)

#: The compass of voices: soprano, mezzo-soprano, alto, tenor, baritone, bass.
VOICES = ((60, 84), (57, 79), (53, 76), (48, 71), (44, 67), (40, 64))

#: A moment of an accompaniment: beats since the bar, beats, and which of a chord's
#: pitches sound, from the lowest.
Moment = tuple[float, float, slice]


class Harmony(NamedTuple):
    """The time of a song, and a chord for each of its bars.

    Attributes
    ----------
    beat : float
        Seconds.
    bar : int
        Beats.
    loose : float
        Seconds by which players are early or late.
    scale : tuple of int
        Semitones above the tonic.
    tonic : int
        Semitones above C.
    roots : list of int
        Steps of the scale, one a bar.
    """

    beat: float
    bar: int
    loose: float
    scale: tuple[int, ...]
    tonic: int
    roots: list[int]

    def scale_between(self, low: int, high: int) -> list[int]:
        """The pitches of the scale."""
        return pitches_of(self.scale, self.tonic, low, high)

    def chord(self, bar: int, low: int, high: int) -> list[int]:
        """The pitches of a bar's chord of thirds."""
        root, n = self.roots[min(bar, len(self.roots) - 1)], len(self.scale)
        own = {self.scale[(root + k) % n] for k in (0, 2, 4)}
        return pitches_of(own, self.tonic, low, high)


def song(rng: Rng, programs: Sequence[int]) -> Piece:
    """Compose a song for some of the programs, or a piece for an ensemble."""
    beat = float(np.exp(rng.uniform(np.log(0.35), np.log(1.1))))
    bar = int(rng.choice([2, 3, 4]))
    scale = SCALES[rng.integers(6)]
    harmony = Harmony(
        beat=beat,
        bar=bar,
        loose=float(rng.choice([0.005, 0.015, 0.03, 0.05])),
        scale=scale,
        tonic=int(rng.integers(12)),
        roots=rng.integers(len(scale), size=int(SECONDS / beat / bar) + 1).tolist(),
    )
    if rng.random() < 0.35:
        parts = _ensemble(rng, harmony, [p for p in programs if p in SUSTAINED])
    else:
        parts = _accompanied(rng, harmony, programs)
    return Piece(parts, [], 0 if rng.random() < 0.4 else float(rng.uniform(-20, 20)))


def _accompanied(rng: Rng, harmony: Harmony, programs: Sequence[int]) -> list[Part]:
    """A singer or some, or an instrument, accompanied by an instrument."""
    program = int(rng.choice([p for p in programs if p in ACCOMPANYING]))
    parts = [_accompaniment(rng, harmony, program)]
    if rng.random() < 0.6:
        n = int(rng.integers(2, 5)) if rng.random() < 0.25 else 1
        voices = rng.choice(len(VOICES), n, replace=False)
        return parts + [
            _melody(rng, harmony, SINGER, VOICES[voice]) for voice in voices
        ]
    other = int(rng.choice(programs)) if rng.random() < 0.5 else program
    family = BY_PROGRAM[other]
    low = max(family.low, min(58, family.high - 19))
    return [*parts, _melody(rng, harmony, other, (low, min(low + 24, family.high)))]


def _ensemble(rng: Rng, harmony: Harmony, programs: Sequence[int]) -> list[Part]:
    """Two to five lines, some in one rhythm, by instruments or by voices."""
    n = int(rng.choice([2, 3, 4, 5], p=[0.25, 0.25, 0.4, 0.1]))
    singing = rng.random() < 0.15
    shared = _rhythm(rng, harmony) if rng.random() < 0.5 else None
    parts = []
    for place in range(n):
        when = shared if rng.random() < 0.85 else None
        if singing:
            own, compass = SINGER, VOICES[round(place * 5 / (n - 1))]
        else:
            own = int(rng.choice(programs))
            family = BY_PROGRAM[own]
            highest = family.high - 12 - place * (family.high - family.low - 14) // n
            compass = (max(family.low, highest - 5), highest + 12)
        parts.append(_melody(rng, harmony, own, compass, when))
    return parts


def _accompaniment(rng: Rng, harmony: Harmony, program: int) -> Part:
    """A bass and two to four pitches above it, in a pattern that each bar has."""
    family = BY_PROGRAM[program]
    middle, n_upper = int(rng.integers(50, 63)), int(rng.choice([2, 3, 3, 4]))
    held, loudness = float(rng.choice([0.98, 0.9, 0.6])), rng.uniform(40, 85)
    pattern = _pattern(rng, harmony.bar)
    notes = []
    for bar in range(len(harmony.roots)):
        bass = harmony.chord(bar, max(family.low, 31), 52)[:3]
        upper = harmony.chord(bar, middle, middle + 14)[:n_upper]
        chord = [int(rng.choice(bass)), *upper]
        for since, beats, chosen in pattern:
            start = (bar * harmony.bar + since) * harmony.beat
            start += rng.normal() * harmony.loose
            velocity = rng.normal(loudness, 6)
            notes += [
                _note(rng, start, beats * harmony.beat * held, pitch, velocity)
                for pitch in chord[chosen]
            ]
    return _part(rng, program, notes)


def _pattern(rng: Rng, bar: int) -> list[Moment]:
    """Chords: repeated above a bass, repeated, held, after a bass, or broken."""
    bass, upper, whole = slice(0, 1), slice(1, None), slice(None)
    step = float(rng.choice([0.5, 0.5, 1.0, 1 / 3]))
    times = np.arange(0, bar - 1e-6, step).tolist()
    turns = [slice(k % 4, k % 4 + 1) for k in range(len(times))]
    patterns: tuple[list[Moment], ...] = (
        [(0, bar, bass), *((t, step, upper) for t in times)],
        [(t, step, whole) for t in times],
        [(0, bar, whole)],
        [(0, 1, bass), *((t, 1, upper) for t in range(1, bar))],
        [(t, step, one) for t, one in zip(times, turns, strict=True)],
    )
    return patterns[rng.integers(len(patterns))]


def _rhythm(rng: Rng, harmony: Harmony) -> Rhythm:
    """Starts and lengths in beats."""
    lengths = MELODIES[rng.integers(len(MELODIES))]
    first = float(rng.choice([0, 0.5, 1, 2]))
    return rhythm(rng, lengths, 0.12, first, SECONDS / harmony.beat)


def _melody(
    rng: Rng,
    harmony: Harmony,
    program: int,
    compass: tuple[int, int],
    when: Rhythm | None = None,
) -> Part:
    """Notes by steps and leaps, mostly of the chord where they are long."""
    low, high = compass
    loudness, smooth = rng.uniform(60, 105), float(rng.choice([1.0, 0.97, 0.8]))
    pitch, notes = float(rng.uniform(low + 3, high - 3)), []
    for beat, length in when or _rhythm(rng, harmony):
        pitch = float(np.clip(pitch + rng.normal() * 2.5, low, high))
        chordal = length >= 1 and rng.random() < 0.7
        chord = harmony.chord(int(beat / harmony.bar), low, high)
        able = np.array(chord if chordal else harmony.scale_between(low, high))
        nearest = int(able[np.argmin(abs(able - pitch))])
        start = beat * harmony.beat + rng.normal() * harmony.loose
        lasting, velocity = length * harmony.beat * smooth, rng.normal(loudness, 8)
        notes.append(_note(rng, start, lasting, nearest, velocity))
    return _part(rng, program, notes)


def _note(
    rng: Rng, start: float, duration: float, pitch: int, velocity: float
) -> Played:
    strength = int(np.clip(velocity + rng.normal() * 4, 18, 127))
    return Played(max(0.0, start), duration, pitch, strength)


def _part(rng: Rng, program: int, notes: list[Played]) -> Part:
    """Notes that last as long as their instrument does."""
    family = BY_PROGRAM[program]
    longest = 2 * family.longest
    lasting = [
        note._replace(duration=float(np.clip(note.duration, 0.06, longest)))
        for note in notes
        if note.start < SECONDS
    ]
    return Part(
        program,
        apart(lasting),
        float(rng.normal() * 5),
        int(rng.uniform(15, 90)) if rng.random() < family.vibrato else 0,
        int(rng.uniform(60, 127)),
        int(rng.uniform(30, 98)),
        sung=program == SINGER,
    )
