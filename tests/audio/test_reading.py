"""Reading: against soundfile, then formats, excerpts and damage."""

import os
import shutil
import socket
import subprocess

import numpy as np
import pytest
import soundfile

import specnmf
from specnmf import AudioError, ParameterError
from specnmf.audio import reading


@pytest.fixture
def noise(rng):
    return 0.3 * rng.standard_normal((4410, 2)).clip(-3, 3)


@pytest.mark.parametrize(
    ("format", "subtype", "suffix"),
    [
        ("WAV", "PCM_U8", "wav"),
        ("WAV", "PCM_16", "wav"),
        ("WAV", "PCM_24", "wav"),
        ("WAV", "PCM_32", "wav"),
        ("WAV", "FLOAT", "wav"),
        ("WAV", "DOUBLE", "wav"),
        ("WAVEX", "PCM_24", "wav"),
        ("RF64", "PCM_16", "wav"),
        ("FLAC", "PCM_24", "flac"),
        ("OGG", "VORBIS", "ogg"),
        ("MP3", "MPEG_LAYER_III", "mp3"),
        ("AIFF", "PCM_16", "aiff"),
    ],
)
def test_samples_are_those_that_soundfile_reads(
    tmp_path, noise, format, subtype, suffix
):
    path = tmp_path / f"noise.{suffix}"
    soundfile.write(path, noise, 44100, subtype, format=format)
    expected, sr = soundfile.read(path, dtype="float32", always_2d=True)
    audio = specnmf.read(path)
    assert audio.sr == sr
    assert audio.samples.dtype == np.float32
    assert (audio.samples == expected.T).all()


@pytest.mark.parametrize("sr", [8000, 22050, 48000, 96000, 192000])
@pytest.mark.parametrize("n_channels", [1, 2, 8])
def test_rate_and_channels_are_kept(tmp_path, rng, sr, n_channels):
    path = tmp_path / "noise.wav"
    soundfile.write(path, 0.1 * rng.standard_normal((100, n_channels)), sr)
    audio = specnmf.read(path)
    assert (audio.sr, audio.n_channels, audio.n_samples) == (sr, n_channels, 100)


def test_an_excerpt_is_the_part_asked_for(tmp_path, rng):
    path = tmp_path / "long.wav"
    soundfile.write(path, 0.1 * rng.standard_normal(3 * reading.BLOCK), 8000, "FLOAT")
    whole = specnmf.read(path).samples
    start = reading.BLOCK - 7
    for n in (5, 20, reading.BLOCK + 20):
        part = specnmf.read(path, start=start / 8000, duration=n / 8000)
        assert (part.samples == whole[:, start : start + n]).all()
    assert (specnmf.read(path, start=start / 8000).samples == whole[:, start:]).all()


def test_an_mp3_that_states_no_length_is_read_to_its_end(tmp_path, rng):
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg to make one")
    wav, mp3 = tmp_path / "rise.wav", tmp_path / "rise.mp3"
    rise = rng.standard_normal(5 * 44100) * np.linspace(0, 0.3, 5 * 44100) ** 2
    soundfile.write(wav, rise, 44100)
    command = ["ffmpeg", "-v", "error", "-i", wav, "-q:a", "2", "-write_xing", "0", mp3]
    subprocess.run(command, check=True)
    assert soundfile.info(mp3).duration < 4.5  # what libsndfile believes
    assert specnmf.read(mp3).duration == pytest.approx(5, abs=0.1)


def test_a_wav_written_to_a_pipe_is_read(tmp_path, noise):
    path = tmp_path / "piped.wav"
    soundfile.write(path, noise, 44100, "PCM_16")
    data = bytearray(path.read_bytes())
    at = data.index(b"data")
    data[at + 4 : at + 8] = data[4:8] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert specnmf.read(path).n_samples == len(noise)


@pytest.mark.parametrize(
    ("format", "subtype", "suffix"),
    [
        ("WAV", "PCM_16", "wav"),
        ("WAVEX", "PCM_24", "wav"),
        ("RF64", "PCM_16", "wav"),
        ("AIFF", "PCM_16", "aiff"),
        ("W64", "PCM_16", "w64"),
        ("AU", "PCM_16", "au"),
        ("CAF", "PCM_24", "caf"),
    ],
)
def test_of_a_file_cut_short_all_is_read_that_there_is(
    tmp_path, noise, format, subtype, suffix
):
    path = tmp_path / f"cut.{suffix}"
    soundfile.write(path, noise, 44100, subtype, format=format)
    whole = specnmf.read(path).samples
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.warns(UserWarning, match=r"cut\.\w+: 0\.0\d s shorter than its header"):
        audio = specnmf.read(path)
    assert 1500 < audio.n_samples < 2300
    assert (audio.samples == whole[:, : audio.n_samples]).all()
    with reading.reading(path) as source:
        assert source.expected(0, None) == pytest.approx(len(noise), abs=2)
    part = specnmf.read(path, start=0.01, duration=0.01)  # all of it is there
    assert (part.samples == whole[:, 441:882]).all()


