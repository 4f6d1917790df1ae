"""Which of the notes that nobody heard stay."""

import dataclasses

import numpy as np
import pytest
from harmonic_tones import SR, tone

from specnmf import Audio
from specnmf.methods.transcription.adding import CONFIDENCE, STRONG, missing, strong
from specnmf.methods.transcription.describing import fit_notes, spectrogram
from specnmf.methods.transcription.heard import Heard

FULL = tuple(0.75**m for m in range(10))


def fit(*pitches, heard):
    """A fit of heard pitches to a second of these, each from .3 s to 1.3 s."""
    y = sum(tone(p, 0.3, 1.3, duration=1.6, amplitudes=FULL) for p in pitches)
    sound = spectrogram(Audio(0.1 * y.astype(np.float32), SR), together=True)
    n = len(heard)
    return fit_notes(sound, Heard.of([0.3] * n, [1.3] * n, heard, [0.9] * n))


def test_a_tone_that_nobody_heard_is_missing():
    found = missing(fit(60, 67, heard=[60]))
    assert 67 in found.pitch
    assert found.start[found.pitch == 67] == pytest.approx([0.3], abs=0.15)
    assert set(found.confidence) == {CONFIDENCE}


def test_added_notes_stay_if_they_are_strong_beside_those_heard():
    heard = Heard.of([0, 1, 2, 3], [1, 2, 3, 4], [60] * 4, [0.9] * 4)
    energy = np.array([1.0, 0.01, STRONG + 0.1, STRONG - 0.1])
    heard = dataclasses.replace(heard, energy=energy)
    added = np.array([False, False, True, True])
    median = np.median(energy[:2])
    heard.energy[2:] *= median
    assert strong(heard, added).tolist() == [True, True, True, False]


def test_added_notes_alone_do_not_stay():
    heard = Heard.of([0], [1], [60], [CONFIDENCE])
    assert strong(heard, np.array([True])).tolist() == [False]
