"""What a person has in a run folder survives the run that replaces it."""

import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from specnmf import OutputError
from specnmf.output import folder, keeping, report
from specnmf.output.folder import run_folder
from specnmf.output.keeping import remarks
from specnmf.output.products import REPORT, list_files, seal

#: What a run writes, and what the one after it does.
FIRST = {"labels.txt": b"found", "factors.npz": b"W", "sources/a.wav": b"RIFF"}
SECOND = {"labels.txt": b"found anew", "factors.npz": b"W H", "sources/b.wav": b"RI"}


def write(target, files=FIRST, **options):
    """Write a run as a task does; what it kept, by its names then and now."""
    with run_folder(target, **options) as partial:
        for name, content in files.items():
            (partial / name).parent.mkdir(exist_ok=True)
            (partial / name).write_bytes(content)
        content = {"kind": "label", "files": list_files(partial)}
        kept = folder.keep(target, partial, options.get("inputs", ()))
        content["finished"] = seal(content)
        report.write_document(partial / REPORT, content)
    return {each.then: each.now for each in kept}


def files(root):
    """The files in a folder, and what they hold."""
    paths = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def names(folder):
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def song(tmp_path):
    """A finished run."""
    write(tmp_path / "song")
    return tmp_path / "song"


def whole(run, **more):
    """Whether a run is the second one, with more files beside, and nothing else."""
    found = files(run)
    del found[REPORT]
    return found == SECOND | {name.replace("__", "/"): more[name] for name in more}


def test_what_a_run_wrote_and_nobody_changed_is_gone(song, tmp_path):
    assert write(song, SECOND, overwrite=True) == {}
    assert whole(song)
    assert names(tmp_path) == ["song"]