def test_damage_within_a_flac_is_an_error(tmp_path, noise):
    path = tmp_path / "damaged.flac"
    soundfile.write(path, np.tile(noise, (4, 1)), 44100)
    data = bytearray(path.read_bytes())
    data[9000:9900] = bytes(900)
    path.write_bytes(data)
    with pytest.raises(AudioError, match=r"damaged\.flac: damaged or cut short"):
        specnmf.read(path)


def test_a_header_that_is_off_by_a_little_is_remarked_on(tmp_path, noise):
    path = tmp_path / "off.wav"
    soundfile.write(path, noise, 44100, "PCM_16")
    path.write_bytes(path.read_bytes()[:-120])
    audio = specnmf.read(path)
    assert audio.n_samples == len(noise) - 30
    assert reading.remarks(path, audio.n_samples) == [
        "0.00 s shorter than its header says"
    ]
    assert reading.remarks(path) == []


def test_of_an_mp3_cut_short_all_is_read_that_there_is(tmp_path, rng, capfd):
    path = tmp_path / "cut.mp3"
    soundfile.write(path, 0.1 * rng.standard_normal(44100), 44100)
    whole = specnmf.read(path).samples
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.warns(UserWarning, match=r"0\.5\d s shorter than its header says"):
        audio = specnmf.read(path)
    n = audio.n_samples
    assert n > 0.4 * 44100
    np.testing.assert_allclose(audio.samples, whole[:, :n], atol=1e-6)
    assert capfd.readouterr().err == ""  # libmpg123 has a lot to say of it


def test_an_ogg_cut_short_is_remarked_on(tmp_path, rng):
    path = tmp_path / "cut.ogg"
    soundfile.write(path, 0.1 * rng.standard_normal(88200), 44100)
    assert reading.remarks(path, 88200) == []
    assert reading.remarks(path, 44100) == ["1.00 s shorter than its header says"]
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert "may be cut short" in reading.remarks(path)[0]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("empty.wav", b"", "empty, expected an audio file"),
        ("text.wav", b"hello " * 100, "not an audio file that libsndfile reads"),
        ("song.m4a", b"\0\0\0\x20ftypM4A " + bytes(99), "ffmpeg -i song.m4a song_conv"),
    ],
)
def test_what_is_no_recording_is_named(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(AudioError, match=message):
        specnmf.read(tmp_path / name)


def test_missing_files_and_what_is_no_file_is_named(tmp_path):
    with pytest.raises(AudioError, match=r"none\.wav: no such file"):
        specnmf.read(tmp_path / "none.wav")
    with pytest.raises(AudioError, match="a folder, expected an audio file"):
        specnmf.read(tmp_path)
    os.mkfifo(tmp_path / "fifo.wav")
    with pytest.raises(AudioError, match=r"fifo\.wav: a pipe, expected an audio file"):
        specnmf.read(tmp_path / "fifo.wav")
    with pytest.raises(AudioError, match="/dev/null: a device, expected an audio file"):
        specnmf.read("/dev/null")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        with pytest.raises(AudioError, match="/s: a socket, expected an audio file"):
            specnmf.read(tmp_path / "s")


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("my song.m4a", "ffmpeg -i 'my song.m4a' 'my song_converted.wav'"),
        ("it's.m4a", """ffmpeg -i 'it'"'"'s.m4a' 'it'"'"'s_converted.wav'"""),
        ("$HOME;ls.m4a", "ffmpeg -i '$HOME;ls.m4a' '$HOME;ls_converted.wav'"),
        ("-y.m4a", "ffmpeg -i ./-y.m4a ./-y_converted.wav"),
        ("a b.raw", "ffmpeg -f s16le -ar 44100 -ac 2 -i 'a b.raw' 'a b.wav'"),
    ],
)
def test_a_command_that_is_advised_can_be_pasted(tmp_path, name, command):
    (tmp_path / name).write_bytes(b"\0\0\0\x20ftypM4A " + bytes(99))
    with pytest.raises(AudioError) as caught:
        specnmf.read(tmp_path / name)
    assert str(caught.value).endswith(f": {command}")


def test_an_odd_sample_rate_comes_with_the_command_that_sets_it(tmp_path):
    path = tmp_path / "too slow.wav"
    soundfile.write(path, np.zeros(99), 50)
    with pytest.raises(AudioError, match="-af asetrate=44100 'too slow_44100.wav'$"):
        specnmf.read(path)


def test_a_file_without_samples_is_refused(tmp_path):
    path = tmp_path / "short.wav"
    soundfile.write(path, np.zeros((0, 1)), 8000)
    with pytest.raises(AudioError, match="holds no samples"):
        specnmf.read(path)


def test_an_excerpt_beyond_the_end_is_refused(tmp_path):
    path = tmp_path / "short.wav"
    soundfile.write(path, np.zeros(8000), 8000)
    with pytest.raises(AudioError, match=r"ends before the start of .* at 2 s"):
        specnmf.read(path, start=2)
    with pytest.raises(ParameterError, match="start must be at least 0, got -1"):
        specnmf.read(path, start=-1)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_counted_and_placed(tmp_path, bad):
    y = np.zeros(8000)
    y[[4000, 4001]] = bad
    soundfile.write(tmp_path / "bad.wav", y, 8000, "FLOAT")
    with pytest.raises(AudioError, match=r"samples \(2, the first at 0\.500 s\)"):
        specnmf.read(tmp_path / "bad.wav")
