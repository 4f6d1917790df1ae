"""What a fit and a transcriber say of whether a note is there."""

import numpy as np
import pytest
from harmonic_tones import SR, tone

from specnmf import Audio
from specnmf.methods.transcription.describing import fit_notes, spectrogram
from specnmf.methods.transcription.heard import Heard
from specnmf.methods.transcription.judging import confidence, features

FULL = tuple(0.75**m for m in range(10))
PRIOR, LENGTH, BELOW, RISE, FIRST = range(5)


@pytest.fixture(scope="module")
def fit():
    """A fit of a tone, its octave that is none, and of a tone that goes on."""
    y = tone(60, 0.5, 1.5, duration=2, amplitudes=FULL)
    sound = spectrogram(Audio(0.1 * y.astype(np.float32), SR), together=True)
    start, end, pitch = [0.5, 0.5, 1.0], [1.0, 1.5, 1.5], [60, 72, 60]
    return fit_notes(sound, Heard.of(start, end, pitch, [0.9, 0.5, 0.5]))


def test_a_true_note_is_surer_than_its_octave_and_its_repetition(fit):
    found = confidence(fit)
    assert found.argmax() == 0
    assert ((found > 0) & (found < 1)).all()


def test_prior_is_in_logits_and_length_a_logarithm(fit):
    found = features(fit)
    assert found[1, PRIOR] == pytest.approx(0)
    assert found[0, PRIOR] == pytest.approx(np.log(9))
    assert found[1, LENGTH] > found[0, LENGTH]


def test_an_octave_lies_over_a_louder_note(fit):
    found = features(fit)
    assert found[1, BELOW] > 0.5
    assert found[0, BELOW] < 0.1


def test_a_note_rises_at_its_onset_and_its_repetition_does_not(fit):
    found = features(fit)
    assert found[0, RISE] > 1
    assert abs(found[2, RISE]) < 0.5


def test_amplitude_is_that_of_the_first_partial(fit):
    np.testing.assert_allclose(features(fit)[:, FIRST], fit.partials.amplitudes[:, 0])


def test_no_notes_have_no_features():
    sound = spectrogram(Audio(np.zeros(SR, np.float32), SR), together=True)
    none = fit_notes(sound, Heard.of([], [], [], []))
    assert features(none).shape == (0, 5)
    assert confidence(none).shape == (0,)
