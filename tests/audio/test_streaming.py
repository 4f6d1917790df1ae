"""Recordings that stay on disk: the same numbers as those of one in memory."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

import specnmf
from specnmf import AudioError
from specnmf.audio import stft, streaming
from specnmf.audio.stft import Grid
from specnmf.audio.streaming import RollingMagnitudes, RollingSpectra
from specnmf.parallel import cut

SR = 8000


@pytest.fixture
def song(tmp_path, rng):
    """A function that writes a recording of noise."""

    def write(n_samples=70_000, n_channels=2, name="song.wav"):
        samples = 0.3 * rng.standard_normal((n_samples, n_channels))
        soundfile.write(tmp_path / name, samples, SR, "FLOAT")
        return tmp_path / name

    return write


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch):
    """Blocks that a short recording fills many of."""
    monkeypatch.setattr("specnmf.audio.reading.BLOCK", 5000)
    monkeypatch.setattr(streaming, "BLOCK_BYTES", 1 << 20)
    monkeypatch.setattr(streaming, "FRAMES", 16)


def magnitudes_of(path, grid, **options):
    blocks = streaming.magnitudes(streaming.survey(path), grid, **options)
    return np.concatenate(list(blocks)).T


@pytest.mark.parametrize("n_channels", [1, 2, 5])
@pytest.mark.parametrize(("n_fft", "hop"), [(512, 128), (256, 256), (1024, 300)])
def test_magnitudes_are_those_of_a_recording_in_memory(song, n_channels, n_fft, hop):
    path = song(n_channels=n_channels)
    audio = specnmf.read(path)
    grid = Grid.of(audio, n_fft, hop)
    V = magnitudes_of(path, grid)
    np.testing.assert_allclose(V, stft.magnitude(audio, grid), rtol=1e-4, atol=1e-5)
    assert V.dtype == np.float32


@pytest.mark.parametrize("n_samples", [1, 100, 127, 128, 129, 5000, 5001])
def test_recordings_of_any_length_are_covered(song, n_samples):
    path = song(n_samples, 1)
    audio = specnmf.read(path)
    grid = Grid.of(audio, 512, 128)
    V = magnitudes_of(path, grid)
    np.testing.assert_allclose(V, stft.magnitude(audio, grid), rtol=1e-4, atol=1e-5)


def test_a_survey_finds_what_reading_finds(tmp_path, rng):
    samples = np.clip(rng.standard_normal((12_345, 2)), -1, 1)
    soundfile.write(tmp_path / "hot.wav", samples, SR, "PCM_16")
    excerpt = {"start": 0.25, "duration": 1.0}
    for options in ({}, excerpt):
        audio = specnmf.read(tmp_path / "hot.wav", **options)
        survey = streaming.survey(tmp_path / "hot.wav", **options)
        for name in ("sr", "n_channels", "n_samples", "duration"):
            assert getattr(survey, name) == getattr(audio, name)
        assert survey.findings() == audio.findings() != []
        read_again = np.concatenate(list(survey.blocks()), axis=1)
        assert (read_again == audio.samples).all()


def test_a_survey_tells_how_far_it_is(song):
    heard = []
    streaming.survey(song(12_000), progress=heard.append)
    assert heard == [5000, 10_000, 12_000]


def test_threads_do_not_change_a_bit(song):
    path = song()
    grid = Grid(SR, 70_000, 512, 128)
    one, two = (magnitudes_of(path, grid, threads=n) for n in (1, 2))
    assert (one == two).all()


def test_frames_may_be_asked_for_out_of_order_within_what_is_kept(song):
    path = song()
    audio, grid = specnmf.read(path), Grid(SR, 70_000, 512, 128)
    spectra_of = RollingSpectra(streaming.survey(path), grid, keep=64)
    with ThreadPoolExecutor(4) as pool:
        for block in grid.blocks(64):
            pieces = list(cut(block, 16))[::-1]
            found = list(pool.map(spectra_of, pieces))
            for piece, X in zip(pieces, found, strict=True):
                expected = stft.spectra(audio.samples, grid, piece)
                np.testing.assert_allclose(X, expected, rtol=1e-4, atol=1e-4)
    spectra_of.close()


def test_no_more_is_held_than_is_kept_and_a_block_of_the_file(song):
    path = song(200_000, 1)
    grid = Grid(SR, 200_000, 512, 128)
    spectra_of = RollingSpectra(streaming.survey(path), grid, keep=32)
    most = 0
    for frames in grid.blocks(32):
        spectra_of(frames)
        most = max(most, spectra_of.samples.shape[1])
    spectra_of.close()
    assert most <= 32 * 128 + 512 + 5000


def test_rolling_magnitudes_give_any_number_of_frames(song):
    path = song()
    audio, grid = specnmf.read(path), Grid(SR, 70_000, 512, 128)
    V = stft.magnitude(audio, grid)
    rolling = RollingMagnitudes(streaming.survey(path), grid)
    assert rolling.shape == V.shape
    for frames in grid.blocks(77):
        np.testing.assert_allclose(
            rolling(frames), V[:, frames].T, rtol=1e-4, atol=1e-5
        )
    rolling.close()


def test_a_file_that_became_shorter_is_an_error(song):
    path = song()
    survey = streaming.survey(path)
    song(60_000)
    with pytest.raises(AudioError, match="became shorter while it was read"):
        list(streaming.magnitudes(survey, Grid(SR, 70_000, 512, 128), threads=2))


def test_samples_that_are_no_numbers_are_counted_over_blocks(tmp_path):
    y = np.zeros((12_000, 2))
    y[6000, 1] = y[11_000, 0] = np.nan
    soundfile.write(tmp_path / "bad.wav", y, SR, "FLOAT")
    with pytest.raises(AudioError, match=r"samples \(2, the first at 0\.750 s\)"):
        streaming.survey(tmp_path / "bad.wav")


def test_a_recording_that_was_never_finished_is_read_to_its_end(song):
    path = song()
    whole = streaming.survey(path)
    expected = np.concatenate(list(whole.blocks()), axis=1)
    data = bytearray(path.read_bytes())
    at = data.index(b"data")
    data[at + 4 : at + 8] = data[4:8] = bytes(4)
    path.write_bytes(data)
    survey = streaming.survey(path)
    assert survey == whole
    assert (np.concatenate(list(survey.blocks()), axis=1) == expected).all()


def test_what_cannot_be_read_is_refused_as_by_read(song, tmp_path):
    (tmp_path / "text.wav").write_text("la la la")
    with pytest.raises(AudioError, match="not an audio file that libsndfile reads"):
        streaming.survey(tmp_path / "text.wav")
    with pytest.raises(AudioError, match="ends before the start of the excerpt"):
        streaming.survey(song(), start=10)
