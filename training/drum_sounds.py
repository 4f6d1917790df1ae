"""Sounds of drums to train on: free samples, and synthetic ones.

Each instrument is a list of strokes of one drum, from soft to loud, mono at 44.1 kHz.
The samples are those of drum_samples.py. The synthetic drums are made of sines, noise
and square waves: swept kicks, snares and toms of a few modes, cymbals of many.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.signal
from drum_samples import CSOUND, FLUID, SR, audiophob, exadrums, sonic_pi, struck

#: Drums, the two kinds of hi-hat apart, and what is struck beside them.
KINDS = (
    "kick", "snare", "hihat", "toms", "ride", "crash", "clap", "openhat", "other",
)  # fmt: skip

#: Seconds that are kept of a stroke.
LENGTHS = {
    "kick": 1.0, "snare": 0.8, "hihat": 0.5, "toms": 1.2, "ride": 2.0, "crash": 2.0,
    "clap": 0.6, "openhat": 1.2, "other": 0.6,
}  # fmt: skip

#: General MIDI's notes, and the programs of either soundfont that differ.
NOTES = {
    "kick": (35, 36),
    "snare": (38, 40),
    "rim": (37,),
    "hihat": (42, 44),
    "openhat": (46,),
    "toms": (41, 43, 45, 47, 48, 50),
    "ride": (51, 53, 59),
    "crash": (49, 52, 55, 57),
    "clap": (39,),
    "other": (54, 56, 60, 61, 62, 63, 64, 69, 70, 75, 76, 80),
}
PROGRAMS = {
    FLUID: (0, 1, 2, 3, 8, 9, 10, 16, 17, 24, 25, 32, 33, 40, 41),
    CSOUND: (0, 8, 16, 24, 25, 32, 40),
}
#: In kits that are played with brushes, these are slaps and swirls.
BRUSHES, SWEPT = (40, 41), (39, 40)
VELOCITIES = (40, 80, 115)
LENGTH = 2  # seconds of a stroke as it is rendered

N_SYNTHETIC = 80  # instruments of a kind

Rng = np.random.Generator
Instrument = list[np.ndarray]


def instruments(rng: Rng) -> dict[str, list[Instrument]]:
    """All instruments by kind."""
    found: dict[str, list[Instrument]] = {kind: [] for kind in KINDS}
    seen = set()
    for kind, layers in (*_samples(), *_soundfonts()):
        own = [_trimmed(y, kind) for y in layers if np.abs(y).max() > 1e-4]
        key = tuple(np.round(y[:2000:50], 3).tobytes() for y in own)
        if not own or (kind, key) in seen:
            continue
        seen.add((kind, key))
        if kind == "rim":  # few of the strokes of snares are on the rim
            if rng.random() < 0.3:
                found["snare"].append(own)
        else:
            found[kind].append(own)
    for kind, make in SYNTHETIC.items():
        for _ in range(N_SYNTHETIC):
            found[kind].append([_trimmed(make(rng), kind)])
    return found


def _samples() -> Iterator[tuple[str, Instrument]]:
    """Strokes that are files."""
    for each in (*sonic_pi(), *audiophob(), *exadrums()):
        y = each.sound
        if each.sr != SR:
            y = scipy.signal.resample_poly(y, SR, each.sr)
        yield each.drum, [y]


def _soundfonts() -> Iterator[tuple[str, Instrument]]:
    """Strokes of the kits of soundfonts, at three velocities."""
    strokes = [(kind, note) for kind in NOTES for note in NOTES[kind]]
    notes = [note for _, note in strokes]
    for font, programs in PROGRAMS.items():
        for program in programs if font.is_file() else ():
            heard = struck(font, program, notes, VELOCITIES, LENGTH)
            for (kind, note), layers in zip(strokes, heard, strict=True):
                if not (program in BRUSHES and note in SWEPT):
                    yield kind, list(layers)


def _trimmed(y: np.ndarray, kind: str) -> np.ndarray:
    """A stroke from its onset on, faded out."""
    first = max(0, int(np.argmax(np.abs(y) > 0.03 * np.abs(y).max())) - 16)
    y = y[first:][: round(SR * LENGTHS.get(kind, 0.6))].copy()
    fade = min(len(y), 4410)
    y[len(y) - fade :] *= np.linspace(1, 0, fade)
    return y.astype(np.float32)


def _time(kind: str) -> np.ndarray:
    return np.arange(round(SR * LENGTHS[kind])) / SR


def _between(rng: Rng, low: float, high: float) -> float:
    """A number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _noise(rng: Rng, n: int, low: float, high: float, order: int = 1) -> np.ndarray:
    """Noise in a band, of peak 1."""
    band = [min(low, 0.8 * high) / (SR / 2), min(high / (SR / 2), 0.98)]
    sos = scipy.signal.butter(order, band, "band", output="sos")
    y = scipy.signal.sosfilt(sos, rng.normal(size=n))
    return y / np.abs(y).max()


