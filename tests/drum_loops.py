"""A loop of synthetic drums whose stems are known."""

import numpy as np

from specnmf.audio.recording import Audio
from specnmf.methods.drums.hits import Hit

SR = 22050

KICKS, SNARES, HATS = (
    (0.1, 0.6, 1.1, 1.6),
    (0.35, 0.85, 1.35),
    np.arange(0.1, 1.9, 0.25),
)


def stroke(drum, seed=0):
    """A stroke, (n_samples,)."""
    rng, t = np.random.default_rng(seed), np.arange(SR // 3) / SR
    noise = rng.standard_normal(len(t))
    if drum == "kick":
        return np.sin(2 * np.pi * (60 * t - 3 * np.exp(-t / 0.02))) * np.exp(-t / 0.08)
    if drum == "snare":
        body = np.sin(2 * np.pi * 190 * t) * np.exp(-t / 0.05)
        return 0.5 * body + 0.3 * noise * np.exp(-t / 0.06)
    bright = np.diff(np.diff(noise, prepend=0), prepend=0)
    return 0.25 * bright * np.exp(-t / 0.02)


def stems(duration=2.0):
    """Each drum alone."""
    y = {drum: np.zeros(round(SR * duration)) for drum in ("kick", "snare", "hihat")}
    for drum, times in (("kick", KICKS), ("snare", SNARES), ("hihat", HATS)):
        for i, time in enumerate(times):
            first = round(SR * time)
            part = y[drum][first : first + SR // 3]
            part += 0.3 * stroke(drum, seed=i)[: len(part)]
    return y


def loop():
    """The mixture."""
    y = sum(stems().values()) + 1e-5 * np.random.default_rng(1).standard_normal(2 * SR)
    return Audio(y[np.newaxis].astype(np.float32), SR)


def hits():
    """Its strokes."""
    return sorted(
        Hit(float(time), drum, note)
        for drum, note, times in (
            ("kick", 36, KICKS),
            ("snare", 38, SNARES),
            ("hihat", 42, HATS),
        )
        for time in times
    )
