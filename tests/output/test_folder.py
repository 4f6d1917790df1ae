"""Run folders: whole or not at all."""

import pytest

from specnmf import OutputError
from specnmf.output.folder import REPORT, check_free, run_folder


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
        with pytest.raises(OutputError, match="exists and is no run; move it"):
            check_free(tmp_path / name, overwrite=overwrite)


def test_an_output_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").write_text("dear")
    with (
        pytest.raises(OutputError, match="file is a file, expected a folder for runs"),
        run_folder(tmp_path / "file" / "song"),
    ):
        pass
