"""Kits: the built-in ones, folders of one-shots, learned templates."""

import numpy as np
import pytest
import soundfile
from drum_loops import SR, stroke

from specnmf.audio.recording import Audio
from specnmf.audio.stft import Grid
from specnmf.errors import AudioError, TemplateError
from specnmf.methods.drums import kits
from specnmf.methods.drums.network import DRUMS
from specnmf.methods.drums.own_kits import read_kit
from specnmf.methods.learned.templates import Templates, write_templates


@pytest.fixture
def folder(tmp_path):
    for name in ("kick", "snare", "hihat"):
        soundfile.write(tmp_path / f"{name}_1.wav", 0.5 * stroke(name), SR)
    soundfile.write(tmp_path / "loop.wav", stroke("kick"), SR)
    (tmp_path / "kick.txt").write_text("no sound")
    return tmp_path


def test_every_drum_is_built_in():
    kit = kits.built_in()
    assert {*DRUMS, "openhat"} == {*kit.drums}
    assert kit.levels.shape == (len(kit.drums), len(kits.TIMES), kits.N_BANDS)
    assert kit.levels.max() <= 0
    assert kits.BUILT_IN.stat().st_size < 400_000


def test_a_slap_of_brushes_is_no_clap():
    with np.load(kits.BUILT_IN, allow_pickle=False) as arrays:
        names = arrays["names"].tolist()
    assert "FluidR3/0/39/50" in names  # a clap
    assert not [name for name in names if name.startswith("FluidR3/40/39")]


def test_built_in_strokes_sound_as_their_drums_do():
    kit, grid = kits.built_in(), Grid(44100, 44100, 2048, 512)
    drums = np.array(kit.drums)
    centroids = {}
    for drum in ("kick", "snare", "hihat"):
        spectra = kit.spectra(np.flatnonzero(drums == drum), grid, 0.3)
        heard = spectra.sum(axis=1)
        centroids[drum] = np.median(heard @ grid.frequencies / heard.sum(axis=1))
    assert centroids["kick"] < centroids["snare"] < centroids["hihat"]


@pytest.mark.parametrize(
    "window", [(44100, 2048, 512), (22050, 1024, 256), (48000, 4096, 512)]
)
def test_they_fit_any_rate_and_window(window):
    sr, n_fft, hop = window
    grid = Grid(sr, sr, n_fft, hop)
    spectra = kits.built_in().spectra([0, 30], grid, 0.5)
    n_lags = round(0.5 * sr / hop) + kits.LEAD
    assert spectra.shape == (2, n_lags, grid.n_bins)
    loud = spectra.sum(axis=2)
    assert (loud.argmax(axis=1) <= kits.LEAD + 4 * 512 / hop).all()
    assert (loud[:, -1] < 0.2 * loud.max(axis=1)).all()


def test_bands_are_means():
    grid = Grid(44100, 44100, 2048, 512)
    matrix = kits.band_matrix(grid.frequencies)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-5)
    low = kits.band_matrix(Grid(8000, 8000, 256, 64).frequencies)
    np.testing.assert_allclose(low.sum(axis=1), 1, rtol=1e-5)


def test_the_levels_of_a_stroke_begin_with_its_onset():
    y = np.concatenate([np.zeros(3000), stroke("kick")])
    early, late = (
        kits.levels_of(Audio(each[np.newaxis].astype(np.float32), SR))
        for each in (stroke("kick"), y)
    )
    np.testing.assert_array_equal(early, late)
    assert early.max() == kits.LOUDEST


@pytest.mark.parametrize(
    ("name", "drum"),
    [
        ("Kick 01", "kick"), ("BassDrum", "kick"), ("bd_808", "kick"),
        ("Snare-Soft", "snare"), ("sd2", "snare"), ("HH open", "openhat"),
        ("open_hat", "openhat"), ("Hi-Hat closed", "hihat"), ("hihat_46", "hihat"),
        ("Floor Tom", "toms"), ("ride bell", "ride"), ("Crash", "crash"),
        ("splash", "crash"), ("handclap", "clap"), ("cowbell", None),
    ],
)  # fmt: skip
def test_names_say_the_drum(name, drum):
    assert kits.drum_of(name) == drum


def test_a_folder_of_one_shots_is_a_kit(folder):
    kit = read_kit(folder)
    assert kit.drums == ("hihat", "kick", "snare")
    grid = Grid(SR, 2 * SR, 1024, 256)
    spectra = kit.spectra([1], grid, 0.3)
    assert spectra[0].sum(axis=0).argmax() == round(60 * 1024 / SR)
    assert spectra.max() == 1


def test_one_shots_of_another_rate_are_resampled(folder):
    kit = read_kit(folder)
    spectra = kit.spectra([1], Grid(44100, 44100, 2048, 512), 0.3)
    assert spectra[0].sum(axis=0).argmax() == round(60 * 2048 / 44100)


@pytest.mark.parametrize("n_frames", [1, 12])
def test_learned_templates_are_a_kit(tmp_path, n_frames):
    W = np.zeros((513, 2, n_frames), np.float32)
    W[3, 0], W[100, 1] = np.exp(-np.arange(n_frames)), np.exp(-np.arange(n_frames))
    learned = Templates(
        W, ("kick_1", "bell_1"), ("kick", "bell"), sr=SR, n_fft=1024, hop_length=256
    )
    write_templates(tmp_path / "kit.npz", learned)
    kit = read_kit(tmp_path / "kit.npz")
    assert kit.drums == ("kick", "bell")
    grid = Grid(SR, 2 * SR, 1024, 256)
    spectra = kit.spectra([0, 1], grid, 0.3)
    loud = spectra.sum(axis=2)
    assert loud.argmax(axis=1).tolist() == [kits.LEAD, kits.LEAD]
    assert spectra.max(axis=1).argmax(axis=1).tolist() == [3, 100]
    assert kit.bands(256 / SR, 0.25).shape == (
        2,
        round(0.25 * SR / 256) + 1,
        kits.N_BANDS,
    )


def test_a_folder_without_drums_says_what_is_expected(tmp_path):
    soundfile.write(tmp_path / "loop.wav", stroke("kick"), SR)
    with pytest.raises(TemplateError, match=r"named after drums.*got 1 sound file"):
        read_kit(tmp_path)


def test_silent_one_shots_are_refused(tmp_path):
    soundfile.write(tmp_path / "kick.wav", np.zeros(100), SR)
    with pytest.raises(TemplateError, match="silent"):
        read_kit(tmp_path)


def test_broken_one_shots_are_refused(tmp_path):
    (tmp_path / "kick.wav").write_bytes(b"RIFF")
    with pytest.raises(AudioError, match="kick.wav"):
        read_kit(tmp_path)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "kit.npz").write_bytes(b"PK")
    with pytest.raises(TemplateError, match="kit.npz"):
        read_kit(tmp_path / "kit.npz")
