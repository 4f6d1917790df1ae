"""Descriptions of heard notes by a fit."""

import numpy as np
import pytest
from harmonic_tones import SR, tone

from specnmf import Audio
from specnmf.methods.transcription.describing import fit_notes, spectrogram
from specnmf.methods.transcription.heard import Heard


def describe(audio, heard, *, threads=None):
    sound = spectrogram(audio, threads=threads)
    return fit_notes(sound, heard, threads=threads).described()


def two_tones():
    y = tone(60, 0.2, 1.2, duration=2) + 0.5 * tone(67, 0.7, 1.6, duration=2)
    return Audio(0.2 * y.astype(np.float32), SR), Heard.of(
        [0.2, 0.7], [1.2, 1.6], [60, 67], [0.9, 0.8]
    )


def test_energies_are_in_the_proportion_of_the_sounds():
    audio, heard = two_tones()
    energy = describe(audio, heard).energy
    assert energy[1] / energy[0] == pytest.approx(0.5, rel=0.15)


def test_timbre_is_the_root_of_the_partials_amplitudes():
    audio, heard = two_tones()
    timbre = describe(audio, heard).timbre
    expected = np.sqrt([1, 0.5, 0.3, 0.2])
    assert np.allclose(np.linalg.norm(timbre, axis=1), 1)
    assert np.all(timbre[:, :4] @ expected / np.linalg.norm(expected) > 0.97)


def test_cents_are_those_of_the_tone():
    y = tone(64, 0.2, 1.4, duration=2, cents=25)
    heard = Heard.of([0.2], [1.4], [64], [1.0])
    cents = describe(Audio(0.2 * y.astype(np.float32), SR), heard).cents
    assert cents[0] == pytest.approx(25, abs=6)


def test_pan_tells_which_channel_hears_a_note():
    left = tone(60, 0.2, 1.2, duration=2) + 0.3 * tone(67, 0.2, 1.2, duration=2)
    right = 0.1 * tone(60, 0.2, 1.2, duration=2) + tone(67, 0.2, 1.2, duration=2)
    audio = Audio(0.2 * np.stack([left, right]).astype(np.float32), SR)
    pan = describe(audio, Heard.of([0.2] * 2, [1.2] * 2, [60, 67], [1.0] * 2)).pan
    assert np.allclose(pan.mean(axis=1), 1, atol=1e-4)
    assert pan[0, 0] > 1.6
    assert pan[1, 1] > 1.4


def test_a_note_that_does_not_sound_has_little_energy():
    audio, heard = two_tones()
    heard = Heard.of([0.2, 0.2, 0.7], [1.2, 1.2, 1.6], [60, 70, 67], [1.0] * 3)
    energy = describe(audio, heard).energy
    assert energy[1] < 0.05 * energy[0]


def test_times_pitches_and_confidence_are_kept():
    audio, heard = two_tones()
    described = describe(audio, heard)
    for name in ("start", "end", "pitch", "confidence"):
        assert np.array_equal(getattr(described, name), getattr(heard, name))


def test_the_number_of_threads_changes_no_bit():
    audio, heard = two_tones()
    one, two = (describe(audio, heard, threads=n) for n in (1, 2))
    for name in ("energy", "timbre", "pan", "cents"):
        assert np.array_equal(getattr(one, name), getattr(two, name))


def test_no_notes_are_no_notes():
    audio, _ = two_tones()
    assert len(describe(audio, Heard.of([], [], [], []))) == 0


@pytest.mark.parametrize("n_samples", [1, 100, 5000])
def test_very_short_recordings_work(n_samples):
    audio = Audio(np.full(n_samples, 0.1, np.float32), SR)
    described = describe(audio, Heard.of([0.0], [0.1], [60], [1.0]))
    assert np.isfinite(described.energy).all()


def test_silence_has_no_energy():
    audio = Audio(np.zeros(SR, np.float32), SR)
    described = describe(audio, Heard.of([0.2], [0.6], [60], [1.0]))
    assert described.energy[0] == 0
    assert np.isfinite(described.timbre).all()


def test_a_note_beyond_the_recording_has_no_energy():
    audio, _ = two_tones()
    assert describe(audio, Heard.of([5.0], [6.0], [60], [1.0])).energy[0] == 0