def _swept(t: np.ndarray, low: float, ratio: float, fall: float) -> np.ndarray:
    """The phase of a tone that falls to a frequency."""
    return 2 * np.pi * low * (t + (ratio - 1) * fall * (1 - np.exp(-t / fall)))


def _modes(
    rng: Rng, t: np.ndarray, frequencies: np.ndarray, decays: np.ndarray
) -> np.ndarray:
    """A sum of fading sines of random strengths and phases, of peak 1."""
    y = np.zeros(len(t))
    for frequency, decay in zip(frequencies, decays, strict=True):
        if frequency < 0.48 * SR:
            phase = 2 * np.pi * (frequency * t + rng.random())
            y += rng.exponential() * np.sin(phase) * np.exp(-t / decay)
    return y / max(np.abs(y).max(), 1e-9)


def kick(rng: Rng) -> np.ndarray:
    """A swept sine with a click, and a drum head's noise."""
    t = _time("kick")
    phase = _swept(
        t, _between(rng, 38, 80), _between(rng, 1.2, 8), _between(rng, 0.005, 0.06)
    )
    y = np.sin(phase + rng.uniform(0, 1.5)) * np.exp(-t / _between(rng, 0.04, 0.4))
    if rng.random() < 0.5:
        y = np.tanh(_between(rng, 0.5, 4) * y)
    click = _noise(rng, len(t), _between(rng, 300, 2000), _between(rng, 2500, 12000))
    y += _between(rng, 0.02, 0.6) * click * np.exp(-t / _between(rng, 0.002, 0.02))
    if rng.random() < 0.5:
        body = _noise(rng, len(t), 60, _between(rng, 300, 2000))
        y += _between(rng, 0.05, 0.5) * body * np.exp(-t / _between(rng, 0.02, 0.1))
    return y


def snare(rng: Rng) -> np.ndarray:
    """Two or more modes of the head, and the noise of the wires."""
    t = _time("snare")
    low = _between(rng, 120, 330)
    tone = np.sin(_swept(t, low, _between(rng, 1.0, 1.8), 0.015))
    tone += rng.random() * np.sin(2 * np.pi * low * rng.uniform(1.4, 1.9) * t)
    tone *= np.exp(-t / _between(rng, 0.02, 0.15))
    wires = _noise(rng, len(t), _between(rng, 300, 2500), _between(rng, 2500, 16000))
    fade = np.exp(-t / _between(rng, 0.025, 0.2))
    fade += _between(rng, 0.02, 1) * np.exp(-t / _between(rng, 0.01, 0.03))
    return _between(rng, 0.1, 2) * tone + wires * fade


def toms(rng: Rng) -> np.ndarray:
    """The modes of a membrane, falling a little, and a stroke's noise."""
    t = _time("toms")
    low, ratio = _between(rng, 65, 260), _between(rng, 1.02, 1.9)
    fall, decay = _between(rng, 0.015, 0.12), _between(rng, 0.06, 0.6)
    y = np.zeros(len(t))
    for i, mode in enumerate((1, 1.59, 2.14, 2.3, 2.65, 2.92)):
        strength = 1 if i == 0 else rng.random() * rng.choice([0, 0.2, 0.6])
        fade = np.exp(-t / (decay / mode))
        y += strength * np.sin(_swept(t, low * mode, ratio, fall)) * fade
    stick = _noise(rng, len(t), _between(rng, 200, 1500), _between(rng, 2000, 12000))
    return y + _between(rng, 0.02, 0.6) * stick * np.exp(
        -t / _between(rng, 0.003, 0.04)
    )


