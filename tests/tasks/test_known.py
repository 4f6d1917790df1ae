"""Runs with learned templates: their files, edits, repetitions and batches."""

import json

import numpy as np
import pytest
import soundfile

import specnmf
from specnmf import ParameterError, Templates
from specnmf.methods.components import budget
from specnmf.methods.components.budget import Budget
from specnmf.output.sources import EXACT_DB
from specnmf.record.learn import learn_from_run
from specnmf.record.rerun import rerun

SR, N = 8000, 12_000
WINDOW = {"n_fft": 256, "hop_length": 64}
QUICK = {**WINDOW, "max_iter": 10, "figures": False, "report": False}


@pytest.fixture
def song(tmp_path, monkeypatch):
    """Two tones in noise."""
    monkeypatch.chdir(tmp_path)
    t, rng = np.arange(N) / SR, np.random.default_rng(0)
    y = 0.3 * np.sin(2 * np.pi * 500 * t) * (t % 0.4 < 0.2)
    y += 0.2 * np.sin(2 * np.pi * 1500 * t) * (t % 0.5 < 0.3)
    soundfile.write("song.wav", y + 0.01 * rng.standard_normal(N), SR, "PCM_16")
    return tmp_path / "song.wav"


def write(n_frames=1, groups=("low", "../high", "../high"), name="kit.npz"):
    bins = np.arange(129)
    W = [np.exp(-((bins - peak) ** 2) / 4) + 1e-3 for peak in (16, 48, 60)]
    W = np.stack(W, axis=1)[:, :, np.newaxis] * 0.5 ** np.arange(n_frames)
    names = [f"{group}_{k}" for k, group in enumerate(groups)]
    specnmf.write_templates(
        name, Templates(W, names, groups, sr=SR, n_fft=256, hop_length=64)
    )
    return name


def decompose(**options):
    quick = {"output": "runs", "templates": "kit.npz", **QUICK, **options}
    return specnmf.decompose("song.wav", **quick)


def heard(run):
    files = sorted((run.folder / "sources").iterdir())
    return {f.stem: soundfile.read(f, dtype="int16")[0].astype(int) for f in files}


@pytest.mark.parametrize("n_frames", [1, 3])
def test_stems_are_groups_and_add_up(song, n_frames):
    write(n_frames)
    run = decompose(n_free=1, adapt=0.3)
    stems = heard(run)
    assert set(stems) == {"low", "_high", "rest"}  # names of files, safe everywhere
    np.testing.assert_array_equal(
        sum(stems.values()), soundfile.read(song, dtype="int16")[0]
    )
    assert run.report["residual_db"] == EXACT_DB
    assert not list(song.parent.glob("high*"))


def test_run_json_has_stems_and_the_templates_of_each(song):
    write()
    report = decompose(n_free=1).report
    stems = {entry["label"]: entry for entry in report["stems"]}
    assert list(stems) == ["low", "../high", "rest"]
    assert [stem["templates"] for stem in stems.values()] == [1, 2, 1]
    assert stems["../high"]["source"] == "sources/_high.wav"
    assert sum(s["energy_share"] for s in stems.values()) == pytest.approx(1)
    components = report["components"]
    assert [each["label"] for each in components] == [
        "low", "../high", "../high", "rest"
    ]  # fmt: skip
    assert [each["template"] for each in components] == [
        "low_0", "../high_1", "../high_2", "component_04"
    ]  # fmt: skip
    assert report["settings"]["n_components"] == 4
    assert [Input["path"] for Input in report["inputs"]] == ["song.wav", "kit.npz"]


def test_runs_without_names_have_no_stems(song):
    write()
    kit = specnmf.read_templates("kit.npz")
    frequencies = kit.frequencies
    np.savez("plain.npz", W=kit.W[:, :, 0], frequencies=frequencies)
    report = decompose(templates="plain.npz", adapt=0.5, n_components=4).report
    assert "stems" not in report
    assert [each["label"] for each in report["components"]] == [
        f"component_0{k}" for k in range(1, 5)
    ]


@pytest.mark.parametrize("n_frames", [1, 3])
def test_a_run_can_be_edited_from_what_it_stored(song, n_frames):
    write(n_frames, groups=("low", "high", "air"))
    before = heard(decompose(adapt=0.3, n_free=1))
    edited = specnmf.edit(
        "runs/song", merge={"top": ["high", "air"]}, rename={"low": "bass"}
    )
    after = heard(edited)
    np.testing.assert_array_equal(after["bass"], before["low"])
    np.testing.assert_array_equal(after["top"], before["high"] + before["air"])
    assert [stem["label"] for stem in edited.report["stems"]] == ["bass", "top", "rest"]


