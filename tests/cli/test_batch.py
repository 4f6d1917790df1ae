"""``specnmf batch``, as its user meets it."""

import errno
import fcntl
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import mido
import numpy as np
import pytest
import soundfile

import specnmf
from specnmf.batch import batch, work
from specnmf.batch.settings import BatchSettings
from specnmf.batch.stores.lock import LOCK
from specnmf.batch.stores.manifest import MANIFEST
from specnmf.batch.stores.places import open_store
from specnmf.cli import cli
from specnmf.errors import BatchError
from specnmf.output.folder import PARTIAL, REPORT
from specnmf.tasks.decompose import Settings
from specnmf.tasks.label import LabelSettings
from specnmf.tasks.registry import TASKS
from specnmf.tasks.separate import ScoreSettings

QUICK = ("-k", "2", "--max-iter", "2", "--no-figures", "--no-sources")
OUT = Path("specnmf_out")
RATE = 8000

#: A test that waits so long has failed, however busy the machine is; in seconds.
LONG = 120


class Here:
    """Processes that are a thread of this one, as that one's kernels are warm."""

    def __init__(self, capacity, limits, listener):
        self.capacity, self.pool = capacity, ThreadPoolExecutor(1)

    def submit(self, job):
        return self.pool.submit(work.do, job, self.said)

    def said(self, said):
        """Pass nothing on."""

    def kill(self):
        self.pool.shutdown(cancel_futures=True)

    def close(self):
        self.pool.shutdown()


@pytest.fixture
def here(run, monkeypatch):
    """Run the command line, with the work done in this process."""
    monkeypatch.setattr(batch, "Processes", Here)
    return run


@pytest.fixture
def songs(tmp_path):
    """A folder of two songs, and one in a folder of it."""
    for number, name in enumerate(("a.wav", "b.wav", "live/c.wav"), 1):
        write_song(tmp_path / "songs" / name, 220 * number)
    return tmp_path / "songs"


def write_song(path, pitch=440):
    t = np.arange(2400) / RATE
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * pitch * t), RATE, "PCM_16")


def write_noise(path, seconds=20):
    """What takes many iterations to explain."""
    y = np.random.default_rng(5).uniform(-0.5, 0.5, seconds * RATE)
    soundfile.write(path, y, RATE)


def write_score(path, ticks=280):
    track = mido.MidiTrack()
    track.append(mido.Message("note_on", note=57, velocity=90))
    track.append(mido.Message("note_off", note=57, time=ticks))
    mido.MidiFile(tracks=[track]).save(path)


def write_labels(path, end=0.1):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"0\t{end}\tlow\n{end}\t0.2\thigh\n")


def events(*kinds, output=OUT):
    lines = (Path(output) / MANIFEST).read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return [event for event in found if not kinds or event["event"] in kinds]


def begun(output=OUT):
    return [event["song"] for event in events("begin", output=output)]


def runs(output=OUT):
    """The runs in a folder, relative to it."""
    found = Path(output).rglob(REPORT)
    return sorted(path.parent.relative_to(output).as_posix() for path in found)


def report_of(name, output=OUT):
    return json.loads((Path(output) / name / REPORT).read_text())


def counts(out):
    content = json.loads(out)
    return [content[name] for name in ("songs", "done", "failed", "skipped", "left")]


def asked(monkeypatch, run, *args):
    """What a command line asks of a batch."""
    requests = []

    def refuse(request, **_):
        requests.append(request)
        raise BatchError("enough")

    with monkeypatch.context() as patch:
        patch.setattr(batch, "make_plan", refuse)
        status, _, err = run("batch", *args)
    assert (status, err) == (1, "error: enough\n")
    return requests[0]


def flags(name):
    command = cli.get_command(None, name)
    return {
        flag
        for param in command.params
        for flag in (*param.opts, *param.secondary_opts)
        if flag.startswith("-")
    }


def test_a_folder_becomes_a_folder_of_runs(run, songs):
    status, out, err = run("batch", "songs", "-r", "-j", "2", *QUICK)
    assert (status, err) == (0, "")
    assert runs() == ["a", "b", "live/c"]
    table = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert (table["songs"], table["done"]) == ("3", "3")
    assert table["sound"] == "0:00:01"
    assert table["speed"].endswith("times real time")
    assert sorted(path.name for path in OUT.iterdir()) == ["a", "b", MANIFEST, "live"]
    # Processes of a batch do as the bare command does.
    run("decompose", "songs/a.wav", *QUICK, "-o", "bare")
    bare = Path("bare/a/factors.npz").read_bytes()
    assert (OUT / "a" / "factors.npz").read_bytes() == bare


def test_only_what_is_asked_for_is_done(here, songs):
    assert here("batch", "songs", *QUICK)[0] == 0
    assert runs() == ["a", "b"]
    options = ("-r", "--include", "live/*", "--include", "b*", "--exclude", "b.wav")
    assert here("batch", "songs", *options, *QUICK, "-o", "o")[0] == 0
    assert runs("o") == ["live/c"]


