"""The ideal ratio masks: librosa's transform, and what they must do."""

import librosa
import numpy as np
import pytest

from specnmf.audio.recording import Audio
from specnmf.errors import ParameterError
from specnmf.evaluation.oracle import ideal_ratio_masks


@pytest.mark.parametrize(("n_fft", "n"), [(None, 20_000), (512, 9999), (4096, 3000)])
@pytest.mark.filterwarnings("ignore:n_fft=.* is too large:UserWarning")
def test_the_masks_are_those_of_librosas_transform(rng, n_fft, n):
    references = rng.standard_normal((3, 2, n)).astype(np.float32)
    mixture = references.sum(axis=0)
    window = n_fft or 2048
    X = librosa.stft(mixture, n_fft=window)
    powers = np.abs(librosa.stft(references, n_fft=window)) ** 2
    expected = librosa.istft(powers / powers.sum(axis=0) * X, n_fft=window, length=n)
    found = ideal_ratio_masks(Audio(mixture, 44100), list(references), n_fft=n_fft)
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_what_the_masks_give_adds_up_to_the_mixture(rng):
    references = rng.standard_normal((3, 1, 10_000)).astype(np.float32)
    found = ideal_ratio_masks(Audio(references.sum(0), 44100), list(references))
    np.testing.assert_allclose(np.sum(found, axis=0), references.sum(0), atol=1e-4)


def test_sources_apart_in_frequency_are_told_apart():
    t = np.arange(20_000) / 44100
    references = [
        np.sin(2 * np.pi * f * t, dtype=np.float32)[None] for f in (500, 4000)
    ]
    found = ideal_ratio_masks(Audio(sum(references), 44100), references)
    for y, reference in zip(found, references, strict=True):
        assert np.abs(y - reference)[:, 2048:-2048].max() < 1e-3


def test_silence_stays_silent():
    silence = np.zeros((1, 5000), np.float32)
    (found,) = ideal_ratio_masks(Audio(silence, 44100), [silence])
    assert found.shape == (1, 5000)
    assert not found.any()


def test_a_window_that_cannot_be_is_an_error():
    y = np.zeros((1, 5000), np.float32)
    with pytest.raises(ParameterError, match="n_fft must be even"):
        ideal_ratio_masks(Audio(y, 44100), [y], n_fft=999)
