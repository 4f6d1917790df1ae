"""Random pieces: lines, chords, arpeggios and repeated notes of one to eight parts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from instruments import BY_PROGRAM, Family

Rng = np.random.Generator

#: Notes: when each begins, and its length.
Rhythm = list[tuple[float, float]]

SECONDS = 11.0  # from the first note to the last that may begin

SCALES = (
    (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 8, 11),
    (0, 2, 3, 5, 7, 9, 10), (0, 2, 4, 7, 9), (0, 3, 5, 6, 7, 10),
    tuple(range(12)), tuple(range(12)),
)  # fmt: skip

#: Lengths of notes in beats, by how busy a part is.
LENGTHS = (
    (1, 2, 4),
    (0.5, 1, 2),
    (0.5, 0.5, 1, 1.5),
    (0.25, 0.25, 0.5, 1),
    (1 / 3, 2 / 3, 1),
)

#: Chords as steps of a scale.
CHORDS = (
    (0, 2, 4),
    (0, 2, 4, 6),
    (0, 4),
    (0, 2),
    (0, 5),
    (0, 3, 6),
    (0, 2, 4, 7),
    (0, 7),
)


#: Keys of drums, one of which a piece has, and the chance of a stroke on an eighth.
STRUCK = (
    ((35, 36), 0.35), ((38, 40), 0.25), ((42, 46), 0.7), ((51,), 0.15),
    ((41, 45, 48, 50), 0.1), ((39, 54, 70), 0.1),
)  # fmt: skip


class Played(NamedTuple):
    """A note: seconds, MIDI number, velocity 1 to 127."""

    start: float
    duration: float
    pitch: int
    velocity: int


class Part(NamedTuple):
    """What one instrument plays.

    Attributes
    ----------
    program : int
        Of General MIDI, from 0.
    notes : list of Played
        In order of time; no two of a pitch overlap.
    cents : float
        By which it is sharp.
    vibrato : int
        The modulation wheel, 0 to 127.
    volume : int
        The channel's volume, 0 to 127.
    pan : int
        0 to 127.
    sung : bool
        By a singer, whatever the program.
    """

    program: int
    notes: list[Played]
    cents: float
    vibrato: int
    volume: int
    pan: int
    sung: bool = False


class Piece(NamedTuple):
    """Parts, strokes of drums (times, keys, velocities), and A4 in cents."""

    parts: list[Part]
    drums: list[Played]
    tuning: float


class Time(NamedTuple):
    """The time of a piece, and its scale.

    Attributes
    ----------
    beat : float
        Seconds.
    loose : float
        Seconds by which players are early or late.
    scale : tuple of int
        Semitones above the tonic.
    tonic : int
        Semitones above C.
    lasting : float
        How much longer than usual notes may last.
    """

    beat: float
    loose: float
    scale: tuple[int, ...]
    tonic: int
    lasting: float


def piece(rng: Rng, programs: Sequence[int], *, slow: bool = False) -> Piece:
    """Compose a piece for some of the programs."""
    shortest, longest = (0.6, 2.4) if slow else (0.28, 1.0)
    time = Time(
        beat=float(np.exp(rng.uniform(np.log(shortest), np.log(longest)))),
        loose=float(rng.choice([0.0, 0.005, 0.015, 0.03])),
        scale=SCALES[rng.integers(len(SCALES))],
        tonic=int(rng.integers(12)),
        lasting=2.5 if slow else 1.0,
    )
    n_parts = int(
        rng.choice(range(1, 9), p=[0.22, 0.2, 0.17, 0.19, 0.09, 0.06, 0.04, 0.03])
    )
    shared = _rhythm(rng, time) if rng.random() < 0.35 else None
    chosen = rng.choice(programs, n_parts)
    if rng.random() < 0.2:  # an ensemble of one kind
        chosen[:] = chosen[0]
    shared_tuning = 0 if rng.random() < 0.4 else rng.uniform(-20, 20)
    parts = [
        _part(rng, time, int(program), _register(rng, n, n_parts), shared)
        for n, program in enumerate(chosen)
    ]
    if n_parts > 1 and rng.random() < 0.15:
        parts[1] = _doubled(rng, time, parts[0], parts[1].program)
    drums = _drums(rng, time) if rng.random() < 0.25 else []
    return Piece(parts, drums, float(shared_tuning))


def _register(rng: Rng, number: int, n_parts: int) -> float:
    """Where in its range a part plays, 0 to 1; the first is the highest."""
    usual = 1 - (number + 0.5) / n_parts
    return float(np.clip(rng.normal(usual, 0.2), 0.05, 0.95))


def _rhythm(rng: Rng, time: Time) -> Rhythm:
    """Starts and lengths in seconds."""
    lengths = [beats * time.beat for beats in LENGTHS[rng.integers(len(LENGTHS))]]
    resting = float(rng.choice([0.0, 0.08, 0.25]))
    first = float(rng.choice([0, 0, 0.5, 1])) * time.beat
    return rhythm(rng, lengths, resting, first, SECONDS)


def rhythm(
    rng: Rng, lengths: Sequence[float], resting: float, first: float, until: float
) -> Rhythm:
    """Notes of such lengths without a gap, a share of which are rests."""
    now, out = first, []
    while now < until:
        length = float(rng.choice(lengths))
        if rng.random() >= resting:
            out.append((now, length))
        now += length
    return out


def _part(
    rng: Rng,
    time: Time,
    program: int,
    register: float,
    shared: Rhythm | None,
) -> Part:
    family = BY_PROGRAM[program]
    when = shared if shared and rng.random() < 0.85 else _rhythm(rng, time)
    held = float(rng.choice([0.98, 0.9, 0.7, 0.45], p=[0.45, 0.3, 0.15, 0.1]))
    style = rng.random()
    if family.most == 1 or style < 0.45:
        pitches = [[pitch] for pitch in _line(rng, time, family, register, len(when))]
    elif style < 0.8:
        pitches = _chords(rng, time, family, register, len(when))
    else:
        when, pitches = _arpeggio(rng, time, family, register)
    ringing = family.longest < 3 and family.most > 2 and rng.random() < 0.35
    loudness, spread = rng.uniform(45, 110), rng.uniform(2, 18)
    notes = []
    for (start, length), chord in zip(when, pitches, strict=True):
        strum = rng.choice([0.0, 0.0, 0.0, 0.02]) * len(chord)
        velocity = rng.normal(loudness, spread)
        for k, pitch in enumerate(chord):
            late = rng.normal() * time.loose + strum * k / max(len(chord), 1)
            lasting = 4 * time.beat if ringing else length * held
            notes.append(
                Played(
                    max(0.0, start + late),
                    float(np.clip(lasting, 0.06, family.longest * time.lasting)),
                    int(pitch),
                    int(np.clip(velocity + rng.normal() * 5, 18, 127)),
                )
            )
    return Part(
        program,
        apart(notes),
        float(rng.normal() * 5),
        int(rng.uniform(15, 90)) if rng.random() < family.vibrato else 0,
        int(rng.uniform(45, 127)),
        int(rng.uniform(20, 108)),
    )


def _line(rng: Rng, time: Time, family: Family, register: float, n: int) -> list[int]:
    """A random walk on the scale, with leaps, and notes that are repeated."""
    steps = _ladder(time, family)
    place = register * (len(steps) - 1)
    leap = rng.choice([1.2, 2.0, 4.0])
    repeating = rng.choice([0.0, 0.1, 0.4])
    centre, out = place, []
    for _ in range(n):
        if rng.random() >= repeating:
            place += rng.normal() * leap + 0.15 * (centre - place)
        place = float(np.clip(place, 0, len(steps) - 1))
        out.append(steps[round(place)])
    return out


def _chords(
    rng: Rng, time: Time, family: Family, register: float, n: int
) -> list[list[int]]:
    """Chords that change now and then, some with an octave below."""
    steps = _ladder(time, family)
    out: list[list[int]] = []
    staying = rng.choice([0.2, 0.6, 0.85])
    doubling = rng.choice([0.0, 0.0, 0.5])
    for number in range(n):
        if number and rng.random() < staying:
            out.append(out[-1])
            continue
        root = int(np.clip(rng.normal(register, 0.12), 0, 1) * (len(steps) - 1))
        kind = CHORDS[rng.integers(len(CHORDS))]
        chord = {steps[root + k] for k in kind if root + k < len(steps)}
        if rng.random() < doubling and min(chord) - 12 >= family.low:
            chord.add(min(chord) - 12)
        out.append(sorted(chord)[: family.most])
    return out


def _arpeggio(
    rng: Rng, time: Time, family: Family, register: float
) -> tuple[Rhythm, list[list[int]]]:
    """Chords whose notes come one after the other."""
    length = time.beat * float(rng.choice([0.25, 0.5, 1 / 3]))
    length = max(length, 0.09)
    n = int(SECONDS / length)
    kind = _chords(rng, time, family, register, n // 4 + 1)
    pitches = [[kind[i // 4][i % len(kind[i // 4])]] for i in range(n)]
    return [(i * length, length) for i in range(n)], pitches


def _ladder(time: Time, family: Family) -> list[int]:
    """The pitches of the scale that an instrument has."""
    return pitches_of(time.scale, time.tonic, family.low, family.high)


def pitches_of(
    semitones: Collection[int], tonic: int, low: int, high: int
) -> list[int]:
    """The pitches from low to high that are so many semitones above a tonic."""
    return [p for p in range(low, high + 1) if (p - tonic) % 12 in semitones]


def _doubled(rng: Rng, time: Time, part: Part, program: int) -> Part:
    """The same notes by another instrument, in unison or an octave away."""
    family = BY_PROGRAM[program]
    longest = family.longest * time.lasting
    away = int(rng.choice([0, 12, -12, 12, -12]))
    notes = [
        note._replace(pitch=note.pitch + away, duration=min(note.duration, longest))
        for note in part.notes
        if family.low <= note.pitch + away <= family.high
    ]
    return part._replace(program=program, notes=notes, pan=127 - part.pan)


def apart(notes: list[Played]) -> list[Played]:
    """Notes, each of a pitch over before the next of it."""
    out: list[Played] = []
    latest: dict[int, int] = {}
    for note in sorted(notes):
        last = latest.get(note.pitch)
        if last is not None:
            gap = note.start - out[last].start
            if gap < 0.06:
                continue
            out[last] = out[last]._replace(duration=min(out[last].duration, gap - 0.02))
        latest[note.pitch] = len(out)
        out.append(note)
    return [note for note in out if note.duration >= 0.03]


def _drums(rng: Rng, time: Time) -> list[Played]:
    """Strokes on the beat and between: a pattern of a bar that repeats."""
    step = time.beat / 2
    pattern = []
    for keys, chance in STRUCK:
        if rng.random() < 0.7:
            key = int(rng.choice(keys))
            pattern += [(k, key) for k in range(8) if rng.random() < chance]
    loudness = rng.uniform(40, 110)
    strokes = [
        Played(
            (bar * 8 + k) * step, 0.1, key,
            int(np.clip(rng.normal(loudness, 12), 20, 127)),
        )
        for bar in range(int(SECONDS / step / 8) + 1)
        for k, key in pattern
    ]  # fmt: skip
    return [stroke for stroke in strokes if stroke.start < SECONDS]
