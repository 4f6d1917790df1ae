"""M4A and Opus as sources: lengths, levels and bytes."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile

import specnmf
from specnmf import AudioError
from specnmf.audio import media_writing, writing
from specnmf.audio.media_writing import AAC_RATES, OPUS_RATES, Resampler, resampled

av = pytest.importorskip("av")


def tone(n, sr, n_channels=2):
    """A tone a channel, which begins and ends softly."""
    t = np.arange(n) / sr
    fade = np.minimum(1, np.minimum(t, t[::-1]) * 50)
    hertz = 440 * (1 + np.arange(n_channels))[:, None]
    return (0.4 * fade * np.sin(2 * np.pi * hertz * t)).astype(np.float32)


def decibels(error, signal):
    return 10 * np.log10((error**2).sum() / (signal**2).sum())


@pytest.mark.parametrize("n", [1, 500, 1024, 1025, 44177])
@pytest.mark.parametrize(
    ("suffix", "sr"), [("m4a", 44100), ("m4a", 8000), ("opus", 48000), ("opus", 16000)]
)
def test_a_file_is_as_long_as_what_was_written(tmp_path, suffix, sr, n):
    path = tmp_path / f"x.{suffix}"
    specnmf.write(path, tone(n, sr), sr=sr)
    again = specnmf.read(path)
    assert (again.sr, again.samples.shape) == (sr, (2, n))


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize(("suffix", "most"), [("m4a", -35), ("opus", -25)])
def test_the_sound_is_where_it_was(tmp_path, suffix, most, n_channels):
    y = tone(48000, 48000, n_channels)
    specnmf.write(tmp_path / f"x.{suffix}", y, sr=48000)
    again = specnmf.read(tmp_path / f"x.{suffix}").samples
    assert decibels(again - y, y) < most


@pytest.mark.parametrize("sr", AAC_RATES)
def test_m4a_has_the_rates_of_aac(tmp_path, sr):
    specnmf.write(tmp_path / "x.m4a", tone(3000, sr), sr=sr)
    again = specnmf.read(tmp_path / "x.m4a")
    assert (again.sr, again.n_samples) == (sr, 3000)


@pytest.mark.parametrize("sr", [11025, 44100, 96000])
def test_opus_at_another_rate_is_resampled_to_48_khz(tmp_path, sr):
    y = tone(sr, sr, 1)
    specnmf.write(tmp_path / "x.opus", y, sr=sr)
    again = specnmf.read(tmp_path / "x.opus")
    assert (again.sr, again.n_samples) == (48000, 48000)
    expected = tone(48000, 48000, 1)
    assert decibels(again.samples - expected, expected) < -25


@pytest.mark.parametrize("suffix", ["m4a", "opus"])
def test_the_bytes_depend_on_the_samples_alone(tmp_path, suffix):
    audio = specnmf.Audio(tone(150_000, 44100), 44100)
    specnmf.write(tmp_path / f"whole.{suffix}", audio)
    path = tmp_path / f"blocks.{suffix}"
    writer = writing.Writer(path, audio, format=suffix, subtype="")
    for first in range(0, 150_000, 7777):
        writer.write(audio.samples[:, first : first + 7777].T)
    writer.close()
    assert path.read_bytes() == (tmp_path / f"whole.{suffix}").read_bytes()


def test_ffmpeg_and_players_find_the_exact_length_stated(tmp_path):
    if shutil.which("ffprobe") is None:
        pytest.skip("needs the command ffprobe")
    specnmf.write(tmp_path / "x.m4a", tone(44177, 44100), sr=44100)
    command = ["ffprobe", "-v", "error", "-show_entries", "stream=duration_ts"]
    shown = subprocess.run([*command, tmp_path / "x.m4a"], capture_output=True)
    assert b"duration_ts=44177\n" in shown.stdout


def test_blocks_are_resampled_like_the_whole(rng):
    y = rng.standard_normal((2, 10_000)).astype(np.float32)
    blocks = [y[:, :3000], y[:, 3000:3001], y[:, 3001:]]
    found = np.concatenate([*resampled(iter(blocks), 44100, 48000)], axis=1)
    whole = Resampler(44100, 48000, 2)
    expected = np.concatenate([whole(y.T), whole.rest()]).T
    assert found.shape == (2, -(-10_000 * 48000 // 44100))
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("format", media_writing.FORMATS)
def test_sources_are_compared_with_the_recording_as_they_were_written(tmp_path, format):
    soundfile.write(tmp_path / "song.wav", tone(44100, 44100).T, 44100)
    run = specnmf.decompose(
        tmp_path / "song.wav",
        specnmf.Settings(n_components=2, max_iter=5, tol=0),
        figures=False,
        report=False,
        format=format,
        output=tmp_path / "out",
    )
    assert -100 < run.report["residual_db"] < -15
    files = sorted(each.name for each in (run.folder / "sources").iterdir())
    assert files == [f"component_01.{format}", f"component_02.{format}"]


def test_what_a_format_cannot_hold_is_told_before_the_work(tmp_path):
    three = specnmf.Audio(np.zeros((3, 500)), 44100)
    with pytest.raises(AudioError, match="at most 2 channels, got 3; use --format wav"):
        specnmf.write(tmp_path / "x.m4a", three)
    with pytest.raises(AudioError, match=r"m4a holds .* got 44000; use --format wav"):
        specnmf.write(tmp_path / "x.m4a", np.zeros(500), sr=44000)
    assert 44100 not in OPUS_RATES
    assert not list(tmp_path.iterdir())


def test_without_pyav_the_command_that_installs_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(AudioError, match=r"install it: pip install 'specnmf\[media\]'"):
        specnmf.write(tmp_path / "x.m4a", np.zeros(500), sr=44100)


def test_a_file_that_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(AudioError, match=r"x\.m4a cannot be written"):
        specnmf.write(tmp_path / "none" / "x.m4a", np.zeros(500), sr=44100)
