"""Features: how loud each pitch is, from sound."""

import numpy as np
import pytest
import soundfile

from specnmf.audio import features as module
from specnmf.audio.features import Features, features, features_of_file
from specnmf.audio.recording import Audio
from specnmf.errors import AudioError, ParameterError

SR = 22050


def tone(frequency, seconds=1.0, sr=SR):
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * sr)) / sr)


def audio(*channels, sr=SR):
    return Audio(np.stack(channels).astype(np.float32), sr)


@pytest.mark.parametrize("sr", [8000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("pitch", [45, 57, 60, 69, 81])
def test_a_tone_is_loudest_in_the_row_of_its_pitch(pitch, sr):
    found = features(audio(tone(440 * 2 ** ((pitch - 69) / 12), sr=sr), sr=sr))
    assert found.magnitudes.shape == (128, 101)
    assert np.argmax(found.magnitudes[:, 50]) == pitch


@pytest.mark.parametrize("cents", [-45, -20, 0, 10, 35])
def test_the_tuning_is_that_of_the_recording(cents):
    chord = sum(
        tone(2 ** (cents / 1200) * 440 * 2 ** (k / 12), 3.0) for k in (-9, -5, 0, 7)
    )
    assert features(audio(chord)).tuning == pytest.approx(cents, abs=2)


def test_a_pitch_between_two_keys_is_found_by_the_tuning():
    quarter = tone(440 * 2 ** (45 / 1200), 2.0)
    energies = features(audio(quarter)).magnitudes[:, 100] ** 2
    assert energies[69] > 3 * max(energies[68], energies[70])


def test_the_tuning_is_that_of_librosa(shared_data):
    import librosa

    path = next((shared_data / "chopin_op10_3").glob("*Varsi.wav"))
    y, sr = soundfile.read(path)
    expected = 100 * librosa.estimate_tuning(y=y, sr=sr)
    assert features_of_file(path).tuning == pytest.approx(expected, abs=3)


@pytest.mark.parametrize("pitch", [48, 64, 76, 88])
def test_a_tone_is_half_as_loud_where_it_begins(pitch):
    y = tone(440 * 2 ** ((pitch - 69) / 12), 2.0) * (np.arange(2 * SR) >= SR)
    course = features(audio(y)).magnitudes[pitch]
    assert np.argmax(course > course[150] / 2) == pytest.approx(100, abs=1)


def test_thinned_samples_hold_low_tones_and_no_others():
    t = np.arange(65536) / 44100
    tones = np.sin(2 * np.pi * np.outer([60, 600, 2300, 9000], t)).astype(np.float32)
    low, middle, *high = module._thinned(tones)[:, 50:-50]
    for tone in (low, middle):
        assert np.sqrt(2 * (tone**2).mean()) == pytest.approx(1, abs=0.01)
    assert np.abs(high).max() < 1e-3


def test_channels_out_of_phase_do_not_cancel():
    y = tone(440)
    found = features(audio(y, -y)).magnitudes
    alone = features(audio(y)).magnitudes
    np.testing.assert_allclose(found, np.sqrt(2) * alone, rtol=1e-3, atol=1e-5)


def test_threads_and_blocks_do_not_change_a_bit(rng, monkeypatch):
    noise = audio(rng.standard_normal(3 * SR + 17))
    expected = features(noise, threads=1)
    parallel = features(noise, threads=3)
    np.testing.assert_array_equal(parallel.magnitudes, expected.magnitudes)
    monkeypatch.setattr(module, "BLOCK", 10_000)
    np.testing.assert_allclose(
        features(noise, threads=1).magnitudes, expected.magnitudes, rtol=1e-4
    )


def test_a_file_gives_what_its_samples_give(rng, tmp_path):
    y = rng.uniform(-0.9, 0.9, 7 * SR + 5).astype(np.float32)
    soundfile.write(tmp_path / "noise.wav", y, SR, subtype="FLOAT")
    expected, found = features(audio(y)), features_of_file(tmp_path / "noise.wav")
    np.testing.assert_array_equal(found.magnitudes, expected.magnitudes)
    assert found.duration == pytest.approx(len(y) / SR)
    excerpt = features_of_file(tmp_path / "noise.wav", start=2, duration=3)
    expected = features(audio(y[2 * SR : 5 * SR]))
    np.testing.assert_array_equal(excerpt.magnitudes, expected.magnitudes)


def test_noise_and_silence_have_no_tuning(rng):
    assert features(audio(rng.standard_normal(4 * SR))).tuning == 0
    silent = features(audio(np.zeros(SR)))
    assert silent.tuning == 0
    assert not silent.magnitudes.any()


@pytest.mark.parametrize("n_samples", [1, 100, 5000])
def test_recordings_shorter_than_a_window_have_features(n_samples):
    found = features(audio(np.ones(n_samples)))
    assert found.magnitudes.shape == (128, 1 + n_samples * 100 // SR)
    assert np.isfinite(found.magnitudes).all()


def test_magnitudes_of_other_shapes_are_refused():
    with pytest.raises(ParameterError, match=r"\(128, n_frames\), got shape \(12, 5\)"):
        Features(np.zeros((12, 5), np.float32), 100.0, 0.0, 1.0)


def test_a_missing_file_is_an_audio_error(tmp_path):
    with pytest.raises(AudioError, match="no such file"):
        features_of_file(tmp_path / "none.wav")
