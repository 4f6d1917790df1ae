"""Tones to hear."""

import numpy as np
import pytest

from specnmf import Audio


@pytest.fixture(scope="session")
def struck():
    """A function that plays struck tones which fade, as a recording."""
    return play


def play(notes, *, duration, sr=22_050):
    """Tones of six partials; notes are (start in seconds, MIDI number)."""
    y = np.zeros(round(duration * sr), np.float32)
    for start, pitch in notes:
        first = round(start * sr)
        t = np.arange(min(len(y) - first, round(0.5 * sr))) / sr
        m = np.arange(1, 7)[:, np.newaxis]
        wave = np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * m * t) / m
        y[first : first + len(t)] += 0.1 * wave.sum(axis=0) * np.exp(-3 * t)
    return Audio(y, sr)
