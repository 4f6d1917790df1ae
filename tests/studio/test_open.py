"""The command: what it serves, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from opened import make_run, make_song, stems

from specnmf.cli.open import _open, _run_of

STEMS = {"bass", "viola", "flute"}

#: Longer than any of this takes, in seconds.
PATIENCE = 120


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("song"))


@contextmanager
def opened(*args, cwd):
    """The command as a process, and the first line that it prints."""
    command = [sys.executable, "-m", "specnmf", "open", *map(str, args), "--no-browser"]
    process = subprocess.Popen(
        command,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def end(process, how=signal.SIGINT):
    """End a process by a signal: its status, and what it said on stderr."""
    process.send_signal(how)
    _, err = process.communicate(timeout=PATIENCE)
    return process.returncode, err


def post(link, path, **message):
    origin = link.rpartition("/")[0].rpartition("/")[0]
    headers = {"origin": origin}
    return httpx.post(f"{link}{path}", json=message, headers=headers, timeout=PATIENCE)


def hidden(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_a_run_is_served_until_ctrl_c_and_nothing_is_left(made):
    with opened(made, cwd=made.parent) as (process, link):
        assert link.startswith("http://127.0.0.1:")
        assert httpx.get(link).status_code == 200
        assert stems(httpx.get(f"{link}state").json()) == ["bass", "viola", "flute"]
        assert httpx.get(link[:-3]).status_code == 404
        edits = {"merge": {"strings": ["bass", "viola"]}}
        assert post(link, "edit", revision=0, edits=edits).status_code == 200
        assert httpx.get(f"{link}audio/3").status_code == 200
        assert hidden(made.parent)
        status, err = end(process)
    assert status == 0
    assert err == "some changes were not saved\n"
    assert hidden(made.parent) == []


def test_a_page_that_listens_does_not_keep_it_from_ending(made):
    with (
        opened(made, cwd=made.parent) as (process, link),
        httpx.stream("GET", f"{link}events", timeout=PATIENCE) as events,
    ):
        assert next(events.iter_lines()).startswith("data: ")
        status, err = end(process)
    assert (status, err) == (0, "")


@pytest.mark.slow  # starts the studio
def test_what_is_broken_after_the_answer_is_no_bug(made):
    with opened(made, cwd=made.parent) as (process, link):
        port = int(link.split(":")[2].partition("/")[0])
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as line:
            head = f"POST /x HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            line.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
            assert line.recv(1000).startswith(b"HTTP/1.1 404")
            line.sendall(b"no chunk\r\n")
            while line.recv(1000):
                pass
        assert end(process) == (0, "")


def test_a_bug_in_a_job_is_told_on_stderr(made, monkeypatch, capsys):
    def broken(progress):
        raise ZeroDivisionError("a bug")

    def serve(session, *rest):
        done = threading.Event()
        session._jobs.start("broken", broken, lambda reason: done.set())
        assert done.wait(PATIENCE)

    monkeypatch.setattr("specnmf.cli.open._serve", serve)
    place = {"host": "127.0.0.1", "port": 0, "output": made.parent}
    _open(made, {**place, "input": None, "quiet": True})
    assert "ZeroDivisionError: a bug" in capsys.readouterr().err


@pytest.mark.slow  # starts the studio
def test_sigterm_ends_a_job_as_well(made):
    with opened(made, cwd=made.parent) as (process, link):
        assert post(link, "separate", revision=0).json()["job"] is not None
        status, _ = end(process, signal.SIGTERM)
    assert status == 128 + signal.SIGTERM
    assert hidden(made.parent) == []


@pytest.mark.slow  # starts the studio
def test_a_song_is_separated_as_its_command_would(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_song(tmp_path)
    options = {"task": None, "input": None, "quiet": True, "progress": False}
    folder = _run_of(Path("song.wav"), options)
    assert folder == Path("specnmf_out", "song")
    report = json.loads((folder / "run.json").read_bytes())
    assert report["kind"] == "separate"
    assert {path.stem for path in (folder / "sources").iterdir()} == STEMS


@pytest.mark.slow  # starts the studio
def test_a_song_that_was_separated_is_opened(made):
    song = made.parents[1]
    with opened("song.wav", "--json", cwd=song) as (process, _):
        rest = "".join(iter(process.stdout.readline, "}\n"))
        told = json.loads("{" + rest + "}")
        assert told["folder"] == str(Path("specnmf_out", "song"))
        assert STEMS == {*stems(httpx.get(f"{told['url']}state").json())}
        status, err = end(process)
    assert status == 0
    assert "opening specnmf_out/song, the run of song.wav" in err


def test_another_song_of_the_name_is_refused(run, tmp_path):
    song = make_song(tmp_path)
    make_run(tmp_path)
    song.write_bytes(song.read_bytes()[:-2] + b"\1\1")
    status, out, err = run("open", song)
    assert (status, out) == (1, "")
    assert "holds a run of another recording" in err
    status, _, err = run("open", song, "--task", "decompose")
    assert status == 1


def test_another_task_than_the_run_is_of_is_refused(run, tmp_path):
    make_run(tmp_path)
    status, _, err = run("open", tmp_path / "song.wav", "--task", "decompose")
    assert status == 1
    assert "holds a run of separate, not of decompose" in err


@pytest.mark.parametrize("source", ["nothing", "."])
def test_what_is_no_run_is_told(run, source):
    status, out, err = run("open", source)
    assert (status, out) == (1, "")
    assert "not a run, run.json is missing" in err


@pytest.mark.slow  # starts the studio
def test_a_port_that_is_taken_is_told(run, made):
    with opened(made, cwd=made.parent) as (process, link):
        port = link.split(":")[2].partition("/")[0]
        status, _, err = run("open", made, "--port", port)
        end(process)
    assert status == 1
    assert "the port is in use" in err


def test_other_machines_are_let_in_only_where_there_are_any(run, made):
    status, _, err = run("open", made, "--host", "0.0.0.0")
    assert status == 1
    assert "the name or address" in err


@pytest.mark.parametrize("options", [["--port", "65536"], ["--task", "label"], ["-x"]])
def test_wrong_usage_is_told(run, made, options):
    assert run("open", made, *options)[0] == 2
