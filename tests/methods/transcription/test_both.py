import numpy as np
import pytest

from specnmf.methods.transcription import basic_pitch
from specnmf.methods.transcription.both import Both, mean
from specnmf.methods.transcription.picking import pick
from specnmf.methods.transcription.salience import N_PITCHES, Salience

HOP = 0.01


def salience(*, n_frames=100, onset=0, hop=HOP):
    """Salience in which pitch 20 begins in a frame and goes on."""
    notes, onsets = np.zeros((2, N_PITCHES, n_frames), np.float32)
    notes[20, onset:] = 0.8
    onsets[20, onset] = 0.9
    contour = np.zeros((3 * N_PITCHES, n_frames), np.float32)
    return Salience(notes, onsets, np.arange(n_frames) * hop, contour)


def test_mean_is_on_the_frames_of_the_first_with_its_contour():
    network = salience(onset=30)
    both = mean(network, salience(n_frames=150, hop=HOP / 2))
    np.testing.assert_array_equal(both.times, network.times)
    assert both.contour is network.contour
    assert both.notes.shape == both.onsets.shape == network.notes.shape
    assert both.notes.dtype == both.onsets.dtype == np.float32


def test_onsets_of_one_note_fall_together_whatever_the_frames():
    both = mean(salience(onset=30), salience(n_frames=200, onset=60, hop=HOP / 2))
    assert both.onsets[20].argmax() == 30
    assert both.onsets[20].max() == pytest.approx(0.9)
    np.testing.assert_array_equal(both.onsets[21], 0)


def test_what_only_one_hears_is_half_as_likely():
    network = salience(onset=30)
    other = salience(onset=30)
    other.notes[20] = other.onsets[20] = 0
    both = mean(network, other)
    np.testing.assert_allclose(both.notes[20, 40:], 0.4)


@pytest.mark.skipif(
    basic_pitch.model_path() is None, reason="basic-pitch is not installed"
)
def test_both_hear_a_struck_tone(struck):
    told = []
    audio = struck([(0.5, 60), (1.2, 67)], duration=2.0)
    heard = pick(Both().hear(audio, step=lambda *done: told.append(done)))
    assert told[0] == (2, 4)
    assert heard.pitch.tolist() == [60, 67]
    np.testing.assert_allclose(heard.start, [0.5, 1.2], atol=0.03)
