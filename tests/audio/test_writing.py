"""Writing: subtypes, and that what is written is read back."""

import time

import numpy as np
import pytest
import soundfile

import specnmf
from specnmf import Audio, AudioError, Note, OutputError, ParameterError, Score
from specnmf.audio import writing


@pytest.mark.parametrize(
    ("format", "source", "expected"),
    [
        ("wav", "PCM_16", "PCM_16"),
        ("wav", "PCM_S8", "PCM_U8"),
        ("wav", "FLOAT", "FLOAT"),
        ("wav", "VORBIS", "PCM_24"),
        ("wav", "MPEG_LAYER_III", "PCM_24"),
        ("wav", "ULAW", "PCM_24"),
        ("wav", "ALAC_16", "PCM_16"),
        ("flac", "PCM_U8", "PCM_S8"),
        ("flac", "FLOAT", "PCM_24"),
        ("ogg", "PCM_16", "VORBIS"),
    ],
)
def test_sources_are_stored_like_the_input_where_that_can_be(format, source, expected):
    assert writing.output_subtype(format, None, source) == expected


def test_a_subtype_asked_for_is_used_or_refused():
    assert writing.output_subtype("wav", "pcm_32", "PCM_16") == "PCM_32"
    with pytest.raises(ParameterError, match=r"of flac must be one of .* got 'float'"):
        writing.output_subtype("flac", "float", "PCM_16")


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"])
def test_what_is_written_is_read_back(tmp_path, rng, subtype):
    audio = Audio(0.2 * rng.standard_normal((2, 500)), 22050)
    specnmf.write(tmp_path / "x.wav", audio, subtype=subtype)
    step = 2.0 ** -(writing.INTEGER_BITS.get(subtype, 24) - 1)
    again = specnmf.read(tmp_path / "x.wav")
    assert np.abs(again.samples - audio.samples).max() <= step / 2 + 1e-8
    assert soundfile.info(tmp_path / "x.wav").subtype == subtype


def test_nothing_is_clipped_silently(tmp_path):
    with pytest.raises(AudioError, match=r"samples reach 1\.500, beyond"):
        specnmf.write(tmp_path / "x.wav", Audio([1.5, 0], 8000))
    specnmf.write(tmp_path / "x.wav", Audio([1.5, 0], 8000), subtype="FLOAT")
    assert specnmf.read(tmp_path / "x.wav").samples.max() == 1.5


def test_formats_that_cannot_hold_the_audio_say_so(tmp_path):
    nine = Audio(np.zeros((9, 5)), 44100)
    with pytest.raises(AudioError, match="flac holds at most 8 channels, got 9"):
        specnmf.write(tmp_path / "x.flac", nine)
    with pytest.raises(AudioError, match="mp3 holds at most 2 channels"):
        specnmf.write(tmp_path / "x.mp3", nine)
    with pytest.raises(AudioError, match="got 'xyz'"):
        specnmf.write(tmp_path / "x.xyz", nine)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE", "PCM_24"])
def test_the_same_sound_is_the_same_bytes_at_any_time(tmp_path, rng, subtype):
    audio = Audio(0.1 * rng.standard_normal((2, 500)), 8000)
    specnmf.write(tmp_path / "a.wav", audio, subtype=subtype)
    time.sleep(1.1)  # dates in headers are of seconds
    specnmf.write(tmp_path / "b.wav", audio, subtype=subtype)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    found, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    np.testing.assert_allclose(found.T, audio.samples, atol=1e-6)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (
            "missing/x.wav",
            "x.wav cannot be written: there is no folder .*missing; ",
        ),
        ("file/x.flac", "x.flac cannot be written: .*file is no folder$"),
        ("folder.wav", r"folder\.wav cannot be written: it is a folder$"),
    ],
)
def test_a_place_where_nothing_can_be_written_is_an_error(tmp_path, place, message):
    (tmp_path / "file").touch()
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(AudioError, match=message):
        specnmf.write(tmp_path / place, Audio(np.zeros(5), 44100))


def test_a_name_with_a_zero_byte_is_that_of_no_file(tmp_path):
    with pytest.raises(AudioError, match=r"x\\x00\.wav' cannot be written: no name"):
        specnmf.write(tmp_path / "x\0.wav", Audio(np.zeros(5), 44100))
    with pytest.raises(OutputError, match=r"x\\x00\.mid': no name of a file"):
        specnmf.write_score(tmp_path / "x\0.mid", Score([Note(0.0, 1.0, 60)]))
    assert not list(tmp_path.iterdir())
