"""A recording left on disk is taken apart like one that is held."""

import json
import tracemalloc

import numpy as np
import pytest
import soundfile
from conftest import ROOT

import specnmf
from specnmf import AudioError, ParameterError, Settings
from specnmf.audio import streaming
from specnmf.methods.components import budget
from specnmf.methods.components.budget import Budget
from specnmf.output.sources import EXACT_DB

CHOPIN = ROOT / "audio_examples" / "chopin_op28_4" / "chopin_op28_4.flac"


@pytest.fixture
def _small(monkeypatch):
    """Nothing is held, blocks are short, and few frames are learned from."""
    monkeypatch.setattr(Budget, "most_samples", lambda self: 0)
    monkeypatch.setattr(budget, "MOST_SAMPLE", 400)
    monkeypatch.setattr(streaming, "BLOCK_BYTES", 1 << 20)
    monkeypatch.setattr("specnmf.audio.reading.BLOCK", 40_000)


def decompose(path, output, templates=None, **options):
    settings = Settings(**{"n_components": 4, "figures": False, **options})
    return specnmf.decompose(path, settings, output=output, templates=templates)


def contents(run):
    paths = sorted(p for p in run.folder.rglob("*.*") if p.name != "run.json")
    return {str(p.relative_to(run.folder)): p.read_bytes() for p in paths}


def sum_of_sources(run, dtype):
    paths = sorted((run.folder / "sources").iterdir())
    return sum(soundfile.read(p, dtype=dtype, always_2d=True)[0] for p in paths)


@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_the_cost_is_within_one_percent_of_that_in_memory(tmp_path, request, beta, rng):
    options = {"beta": beta, "duration": 15.0, "sources": False}
    held = decompose(CHOPIN, tmp_path / "held", **options)
    request.getfixturevalue("_small")
    streamed = decompose(CHOPIN, tmp_path / "streamed", **options)
    assert (held.report["streamed"], streamed.report["streamed"]) == (False, True)
    assert streamed.report["final_loss"] < 1.01 * held.report["final_loss"]
    assert streamed.report["audio"] == held.report["audio"]


@pytest.mark.usefixtures("_small")
def test_a_streamed_run_leaves_the_same_files_and_says_so(tmp_path):
    heard = []
    run = specnmf.decompose(
        CHOPIN,
        Settings(n_components=3, max_iter=5, duration=6.0),
        output=tmp_path,
        progress=lambda *call: heard.append(call),
    )
    names = set(contents(run))
    figures = "spectrogram", "templates", "activations", "reconstruction", "loss"
    assert names == {
        "factors.npz",
        "model.npz",
        "pianoroll.mid",
        "pianoroll.csv",
        *(f"figures/{name}.png" for name in figures),
        *(f"sources/component_0{k}.wav" for k in range(1, 4)),
        "report.html",
    }
    report = json.loads((run.folder / "run.json").read_text())
    assert report["streamed"] is True
    with np.load(run.folder / "factors.npz") as factors:
        assert factors["H"].shape == (3, len(factors["times"]))
        assert factors["losses"][-1] == report["final_loss"]
        assert (np.diff(factors["losses"]) <= 0).all()
        energies = (factors["W"] ** 2).sum(axis=0) * (factors["H"] ** 2).sum(axis=1)
    assert (np.diff(energies) <= 0).all()
    stages = list(dict.fromkeys(stage for stage, *_ in heard))
    assert stages[:4] == ["read", "transform", "factorise", "refine"]
    for stage in stages:
        last = [call for call in heard if call[0] == stage][-1]
        assert last[1] == last[2]  # done is all


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize(
    "options", [{}, {"mask": "binary"}, {"start": 3.3, "duration": 4.2}]
)
def test_sources_of_a_streamed_run_add_up_sample_for_sample(tmp_path, options):
    run = decompose(CHOPIN, tmp_path, max_iter=5, **options)
    first = round(options.get("start", 0) * 44_100)
    frames = round(options.get("duration", 60) * 44_100)
    mixture = soundfile.read(CHOPIN, frames, first, dtype="int16", always_2d=True)[0]
    assert (sum_of_sources(run, "int16") == mixture).all()
    assert run.report["residual_db"] == EXACT_DB


