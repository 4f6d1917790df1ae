"""One job, from a song to its run folder, in this process."""

import dataclasses
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from runs import settings_hash

from specnmf.batch import work
from specnmf.batch.stores.places import open_store
from specnmf.batch.work import Job, Said, do
from specnmf.errors import AudioError
from specnmf.output.folder import PARTIAL, REPORT
from specnmf.output.report import sha256
from specnmf.tasks.decompose import Settings
from specnmf.tasks.label import LabelSettings
from specnmf.tasks.layers import LayerSettings
from specnmf.tasks.registry import TASKS
from specnmf.tasks.separate import ScoreSettings

QUICK = Settings(n_components=2, max_iter=2, figures=False, sources=False)


def write_song(path, pitch=440):
    t = np.arange(2400) / 8000
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * pitch * t), 8000, "PCM_16")


def write_score(path, note=69):
    track = mido.MidiTrack()
    track.append(mido.Message("note_on", note=note, velocity=90))
    track.append(mido.Message("note_off", note=note, time=280))
    mido.MidiFile(tracks=[track]).save(path)


@pytest.fixture
def job(tmp_path):
    """A job whose song is in place."""
    (tmp_path / "songs").mkdir()
    write_song(tmp_path / "songs" / "a.wav")
    return Job(
        task=TASKS["decompose"],
        name="a.wav",
        song=str(tmp_path / "songs" / "a.wav"),
        inputs={},
        output=str(tmp_path / "runs"),
        target="a",
        settings=QUICK,
        command="specnmf batch songs",
    )


@pytest.fixture
def bucket():
    """Put the song into a store that is not on disk; its URL."""
    fsspec = pytest.importorskip("fsspec")
    yield "memory://work"
    fsspec.filesystem("memory").store.clear()


def run_of(job):
    return json.loads((Path(job.output) / job.target / REPORT).read_text())


def with_settings(job, settings, **inputs):
    """Another job with the song: that of the settings' task."""
    task = next(task for task in TASKS.values() if task.settings is type(settings))
    inputs = {name: str(path) for name, path in inputs.items()}
    return dataclasses.replace(job, task=task, settings=settings, inputs=inputs)


def copy_to(url, path):
    open_store(url).write(Path(path).name, Path(path).read_bytes())
    return f"{url}/{Path(path).name}"


def remaining(job):
    return list(Path(job.output).rglob(f"{PARTIAL}*"))


def test_a_song_becomes_a_run_and_its_outcome_tells_of_it(job):
    outcome = do(job)
    report = run_of(job)
    assert (outcome.name, outcome.error, outcome.log) == ("a.wav", None, "")
    assert not outcome.kept
    assert outcome.duration == 0.3
    assert 0 < outcome.seconds < 60
    assert outcome.facts == {
        "kind": "decompose",
        "output": "a",
        "sha256": [report["inputs"][0]["sha256"]],
        "iterations": 2,
        "residual_db": None,
    }
    assert list(outcome.warnings) == report["warnings"]
    assert report["settings_hash"] == settings_hash(QUICK)
    assert report["command"] == "specnmf batch songs"
    assert remaining(job) == []


def test_a_song_with_a_score_is_separated(job, tmp_path):
    write_score(tmp_path / "songs" / "a.mid")
    settings = ScoreSettings(figures=False, sources=False, max_iter=2)
    job = with_settings(job, settings, score=tmp_path / "songs" / "a.mid")
    outcome = do(job)
    assert outcome.error is None
    assert outcome.facts["kind"] == "separate"
    assert len(outcome.facts["sha256"]) == 2
    assert do(job).kept


def test_a_task_without_what_it_requires_is_an_error(job):
    outcome = do(with_settings(job, LabelSettings()))
    assert outcome.error.startswith(f"{job.song}: no labels given; use --labels")
    assert "\n" not in outcome.error


@pytest.fixture
def inputs(tmp_path):
    """Files that tasks take beside songs."""
    labels = tmp_path / "labels.txt"
    labels.write_text("0\t0.1\tlow\n0.1\t0.2\thigh\n")
    write_score(tmp_path / "a.mid")
    return {"labels": labels, "score": tmp_path / "a.mid"}


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        (ScoreSettings(align="never", max_iter=2, n_fft=512), "score"),
        (LabelSettings(n_components=2, max_iter=2, n_fft=512), "labels"),
        (LayerSettings(ranks=(4, 2), max_iter=2, n_fft=512), "labels"),
    ],
)
def test_a_run_is_kept_until_a_file_beside_the_song_changes(
    job, inputs, settings, kind
):
    settings = dataclasses.replace(settings, figures=False, sources=False)
    job = with_settings(job, settings, **{kind: inputs[kind]})
    first = do(job)
    assert first.error is None
    assert not first.kept
    assert first.facts["kind"] == job.task.name
    assert do(job).kept
    os.utime(inputs[kind])  # its content counts
    assert do(job).kept
    if kind == "score":
        write_score(inputs[kind], note=57)
    else:
        inputs[kind].write_text("0\t0.15\tlow\n0.15\t0.2\thigh\n")
    outcome = do(job)
    assert (outcome.error, outcome.kept) == (None, False)
    assert do(job).kept
    if kind == "labels" and job.task.name == "layers":
        assert not do(dataclasses.replace(job, inputs={})).kept


