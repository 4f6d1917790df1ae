"""Singers: vowels with consonants, vibrato, and glides from note to note."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from composing import Part, Played, Rng
from numpy.typing import NDArray

from specnmf.notation import hertz

Array = NDArray[np.float64]

#: Formants of a man's vowels in Hz, after Peterson and Barney, JASA 24 (1952),
#: table II: heed, hid, head, had, hod, hawed, hood, who'd, hud, heard.
VOWELS = np.array([
    (270, 2290, 3010), (390, 1990, 2550), (530, 1840, 2480), (660, 1720, 2410),
    (730, 1090, 2440), (570, 840, 2410), (440, 1020, 2240), (300, 870, 2240),
    (640, 1190, 2390), (490, 1350, 1690),
], float)  # fmt: skip

#: Widths of formants in Hz; a fourth one stands for the cluster of trained singers.
WIDTHS = np.array([80.0, 110.0, 160.0, 300.0])

RATE = 200  # values a second of what changes slowly
N_PARTIALS = 45


class Singer(NamedTuple):
    """How somebody sings.

    Attributes
    ----------
    tract : float
        By which formants are higher than those of a man.
    slope : float
        The exponent by which the voice's partials fall.
    ringing : float
        The level of the singer's formant.
    extent, rate : float
        The vibrato's, in cents to one side and in Hz.
    onset : float
        Seconds after which a note has its vibrato.
    glide : float
        Seconds from one pitch to the next.
    scoop : float
        Semitones from below by which a phrase may begin.
    loose : float
        Cents by which notes are off.
    breath : float
        The noise in the voice.
    wordy : float
        How often a note has a syllable of its own.
    """

    tract: float
    slope: float
    ringing: float
    extent: float
    rate: float
    onset: float
    glide: float
    scoop: float
    loose: float
    breath: float
    wordy: float


class Course(NamedTuple):
    """What a singer does, `RATE` values a second.

    Attributes
    ----------
    pitch : array, shape (n,)
        MIDI numbers with fractions.
    level : array, shape (n,)
        The voice's.
    noise : array, shape (n,)
        That of consonants.
    formants : array, shape (n, 4)
        In Hz.
    """

    pitch: Array
    level: Array
    noise: Array
    formants: Array


def singer(rng: Rng, mean_pitch: float) -> Singer:
    """Draw somebody for a part of a mean pitch."""
    trained = rng.random() < 0.6
    return Singer(
        tract=np.clip(1 + (mean_pitch - 50) / 100, 0.95, 1.25) * rng.uniform(0.95, 1.1),
        slope=rng.uniform(0.6, 1.6),
        ringing=rng.uniform(0.5, 2) if trained else rng.uniform(0, 0.5),
        extent=rng.uniform(40, 150) if trained else rng.uniform(0, 50),
        rate=rng.uniform(4.5, 6.8),
        onset=rng.uniform(0.05, 0.4),
        glide=np.exp(rng.uniform(np.log(0.04), np.log(0.3))),
        scoop=rng.uniform(0, 2.5) * (rng.random() < 0.6),
        loose=rng.uniform(3, 25),
        breath=np.exp(rng.uniform(np.log(0.003), np.log(0.05))),
        wordy=rng.choice([0.1, 0.6, 0.9]),
    )


def sung(
    part: Part, tuning: float, seconds: float, sr: int, rng: Rng
) -> NDArray[np.float32]:
    """One part, mono, as long as asked for."""
    n = round(seconds * sr)
    if not part.notes:
        return np.zeros(n, np.float32)
    who = singer(rng, float(np.mean([note.pitch for note in part.notes])))
    course = course_of(part.notes, who, seconds, rng)
    return _voiced(course, tuning + part.cents, who, n, sr, rng)


def course_of(notes: list[Played], who: Singer, seconds: float, rng: Rng) -> Course:
    """Pitches and levels of notes, one after the other."""
    t = np.arange(round(seconds * RATE) + 1) / RATE
    pitch, lately = np.full(len(t), float(notes[0].pitch)), -1.0
    level, noise = np.zeros(len(t)), np.zeros(len(t))
    formants = np.tile(_vowel(who, rng), (len(t), 1))
    for number, note in enumerate(notes):
        begins = note.start - lately > 0.15  # a phrase
        until = notes[number + 1].start if number + 1 < len(notes) else seconds
        lately = min(note.start + note.duration, until)
        own = _own_pitch(t, note, who, rng)
        if begins:
            below = (
                who.scoop * rng.random() * _sigmoid((note.start - t) * 5 / who.glide)
            )
            pitch = np.where(t < note.start - 0.07, pitch, own - below)
        else:
            where = note.start + rng.uniform(-0.6, 0.6) * who.glide
            pitch += (own - pitch) * _sigmoid((t - where) * 5 / who.glide)
        strength = (note.velocity / 127) ** 1.5
        level += strength * _lasting(t, note.start, lately, rng)
        if begins or rng.random() < who.wordy:
            spoken = _sigmoid((t - note.start) * 60)[:, np.newaxis]
            formants += spoken * (_vowel(who, rng) - formants)
            _consonant(t, note.start, strength, (level, noise), rng)
    level *= np.exp(0.15 * wandering(6 * t, rng))
    return Course(pitch, level, noise, formants)


def _own_pitch(t: Array, note: Played, who: Singer, rng: Rng) -> Array:
    """The pitch of a note for as long as nothing else comes: vibrato, and drift."""
    since = np.maximum(t - note.start, 0)
    rate = who.rate * rng.uniform(0.95, 1.05)
    shaking = np.sin(2 * np.pi * (rate * since + rng.random()))
    extent = who.extent * rng.uniform(0.6, 1.2) * np.minimum(since / who.onset, 1)
    drift = 0.4 * who.loose * wandering(4 * t, rng)
    cents = extent * shaking + drift + who.loose * rng.normal()
    return note.pitch + np.asarray(cents) / 100


def _lasting(t: Array, start: float, end: float, rng: Rng) -> Array:
    """The level of a note: it rises, swells and fades."""
    rise, fall = rng.uniform(0.02, 0.1), rng.uniform(0.02, 0.12)
    shape = _sigmoid((t - start) * 4 / rise) * _sigmoid((end - t) * 4 / fall)
    place = np.clip((t - start) / max(end - start, 0.05), 0, 1)
    return shape * np.exp(rng.normal() * 0.4 * np.sin(np.pi * place))


def _consonant(
    t: Array, start: float, strength: float, into: tuple[Array, Array], rng: Rng
) -> None:
    """A consonant before a note: the level falls, and a noise may come."""
    level, noise = into
    length = rng.uniform(0.03, 0.14)
    near = np.exp(-0.5 * ((t - start + length / 2) / (length / 2.5)) ** 2)
    level *= 1 - rng.choice([0, 0.5, 0.8, 1]) * near
    if rng.random() < 0.4:
        noise += rng.uniform(0.02, 0.4) * strength * near


def _vowel(who: Singer, rng: Rng) -> Array:
    first = who.tract * VOWELS[rng.integers(len(VOWELS))] * rng.uniform(0.93, 1.07, 3)
    return np.append(first, who.tract * 2900)


def _voiced(
    course: Course, cents: float, who: Singer, n: int, sr: int, rng: Rng
) -> NDArray[np.float32]:
    """The sound of a course: partials as strong as the formants have them."""
    t, slow = np.arange(n) / sr, np.arange(len(course.pitch)) / RATE
    f0 = hertz(course.pitch, cents=cents)
    phase = 2 * np.pi * np.cumsum(np.interp(t, slow, f0)) / sr
    gains = np.array([1, 0.6, 0.3, 0.3 * who.ringing])
    out = np.zeros(n)
    for k in range(1, N_PARTIALS + 1):
        audible = k * f0 < 0.45 * sr
        if not audible.any():
            break
        off = (k * f0[:, np.newaxis] - course.formants) / WIDTHS
        response = 0.05 + (gains / np.sqrt(1 + off**2)).sum(axis=1)
        amplitude = np.interp(t, slow, audible * response * course.level)
        out += k**-who.slope * amplitude * np.sin(k * phase + rng.uniform(0, 6.28))
    white = rng.normal(size=n)
    out += who.breath * np.interp(t, slow, course.level) * white
    hiss = np.diff(white, prepend=0.0)  # of high frequencies
    return np.asarray(out + np.interp(t, slow, course.noise) * hiss, np.float32)


def _sigmoid(x: Array) -> Array:
    return (1 + np.tanh(x / 2)) / 2


def wandering(at: Array, rng: Rng) -> Array:
    """Numbers of a deviation of about 1, new ones at whole places, between them lines.

    Places begin at 0 and rise.
    """
    n = int(at[-1]) + 2
    return np.interp(at, np.arange(n), rng.normal(size=n))