@pytest.mark.slow  # whole runs
@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize(
    "options", [{"figures": True}, {"beta": 2.0}, {"init": "nndsvda"}]
)
def test_the_same_seed_gives_the_same_bytes_with_any_threads(tmp_path, options):
    runs = [
        decompose(
            CHOPIN,
            tmp_path / str(threads),
            threads=threads,
            duration=4.0,
            max_iter=10,
            **options,
        )
        for threads in (1, 2)
    ]
    assert contents(runs[0]) == contents(runs[1])


@pytest.mark.usefixtures("_small")
def test_given_templates_are_held_fixed(tmp_path):
    options = {"duration": 6.0, "max_iter": 10, "sources": False}
    first = decompose(CHOPIN, tmp_path / "a", **options)
    templates = first.folder / "factors.npz"
    for n_components, n_passes in ((4, {1}), (6, {2, 3, 4})):
        run = decompose(
            CHOPIN,
            tmp_path / str(n_components),
            templates=templates,
            n_components=n_components,
            **options,
        )
        with np.load(templates) as old, np.load(run.folder / "factors.npz") as new:
            assert (new["W"][:, :4] == old["W"]).all()
        assert run.report["iterations"] in n_passes


@pytest.mark.slow  # whole runs
@pytest.mark.usefixtures("_small")
def test_figures_of_a_streamed_run_show_all_of_it(tmp_path, monkeypatch):
    from specnmf.output.figures import factor_data

    shown = []
    pool = factor_data._pool
    monkeypatch.setattr(
        factor_data, "_pool", lambda data: shown.append(pool(data)) or shown[-1]
    )
    run = decompose(CHOPIN, tmp_path, duration=6.0, sources=False, figures=True)
    audio = specnmf.read(CHOPIN, duration=6.0)
    with np.load(run.folder / "factors.npz") as factors:
        data = factor_data.FigureData(
            V=specnmf.stft(audio).magnitude(),
            factorization=specnmf.Factorization(factors["W"], factors["H"]),
            frequencies=factors["frequencies"],
            times=factors["times"],
            pitches=np.full(4, np.nan),
        )
    for streamed, held in zip(shown[0], pool(data), strict=True):
        np.testing.assert_allclose(streamed, held, atol=0.01)


@pytest.mark.slow  # a long song
@pytest.mark.usefixtures("_small")
def test_neither_the_song_nor_v_is_held(tmp_path):
    path = tmp_path / "long.wav"
    t = np.arange(60 * 44_100) / 44_100
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * (200 + 5 * t) * t), 44_100)
    decompose(CHOPIN, tmp_path / "warm", duration=1.0, n_components=2, max_iter=2)
    tracemalloc.start()
    decompose(path, tmp_path, n_components=2, max_iter=2, sources=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    samples, V = 4 * len(t), 4 * 1025 * (1 + len(t) // 512)
    assert peak < samples + V / 3


@pytest.mark.usefixtures("_small")
def test_of_a_song_cut_short_all_is_decomposed_that_there_is(tmp_path):
    path = tmp_path / "cut.flac"
    path.write_bytes(CHOPIN.read_bytes()[: CHOPIN.stat().st_size // 2])
    run = decompose(path, tmp_path / "out", max_iter=2)
    assert run.report["streamed"] is True
    (warning,) = run.report["warnings"]
    assert warning.endswith(" s shorter than its header says")
    assert run.report["residual_db"] < -90


@pytest.mark.usefixtures("_small")
def test_a_song_that_is_damaged_leaves_nothing(tmp_path):
    path = tmp_path / "damaged.flac"
    data = bytearray(CHOPIN.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 9000] = bytes(9000)
    path.write_bytes(data)
    with pytest.raises(AudioError, match="damaged or cut short"):
        decompose(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_the_header_hides_is_not_held_either(tmp_path, monkeypatch):
    monkeypatch.setattr(Budget, "most_samples", lambda self: 100_000)
    monkeypatch.setattr("specnmf.audio.reading.Source.expected", lambda *_: 0.0)
    run = decompose(CHOPIN, tmp_path, max_iter=2, sources=False, duration=3.0)
    assert run.report["streamed"] is True
    run = decompose(CHOPIN, tmp_path / "b", max_iter=2, sources=False, duration=2.0)
    assert run.report["streamed"] is False


@pytest.mark.usefixtures("_small")
def test_too_small_a_budget_leaves_nothing(tmp_path):
    with pytest.raises(ParameterError, match=r"got 100M; use --memory \d+M"):
        decompose(CHOPIN, tmp_path / "out", memory=100 << 20)
    assert not (tmp_path / "out").exists()
