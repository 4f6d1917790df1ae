"""Silence: of recordings and of scores."""

import numpy as np

from specnmf.score import silence
from specnmf.score.notes import Note

RATE = 50.0


def magnitudes(*decibels):
    """A second each of one pitch at some level."""
    loud = 10 ** (np.repeat(decibels, RATE) / 20)
    course = np.zeros((len(loud), 128), np.float32)
    course[:, 60] = loud
    return course


def test_what_is_36_db_softer_is_silent_and_what_is_26_is_not():
    silent = silence.of_recording(magnitudes(0, -26, -31, -36, -300), 1.0)
    np.testing.assert_allclose(silent[::50], [0, 0, 0.5, 1, 1], atol=1e-5)


def test_digital_silence_is_silent():
    assert silence.of_recording(np.zeros((3, 128), np.float32), 1.0).tolist() == [1] * 3


def test_hiss_is_silent_where_a_tone_of_its_energy_is_not(rng):
    hiss = np.abs(rng.standard_normal((100, 128))).astype(np.float32)
    hiss *= 10 ** (-30 / 20) / np.sqrt(128)
    assert silence.of_recording(hiss, 1.0).min() > 0.9
    assert silence.of_recording(magnitudes(-30), 1.0).max() < 0.5


def test_a_score_is_silent_where_no_note_sounds():
    notes = [Note(0.0, 1.0, 60), Note(0.5, 1.5, 64), Note(4.0, 0.5, 60)]
    silent = silence.of_notes(notes, 225, RATE)
    assert silent[:101].max() == 0
    assert silent[101:200].min() == 1
    assert silent[200:].max() == 0


def test_a_note_is_not_taken_to_sound_for_minutes():
    stuck = [Note(0.0, 300.0, 60), Note(60.0, 240.0, 64)]
    silent = silence.of_notes(stuck, 15000, RATE)
    sounding = np.flatnonzero(silent == 0) / RATE
    assert sounding.max() == 60 + silence.LINGERING
    assert silent[round(30 * RATE)] == 1


def test_gaps_between_notes_do_not_last():
    silent = np.zeros(500, np.float32)
    silent[100:130] = silent[300:400] = 1
    lasting = silence.lasting(silent, RATE)
    assert np.flatnonzero(lasting).tolist() == list(range(300, 400))


def test_silence_at_a_lower_rate_is_a_mean():
    silent = np.zeros(200, np.float32)
    silent[100:] = 1
    means = silence.averaged(silent, 10)
    assert means.shape == (20,)
    assert means[:9].max() == 0
    assert 0.3 < means[10] < 0.7
    np.testing.assert_allclose(means[11:], 1, atol=1e-6)
