"""Folders exchange their names, whenever one is killed."""

import errno
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from specnmf import OutputError
from specnmf.output import exchange, folder
from specnmf.output.exchange import move
from specnmf.output.folder import (
    PARTIAL,
    REPORT,
    check_free,
    recover,
    run_folder,
    sweep,
)

#: Replaces a run again and again, by the numbers from 1 on, until it is killed.
REPLACE = """
import json, sys
from itertools import count
from pathlib import Path
from specnmf.output import folder, report
from specnmf.output.products import list_files, seal
if sys.argv[2] == "in two steps":
    folder.exchange = lambda one, other: False
target = Path(sys.argv[1])
for number in count(1):
    with folder.run_folder(target, overwrite=True) as partial:
        for name in ("a", "b"):
            (partial / name).write_text(str(number))
        content = {"kind": str(number), "files": list_files(partial)}
        content["finished"] = seal(content)
        report.write_document(partial / "run.json", content)
    print(number, flush=True)
"""

WAYS = ("at once", "in two steps")


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    """Exchange folders at once, or as where that cannot be done."""
    if request.param == WAYS[1]:
        monkeypatch.setattr(folder, "exchange", lambda one, other: False)
    return request.param


def make(target, text="new", **options):
    with run_folder(target, **options) as partial:
        (partial / REPORT).write_text(text)


def names(root):
    return sorted(path.name for path in root.iterdir())


def killed_while_replacing(target, way, seconds):
    """Replace a run until the process is killed after the first time, and a while."""
    code = [sys.executable, "-c", REPLACE, target, way]
    with subprocess.Popen(code, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)


def is_whole(run):
    """Whether all of a run is of one number, and the user's file beside it."""
    texts = {(run / name).read_text() for name in ("a", "b")}
    said = f'"kind": "{"".join(texts)}"' in (run / REPORT).read_text()
    return said and (run / "mine").read_text() == "mine"


@pytest.mark.slow  # kills many processes
@pytest.mark.parametrize("way", WAYS)
def test_whenever_it_is_killed_there_is_a_finished_run(tmp_path, way):
    target, chance = tmp_path / "song", random.Random(1)
    make(target)
    (target / "mine").write_text("mine")
    for _ in range(12):
        killed_while_replacing(target, way, chance.uniform(0, 0.05))
        recover(target)
        assert is_whole(target)
    sweep(tmp_path)
    assert names(tmp_path) == ["song"]
    assert names(target) == ["a", "b", "mine", REPORT]


def test_a_run_is_replaced_either_way(tmp_path, way):
    make(tmp_path / "song", "old")
    (tmp_path / "song" / "mine").touch()
    make(tmp_path / "song", overwrite=True)
    assert names(tmp_path) == ["song"]
    assert names(tmp_path / "song") == ["mine", REPORT]
    assert (tmp_path / "song" / REPORT).read_text() == "new"


def killed_in_between(target, monkeypatch):
    """Be killed when the old run has made room and the new one is not there yet."""
    place = folder._aside(target)
    place.mkdir()
    target.rename(place / target.name)


@pytest.mark.parametrize(
    "start",
    [
        lambda target: sweep(target.parent),
        recover,
        lambda target: check_free(target, overwrite=True),
        lambda target: make(target, "old", overwrite=True),
    ],
)
def test_the_next_to_come_puts_back_what_was_being_replaced(
    tmp_path, monkeypatch, start
):
    target = tmp_path / "song"
    make(target, "old")
    killed_in_between(target, monkeypatch)
    start(target)
    assert names(tmp_path) == ["song"]
    assert (target / REPORT).read_text() == "old"


def test_what_was_put_back_is_not_replaced_unless_asked(tmp_path, monkeypatch):
    make(tmp_path / "song", "old")
    killed_in_between(tmp_path / "song", monkeypatch)
    with pytest.raises(OutputError, match="holds a finished run; use --overwrite"):
        make(tmp_path / "song")
    assert (tmp_path / "song" / REPORT).read_text() == "old"


