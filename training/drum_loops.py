"""Random loops of drums, alone and beside music, to train on.

A loop has a bar or two of drum_patterns.py that repeat with small changes, by
instruments of drum_sounds.py that are changed in pitch, decay and colour.
"""

from __future__ import annotations

import numpy as np
import scipy.signal
from drum_patterns import pattern
from drum_samples import CSOUND, FLUID, SR, rendered
from drum_sounds import KINDS, Instrument, Rng, instruments
from mido import Message, MidiTrack

SECONDS = 6.0

#: Level in dB and its spread.
LEVELS = {
    "kick": (0, 4), "snare": (-2, 4), "hihat": (-12, 5), "toms": (-3, 4),
    "ride": (-13, 5), "crash": (-7, 5), "clap": (-5, 4), "openhat": (-11, 5),
    "other": (-8, 5),
}  # fmt: skip


def coloured(layers: Instrument, kind: str, rng: Rng) -> Instrument:
    """An instrument at another pitch, of another decay and colour."""
    low, high = (76, 140) if kind == "toms" else (82, 124)
    up = int(rng.integers(low, high))
    faded = rng.uniform(0.03 if kind in ("hihat", "clap") else 0.08, 1.0)
    fade = rng.random() < 0.5
    sections = _equaliser(rng)
    drive = rng.uniform(1, 8) if rng.random() < 0.25 else 0
    room = _room(rng) if rng.random() < 0.25 else None
    out = []
    for layer in layers:
        y = scipy.signal.resample_poly(layer, 100, up)
        if fade:
            y = y * np.exp(-np.arange(len(y)) / SR / faded)
        y = scipy.signal.sosfilt(sections, y)
        if drive:
            y = np.tanh(drive * y / max(np.abs(y).max(), 1e-9))
        if room is not None:
            y = _in_room(y, room)
        out.append(y)
    power = np.convolve(out[-1] ** 2, np.ones(2205) / 2205)
    gain = 0.1 / np.sqrt(max(power.max(), 1e-12))
    return [(gain * y).astype(np.float32) for y in out]


def _equaliser(rng: Rng) -> np.ndarray:
    """A shelf at either end and a bell between them."""
    first = rng.uniform(60, 400), rng.uniform(2000, 9000)
    return np.stack([
        _shelf(first[0], rng.normal() * 4, "low"),
        _shelf(first[1], rng.normal() * 5, "high"),
        _bell(np.exp(rng.uniform(np.log(100), np.log(9000))), rng.normal() * 4),
    ])  # fmt: skip


def _shelf(hertz: float, gain: float, side: str) -> np.ndarray:
    """A section of the second order (Bristow-Johnson's cookbook)."""
    a, w = 10 ** (gain / 40), 2 * np.pi * hertz / SR
    c, s = np.cos(w), np.sin(w) * np.sqrt(2 * a)
    sign = 1 if side == "low" else -1
    b = [
        a * ((a + 1) - sign * (a - 1) * c + s),
        sign * 2 * a * ((a - 1) - sign * (a + 1) * c),
        a * ((a + 1) - sign * (a - 1) * c - s),
    ]
    own = [
        (a + 1) + sign * (a - 1) * c + s,
        -sign * 2 * ((a - 1) + sign * (a + 1) * c),
        (a + 1) + sign * (a - 1) * c - s,
    ]
    return np.array([*b, *own]) / own[0]


def _bell(hertz: float, gain: float) -> np.ndarray:
    a, w = 10 ** (gain / 40), 2 * np.pi * hertz / SR
    alpha, c = np.sin(w) / 2, np.cos(w)
    own = [1 + alpha / a, -2 * c, 1 - alpha / a]
    return np.array([1 + alpha * a, -2 * c, 1 - alpha * a, *own]) / own[0]


def _room(rng: Rng) -> np.ndarray:
    n = int(rng.uniform(0.1, 0.5) * SR)
    fade = np.exp(-np.arange(n) / SR / rng.uniform(0.02, 0.12))
    return rng.uniform(0.05, 0.4) * rng.normal(size=n) * fade


