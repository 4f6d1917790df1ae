"""The transform: librosa's numbers."""

import librosa
import numpy as np
import pytest

import specnmf
from specnmf import Audio, ParameterError, Spectrogram
from specnmf.audio import stft as module
from specnmf.audio.stft import Grid

WINDOWS = [(2048, 512), (1024, 300), (512, 512), (4096, 64)]


@pytest.mark.parametrize(("n_fft", "hop_length"), WINDOWS)
@pytest.mark.parametrize("n_samples", [1, 5, 3000, 100_000])
@pytest.mark.filterwarnings("ignore:n_fft=.* is too large:UserWarning")
def test_the_spectrogram_is_librosas(rng, n_fft, hop_length, n_samples):
    y = rng.standard_normal((2, n_samples)).astype(np.float32)
    expected = librosa.stft(y, n_fft=n_fft, hop_length=hop_length)
    found = specnmf.stft(Audio(y, 44100), n_fft=n_fft, hop_length=hop_length)
    assert found.X.dtype == np.complex64
    assert found.X.shape == expected.shape
    assert np.abs(found.X - expected).max() <= 1e-6 * np.abs(expected).max() + 1e-12


def test_the_magnitude_is_the_root_mean_square_over_channels(rng):
    audio = Audio(rng.standard_normal((3, 9000)), 44100)
    spectrogram = specnmf.stft(audio)
    expected = np.sqrt(np.mean(np.abs(spectrogram.X) ** 2, axis=0))
    np.testing.assert_allclose(spectrogram.magnitude(), expected, rtol=1e-5)
    mono = specnmf.stft(Audio(audio.samples[0], 44100))
    np.testing.assert_allclose(mono.magnitude(), np.abs(mono.X[0]))


def test_opposite_channels_do_not_cancel(rng):
    y = rng.standard_normal(9000)
    assert specnmf.stft(Audio([y, -y], 44100)).magnitude().max() > 1


def test_the_magnitude_alone_is_the_same(rng):
    audio = Audio(rng.standard_normal((2, 300_000)), 44100)
    V = module.magnitude(audio, Grid.of(audio))
    assert (V == specnmf.stft(audio).magnitude()).all()
    assert V.flags.f_contiguous


def test_frequencies_and_times_are_librosas():
    spectrogram = specnmf.stft(Audio(np.ones(5000), 22050))
    np.testing.assert_allclose(
        spectrogram.frequencies, librosa.fft_frequencies(sr=22050, n_fft=2048)
    )
    np.testing.assert_allclose(
        spectrogram.times, librosa.times_like(spectrogram.X[0], sr=22050)
    )


@pytest.mark.parametrize(
    ("sr", "expected"),
    [(8000, 2048), (44100, 2048), (48000, 2048), (88200, 4096), (192000, 8192)],
)
def test_the_default_window_grows_with_high_rates(sr, expected):
    grid = Grid.of(Audio(np.ones(10), sr))
    assert (grid.n_fft, grid.hop_length) == (expected, expected // 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_fft": 255}, "n_fft must be even and at least 16, got 255"),
        ({"hop_length": 0}, "hop_length must be at least 1, got 0"),
        ({"n_fft": 256, "hop_length": 257}, r"not exceed n_fft \(256\), got 257"),
    ],
)
def test_windows_that_cannot_be_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        specnmf.stft(Audio(np.ones(100), 8000), **options)


def test_a_spectrogram_of_another_length_is_refused():
    with pytest.raises(ParameterError, match=r"X must be \(n_channels, 1025, 20\)"):
        Spectrogram(np.zeros((1, 1025, 19), np.complex64), 44100, 2048, 512, 10_000)
