"""Harmonic tones to be transcribed."""

import numpy as np

SR = 22050


def tone(pitch, start, end, *, duration, amplitudes=(1, 0.5, 0.3, 0.2), cents=0.0):
    """A harmonic tone, silent outside its time."""
    t = np.arange(round(duration * SR)) / SR
    f0 = 440 * 2 ** ((pitch - 69 + cents / 100) / 12)
    rise = np.clip((t - start) / 0.01, 0, 1) * np.clip((end - t) / 0.03, 0, 1)
    partials = enumerate(amplitudes, start=1)
    return rise * sum(a * np.sin(2 * np.pi * m * f0 * t) for m, a in partials)
