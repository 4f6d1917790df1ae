"""Sources out of files, and brought to one shape."""

import numpy as np
import pytest
import soundfile

from specnmf.audio.recording import Audio
from specnmf.errors import AudioError, ParameterError
from specnmf.evaluation.inputs import prepare, read_sources, split_mixture


def write(path, value=0.5, n=100):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full(n, value), 8000)


def test_a_folder_gives_its_recordings_in_order(tmp_path):
    for name in ("b.flac", "a.wav", "C.WAV", ".hidden.wav"):
        write(tmp_path / name)
    (tmp_path / "score.mid").write_bytes(b"MThd")
    steps = []
    sources = read_sources(tmp_path, progress=lambda *step: steps.append(step[1:]))
    assert list(sources) == ["C", "a", "b"]
    assert steps == [(1, 3, "C"), (2, 3, "a"), (3, 3, "b")]
    assert sources["a"].sr == 8000


def test_a_runs_folder_gives_its_sources(tmp_path):
    write(tmp_path / "other.wav")
    write(tmp_path / "sources" / "bass.wav")
    assert list(read_sources(tmp_path)) == ["bass"]


def test_a_file_is_one_source(tmp_path):
    write(tmp_path / "bass.wav")
    assert list(read_sources(tmp_path / "bass.wav")) == ["bass"]


def test_a_folder_without_recordings_or_with_two_of_a_name_is_an_error(tmp_path):
    with pytest.raises(AudioError, match="none: no such file or folder"):
        read_sources(tmp_path / "none")
    with pytest.raises(AudioError, match="no recordings in it"):
        read_sources(tmp_path)
    write(tmp_path / "a.wav")
    write(tmp_path / "a.flac")
    with pytest.raises(AudioError, match="a.flac and a.wav have the same name"):
        read_sources(tmp_path)


def test_the_mixture_among_references_is_told_from_them():
    y = Audio(np.ones(5), 8000)
    rest, mixture = split_mixture({"a": y, "Mixture": y})
    assert (list(rest), mixture) == (["a"], y)
    for references in ({"a": y, "b": y}, {"mix": y}):
        assert split_mixture(references) == (references, None)


def test_without_a_mixture_it_is_the_sum_of_the_references(rng):
    a, b = rng.standard_normal((2, 2, 50)).astype(np.float32)
    material = prepare({"x": a}, {"a": a, "b": b})
    np.testing.assert_array_equal(material.mixture, a + b)
    np.testing.assert_array_equal(material.references["a"], a)
    assert material.warnings == ()
    assert material.sr is None


def test_all_get_the_length_of_the_longest_reference():
    material = prepare(
        {"a": np.ones(4), "b": np.ones(9), "c": np.ones(9)},
        {"a": np.ones(7), "b": np.ones(5)},
        np.ones(6),
    )
    assert material.estimates["a"].tolist() == [[1, 1, 1, 1, 0, 0, 0]]
    assert material.estimates["b"].tolist() == [[1] * 7]
    assert material.references["b"].tolist() == [[1] * 5 + [0] * 2]
    assert material.mixture.tolist() == [[1] * 6 + [0]]
    assert material.warnings == (
        "reference b: 2 samples shorter than the longest reference: padded with zeros",
        "estimate a: 3 samples shorter than the longest reference: padded with zeros",
        "estimate b, estimate c: 2 samples longer than the references: cut",
        "mixture: 1 samples shorter than the longest reference: padded with zeros",
    )


def test_different_numbers_of_channels_are_averaged():
    material = prepare({"a": np.ones(3)}, {"a": np.array([[0, 1, 2], [2, 1, 0]])})
    assert material.references["a"].tolist() == [[1, 1, 1]]
    assert material.warnings[0].startswith("numbers of channels differ")


def test_the_rate_is_what_any_recording_states():
    y = np.ones(5)
    assert prepare({"a": y}, {"a": Audio(y, 8000)}).rate == 8000
    assert prepare({"a": y}, {"a": y}, sr=9000).rate == 9000
    with pytest.raises(ParameterError, match="need the sample rate"):
        _ = prepare({"a": y}, {"a": y}).rate


@pytest.mark.parametrize(
    ("estimates", "references", "options", "message"),
    [
        ({}, {"a": [1.0]}, {}, "estimates are empty"),
        ({"a": [1.0]}, {}, {}, "references are empty"),
        ({"a": [np.nan]}, {"a": [1.0]}, {}, "estimate a holds NaN"),
        ({"a": [1.0]}, {"a": np.ones((1, 1, 1))}, {}, r"got shape \(1, 1, 1\)"),
        ({"a": []}, {"a": [1.0]}, {}, r"estimate a must be .*got shape \(1, 0\)"),
        (
            {"a": Audio(np.ones(1), 8000)},
            {"b": Audio(np.ones(1), 44100)},
            {},
            "estimate a is at 8000 Hz, reference b at 44100 Hz; resample",
        ),
        (
            {"a": [1.0]},
            {"a": Audio(np.ones(1), 44100)},
            {"sr": 48000},
            "reference a is at 44100 Hz, sr at 48000 Hz",
        ),
        (
            {"a": [1.0]},
            {"a": Audio(np.ones(1), 44100)},
            {"mixture": Audio(np.ones(1), 48000)},
            "mixture is at 48000 Hz, reference a at 44100 Hz",
        ),
    ],
)
def test_what_cannot_be_compared_is_named(estimates, references, options, message):
    with pytest.raises(ParameterError, match=message):
        prepare(estimates, references, **options)
