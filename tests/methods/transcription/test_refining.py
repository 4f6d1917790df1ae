"""Notes corrected by fits: ghosts go, onsets move."""

import numpy as np
import pytest
from harmonic_tones import SR, tone

from specnmf import Audio
from specnmf.methods.transcription.builtin import ODDS
from specnmf.methods.transcription.heard import Heard
from specnmf.methods.transcription.refining import refine
from specnmf.methods.transcription.salience import N_PITCHES, Salience

DURATION = 2.5
FULL = tuple(0.75**m for m in range(10))


def silent_salience():
    """A transcriber that hears nothing: the notes given are all there are."""
    times = np.arange(round(DURATION * 86)) / 86
    nothing = np.zeros((N_PITCHES, len(times)), np.float32)
    return Salience(nothing, nothing, times, nothing, ODDS)


def recording(*tones):
    y = sum(
        tone(pitch, start, end, duration=DURATION, amplitudes=amplitudes)
        for pitch, start, end, amplitudes in tones
    )
    return Audio(0.1 * np.asarray(y, np.float32), SR)


def refined(audio, notes, **options):
    start, end, pitch, confidence = np.array(notes, float).reshape(-1, 4).T
    heard = Heard.of(start, end, pitch, confidence)
    return refine(audio, heard, silent_salience(), **options)


def test_a_ghost_an_octave_up_is_pruned():
    audio = recording((60, 0.3, 1.5, FULL))
    found = refined(audio, [(0.3, 1.5, 60, 0.9), (0.3, 1.5, 72, 0.2)])
    assert found.pitch.tolist() == [60]


def test_an_octave_of_two_players_stays():
    audio = recording((60, 0.3, 1.5, FULL), (72, 0.6, 1.9, FULL))
    found = refined(audio, [(0.3, 1.5, 60, 0.9), (0.6, 1.9, 72, 0.5)])
    assert found.pitch.tolist() == [60, 72]


@pytest.mark.parametrize("wrong_by", [-0.06, 0.06])
def test_a_wrong_onset_comes_nearer(wrong_by):
    audio = recording((60, 0.5, 1.5, FULL))
    found = refined(audio, [(0.5 + wrong_by, 1.5, 60, 0.9)])
    assert abs(found.start[0] - 0.5) < 0.045


def test_a_doubtful_repetition_makes_the_note_before_it_longer():
    audio = recording((60, 0.3, 1.8, FULL))
    found = refined(audio, [(0.3, 1.0, 60, 0.9), (1.0, 1.8, 60, 0.2)])
    assert found.pitch.tolist() == [60]
    assert found.end[0] == 1.8


def test_notes_are_described_and_in_order():
    audio = recording((67, 0.3, 1.5, FULL), (60, 0.9, 2.0, FULL))
    found = refined(audio, [(0.3, 1.5, 67, 0.9), (0.9, 2.0, 60, 0.9)])
    assert (found.energy > 0).all()
    assert np.allclose(np.linalg.norm(found.timbre, axis=1), 1)
    assert (np.diff(found.start) >= 0).all()


def test_each_channel_is_heard():
    left = recording((60, 0.3, 1.5, FULL)).samples[0]
    right = recording((67, 0.9, 2.0, FULL)).samples[0]
    audio = Audio(np.stack([left, right]), SR)
    found = refined(audio, [(0.3, 1.5, 60, 0.9), (0.9, 2.0, 67, 0.9)])
    assert found.pan.argmax(axis=1).tolist() == [0, 1]


def test_the_number_of_threads_changes_no_bit():
    audio = recording((60, 0.3, 1.5, FULL), (67, 0.8, 2.0, FULL))
    one, two = (refined(audio, [(0.3, 1.5, 60, 0.9)], threads=n) for n in (1, 2))
    for name in ("start", "end", "pitch", "confidence", "energy", "timbre", "cents"):
        assert np.array_equal(getattr(one, name), getattr(two, name))


def test_stages_are_told():
    told = []
    audio = recording((60, 0.3, 1.5, FULL))
    refined(audio, [(0.3, 1.5, 60, 0.9)], step=lambda *done: told.append(done))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_silence_has_no_notes():
    audio = Audio(np.zeros(round(DURATION * SR), np.float32), SR)
    assert len(refined(audio, [])) == 0


def test_a_recording_without_notes_has_none():
    audio = recording((60, 0.3, 1.5, FULL))
    assert len(refined(audio, [])) == 0


@pytest.mark.parametrize("n_samples", [1, 300])
def test_very_short_recordings_work(n_samples):
    audio = Audio(np.full(n_samples, 0.1, np.float32), SR)
    found = refined(audio, [(0.0, 0.1, 60, 0.9)])
    assert np.isfinite(found.energy).all()