def test_a_song_with_a_score_beside_it_is_separated(here, songs):
    write_score(songs / "a.mid")
    assert here("batch", "songs", *QUICK)[0] == 0
    assert report_of("a")["kind"] == "separate"
    assert report_of("b")["kind"] == "decompose"
    assert here("batch", "songs", *QUICK, "--no-scores", "-o", "o")[0] == 0
    assert report_of("a", "o")["kind"] == "decompose"


def test_one_score_may_be_for_all_songs(here, songs, tmp_path):
    write_score(tmp_path / "all.mid")
    options = ("--score", "all.mid", "--align", "never")
    assert here("batch", "songs", *options, *QUICK)[0] == 0
    for name in ("a", "b"):
        report = report_of(name)
        assert report["kind"] == "separate"
        assert report["inputs"][1]["path"] == str(tmp_path / "all.mid")


def test_scores_may_lie_in_a_folder_of_their_own(here, songs, tmp_path):
    for name in ("a", "live/c"):
        path = tmp_path / "scores" / f"{name}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_score(path)
    options = ("-r", "--score", "scores", "--align", "never", *QUICK)
    assert here("batch", "songs", *options)[0] == 0
    for name in ("a", "live/c"):
        report = report_of(name)
        assert report["kind"] == "separate"
        assert report["inputs"][1]["path"] == str(tmp_path / "scores" / f"{name}.mid")
    assert report_of("b")["kind"] == "decompose"
    # One that lies beside its song is taken where the folder has none, and counts.
    write_score(songs / "b.mid")
    _, out, _ = here("batch", "songs", *options, "--resume", "--json")
    assert counts(out) == [3, 1, 0, 2, 0]
    assert report_of("b")["inputs"][1]["path"] == str(songs / "b.mid")


def test_each_song_is_labelled_by_its_file_in_a_folder(here, songs, tmp_path):
    for name in ("a", "live/c"):
        write_labels(f"labels/{name}.txt")
    options = ("-r", "--task", "label", "--labels-from", "labels", *QUICK, "--json")
    status, out, err = here("batch", "songs", *options)
    assert (status, counts(out)) == (1, [3, 2, 1, 0, 0])
    failed = [line for line in err.splitlines() if not line.startswith("warning: ")]
    assert failed == [f"error: {songs}/b.wav: no labels given; use --labels"]
    assert runs() == ["a", "live/c"]
    for name in runs():
        report = report_of(name)
        assert report["kind"] == "label"
        assert report["settings"]["n_components"] == 2
        assert report["inputs"][1]["path"] == str(tmp_path / "labels" / f"{name}.txt")
    write_labels("labels/b.csv")  # what failed has changed
    (tmp_path / "labels" / "b.csv").write_text("start,end,name\n0,0.1,low\n")
    status, out, _ = here("batch", "songs", *options, "--resume")
    assert (status, counts(out)) == (0, [3, 1, 0, 2, 0])


def test_one_file_of_labels_may_be_for_all_songs(here, songs, tmp_path):
    write_labels("all.txt")
    options = ("--task", "label", "--labels", "all.txt", *QUICK)
    assert here("batch", "songs", *options)[0] == 0
    # It is as the bare command does.
    here("label", "songs/a.wav", "--labels", "all.txt", *QUICK, "-o", "bare")
    for name in ("a", "b"):
        assert report_of(name)["kind"] == "label"
        assert report_of(name)["inputs"][1]["path"] == str(tmp_path / "all.txt")
    bare, own = report_of("a", "bare"), report_of("a")
    assert own["settings_hash"] == bare["settings_hash"]
    expected = Path("bare/a/factors.npz").read_bytes()
    assert (OUT / "a" / "factors.npz").read_bytes() == expected


def test_songs_are_factorised_in_layers(here, songs):
    options = ("--task", "layers", "--ranks", "4,2", *QUICK[2:])
    assert here("batch", "songs", *options)[0] == 0
    assert [report_of(name)["kind"] for name in runs()] == ["layers"] * 2
    assert (OUT / "a" / "tree.json").exists()
    write_labels("labels/b.txt")
    more = ("--labels-from", "labels", "--resume", "--json")
    _, out, _ = here("batch", "songs", *options, *more)
    assert counts(out) == [2, 1, 0, 1, 0]
    assert [report_of(name)["labels"] for name in runs()] == [None, ["low", "high"]]


def test_songs_that_have_no_score_are_separated_by_what_is_heard(here, songs):
    write_score(songs / "a.mid")
    options = ("--task", "separate", "--align", "never", *QUICK[2:])
    status, out, _ = here("batch", "songs", "-r", *options, "--json")
    assert (status, counts(out)) == (0, [3, 3, 0, 0, 0])
    by_ear = {name: report_of(name)["alignment"] is None for name in runs()}
    assert by_ear == {"a": False, "b": True, "live/c": True}


def test_a_song_without_notes_fails_alone(here, songs):
    write_song(songs / "a.wav", 440)
    soundfile.write(songs / "b.wav", [0.0] * 4000, 8000)
    status, out, err = here("batch", "songs", "--task", "transcribe", "--json")
    assert (status, counts(out)) == (1, [2, 1, 1, 0, 0])
    (line,) = err.splitlines()
    assert line.startswith("error: b.wav: no note was heard")


def test_songs_that_are_to_be_decomposed_are_whatever_lies_beside_them(here, songs):
    write_score(songs / "a.mid")
    assert here("batch", "songs", "--task", "decompose", *QUICK)[0] == 0
    assert [report_of(name)["kind"] for name in ("a", "b")] == ["decompose"] * 2


