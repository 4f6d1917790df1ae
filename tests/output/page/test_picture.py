import numpy as np
import pytest

from specnmf.audio.recording import Audio
from specnmf.errors import ParameterError
from specnmf.notation import hertz
from specnmf.output.page.columns import Columns
from specnmf.output.page.picture import LOWEST, Rows, blocks_of, picture_of


class OnDisk:
    """A recording that is only had block by block."""

    def __init__(self, samples, sr, length):
        self.samples, self.sr, self.length = samples, sr, length
        self.n_channels, self.n_samples = samples.shape

    def blocks(self):
        for first in range(0, self.n_samples, self.length):
            yield self.samples[:, first : first + self.length]


def picture(samples, sr, **options):
    audio = Audio(samples, sr)
    return picture_of(audio, Columns(audio.n_samples, sr), **options)


@pytest.mark.parametrize("sr", [8000, 44100, 96000])
@pytest.mark.parametrize("midi", [45, 60, 81])
def test_a_tone_is_brightest_at_its_pitch(sr, midi):
    samples = np.sin(2 * np.pi * hertz(midi) * np.arange(sr) / sr) / 2
    data = picture(samples, sr).data
    row = len(data) - 1 - np.argmax(data[:, data.shape[1] // 2])
    assert LOWEST + row / 3 <= midi + 0.5
    assert LOWEST + (row + 1) / 3 >= midi - 0.5


def test_a_click_is_brightest_where_it_is():
    samples = np.zeros(44100)
    samples[22050] = 1
    data = picture(samples, 44100).data
    loudest = np.argmax(data.astype(int).sum(axis=0))
    assert abs(loudest / data.shape[1] - 0.5) < 0.03


def test_channels_of_opposite_phase_are_seen():
    tone = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000) / 2
    assert picture(np.stack([tone, -tone]), 8000).data.max() == 255


@pytest.mark.parametrize("length", [100, 4321])
@pytest.mark.parametrize("threads", [1, 2])
def test_blocks_and_threads_change_nothing(rng, length, threads):
    samples = rng.normal(size=(2, 30000)).astype(np.float32) / 10
    columns = Columns(30000, 8000)
    whole = picture_of(Audio(samples, 8000), columns, threads=1)
    other = picture_of(OnDisk(samples, 8000, length), columns, threads=threads)
    np.testing.assert_array_equal(whole.data, other.data)


def test_of_a_long_recording_only_a_stretch_is_held(monkeypatch, rng):
    from specnmf.output.page import picture as module

    held = []
    monkeypatch.setattr(module, "STRETCH", 4096)
    monkeypatch.setattr(module, "MOST_WINDOWS", 2)
    before = module._Held.stretch

    def stretch(self, first, last):
        samples = before(self, first, last)
        held.append(samples.shape[1])
        return samples

    monkeypatch.setattr(module._Held, "stretch", stretch)
    samples = rng.normal(size=(1, 1 << 19)).astype(np.float32) / 10
    picture_of(OnDisk(samples, 8000, 10000), Columns(1 << 19, 8000))
    assert max(held) < 1 << 13


def test_silence_is_dark_and_an_octave_high():
    data = picture(np.zeros(8000), 8000).data
    assert data.shape == (36, 100)
    assert not data.any()


def test_rows_that_nothing_is_heard_in_are_cut_off_at_the_top():
    tone = np.hanning(44100) * np.sin(2 * np.pi * 220 * np.arange(44100) / 44100)
    assert len(picture(tone, 44100).data) < Rows(44100).count / 2


def test_one_sample_has_a_picture():
    assert picture(np.ones(1), 8000).data.shape[1] == 1


def test_a_recording_without_samples_to_read_is_refused():
    with pytest.raises(ParameterError, match="recording on disk, got object"):
        list(blocks_of(object()))