def _in_room(y: np.ndarray, room: np.ndarray) -> np.ndarray:
    wet = scipy.signal.fftconvolve(y, room)[: len(y) + SR // 4]
    wet *= np.abs(room).max() * np.abs(y).max() / max(np.abs(wet).max(), 1e-9)
    return np.pad(y, (0, len(wet) - len(y))) + wet


class Pool:
    """Coloured instruments to choose from."""

    def __init__(self, rng: Rng, n_of_each: int) -> None:
        found = instruments(rng)
        self.of = {
            kind: [
                coloured(own[int(rng.integers(len(own)))], kind, rng)
                for _ in range(n_of_each)
            ]
            for kind, own in found.items()
        }

    def chosen(self, kind: str, rng: Rng) -> Instrument:
        """One of them."""
        return self.of[kind][int(rng.integers(len(self.of[kind])))]


def loop(pool: Pool, rng: Rng) -> tuple[np.ndarray, dict[str, list[float]]]:
    """A random loop, and the times of its strokes by kind."""
    steps = int(rng.choice([16, 16, 16, 12]))
    step = 240 / rng.uniform(65, 185) / steps
    swing = float(rng.choice([0, 0, 0, 0.35])) * rng.random()
    played = pattern(rng, steps)
    size = steps * (1 + int(max((p.step for p in played), default=0) >= steps))
    start = 0.0 if rng.random() < 0.15 else rng.uniform(0, 0.3)
    hand = rng.uniform(0, 0.008)
    strokes = []
    for i in range(int(SECONDS / step / size) + 1):
        for each in played:
            if rng.random() < 0.03:
                continue
            late = swing * (int(each.step) % 2) + i * size + each.step
            at = start + step * late + hand * rng.normal()
            if 0 <= at < SECONDS - 0.05:
                velocity = np.clip(each.velocity * (1 + 0.08 * rng.normal()), 0.1, 1)
                strokes.append((at, each.kind, float(velocity)))
    return _sounding(sorted(strokes), pool, rng), {
        kind: [at for at, own, _ in strokes if own == kind] for kind in KINDS
    }


def _sounding(
    strokes: list[tuple[float, str, float]], pool: Pool, rng: Rng
) -> np.ndarray:
    y = np.zeros(round(SR * SECONDS) + 4 * SR, np.float32)
    kinds = {kind for _, kind, _ in strokes}
    own = {
        kind: [
            pool.chosen(kind, rng)
            for _ in range(3 if kind == "toms" else 1 + (rng.random() < 0.15))
        ]
        for kind in sorted(kinds)
    }
    levels = {k: LEVELS[k][0] + LEVELS[k][1] * rng.normal() for k in sorted(kinds)}
    choked, slope = rng.random() < 0.7, rng.uniform(20, 34)
    hats = [at for at, kind, _ in strokes if kind in ("hihat", "openhat")]
    for at, kind, velocity in strokes:
        layers = own[kind][int(rng.integers(len(own[kind])))]
        hit = layers[min(len(layers) - 1, int(velocity * len(layers)))]
        if len(layers) > 1:  # the layers have their own loudness
            hit = hit * (np.abs(layers[-1]).max() / max(np.abs(hit).max(), 1e-9))
        elif velocity < 0.5 and rng.random() < 0.7:  # soft strokes are duller
            b, a = scipy.signal.butter(1, 0.35)
            hit = scipy.signal.lfilter(b, a, hit).astype(np.float32)
        if choked and kind in ("hihat", "openhat"):
            later = [t - at for t in hats if t > at + 0.01]
            if later and later[0] * SR + 441 < len(hit):
                hit = hit[: round(later[0] * SR) + 441].copy()
                hit[-441:] *= np.linspace(1, 0, 441, dtype=np.float32)
        gain = levels[kind] + slope * np.log10(velocity) + rng.normal()
        first = round(SR * at)
        y[first : first + len(hit)] += np.float32(10 ** (gain / 20)) * hit
    return y[: round(SR * SECONDS)].astype(np.float64)


def mastered(y: np.ndarray, rng: Rng) -> np.ndarray:
    """A recording as it may come: compressed, distorted, dull, noisy, in a room."""
    if rng.random() < 0.15:
        y = _in_room(y, _room(rng))[: len(y)]
    if rng.random() < 0.25:
        peak = np.abs(y).max() + 1e-9
        drive = rng.uniform(0.5, 5)
        y = peak * np.tanh(drive * y / peak) / drive
    if rng.random() < 0.25:
        edge = np.exp(rng.uniform(np.log(4500), np.log(16000)))
        sos = scipy.signal.butter(6, edge / (SR / 2), output="sos")
        y = scipy.signal.sosfilt(sos, y)
    loud = np.sqrt(np.mean(y**2)) + 1e-6
    if rng.random() < 0.2:
        hiss = scipy.signal.lfilter(
            [1], [1, -rng.uniform(0, 0.95)], rng.normal(size=len(y))
        )
        y = y + loud * 10 ** (rng.uniform(-60, -25) / 20) * hiss / hiss.std()
    if rng.random() < 0.05:
        crackle = (rng.random(len(y)) < 20 / SR) * rng.normal(size=len(y))
        y = y + loud * rng.uniform(0.3, 3) * np.convolve(
            crackle, [1, -0.6, 0.2], "same"
        )
    return y + 1e-5 * rng.normal(size=len(y))


def music(seed: int) -> np.ndarray:
    """Sixty seconds of chords, a bass and a tune in random instruments."""
    rng = np.random.default_rng(seed)
    families = [*range(0, 8)], [*range(32, 40)], [*range(24, 32)], [*range(48, 104)]
    beat, root = rng.uniform(0.35, 0.8), int(rng.integers(-5, 6))
    tracks = []
    for channel, family in enumerate(families):
        track = _track(rng, channel, int(rng.choice(family)), beat, root)
        if rng.random() < 0.75 or not tracks:
            tracks.append(track)
    font = CSOUND if seed % 3 == 2 and CSOUND.is_file() else FLUID
    return rendered(font, tracks).astype(np.float32)


def _track(rng: Rng, channel: int, program: int, beat: float, root: int) -> MidiTrack:
    """A part: chords, or one note at a time."""
    track = MidiTrack([Message("program_change", channel=channel, program=program)])
    scale = np.array([0, 2, 3, 5, 7, 8, 10, 12])
    base = 36 if channel == 1 else 48 + 12 * (channel == 3)
    events, now = [], 0.0
    while now < 60:
        length = beat * float(rng.choice([0.25, 0.5, 0.5, 1, 1, 2, 4]))
        if rng.random() < 0.8:
            size = 1 if channel in (1, 3) else int(rng.integers(2, 5))
            for pitch in rng.choice(scale, size, replace=False):
                note = int(base + root + pitch)
                end = now + length * rng.uniform(0.4, 1)
                events += [
                    (now, "note_on", note, int(rng.integers(50, 110))),
                    (end, "note_off", note, 0),
                ]
        now += length
    tick = 0
    for at, kind, note, velocity in sorted(events):
        own = {"note": note, "velocity": velocity, "channel": channel}
        track.append(Message(kind, time=round(960 * at) - tick, **own))
        tick = round(960 * at)
    return track