def test_a_dry_run_says_what_would_be_done_and_does_nothing(here, songs, tmp_path):
    write_score(songs / "a.mid")
    status, out, err = here("batch", "songs", "--dry-run")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "new     a.wav -> a: separate by a.mid",
        "new     b.wav -> b: decompose",
        "2 songs",
    ]
    assert not OUT.exists()
    _, out, _ = here("batch", "songs", "--dry-run", "--json")
    content = json.loads(out)
    assert content["failures"] == []
    assert content["songs"][1] == {
        "song": "b.wav",
        "verdict": "new",
        "command": "decompose",
        "score": None,
        "inputs": {},
        "output": str(tmp_path / OUT / "b"),
    }
    assert content["songs"][0]["score"] == "a.mid"
    assert content["songs"][0]["inputs"] == {"score": "a.mid"}


def test_a_dry_run_names_the_labels_of_each_song(here, songs, tmp_path):
    write_labels("labels/a.txt")
    options = ("--task", "label", "--labels-from", "labels", "--dry-run")
    status, out, err = here("batch", "songs", *options)
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        f"new     a.wav -> a: label by {tmp_path}/labels/a.txt",
        "new     b.wav -> b: label",
        "2 songs",
    ]
    assert not OUT.exists()
    _, out, _ = here("batch", "songs", *options, "--json")
    assert json.loads(out)["songs"] == [
        {
            "song": f"{name}.wav",
            "verdict": "new",
            "command": "label",
            "score": None,
            "inputs": inputs,
            "output": str(tmp_path / OUT / name),
        }
        for name, inputs in (
            ("a", {"labels": str(tmp_path / "labels" / "a.txt")}),
            ("b", {}),
        )
    ]
    options = ("--task", "label", "--labels", "labels/a.txt", "--dry-run", "--json")
    _, out, _ = here("batch", "songs", *options)
    assert [each["inputs"] for each in json.loads(out)["songs"]] == [
        {"labels": str(tmp_path / "labels" / "a.txt")}
    ] * 2


def test_a_dry_run_of_a_resumed_batch_knows_what_is_done(here, songs):
    here("batch", "songs", *QUICK)
    write_song(songs / "b.wav", 1000)
    write_song(songs / "d.wav")
    _, out, _ = here("batch", "songs", *QUICK, "--resume", "--dry-run", "--json")
    verdicts = {each["song"]: each["verdict"] for each in json.loads(out)["songs"]}
    assert verdicts == {"a.wav": "done", "b.wav": "again", "d.wav": "new"}


def test_json_is_one_object_and_alone_on_stdout(here, songs):
    (songs / "bad.wav").write_bytes(b"no audio")
    status, out, err = here("batch", "songs", *QUICK, "--json")
    assert status == 1
    assert counts(out) == [3, 2, 1, 0, 0]
    content = json.loads(out)
    assert content["output"] == "specnmf_out"
    assert content["duration"] == 0.6
    assert content["speed"] > 0
    (failure,) = content["failures"]
    assert failure["input"] == "bad.wav"
    assert failure["log"] == "batch_logs/bad.wav.log"
    assert "Traceback" in (OUT / failure["log"]).read_text()
    assert err.splitlines() == [f"error: {failure['error']}"]


def test_json_tells_of_a_batch_that_cannot_begin(here):
    status, out, err = here("batch", "nowhere", "--json")
    assert status == 1
    (failure,) = json.loads(out)["failures"]
    assert failure["error"].endswith("nowhere: no such folder")
    assert err == f"error: {failure['error']}\n"
    assert not OUT.exists()


def test_a_song_that_fails_stops_no_other(here, songs):
    (songs / "a.wav").write_bytes(b"RIFF")
    status, out, err = here("batch", "songs", "-r", *QUICK)
    assert status == 1
    assert runs() == ["b", "live/c"]
    assert out.splitlines()[-1].startswith("failed: a.wav: ")
    assert err.count("\n") == 1


def test_quiet_says_errors_only(here, songs):
    (songs / "a.wav").write_bytes(b"RIFF")
    status, out, err = here("batch", "songs", *QUICK, "--quiet")
    assert (status, out) == (1, "")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("songs", "-j", "0"),
        ("songs", "--jobs", "many"),
        ("songs", "--resume", "--overwrite"),
        ("songs", "--timeout", "0"),
        ("songs", "--timeout", "nan"),
        ("songs", "--max-memory", "much"),
        ("songs", "-k", "0"),
        ("songs", "--solver", "magic"),
        ("songs", "--nothing"),
        ("songs", "more"),
        ("songs", "--task", "magic"),
        ("songs", "--by", "hand", "--task", "label"),
        ("songs", "-k", "3", "--task", "separate"),
        ("songs", "--ranks", "4,2"),
        ("songs", "--by", "hand", "--no-scores"),
        ("songs", "--labels", "all.txt"),
        ("songs", "--labels-from", "labels"),
        ("songs", "--score", "all.mid", "--task", "decompose"),
        ("songs", "--task", "label", "-k", "auto"),
        ("songs", "--task", "label", "--transpose", "auto"),
    ],
)
def test_wrong_usage_is_status_2(here, songs, args):
    status, out, err = here("batch", *args)
    assert (status, out) == (2, "")
    assert "Error: " in err
    assert not OUT.exists()