def _metal(rng: Rng, t: np.ndarray) -> np.ndarray:
    """What hi-hats sound like while they ring: square waves, noise, or both."""
    base = _between(rng, 180, 600)
    ratios = np.array([1, 1.34, 1.48, 1.8, 2.55, 2.63]) * rng.uniform(0.9, 1.1, 6)
    squares = sum(np.sign(np.sin(2 * np.pi * base * r * t)) for r in ratios) / 6
    low = _between(rng, 2000, 9000)
    sos = scipy.signal.butter(2, low / (SR / 2), "high", output="sos")
    part = rng.choice([0, 0.3, 1])
    mixed = part * squares + (1 - part) * rng.normal(size=len(t)) * 0.5
    y = scipy.signal.sosfilt(sos, mixed)
    if rng.random() < 0.5:
        n = int(rng.integers(5, 40))
        ring = _modes(rng, t, _spread(rng, n, 2000, 16000), np.full(n, 9.0))
        y += rng.random() * np.abs(y).max() * ring
    sos = scipy.signal.butter(1, _between(rng, 6000, 18000) / (SR / 2), output="sos")
    y = scipy.signal.sosfilt(sos, y)
    return y / np.abs(y).max()


def _spread(rng: Rng, n: int, low: float, high: float) -> np.ndarray:
    return np.exp(rng.uniform(np.log(low), np.log(high), n))


def hihat(rng: Rng) -> np.ndarray:
    """A closed hi-hat, or one that a foot closes."""
    t = _time("hihat")
    rise = np.minimum(t / _between(rng, 1e-4, 0.006), 1)
    return _metal(rng, t) * rise * np.exp(-t / _between(rng, 0.01, 0.07))


def openhat(rng: Rng) -> np.ndarray:
    """An open hi-hat."""
    t = _time("openhat")
    fade = np.exp(-t / _between(rng, 0.12, 0.8))
    fade += _between(rng, 0.05, 1) * np.exp(-t / 0.02)
    return _metal(rng, t) * fade


def ride(rng: Rng) -> np.ndarray:
    """A ping of few partials over a wash of many."""
    t = _time("ride")
    n = int(rng.integers(40, 120))
    wash = _modes(rng, t, _spread(rng, n, 300, 15000), _spread(rng, n, 0.1, 1.2))
    few = int(rng.integers(2, 12))
    ping = _modes(rng, t, _spread(rng, few, 500, 7000), _spread(rng, few, 0.1, 1.0))
    stick = _noise(rng, len(t), _between(rng, 1500, 6000), 16000)
    stick *= np.exp(-t / _between(rng, 0.004, 0.05))
    return (
        _between(rng, 0.2, 1) * wash
        + _between(rng, 0.1, 1) * ping
        + _between(rng, 0.1, 1) * stick
    )


def crash(rng: Rng) -> np.ndarray:
    """Noise and many partials that rise for a moment and ring long."""
    t = _time("crash")
    n = int(rng.integers(60, 160))
    ring = _modes(rng, t, _spread(rng, n, 250, 15000), _spread(rng, n, 0.2, 1.5))
    hiss = _noise(rng, len(t), _between(rng, 400, 4000), _between(rng, 9000, 18000))
    fade = np.exp(-t / _between(rng, 0.15, 1.2))
    rise = np.minimum(t / _between(rng, 5e-4, 0.02), 1)
    return rise * (_between(rng, 0.2, 1) * ring + _between(rng, 0.3, 1.5) * hiss * fade)


def clap(rng: Rng) -> np.ndarray:
    """Some hands, one after another, and a room."""
    t = _time("clap")
    centre = _between(rng, 700, 2600)
    width = _between(rng, 1.15, 3)
    noise = _noise(rng, len(t), centre / width, centre * width)
    gap, decay = _between(rng, 0.005, 0.014), _between(rng, 0.002, 0.008)
    fade = np.zeros(len(t))
    for i in range(int(rng.integers(2, 6))):
        at = max(0.0, i * gap * rng.uniform(0.8, 1.2)) if i else 0.0
        fade += rng.uniform(0.5, 1) * np.where(t >= at, np.exp(-(t - at) / decay), 0)
    tail = np.where(t >= at, np.exp(-(t - at) / _between(rng, 0.02, 0.2)), 0)
    return noise * (fade + _between(rng, 0.1, 1) * tail)


SYNTHETIC = {
    "kick": kick, "snare": snare, "hihat": hihat, "toms": toms, "ride": ride,
    "crash": crash, "clap": clap, "openhat": openhat,
}  # fmt: skip