def test_what_no_run_wrote_stays_where_it_is(song):
    own = {"mended.txt": b"0\t1\tmine", "mixes/a/b.wav": b"mix", "sources/c.wav": b"c"}
    for name, content in own.items():
        (song / name).parent.mkdir(parents=True, exist_ok=True)
        (song / name).write_bytes(content)
    (song / "mixes" / "empty").mkdir()
    (song / "mended.txt").chmod(0o600)
    kept = write(song, SECOND, overwrite=True)
    assert kept == {name: name for name in (*own, "mixes/empty")}
    found = files(song)
    assert {name: found[name] for name in own} == own
    assert (song / "mixes" / "empty").is_dir()
    assert stat.S_IMODE((song / "mended.txt").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", FIRST)
def test_what_was_changed_is_kept_under_another_name_if_need_be(song, name):
    (song / name).write_bytes(b"mended")
    now = name if name not in SECOND else f"kept/{name}"
    assert write(song, SECOND, overwrite=True) == {name: now}
    assert files(song)[now] == b"mended"
    assert SECOND.items() <= files(song).items()


def test_changes_of_the_same_size_count(song):
    (song / "labels.txt").write_bytes(b"fouNd")
    os.utime(song / "labels.txt", (0, 0))
    assert write(song, SECOND, overwrite=True) == {"labels.txt": "kept/labels.txt"}


def test_a_run_json_that_was_edited_is_kept(song):
    edited = json.loads((song / REPORT).read_text()) | {"note": "the good one"}
    (song / REPORT).write_text(json.dumps(edited))
    assert write(song, SECOND, overwrite=True) == {REPORT: f"kept/{REPORT}"}
    assert json.loads((song / "kept" / REPORT).read_text()) == edited
    assert "note" not in json.loads((song / REPORT).read_text())


def test_a_run_json_to_which_something_was_added_is_kept(song):
    with (song / REPORT).open("a") as file:
        file.write("the good one\n")
    assert write(song, SECOND, overwrite=True) == {REPORT: f"kept/{REPORT}"}


def test_what_was_kept_stays_kept_and_is_kept_once(song):
    for number, mended in enumerate((b"one", b"two", b"two", b"three")):
        (song / "labels.txt").write_bytes(mended)
        write(song, {**SECOND, "labels.txt": b"%d" % number}, overwrite=True)
    found = files(song)
    assert [found[f"{kept}/labels.txt"] for kept in ("kept", "kept_2", "kept_3")] == [
        b"one", b"two", b"three",
    ]  # fmt: skip
    assert found["labels.txt"] == b"3"
    assert not (song / "kept_4").exists()


def test_inputs_are_kept_even_if_a_run_wrote_them(song):
    inputs = [song / "labels.txt", song / "nowhere.txt", song.parent / "other.txt"]
    kept = write(song, SECOND, overwrite=True, inputs=inputs)
    assert kept == {"labels.txt": "kept/labels.txt"}
    assert files(song)["kept/labels.txt"] == b"found"


def test_links_are_kept_and_never_followed(song, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "data").write_bytes(b"data")
    (song / "folder").symlink_to("../precious")
    (song / "labels.txt").unlink()
    (song / "labels.txt").symlink_to(tmp_path / "precious" / "data")
    shutil.move(song / "sources", tmp_path / "sources")
    (song / "sources").symlink_to(tmp_path / "sources")
    (song / "dangling").symlink_to("nowhere")
    write(song, SECOND, overwrite=True)
    assert (song / "folder").readlink() == Path("../precious")
    assert (song / "kept" / "labels.txt").readlink() == tmp_path / "precious" / "data"
    assert (song / "kept" / "sources").readlink() == tmp_path / "sources"
    assert (song / "dangling").is_symlink()
    assert files(tmp_path / "precious") == {"data": b"data"}
    assert files(tmp_path / "sources") == {"a.wav": b"RIFF"}
    assert SECOND["labels.txt"] == (song / "labels.txt").read_bytes()


def test_a_run_folder_that_is_a_link_is_replaced_where_it_lies(song, tmp_path):
    (tmp_path / "disk").mkdir()
    song.rename(tmp_path / "disk" / "run")
    song.symlink_to(tmp_path / "disk" / "run")
    (song / "mine").write_bytes(b"mine")
    write(song, SECOND, overwrite=True)
    assert song.is_symlink()
    assert whole(tmp_path / "disk" / "run", mine=b"mine")
    assert names(tmp_path / "disk") == ["run"]


def test_files_and_folders_that_change_places_are_kept(song):
    (song / "sources" / "b.wav").mkdir()
    (song / "sources" / "b.wav" / "mine").write_bytes(b"mine")
    (song / "factors.npz").unlink()
    (song / "factors.npz").mkdir()
    (song / "kept").write_bytes(b"a file")
    write(song, SECOND, overwrite=True)
    assert whole(song, **{"kept_2__sources__b.wav__mine": b"mine", "kept": b"a file"})
    assert (song / "kept_2" / "factors.npz").is_dir()


def test_without_hard_links_files_are_copied(song, monkeypatch):
    def refuse(self, target):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    (song / "labels.txt").write_bytes(b"mended")
    (song / "mine").write_bytes(b"mine")
    write(song, SECOND, overwrite=True)
    assert whole(song, mine=b"mine", **{"kept__labels.txt": b"mended"})


def test_what_is_saved_at_the_last_moment_is_kept(song, monkeypatch):
    """Between the look at the old run and the exchange, an editor saves."""
    exchange = folder.exchange

    def save_and_exchange(partial, target):
        (target / "labels.txt").write_bytes(b"mended")
        (target / "late").write_bytes(b"late")
        return exchange(partial, target)

    monkeypatch.setattr(folder, "exchange", save_and_exchange)
    write(song, SECOND, overwrite=True)
    assert whole(song, late=b"late", **{"kept__labels.txt": b"mended"})


def test_what_cannot_be_kept_at_the_last_moment_leaves_the_old_run(song, monkeypatch):
    keep, calls = keeping.keep, []

    def fail_at_last(run, new):
        calls.append(run.folder)
        if len(calls) == 4:
            raise OSError(28, "No space left on device")
        return keep(run, new)

    monkeypatch.setattr(keeping, "keep", fail_at_last)
    with pytest.raises(OutputError, match="cannot be written: No space left"):
        write(song, SECOND, overwrite=True)
    assert len(calls) == 4
    assert FIRST.items() <= files(song).items()
    assert names(song.parent) == ["song"]


# Runs of older versions


def older(song, **report):
    """Make a run one that lists no files, as of an older version."""
    (song / REPORT).write_text(json.dumps({"kind": "label", **report}))
    return song


def test_an_older_run_is_known_by_its_names(song):
    labels = [{"label": "a", "source": "sources/a.wav"}]
    (song / "figures").mkdir()
    (song / "figures" / "loss.png").write_bytes(b"PNG")
    (song / "figures" / "mine.png").write_bytes(b"mine")
    (song / "sources" / "mine.wav").write_bytes(b"mine")
    write(older(song, labels=labels), SECOND, overwrite=True)
    mine = {"figures/mine.png": b"mine", "sources/mine.wav": b"mine"}
    labels = {"kept/labels.txt": b"found"}  # it may have been mended
    assert files(song).items() >= (SECOND | mine | labels).items()
    assert len(files(song)) == 1 + 3 + 2 + 1


def test_of_an_older_run_what_is_younger_than_its_run_json_is_kept(song):
    older(song)
    os.utime(song / REPORT, (1, 1))
    write(song, SECOND, overwrite=True)
    assert files(song)["kept/factors.npz"] == b"W"


def test_of_a_run_whose_run_json_is_damaged_all_else_is_kept(song):
    (song / REPORT).write_text("{")
    write(song, SECOND, overwrite=True)
    assert files(song).items() >= {"kept/factors.npz": b"W", **SECOND}.items()


def test_a_run_json_of_another_program_is_no_run(song):
    (song / REPORT).write_text('{"name": "experiment 7"}')
    with pytest.raises(OutputError, match="exists and is not a run; move it"):
        write(song, SECOND, overwrite=True)


# What is said


def test_a_remark_names_what_has_another_name_now():
    kept = [keeping.Kept("mine", "mine"), keeping.Kept("a", "kept/a")]
    assert remarks(kept[:1]) == []
    assert remarks(kept) == ["kept of the run that was replaced: a as kept/a"]
    many = remarks(kept + [keeping.Kept(f"{n}", f"kept/{n}") for n in range(9)])
    assert many[0].endswith(", 3 as kept/3 and 5 more")


def test_a_file_has_its_new_name_only_if_it_was_moved(song):
    kept = [keeping.Kept("mine", "mine"), keeping.Kept("a", "kept/a")]
    assert folder.kept_as(song / "a", song, kept) == song / "kept" / "a"
    for path in (song / "mine", song / "b", song.parent / "a", song):
        assert folder.kept_as(path, song, kept) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_cannot_be_looked_at_is_refused_before_any_work(song):
    (song / "locked").mkdir(mode=0)
    with pytest.raises(OutputError, match="cannot be written: Permission denied"):
        write(song, SECOND, overwrite=True)
    (song / "locked").chmod(0o700)
    assert FIRST.items() <= files(song).items()


def test_what_another_disk_holds_is_refused_before_any_work(song, monkeypatch):
    walk = keeping._walk

    def mounted(root, within):
        for name, status in walk(root, within):
            values = list(status)
            values[2] += name == "labels.txt"
            yield name, os.stat_result(values)

    monkeypatch.setattr(keeping, "_walk", mounted)
    with pytest.raises(OutputError, match=r"labels.txt is on another disk; unmount it"):
        write(song, SECOND, overwrite=True)