def test_an_option_of_another_task_is_named(here, songs):
    for args, error in (
        (("--by", "hand", "--task", "label"), "--by is not an option of label"),
        (("--labels", "x"), "--labels-from is not an option of separate and decompose"),
    ):
        _, _, err = here("batch", "songs", *args)
        assert err.splitlines()[-1] == f"Error: {error}"


def test_a_file_may_set_options_of_other_tasks(run, songs, monkeypatch, tmp_path):
    (tmp_path / "specnmf.toml").write_text(
        'by = "hand"\nlabels = "l.txt"\nscore = "s.mid"\ncomponents = 3\n'
    )
    args = ("songs", "--config", "specnmf.toml")
    request = asked(monkeypatch, run, *args, "--task", "label")
    assert request.settings == [LabelSettings(n_components=3, report_audio="link")]
    assert request.inputs == {"labels": "l.txt"}
    request = asked(monkeypatch, run, *args)
    assert request.settings == [
        ScoreSettings(by="hand", report_audio="link"),
        Settings(n_components=3, report_audio="link"),
    ]
    assert request.inputs == {"score": "s.mid"}


def test_the_second_time_there_is_nothing_to_do(here, songs):
    here("batch", "songs", "-r", *QUICK)
    before = {name: (OUT / name / REPORT).stat() for name in runs()}
    status, out, _ = here("batch", "songs", "-r", *QUICK, "--resume", "--json")
    assert status == 0
    assert counts(out) == [3, 0, 0, 3, 0]
    assert {name: (OUT / name / REPORT).stat() for name in runs()} == before
    assert len(begun()) == 3


def test_what_has_changed_is_done_again(here, songs):
    here("batch", "songs", *QUICK)
    write_song(songs / "b.wav", 1000)
    _, out, _ = here("batch", "songs", *QUICK, "--resume", "--json")
    assert counts(out) == [2, 1, 0, 1, 0]
    _, out, _ = here("batch", "songs", *QUICK, "--seed", "7", "--resume", "--json")
    assert counts(out) == [2, 2, 0, 0, 0]
    assert report_of("a")["settings"]["seed"] == 7


def test_a_file_that_was_only_touched_is_read_and_kept(here, songs):
    here("batch", "songs", *QUICK)
    os.utime(songs / "a.wav")
    _, out, _ = here("batch", "songs", *QUICK, "--resume", "--json")
    assert counts(out) == [2, 0, 0, 2, 0]
    assert begun() == ["a.wav", "b.wav", "a.wav"]
    here("batch", "songs", *QUICK, "--resume")
    assert len(begun()) == 3