def test_progress_names_the_song(job):
    said = []
    do(job, said.append)
    assert said
    assert all(isinstance(each, Said) and each.name == "a.wav" for each in said)
    assert {"read", "transform"} <= {each.stage for each in said}
    assert all(0 <= each.done <= each.total for each in said)


def test_a_run_with_the_same_settings_and_input_is_kept(job):
    first = do(job)
    before = (Path(job.output) / "a" / REPORT).stat()
    outcome = do(job)
    assert outcome.kept
    assert (Path(job.output) / "a" / REPORT).stat() == before
    assert (outcome.facts, outcome.duration) == (first.facts, first.duration)
    os.utime(job.song)  # its content counts
    assert do(job).kept


def test_what_has_changed_is_done_again(job):
    do(job)
    other = with_settings(job, dataclasses.replace(QUICK, seed=1))
    assert not do(other).kept
    assert run_of(job)["settings"]["seed"] == 1
    assert not do(job).kept
    write_song(Path(job.song), pitch=880)
    assert not do(job).kept
    assert do(job).kept


def test_what_is_to_be_made_again_is(job):
    do(job)
    assert not do(dataclasses.replace(job, redo=True)).kept


def test_a_run_counts_as_another_with_other_templates(job, tmp_path):
    do(job)
    factors = str(tmp_path / "runs" / "a" / "factors.npz")
    fixed = dataclasses.replace(
        job, output=str(tmp_path / "others"), inputs={"templates": factors}
    )
    assert not do(fixed).kept
    asked = settings_hash(QUICK, templates=sha256(Path(factors)))
    assert run_of(fixed)["settings_hash"] == asked
    assert do(fixed).kept
    assert not do(dataclasses.replace(fixed, inputs={})).kept


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"settings_hash": null, "inputs": 3}',
        b'{"settings_hash": "HASH", "inputs": [{}]}',
        b'{"settings_hash": "HASH", "inputs": {"sha256": 1}}',
        b'{"settings_hash": "HASH", "inputs": INPUTS}',
        b'{"settings_hash": "HASH", "inputs": INPUTS, "audio": 3}',
        b'{"settings_hash": "HASH", "inputs": INPUTS, "audio": {"duration": 1}}',
    ],
    ids=lambda content: repr(content[:60]),
)
def test_a_report_that_is_none_is_replaced(job, content):
    do(job)
    inputs = json.dumps(run_of(job)["inputs"]).encode()
    content = content.replace(b"HASH", settings_hash(QUICK).encode())
    (Path(job.output) / "a" / REPORT).write_bytes(content.replace(b"INPUTS", inputs))
    outcome = do(job)
    assert (outcome.error, outcome.kept) == (None, False)
    assert run_of(job)["audio"]["duration"] == 0.3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"song": "/nowhere/a.wav"}, "/nowhere/a.wav: no such file"),
        ({"song": "/"}, "/: a folder, expected a file"),
        ({"inputs": {"score": "/nowhere/a.mid"}}, "/nowhere/a.mid: no such file"),
        ({"inputs": {"templates": "/nowhere/t.npz"}}, "/nowhere/t.npz: no such file"),
        ({"output": "/dev/null/runs"}, "/dev/null"),
        ({"target": "../a"}, "expected the name of a file in its folder"),
        ({"output": "nothing://runs"}, "nothing://runs"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(job, change, reason):
    if change.get("output", "").startswith("nothing"):
        pytest.importorskip("fsspec")
    outcome = do(dataclasses.replace(job, **change))
    assert reason in outcome.error
    assert "\n" not in outcome.error
    assert outcome.log.startswith("Traceback")


def test_what_is_no_audio_is_told_with_its_name(job):
    Path(job.song).write_bytes(b"RIFF, or so it says")
    outcome = do(job)
    assert outcome.error.startswith(job.song)
    assert outcome.facts == {}
    assert not (Path(job.output) / "a").exists()


@pytest.mark.parametrize(
    "error",
    [
        KeyError("x"),
        OSError(5, "EIO"),
        ValueError("of\nmany\r\nlines"),
        RecursionError(),
    ],
)
def test_an_error_that_nobody_expected_is_one_line_and_leaves_its_traceback(
    job, monkeypatch, error
):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(work, "run", fail)
    outcome = do(job)
    assert outcome.error.startswith(f"internal error: {type(error).__name__}")
    assert outcome.error.isprintable()
    assert "in fail" in outcome.log


def test_too_little_memory_is_told_with_its_remedy(job, monkeypatch):
    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr(work, "run", fail)
    remedy = "use fewer --jobs, more --max-memory, or --duration"
    assert do(job).error == f"not enough memory; {remedy}"


def test_a_song_that_takes_too_long_is_ended_and_leaves_nothing(job, rng):
    soundfile.write(job.song, rng.uniform(-0.5, 0.5, 160_000), 8000)
    endless = Settings(
        n_components=8, solver="mu", max_iter=10**8, tol=0.0, figures=False
    )
    job = with_settings(job, endless)
    outcome = do(dataclasses.replace(job, seconds=0.05))
    assert outcome.error == "took longer than 0.05 s"
    assert remaining(job) == []
    assert not (Path(job.output) / "a").exists()


def test_a_run_that_fails_leaves_the_old_one(job):
    do(job)
    before = run_of(job)
    late = dataclasses.replace(job, redo=True, seconds=1e-9)
    assert do(late).error == "took longer than 1e-09 s"
    assert run_of(job) == before
    assert remaining(job) == []


def test_what_is_no_run_is_never_replaced(job):
    folder = Path(job.output) / "a"
    folder.mkdir(parents=True)
    (folder / "diary.txt").write_text("dear")
    assert "exists and is not a run; move it" in do(job).error
    assert [path.name for path in folder.iterdir()] == ["diary.txt"]


def test_one_song_at_a_time_is_done_in_a_process(job, monkeypatch):
    inside, most = [], []

    def note(*_, **__):
        inside.append(1)
        most.append(len(inside))
        inside.pop()
        raise AudioError("enough")

    monkeypatch.setattr(work, "run", note)
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(do, [job] * 40))
    assert max(most) == 1
    assert {outcome.error for outcome in outcomes} == {"enough"}