def test_of_a_run_that_was_replaced_when_killed_the_rest_is_removed(
    tmp_path, monkeypatch
):
    target = tmp_path / "song"
    make(target, "old")
    (target / "late").write_text("saved at the last moment")
    killed_in_between(target, monkeypatch)
    target.mkdir()
    (target / REPORT).write_text("new")
    sweep(tmp_path)
    assert names(tmp_path) == ["song"]
    assert (target / REPORT).read_text() == "new"
    assert (target / "late").read_text() == "saved at the last moment"


def test_what_came_into_the_place_of_a_run_leaves_it_aside(tmp_path, monkeypatch):
    target = tmp_path / "song"
    make(target, "old")
    killed_in_between(target, monkeypatch)
    target.write_text("a file")
    sweep(tmp_path)
    assert (folder._aside(target) / "song" / REPORT).read_text() == "old"


@pytest.mark.parametrize("overwrite", [False, True])
def test_the_slower_of_two_runs_replaces_the_other_only_when_asked(
    tmp_path, way, overwrite
):
    def slower():
        with run_folder(tmp_path / "song", overwrite=overwrite) as partial:
            (partial / REPORT).write_text("slower")
            make(tmp_path / "song", "faster")
            (tmp_path / "song" / "mine").touch()

    if overwrite:
        slower()
    else:
        with pytest.raises(
            OutputError, match=r"use --overwrite.*appeared during the run"
        ):
            slower()
    text = (tmp_path / "song" / REPORT).read_text()
    assert text == ("slower" if overwrite else "faster")
    assert names(tmp_path / "song") == ["mine", REPORT]
    assert names(tmp_path) == ["song"]


def test_what_comes_into_the_place_of_a_run_meanwhile_is_left(tmp_path):
    def come():
        with run_folder(tmp_path / "song", overwrite=True) as partial:
            (partial / REPORT).touch()
            (tmp_path / "song").mkdir()
            (tmp_path / "song" / "diary").touch()

    with pytest.raises(
        OutputError, match="exists and is not a run.*appeared during the run"
    ):
        come()
    assert names(tmp_path) == ["song"]
    assert names(tmp_path / "song") == ["diary"]


def test_an_empty_folder_is_a_free_place(tmp_path):
    (tmp_path / "song").mkdir()
    make(tmp_path / "song")
    assert names(tmp_path / "song") == [REPORT]


def test_a_move_goes_over_nothing(tmp_path):
    for name in ("full", "other"):
        make(tmp_path / name)
    (tmp_path / "file").touch()
    for name in ("full", "file"):
        assert not move(tmp_path / "other", tmp_path / name)
    with pytest.raises(FileNotFoundError):
        move(tmp_path / "other", tmp_path / "nowhere" / "else")
    assert move(tmp_path / "other", tmp_path / "free")
    assert names(tmp_path) == ["file", "free", "full"]


@pytest.mark.skipif(exchange._swap() is None, reason="needs Linux or macOS")
def test_an_exchange_is_one_step(tmp_path):
    make(tmp_path / "a", "a")
    make(tmp_path / "b", "b")
    if not exchange.exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("needs a file system that exchanges names")
    assert (tmp_path / "a" / REPORT).read_text() == "b"
    with pytest.raises(FileNotFoundError):
        exchange.exchange(tmp_path / "a", tmp_path / "none")


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EINVAL, errno.EPERM])
def test_systems_that_cannot_exchange_are_told_apart(tmp_path, monkeypatch, number):
    monkeypatch.setattr(exchange, "_swap", lambda: lambda one, other: number)
    make(tmp_path / "song", "old")
    make(tmp_path / "song", overwrite=True)
    assert names(tmp_path) == ["song"]
    monkeypatch.setattr(exchange, "_swap", lambda: None)
    make(tmp_path / "song", overwrite=True)
    monkeypatch.setattr(exchange, "_swap", lambda: lambda one, other: errno.EIO)
    with pytest.raises(OutputError, match=f"cannot be written: {os.strerror(5)}"):
        make(tmp_path / "song", overwrite=True)
    assert names(tmp_path) == ["song"]


def test_folders_that_are_no_runs_left_unfinished_are_left(tmp_path):
    for name in (f"{PARTIAL}backup", f"{PARTIAL}was-mine"):
        (tmp_path / name / "mine").mkdir(parents=True)
    sweep(tmp_path)
    assert len(names(tmp_path)) == 2