def test_a_change_that_size_and_time_hide_is_found_by_checksum(here, songs):
    here("batch", "songs", *QUICK)
    status = (songs / "a.wav").stat()
    write_song(songs / "a.wav", 1000)
    os.utime(songs / "a.wav", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (songs / "a.wav").stat().st_size == status.st_size
    _, out, _ = here("batch", "songs", *QUICK, "--resume", "--json")
    assert counts(out) == [2, 0, 0, 2, 0]
    _, out, _ = here("batch", "songs", *QUICK, "--resume", "--checksum", "--json")
    assert counts(out) == [2, 1, 0, 1, 0]


def test_a_score_that_comes_or_changes_is_noticed(here, songs):
    here("batch", "songs", *QUICK)
    for ticks in (280, 240):
        write_score(songs / "a.mid", ticks)
        os.utime(songs / "a.mid", ns=(0, ticks))
        _, out, _ = here("batch", "songs", *QUICK, "--resume", "--json")
        assert counts(out) == [2, 1, 0, 1, 0]
    (songs / "a.mid").unlink()
    _, out, _ = here("batch", "songs", *QUICK, "--resume", "--json")
    assert counts(out) == [2, 1, 0, 1, 0]
    assert report_of("a")["kind"] == "decompose"


def test_another_score_for_all_songs_is_noticed(here, songs, tmp_path):
    for ticks in (280, 240):
        write_score(tmp_path / "all.mid", ticks)
        options = ("--score", "all.mid", "--align", "never", "--resume", "--json")
        _, out, _ = here("batch", "songs", *QUICK, *options)
        assert counts(out) == [2, 2, 0, 0, 0]


#: Ways to change what lies beside songs: the options, the file, and its songs.
BESIDE = [
    (("--task", "label", "--labels-from", "own"), "own/a.txt", ["a.wav"]),
    (("--task", "label", "--labels", "all.txt"), "all.txt", ["a.wav", "b.wav"]),
    (("--align", "never"), "songs/a.mid", ["a.wav"]),
    (("--align", "never", "--score", "own"), "own/b.mid", ["b.wav"]),
    (("--align", "never", "--score", "all.mid"), "all.mid", ["a.wav", "b.wav"]),
    (("--templates", "t.npz"), "t.npz", ["a.wav", "b.wav"]),
]


def write_beside(path, version):
    """Write a file that lies beside songs; all versions of it are as long."""
    path = Path(path)
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".mid":
        write_score(path, 280 - version)
    elif path.suffix == ".txt":
        write_labels(path, (0.12, 0.14)[version])
    else:
        W = np.random.default_rng(version).uniform(size=(513, 1))
        np.savez(path, W=W, frequencies=np.arange(513) * RATE / 1024)


@pytest.mark.slow  # whole batches
@pytest.mark.parametrize(("options", "path", "theirs"), BESIDE)
@pytest.mark.parametrize("manifest", [True, False])
def test_a_batch_that_is_resumed_sees_every_input(
    here, songs, options, path, theirs, manifest
):
    args = ("batch", "songs", *QUICK, "--n-fft", "1024", *options)
    for other in ("own/a.txt", "own/b.txt"):  # each song has labels
        write_beside(other, 0)
    write_beside(path, 0)
    assert here(*args)[0] == 0

    def resumed(*more):
        if not manifest:
            (OUT / MANIFEST).unlink()
        status, out, _ = here(*args, "--resume", *more, "--json")
        assert status == 0
        return counts(out)

    assert resumed() == [2, 0, 0, 2, 0]
    before = {name: report_of(name) for name in ("a", "b")}
    write_beside(path, 1)
    os.utime(path, ns=(0, 1))
    assert resumed() == [2, len(theirs), 0, 2 - len(theirs), 0]
    for name in ("a", "b"):
        changed = report_of(name)["inputs"] != before[name]["inputs"]
        assert changed == (f"{name}.wav" in theirs)
        hashed = report_of(name)["settings_hash"] != before[name]["settings_hash"]
        assert hashed == changed
    assert resumed() == [2, 0, 0, 2, 0]


def test_labels_whose_change_size_and_time_hide_are_found_by_checksum(here, songs):
    options = ("--task", "label", "--labels-from", "own", *QUICK, "--json")
    for name in ("a", "b"):
        write_beside(f"own/{name}.txt", 0)
        os.utime(f"own/{name}.txt", ns=(0, 1))
    here("batch", "songs", *options)
    write_beside("own/a.txt", 1)
    os.utime("own/a.txt", ns=(0, 1))
    _, out, _ = here("batch", "songs", *options, "--resume")
    assert counts(out) == [2, 0, 0, 2, 0]
    _, out, _ = here("batch", "songs", *options, "--resume", "--checksum")
    assert counts(out) == [2, 1, 0, 1, 0]


def test_another_task_makes_the_runs_again(here, songs):
    here("batch", "songs", *QUICK)
    write_labels("all.txt")
    options = ("--task", "label", "--labels", "all.txt", "--resume", "--json")
    _, out, _ = here("batch", "songs", *QUICK, *options)
    assert counts(out) == [2, 2, 0, 0, 0]
    assert [report_of(name)["kind"] for name in ("a", "b")] == ["label"] * 2


def test_a_run_that_was_removed_is_made_again(here, songs):
    here("batch", "songs", *QUICK)
    shutil.rmtree(OUT / "a")
    _, out, _ = here("batch", "songs", *QUICK, "--resume", "--json")
    assert counts(out) == [2, 1, 0, 1, 0]


def test_runs_without_their_manifest_are_looked_at_and_kept(here, songs):
    here("batch", "songs", *QUICK)
    (OUT / MANIFEST).unlink()
    _, out, _ = here("batch", "songs", *QUICK, "--resume", "--json")
    assert counts(out) == [2, 0, 0, 2, 0]


def test_what_failed_is_tried_again_when_asked_or_changed(here, songs):
    (songs / "a.wav").write_bytes(b"no audio")
    here("batch", "songs", *QUICK)
    status, out, _ = here("batch", "songs", *QUICK, "--resume", "--json")
    assert (status, counts(out)) == (1, [2, 0, 1, 1, 0])
    assert json.loads(out)["failures"][0]["error"].endswith("(before)")
    assert begun() == ["a.wav", "b.wav"]
    status, out, _ = here("batch", "songs", *QUICK, "--retry-failed", "--json")
    assert (status, counts(out)) == (1, [2, 0, 1, 1, 0])
    assert begun() == ["a.wav", "b.wav", "a.wav"]
    write_song(songs / "a.wav")
    status, out, _ = here("batch", "songs", *QUICK, "--resume", "--json")
    assert (status, counts(out)) == (0, [2, 1, 0, 1, 0])


def test_a_finished_batch_is_neither_mixed_up_nor_lost(here, songs):
    here("batch", "songs", *QUICK)
    status, _, err = here("batch", "songs", *QUICK)
    assert status == 1
    assert err.startswith("error: specnmf_out holds a batch; use --resume to continue")
    status, out, _ = here("batch", "songs", *QUICK, "--overwrite", "--json")
    assert (status, counts(out)) == (0, [2, 2, 0, 0, 0])


def test_a_batch_that_could_not_begin_is_not_in_the_way(here, songs, monkeypatch):
    def no_workers(*_):
        raise BatchError("no scheduler answers")

    with monkeypatch.context() as patch:
        patch.setattr(batch, "_workers", no_workers)
        status, _, err = here("batch", "songs", *QUICK)
    assert (status, err) == (1, "error: no scheduler answers\n")
    assert here("batch", "songs", *QUICK)[0] == 0


def test_two_batches_on_one_folder_are_one_too_many(here, songs):
    with open_store(OUT).lock():
        status, _, err = here("batch", "songs", *QUICK)
        assert status == 1
        assert f"another batch uses this folder, process {os.getpid()} on " in err
    assert not (OUT / LOCK).exists()
    assert here("batch", "songs", *QUICK)[0] == 0


def test_songs_that_would_share_a_folder_are_told_before_work_begins(here, songs):
    write_song(songs / "a.flac")
    status, _, err = here("batch", "songs", *QUICK)
    assert status == 1
    assert "a.flac and a.wav: both runs would be a; rename one, or use --excl" in err
    assert not OUT.exists()
    assert here("batch", "songs", *QUICK, "--exclude", "*.flac")[0] == 0


@pytest.mark.parametrize("between", ["\n", "\0"])
def test_a_list_comes_from_standard_input(here, songs, monkeypatch, between):
    content = between.join(["live/c.wav", str(songs / "a.wav"), "gone.wav"])
    stdin = SimpleNamespace(buffer=io.BytesIO(content.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    status, out, err = here("batch", "songs", "--files-from", "-", *QUICK, "--json")
    assert (status, counts(out)) == (1, [3, 2, 1, 0, 0])
    assert begun() == ["live/c.wav", "a.wav", "gone.wav"]
    assert runs() == ["a", "live/c"]
    assert "gone.wav: no such file" in err


def test_a_list_needs_no_folder(here, songs, tmp_path):
    (tmp_path / "list").write_text("songs/a.wav\n")
    assert here("batch", "--files-from", "list", *QUICK)[0] == 0
    assert runs() == ["songs/a"]


def test_a_list_does_not_lead_elsewhere(here, songs, tmp_path):
    (tmp_path / "list").write_text("../secret.wav\n")
    status, _, err = here("batch", "songs", "--files-from", "list")
    assert status == 1
    assert "the list contains '../secret.wav', expected files in" in err


def test_a_list_that_is_not_there_is_told(here, songs):
    status, _, err = here("batch", "songs", "--files-from", "none")
    assert (status, err) == (1, "error: none: No such file or directory\n")


@pytest.mark.parametrize("output", ["songs/runs", "songs"])
def test_runs_among_the_songs_are_not_taken_for_songs(here, songs, output):
    options = (*QUICK[:4], "--no-figures", "-r", "-o", output, "--json")
    _, out, _ = here("batch", "songs", *options)
    assert counts(out) == [3, 3, 0, 0, 0]
    assert list(Path(output).rglob("component_01*"))  # recordings, like the songs
    _, out, _ = here("batch", "songs", *options, "--resume")
    assert counts(out) == [3, 0, 0, 3, 0]


def test_a_song_that_takes_too_long_fails_alone(here, songs, monkeypatch):
    clock = SimpleNamespace(now=0.0, perf_counter=time.perf_counter)
    clock.monotonic = lambda: clock.now

    def said(self, said):  # time stands still but for this
        if (said.name, said.stage) == ("a.wav", "factorise"):
            clock.now += 1.5

    monkeypatch.setattr(work, "time", clock)
    monkeypatch.setattr(Here, "said", said)
    write_noise(songs / "a.wav")
    status, out, err = here("batch", "songs", *ENDLESS, "--timeout", "1", "--json")
    assert (status, counts(out)) == (1, [2, 1, 1, 0, 0])
    assert "a.wav: took longer than 1 s" in err
    assert not list(OUT.glob(f"{PARTIAL}*"))


def test_names_of_every_kind_are_done(here, songs):
    names = ["a b", "new\nline", "'\"", "🎻", "-rf", "x" * 251, "[red]", "%s{}"]
    for name in names:
        write_song(songs / "odd" / f"{name}.wav")
    bad = os.fsdecode(b"\xff\xfe")
    (songs / "odd" / f"{bad}.wav").write_bytes(b"no audio")
    status, out, err = here("batch", "songs/odd", *QUICK, "--json")
    assert status == 1
    assert counts(out) == [len(names) + 1, len(names), 1, 0, 0]
    assert runs() == sorted(names)
    assert err.count("\n") == 1
    status, out, _ = here("batch", "songs/odd", *QUICK, "--resume")
    assert out.splitlines()[-1].startswith("failed: \\udcff\\udcfe.wav: ")


def test_options_of_all_tasks_are_there_each_once():
    theirs = set().union(*map(flags, TASKS))
    assert theirs - flags("batch") == set()
    command = cli.get_command(None, "batch")
    known = [flag for each in command.params for flag in each.opts]
    assert len(known) == len(set(known))


def test_options_that_are_not_given_stay_each_commands_own(run, songs, monkeypatch):
    request = asked(monkeypatch, run, "songs")
    linked = {"report_audio": "link"}  # a batch's own default
    assert request.settings == [ScoreSettings(**linked), Settings(**linked)]
    assert request.batch == BatchSettings()
    assert (request.source, request.output) == ("songs", "specnmf_out")
    assert (request.names, request.task, request.inputs) == (None, "auto", {})
    assert request.command == "specnmf batch songs"
    for name, task in TASKS.items():
        request = asked(monkeypatch, run, "songs", "--task", name)
        assert (request.task, request.settings) == (name, [task.settings(**linked)])


def test_options_that_are_given_are_for_both(run, songs, monkeypatch):
    options = ("--max-iter", "9", "--tol", "0.25", "--mask-power", "1.5", "--seed", "3")
    request = asked(monkeypatch, run, "songs", *options, "-k", "3", "--by", "hand")
    by_score, alone = request.settings
    for settings in (by_score, alone):
        assert (settings.max_iter, settings.tol) == (9, 0.25)
        assert (settings.mask_power, settings.seed) == (1.5, 3)
    assert alone.n_components == 3
    assert by_score.by == "hand"


def test_options_may_come_from_a_file(run, songs, monkeypatch, tmp_path):
    (tmp_path / "specnmf.toml").write_text(
        'components = 3\n[batch]\njobs = 2\ninclude = ["*.wav"]\n'
        'recursive = true\nmax-memory = "1G"\n[decompose]\nseed = 8\n'
    )
    args = ("songs", "--config", "specnmf.toml", "-j", "5")
    request = asked(monkeypatch, run, *args)
    assert request.settings == [
        ScoreSettings(report_audio="link"),
        Settings(n_components=3, report_audio="link"),
    ]
    assert request.batch == BatchSettings(
        jobs=5, include=("*.wav",), recursive=True, max_memory=1 << 30
    )


def test_the_help_tells_of_resuming_and_stopping(run):
    status, out, _ = run("batch", "--help")
    assert status == 0
    for word in (
        "FOLDER",
        "--resume",
        "--jobs",
        "Ctrl-C",
        "batch.jsonl",
        "exit status",
    ):
        assert word in out


def test_an_output_that_cannot_be_written_is_one_line(here, songs, tmp_path):
    (tmp_path / "file").touch()
    for output in ("file", "file/runs", "x" * 300, "loop"):
        if output == "loop":
            (tmp_path / "loop").symlink_to("loop")
        status, _, err = here("batch", "songs", *QUICK, "-o", output)
        assert status == 1, output
        assert err.startswith("error: ")
        assert err.count("\n") == 1


def test_a_disk_that_fills_up_is_one_line(here, songs, monkeypatch):
    def full(file):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    status, _, err = here("batch", "songs", *QUICK)
    assert status == 1
    assert err.startswith("error: ")
    assert err.endswith("batch.jsonl: No space left on device\n")
    assert err.count("\n") == 1
    assert not (OUT / LOCK).exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_output_without_permission_is_one_line(here, songs, tmp_path):
    (tmp_path / "runs").mkdir(mode=0o555)
    status, _, err = here("batch", "songs", *QUICK, "-o", "runs")
    assert status == 1
    assert err.endswith("batch.lock: Permission denied\n")


def test_a_file_where_a_folder_of_runs_should_be_fails_its_songs_alone(here, songs):
    OUT.mkdir()
    (OUT / "live").write_text("in the way")
    status, out, err = here("batch", "songs", "-r", *QUICK, "--json")
    assert (status, counts(out)) == (1, [3, 2, 1, 0, 0])
    assert "live: expected a folder for runs, got a file" in err


def test_what_a_killed_batch_left_is_swept(here, songs):
    for folder in (OUT, OUT / "live"):
        (folder / f"{PARTIAL}dead").mkdir(parents=True)
    assert here("batch", "songs", "-r", *QUICK)[0] == 0
    assert not list(OUT.rglob(f"{PARTIAL}*"))


def test_files_that_are_no_recordings_are_counted_by_suffix(here, songs):
    for name in ("b.doc", "c.DOC", "notes", "x.mid", ".DS_Store", "._a.wav"):
        (songs / name).touch()
    (songs / "folder.wav").mkdir()
    status, out, err = here("batch", "songs", "--dry-run")
    assert (status, out.splitlines()[-1]) == (0, "2 songs")
    assert err == "ignored files: 2 .doc, 1 without a suffix\n"
    _, out, err = here("batch", "songs", "--dry-run", "--json", "-q")
    assert json.loads(out)["passed_over"] == {".doc": 2, "": 1}
    assert err == ""


def test_recordings_that_ffmpeg_reads_are_songs_too(here, songs):
    pytest.importorskip("av")
    t = np.arange(4096) / RATE
    specnmf.write(songs / "d.m4a", 0.3 * np.sin(2 * np.pi * 440 * t), sr=RATE)
    status, _, err = here("batch", "songs", *QUICK)
    assert (status, err) == (0, "")
    report = json.loads((OUT / "d" / "run.json").read_text())
    assert report["audio"]["n_samples"] == 4096


def test_a_folder_without_recordings_is_an_error(here, tmp_path):
    (tmp_path / "other").mkdir()
    status, out, err = here("batch", "other", "--json")
    assert (status, json.loads(out)["failures"][0]["input"]) == (1, "other")
    assert "other: no recordings; use --recursive to search subfolders" in err
    for number in range(12):
        (tmp_path / "other" / f"{number}.doc").touch()
    status, _, err = here("batch", "other", "-r", "--dry-run")
    assert (status, len(err.splitlines())) == (1, 1)
    assert "no recordings (ignored: 12 .doc); convert other formats, for" in err
    assert not OUT.exists()


def test_patterns_or_a_list_that_leave_nothing_are_an_error(here, songs, tmp_path):
    status, _, err = here("batch", "songs", "--include", "*.flac")
    assert (status, "check --include and --exclude" in err) == (1, True)
    (tmp_path / "list").touch()
    status, _, err = here("batch", "songs", "--files-from", "list")
    assert (status, err) == (1, "error: the list of files is empty\n")


def test_a_folder_of_scores_for_no_song_is_told_of(here, songs, tmp_path):
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "other.mid").touch()
    status, _, err = here("batch", "songs", "--score", "scores", "--dry-run")
    assert status == 0
    assert err == "warning: scores: no score has the name of a song\n"


@pytest.fixture
def started(songs, monkeypatch):
    """Start a batch as a shell does, in a process group of its own."""
    monkeypatch.chdir(songs.parent)
    (songs.parent / "tmp").mkdir()
    processes = []

    def start(*options):
        process = subprocess.Popen(
            [sys.executable, "-m", "specnmf", "batch", "songs", "-j", "1", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(songs.parent / "tmp")},
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


#: Of noise, enough iterations to be interrupted; and more than anyone waits for.
SLOW = ("-k", "8", "--max-iter", "1000", "--tol", "0", *QUICK[4:], "--n-fft", "512")
ENDLESS = (*SLOW[:2], "--max-iter", "100000000", *SLOW[4:], "--hop-length", "16")
ENDLESS += ("--solver", "mu")


def until(condition, process):
    end = time.monotonic() + LONG
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


def is_running():
    """Whether a song is being worked on."""
    return any(OUT.glob(f"{PARTIAL}*"))


def is_on_its_way():
    """Whether a first process starts: its folder is there."""
    return any(Path("tmp").glob("*/0"))


def wait_for_writers():
    """Wait until nobody writes a run: who does has its folder locked."""
    for partial in OUT.glob(f"{PARTIAL}*"):
        folder = os.open(partial, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        os.close(folder)


def is_begun(n_songs=1):
    """Whether the manifest tells of so many songs."""
    return (OUT / MANIFEST).exists() and len(begun()) >= n_songs


@pytest.mark.slow  # a batch that takes its time
def test_ctrl_c_lets_the_running_song_finish(started, songs, here):
    write_noise(songs / "a.wav")
    process = started(*SLOW)
    until(is_running, process)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=LONG)
    assert process.returncode == 130
    assert err.startswith("stopping once the running songs are done")
    assert err.count("\n") == 1
    assert runs() == ["a"]
    assert events()[-1]["left"] == 1
    status, out, _ = here("batch", "songs", *SLOW, "--resume", "--json")
    assert (status, counts(out)) == (0, [2, 1, 0, 1, 0])


def test_ctrl_c_twice_ends_the_running_song(started, songs):
    write_noise(songs / "a.wav")
    process = started(*ENDLESS)
    until(is_running, process)
    os.killpg(process.pid, signal.SIGINT)
    assert process.stderr.readline().startswith("stopping once ")
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=LONG)
    assert process.returncode == 130
    assert err == "stopped; use --resume to continue\n"
    assert runs() == []
    assert not is_running()
    assert [event["event"] for event in events("stopped", "failed")] == ["stopped"]
    assert not (OUT / LOCK).exists()


@pytest.mark.parametrize("whole_group", [False, True])
def test_sigterm_stops_at_once(started, songs, whole_group):
    write_noise(songs / "a.wav")
    process = started(*ENDLESS)
    until(is_running, process)
    send = os.killpg if whole_group else os.kill
    send(process.pid, signal.SIGTERM)
    _, err = process.communicate(timeout=LONG)
    assert process.returncode == 143
    assert err == "stopped; use --resume to continue\n"
    assert not is_running()
    assert events("failed") == []


def test_ctrl_c_at_the_very_beginning_fails_no_song(started, songs):
    write_noise(songs / "a.wav", seconds=5)
    process = started(*SLOW)
    until(lambda: is_begun() and is_on_its_way(), process)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=LONG)
    assert process.returncode == 130
    assert err.startswith("stopping once ")
    assert "Traceback" not in err
    assert events("failed") == []


def test_a_batch_that_is_killed_is_resumed(started, songs, here):
    write_noise(songs / "b.wav")
    process = started(*ENDLESS)
    until(lambda: is_begun(2), process)
    until(is_running, process)
    process.kill()
    process.wait()
    wait_for_writers()
    status, out, _ = here("batch", "songs", *QUICK, "--resume", "--json")
    assert (status, counts(out)) == (0, [2, 2, 0, 0, 0])
    assert not is_running()


def test_a_batch_writes_some_sources_and_fails_where_there_are_none(here, songs):
    quick = [each for each in QUICK if each != "--no-sources"]
    status, _, _ = here("batch", "songs", "--no-scores", *quick, "--only", "2")
    assert status == 0
    assert {path.name for path in OUT.rglob("*.wav")} == {"component_02.wav"}
    options = ("--only", "bass", "--overwrite", "--json")
    status, out, _ = here("batch", "songs", "--no-scores", *quick, *options)
    assert status == 1
    assert (
        "only: no source matches 'bass'; the" in json.loads(out)["failures"][0]["error"]
    )