@pytest.mark.parametrize("n_frames", [1, 3])
def test_a_run_is_the_same_when_it_is_repeated(song, n_frames):
    write(n_frames)
    decompose(adapt=0.3, n_free=1)
    assert rerun("runs/song", output="again").identical


def test_a_recording_left_on_disk_is_separated_by_the_same_templates(song, monkeypatch):
    write()
    monkeypatch.setattr(Budget, "most_samples", lambda self: 0)
    monkeypatch.setattr(budget, "MOST_SAMPLE", 80)
    run = decompose(adapt=0.3)
    assert run.report["streamed"]
    assert run.report["residual_db"] == EXACT_DB
    assert set(heard(run)) == {"low", "_high"}
    write(3)
    with pytest.raises(ParameterError, match="of 3 frames need the whole recording in"):
        decompose(overwrite=True)


def test_a_number_that_does_not_count_is_worth_a_warning(song):
    write()
    (warning,) = decompose(n_components=5).report["warnings"]
    assert warning.startswith("-k 5 does not count beside templates with names; use")
    for options in ({}, {"n_components": 3}, {"n_components": 5, "n_free": 2}):
        assert decompose(**options, overwrite=True).report["warnings"] == []


def test_a_run_needs_the_file_of_templates(song):
    kit = specnmf.read_templates(write())
    with pytest.raises(specnmf.OutputError, match="first: specnmf.write_tem"):
        decompose(templates=kit)


def test_only_takes_the_names_of_groups(song):
    write(groups=("low", "high", "air"))
    assert set(heard(decompose(only=("air", "low")))) == {"air", "low"}
    with pytest.raises(ParameterError, match="the sources are low, high, air"):
        decompose(only=("component_01",), output="other")


def test_figures_and_page_are_drawn(song):
    write(3)
    run = decompose(figures=True, report=True)
    assert (run.folder / "figures" / "templates.png").exists()
    assert "low" in (run.folder / "report.html").read_text("utf-8")


def test_a_damaged_model_is_refused_in_one_line(song):
    write(3)
    run = decompose()
    path = run.folder / "model.npz"
    with np.load(path) as arrays:
        stored = dict(arrays)
    for name, values, message in (
        ("pattern_W", stored["pattern_W"][:, :, :0], "templates of one frame or more"),
        ("pattern_W", stored["pattern_W"][:9], "pattern_W must have the shape"),
        ("pattern_H", -1 - stored["pattern_H"], "pattern_H must lie between 0"),
        ("templates", stored["templates"][:2], "expected 3 names of templates, got 2"),
    ):
        np.savez(path, **{**stored, name: values})
        report = json.loads((run.folder / "run.json").read_text())
        with pytest.raises(specnmf.OutputError, match=message):
            _restored(run, report)


def _restored(run, report):
    from specnmf.options import from_plain
    from specnmf.tasks.registry import TASKS
    from specnmf.tasks.stages import Stages
    from specnmf.tasks.task import Song

    task = TASKS["decompose"]
    settings = from_plain(task.settings, report["settings"])
    song = Song(run.folder.parents[1] / "song.wav", settings, {}, Stages(None))
    material = task.read(song, lambda *told, **note: None)
    return task.restore(song, material, run.folder)


@pytest.mark.parametrize("n_frames", [1, 3])
def test_templates_that_adapted_can_be_kept(song, n_frames):
    write(n_frames, groups=("low", "high", "high"))
    run = decompose(adapt=0.8)
    kept = learn_from_run(run.folder)
    start = specnmf.read_templates("kit.npz")
    assert kept.names == ("low", "high_1", "high_2")
    assert kept.W.shape == start.W.shape
    assert 0.01 < np.abs(kept.W - start.W).max()
    specnmf.write_templates("kept.npz", kept)
    again = decompose(templates="kept.npz", output="again")
    assert set(heard(again)) == {"low", "high"}


def test_a_batch_takes_templates(song):
    write()
    folder = song.parent / "songs"
    folder.mkdir()
    song.rename(folder / "one.wav")
    summary = specnmf.run_batch(
        folder,
        task="decompose",
        settings=[specnmf.Settings(**QUICK, adapt=0.2)],
        inputs={"templates": "kit.npz"},
        batch=specnmf.BatchSettings(jobs=1),
        output="runs",
    )
    assert summary.done == 1
    sources = song.parent / "runs" / "one" / "sources"
    assert sorted(path.name for path in sources.iterdir()) == ["_high.wav", "low.wav"]
