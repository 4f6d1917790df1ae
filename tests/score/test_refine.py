"""Refinement of onsets."""

import numpy as np

from specnmf.score.notes import Note
from specnmf.score.refine import heard

RATE = 100.0


def course(pitch, sounding_from, *, level=1.0, noise=1e-3):
    """A recording of 2 s in which one pitch sounds from some second on."""
    magnitudes = np.full((200, 128), noise, np.float32)
    magnitudes[round(sounding_from * RATE) :, pitch] = level
    return magnitudes


def put_off(note, magnitudes):
    end = note.start + note.duration
    times = np.array([note.start]), np.array([end])
    return float(heard([note], *times, magnitudes, RATE)[0])


def test_a_note_over_silence_waits_for_its_sound():
    assert put_off(Note(0.0, 1.0, 60), course(60, 0.4)) == 0.4


def test_a_note_that_sounds_at_once_stays():
    assert put_off(Note(0.5, 1.0, 60), course(60, 0.5)) == 0.5
    assert put_off(Note(0.5, 1.0, 60), course(60, 0.55)) == 0.5


def test_a_swell_is_no_silence():
    magnitudes = course(60, 0.0)
    magnitudes[:, 60] = np.geomspace(0.1, 1, 200)
    assert put_off(Note(0.2, 1.5, 60), magnitudes) == 0.2


def test_drums_and_notes_of_a_moment_stay():
    magnitudes = course(60, 0.4)
    assert put_off(Note(0.0, 1.0, 60, percussion=True), magnitudes) == 0.0
    assert put_off(Note(0.0, 0.05, 60), magnitudes) == 0.0
    assert put_off(Note(5.0, 1.0, 60), magnitudes) == 5.0
