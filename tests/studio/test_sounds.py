"""Stems of each format as sound for a browser, alone and added up."""

import numpy as np
import pytest
import soundfile

import specnmf
from specnmf.errors import AudioError
from specnmf.studio.sounds import Part, Sounds

SR = 48000

TYPES = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "opus": "audio/ogg",
}


@pytest.fixture
def sounds(tmp_path):
    """A function that makes two tones in a format, and the `Sounds` of them."""

    def make(suffix):
        if suffix in ("m4a", "opus"):
            pytest.importorskip("av")
        t = np.arange(5000) / SR
        for number in range(2):
            y = 0.3 * np.sin(2 * np.pi * 440 * (number + 1) * t)
            specnmf.write(tmp_path / f"{number}.{suffix}", y, sr=SR)
        return Sounds(
            tmp_path / "scratch", lambda part: tmp_path / f"{part.stem}.{suffix}"
        )

    return make


@pytest.mark.parametrize("suffix", TYPES)
def test_a_stem_that_browsers_play_is_sent_as_it_is(sounds, tmp_path, suffix):
    made = sounds(suffix)
    sound = made.get(made.number([Part(0, 1)]))
    assert sound == (tmp_path / f"1.{suffix}", TYPES[suffix])


@pytest.mark.parametrize("suffix", TYPES)
def test_the_sum_of_stems_is_that_of_their_samples(sounds, tmp_path, suffix):
    made = sounds(suffix)
    sound = made.get(made.number([Part(0, 0), Part(0, 1)]))
    parts = [specnmf.read(tmp_path / f"{n}.{suffix}").samples for n in range(2)]
    found, _ = soundfile.read(sound.path, dtype="float32", always_2d=True)
    np.testing.assert_allclose(found.T, sum(parts), atol=2e-7)


def test_a_file_that_is_no_sound_is_named_without_its_folder(sounds, tmp_path):
    made = sounds("wav")
    (tmp_path / "0.wav").write_bytes(b"hello")
    with pytest.raises(AudioError, match=r"^0\.wav: not an audio file"):
        made.get(made.number([Part(0, 0)]))