def test_the_same_run_comes_from_a_url_and_goes_to_one(job, bucket):
    do(job)
    here = run_of(job)
    far = dataclasses.replace(
        job, song=copy_to(f"{bucket}/songs", job.song), output=f"{bucket}/runs"
    )
    outcome = do(far)
    assert outcome.error is None
    runs = open_store(f"{bucket}/runs")
    there = json.loads(runs.read(f"a/{REPORT}", 1 << 20))
    assert there["inputs"] == [{**here["inputs"][0], "path": far.song}]
    differing = {"inputs", "seconds", "created", "finished", "time"}
    assert {key for key in here if here[key] != there[key]} <= differing
    factors = (Path(job.output) / "a" / "factors.npz").read_bytes()
    assert runs.read("a/factors.npz", 1 << 20) == factors
    assert do(far).kept


def test_labels_come_from_a_url_by_that_name(job, inputs, bucket):
    settings = LabelSettings(
        n_components=2, max_iter=2, n_fft=512, figures=False, sources=False
    )
    place = copy_to(f"{bucket}/labels", inputs["labels"])
    far = with_settings(job, settings, labels=place)
    assert do(far).error is None
    assert run_of(job)["inputs"][1]["path"] == place
    assert do(far).kept
    inputs["labels"].write_text("no label")
    copy_to(f"{bucket}/labels", inputs["labels"])
    assert do(far).error.startswith(f"{place}: ")


def test_errors_name_the_place_and_not_a_copy(job, bucket):
    Path(job.song).write_bytes(b"no audio")
    far = dataclasses.replace(job, song=copy_to(bucket, job.song))
    outcome = do(far)
    assert outcome.error.startswith("memory://work/a.wav")
    assert "tmp" not in outcome.error


def test_a_missing_song_behind_a_url_is_named(job, bucket):
    outcome = do(dataclasses.replace(job, song=f"{bucket}/none.wav"))
    assert outcome.error == "memory://work/none.wav: no such file"


def test_a_run_that_came_meanwhile_is_not_replaced_unless_asked(job, tmp_path):
    """Another command has made a run with other settings since the plan was made."""
    other = dataclasses.replace(job, settings=dataclasses.replace(QUICK, seed=1))
    do(other)
    outcome = do(dataclasses.replace(job, overwrite=False))
    assert "runs/a holds a finished run; use --overwrite" in outcome.error
    assert run_of(job)["seed"] == 1
    assert do(dataclasses.replace(other, overwrite=False)).kept
    assert do(job).error is None
    assert run_of(job)["seed"] == 0


def test_what_a_person_has_in_a_run_is_kept_here_and_behind_a_url(job, bucket):
    far = dataclasses.replace(job, output=f"{bucket}/runs")
    for each in (job, far):
        runs = open_store(each.output)
        do(each)
        runs.write("a/mine/notes.txt", b"mine")
        runs.write("a/pianoroll.csv", b"mended")
        outcome = do(dataclasses.replace(each, redo=True))
        assert (outcome.error, outcome.kept) == (None, False)
        assert runs.read("a/mine/notes.txt", 9) == b"mine"
        assert runs.read("a/kept/pianoroll.csv", 9) == b"mended"
        assert runs.read("a/pianoroll.csv", 999).startswith(b"start")
