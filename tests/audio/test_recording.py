"""Audio in memory, and what there is to know of it."""

import numpy as np
import pytest

import specnmf
from specnmf import Audio, AudioError
from specnmf.audio.recording import Survey


def test_findings_tell_silence_offset_and_clipping(rng):
    noise = rng.standard_normal(1000).astype(np.float32) * 0.1
    loud = np.where(np.arange(1000) % 100 < 5, 1.0, noise)
    assert Audio(noise, 8000).findings() == []
    assert Audio(noise * 0, 8000).findings()[0].startswith("silent")
    assert Audio(noise * 0 + 0.2, 8000).findings()[0].startswith("constant")
    assert Audio(loud, 8000).findings() == ["clipped: 30 samples in runs at full scale"]


@pytest.mark.parametrize("dtype", ["float16", ">f4", ">f8", "float64", "longdouble"])
def test_floats_of_any_width_and_order_are_kept_as_float32(dtype):
    audio = Audio(np.array([[0.5, -1, 0.25]], dtype), np.float64(8000))
    assert audio.samples.dtype == np.float32
    assert audio.samples.tolist() == [[0.5, -1, 0.25]]
    assert (audio.sr, type(audio.sr)) == (8000, int)


def test_a_list_of_floats_and_a_few_samples_of_channels_are_taken():
    assert Audio([0.5, 0.25], 8000).samples.shape == (1, 2)
    assert Audio(np.zeros((8, 2)), 8000).n_channels == 8


@pytest.mark.parametrize("length", [1, 2, 3, 7, 1000])
def test_findings_are_the_same_block_by_block(rng, length):
    samples = np.clip(rng.standard_normal((2, 1000)), -1, 1).astype(np.float32)
    samples[:, 500:510] = -1
    survey = Survey(2)
    for first in range(0, 1000, length):
        survey.add(samples[:, first : first + length])
    assert survey.n_samples == 1000
    assert survey.findings() == Audio(samples, 8000).findings() != []


@pytest.mark.parametrize(
    ("samples", "sr", "message"),
    [
        (
            np.zeros((2, 0)),
            8000,
            r"\(n_channels, n_samples\), got shape \(2, 0",
        ),
        (np.zeros((1, 2, 3)), 8000, "got shape"),
        (np.float64(0.5), 8000, r"\(n_channels, n_samples\), got shape \(\)"),
        (np.zeros((8000, 2)), 8000, "8000 channels of 2 samples; pass .*x.T"),
        (np.zeros((17, 1)), 8000, "17 channels of 1 samples"),
        (np.zeros(4, np.int16), 8000, r"full scale is 1, got int16; pass x / 32768"),
        ([0, 1, -1], 8000, "got int64"),
        (np.zeros(4, np.uint8), 8000, r"uint8; pass \(x.astype\(float\) - 128\) / 128"),
        (np.zeros(4, bool), 8000, "must be floats, got bool"),
        (np.zeros(4, complex), 8000, "must be floats, got complex128"),
        (np.array([0.5, None]), 8000, "must be floats, got object"),
        (["a", "b"], 8000, "must be floats, got <U1"),
        ([0.5, np.nan], 8000, "must be finite"),
        ([0.5, 1e300], 8000, "must be finite"),
        ([0.5, -1e18], 8000, "samples reach 1.0e[+]18, expected about 1 and at most"),
        (np.zeros(4), 0, "rate must be positive, got 0 Hz"),
        (np.zeros(4), -1.0, "rate must be positive, got -1.0 Hz"),
        (np.zeros(4), 22050.5, "whole number of Hz, got 22050.5"),
        (np.zeros(4), np.nan, "whole number of Hz, got nan"),
        (np.zeros(4), np.inf, "whole number of Hz, got inf"),
        (np.zeros(4), "8000", "whole number of Hz, got '8000'"),
        (np.zeros(4), None, "whole number of Hz, got None"),
    ],
)
def test_audio_checks_itself(samples, sr, message):
    with pytest.raises(AudioError, match=message):
        Audio(samples, sr)


def test_samples_that_are_nearly_silent_are_told_of():
    (finding,) = Audio([0.0, 1e-30], 8000).findings()
    assert finding == "nearly silent: no sample beyond 1e-30; amplify it first"
    assert Audio([0.0, 1e12], 8000).samples.max() == np.float32(1e12)


def test_arrays_where_an_audio_is_expected_are_told_how_to_become_one(tmp_path):
    y = np.zeros(9, np.float32)
    score = specnmf.Score([specnmf.Note(0, 1, 60)])
    for call in (
        lambda: specnmf.stft(y),
        lambda: specnmf.write(tmp_path / "y.wav", y),
        lambda: specnmf.align(score, y),
        lambda: specnmf.separate_by_score(y, score),
    ):
        with pytest.raises(specnmf.AudioError, match="pass sr in Hz, such as"):
            call()
    assert not (tmp_path / "y.wav").exists()


def test_an_excerpt_is_the_one_that_a_file_gives(tmp_path):
    audio = Audio(np.linspace(-0.5, 0.5, 1000, dtype=np.float32), 100)
    specnmf.write(tmp_path / "y.wav", audio.samples, sr=100, subtype="FLOAT")
    for excerpt in ((0.0, None), (2.5, 3.0), (9.004, None), (9.5, 3.0), (1.0, 1e-9)):
        read = specnmf.read(tmp_path / "y.wav", start=excerpt[0], duration=excerpt[1])
        np.testing.assert_array_equal(audio.excerpt(*excerpt).samples, read.samples)
    with pytest.raises(AudioError, match="ends before the start of the excerpt at 10"):
        audio.excerpt(10.0)
    with pytest.raises(specnmf.ParameterError, match="duration must be above 0"):
        audio.excerpt(0.0, 0.0)
