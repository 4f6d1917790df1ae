"""Run folders: whole or not at all."""

import errno
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from specnmf import OutputError
from specnmf.output import folder
from specnmf.output.folder import PARTIAL, REPORT, check_free, run_folder, sweep

#: Begins a run in another process, and never ends it.
BEGIN = """
import sys
from pathlib import Path
from specnmf.output.folder import run_folder
with run_folder(Path(sys.argv[1])) as partial:
    (partial / "half").write_text("...")
    print(partial, flush=True)
    sys.stdin.read()
"""


def finished(folder, text="old"):
    folder.mkdir(parents=True)
    (folder / REPORT).write_text(text)
    return folder


def everything(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_a_run_appears_at_the_end_and_not_before(tmp_path):
    target = tmp_path / "out" / "song"
    with run_folder(target) as partial:
        (partial / REPORT).write_text("new")
        assert partial.parent == target.parent
        assert partial.name.startswith(".")
        assert not target.exists()
    assert everything(tmp_path) == ["out", "out/song", "out/song/run.json"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_whatever_stops_a_run_nothing_is_left(tmp_path, error):
    def stop_half_way():
        with run_folder(tmp_path / "deep" / "out" / "song") as partial:
            (partial / "half").write_text("...")
            raise error

    with pytest.raises(error):
        stop_half_way()
    assert everything(tmp_path) == []


def test_a_failed_run_leaves_the_other_runs(tmp_path):
    finished(tmp_path / "out" / "other")

    def fail():
        with run_folder(tmp_path / "out" / "song"):
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="song cannot be written: No space left"):
        fail()
    assert everything(tmp_path) == ["out", "out/other", "out/other/run.json"]


def test_a_finished_run_is_replaced_only_when_asked(tmp_path):
    target = finished(tmp_path / "song")
    with (
        pytest.raises(OutputError, match="holds a finished run; use --overwrite"),
        run_folder(target),
    ):
        pass
    assert (target / REPORT).read_text() == "old"
    with run_folder(target, overwrite=True) as partial:
        (partial / REPORT).write_text("new")
        assert (target / REPORT).read_text() == "old"
    assert everything(tmp_path) == ["song", "song/run.json"]
    assert (target / REPORT).read_text() == "new"


def test_a_failed_overwrite_leaves_the_old_run(tmp_path):
    target = finished(tmp_path / "song")

    def fail():
        with run_folder(target, overwrite=True):
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert (target / REPORT).read_text() == "old"


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_no_run_is_never_replaced(tmp_path, overwrite):
    (tmp_path / "song").mkdir()
    check_free(tmp_path / "song", overwrite=overwrite)  # empty: nothing to lose
    (tmp_path / "song" / "diary.txt").write_text("dear")
    (tmp_path / "file").write_text("dear")
    for name in ("song", "file"):
        with pytest.raises(OutputError, match="exists and is not a run; move it"):
            check_free(tmp_path / name, overwrite=overwrite)


def test_an_output_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").write_text("dear")
    with (
        pytest.raises(
            OutputError, match="file: expected a folder for runs, got a file"
        ),
        run_folder(tmp_path / "file" / "song"),
    ):
        pass


@pytest.fixture
def unfinished(tmp_path):
    """A run of another process on its way: the process, and its hidden folder."""
    with subprocess.Popen(
        [sys.executable, "-c", BEGIN, tmp_path / "song"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process, Path(process.stdout.readline().rstrip())
        process.kill()


def test_what_a_killed_run_left_is_swept(tmp_path, unfinished):
    process, partial = unfinished
    process.kill()
    process.wait()
    assert (partial / "half").exists()
    finished(tmp_path / "other")
    sweep(tmp_path)
    assert everything(tmp_path) == ["other", "other/run.json"]


def test_what_is_being_written_is_not_swept(tmp_path, unfinished):
    _, partial = unfinished
    with run_folder(tmp_path / "mine") as mine:
        sweep(tmp_path)
        assert mine.exists()
        (mine / REPORT).touch()
    assert (partial / "half").exists()
    assert (tmp_path / "mine" / REPORT).exists()


def test_only_what_runs_leave_is_swept(tmp_path):
    for name in ("song", ".hidden", "specnmf-x", "deep/.specnmf-x"):
        finished(tmp_path / name)
    (tmp_path / f"{PARTIAL}file").write_text("...")
    (tmp_path / f"{PARTIAL}link").symlink_to(tmp_path / "song")
    before = everything(tmp_path)
    sweep(tmp_path)
    assert everything(tmp_path) == before


def test_a_folder_that_is_not_there_needs_no_sweep(tmp_path):
    sweep(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    sweep(tmp_path / "file")
    assert everything(tmp_path) == ["file"]


def test_without_locks_nothing_is_swept(tmp_path, monkeypatch):
    def no_locks(file, operation):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(folder.fcntl, "flock", no_locks)
    (tmp_path / f"{PARTIAL}x").mkdir()
    with run_folder(tmp_path / "song") as partial:
        sweep(tmp_path)
        (partial / REPORT).touch()
    assert everything(tmp_path) == [f"{PARTIAL}x", "song", "song/run.json"]


def test_runs_and_sweeps_at_once_lose_nothing(tmp_path):
    def make(name):
        for overwrite in range(30):
            with run_folder(tmp_path / name, overwrite=overwrite > 0) as partial:
                (partial / REPORT).write_text(str(overwrite))

    ended = threading.Event()

    def sweep_on():
        while not ended.is_set():
            sweep(tmp_path)

    makers = [threading.Thread(target=make, args=(name,)) for name in "abc"]
    sweeper = threading.Thread(target=sweep_on)
    for thread in (*makers, sweeper):
        thread.start()
    for thread in makers:
        thread.join()
    ended.set()
    sweeper.join()
    assert everything(tmp_path) == sorted(
        [*"abc", *(f"{name}/{REPORT}" for name in "abc")]
    )
    assert {(tmp_path / name / REPORT).read_text() for name in "abc"} == {"29"}


def test_a_parent_that_another_run_takes_away_again_is_made_again(
    tmp_path, monkeypatch
):
    """Two runs begin in a new folder, and the one that made it fails."""
    make_parents, taken = folder._make_parents, []

    def make_and_lose(parent):
        made = make_parents(parent)
        if not taken:
            taken.append(parent)
            parent.rmdir()
        return made

    monkeypatch.setattr(folder, "_make_parents", make_and_lose)
    with run_folder(tmp_path / "deep" / "song") as partial:
        (partial / REPORT).touch()
    assert everything(tmp_path) == ["deep", "deep/song", "deep/song/run.json"]
