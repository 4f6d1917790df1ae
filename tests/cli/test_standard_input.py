"""A recording on standard input."""

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from specnmf.cli import standard_input

QUICK = ("-k", "2", "--max-iter", "3", "--no-figures")


@pytest.fixture
def wav():
    """The bytes of a WAV of one second."""
    t = np.arange(8000) / 8000
    sink = io.BytesIO()
    soundfile.write(sink, 0.3 * np.sin(2764 * t), 8000, "PCM_16", format="WAV")
    return sink.getvalue()


@pytest.fixture
def pipe(monkeypatch):
    """A function that puts bytes on standard input."""

    def put(data, *, terminal=False):
        stdin = SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: terminal)
        monkeypatch.setattr(sys, "stdin", stdin)

    return put


def report(folder="specnmf_out/stdin"):
    return json.loads((Path(folder) / "run.json").read_text())


@pytest.mark.parametrize(
    "task", [("decompose", *QUICK), ("transcribe", "--no-figures")]
)
def test_a_dash_reads_standard_input(run, pipe, wav, task):
    pipe(wav)
    status, out, err = run(task[0], "-", *task[1:])
    assert (status, err, out.splitlines()[0]) == (0, "", "specnmf_out/stdin")
    assert report()["inputs"][0]["path"] == "-"
    assert report()["audio"]["n_samples"] == 8000
    assert [each.name for each in Path("specnmf_out").iterdir()] == ["stdin"]


def test_the_length_that_a_pipe_cannot_state_is_found(run, pipe, wav):
    place = wav.index(b"data") + 4
    unknown = b"\xff" * 4
    pipe(wav[:4] + unknown + wav[8:place] + unknown + wav[place + 4 :])
    status, _, _ = run("decompose", "-", *QUICK)
    assert (status, report()["audio"]["n_samples"]) == (0, 8000)


def test_the_run_is_called_so_on_its_page(run, pipe, wav):
    pipe(wav)
    run("decompose", "-", *QUICK)
    assert "<title>stdin" in Path("specnmf_out/stdin/report.html").read_text()


def test_rerun_needs_the_same_in_a_file(run, pipe, wav):
    pipe(wav)
    run("decompose", "-", *QUICK)
    status, _, err = run("rerun", "specnmf_out/stdin")
    assert (status, err.count("\n")) == (1, 1)
    assert "came from standard input, which is not kept" in err
    Path("same.wav").write_bytes(wav)
    status, out, _ = run("rerun", "specnmf_out/stdin", "--input", "same.wav")
    assert (status, "identical" in out) == (0, True)


def test_files_and_standard_input_are_read_in_one_command(run, pipe, wav):
    pipe(wav)
    Path("song.wav").write_bytes(wav)
    status, out, _ = run("decompose", "song.wav", "-", *QUICK)
    assert status == 0
    assert {"specnmf_out/song", "specnmf_out/stdin"} <= {*out.splitlines()}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "error: standard input: empty, expected an audio file\n"),
        (b"hello " * 99, "convert it first: ffmpeg -i FILE -f wav - | specnmf ... -\n"),
    ],
)
def test_what_is_no_recording_leaves_nothing(run, pipe, data, message):
    pipe(data)
    status, out, err = run("decompose", "-", *QUICK)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert message in err
    assert not Path("specnmf_out").exists()


def test_a_terminal_is_no_recording(run, pipe):
    pipe(b"", terminal=True)
    status, _, err = run("decompose", "-")
    assert (status, err.count("\n")) == (1, 1)
    assert "standard input is a terminal, expected a recording: ffmpeg -i" in err


@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [
        ("MOST_BYTES", 1000, "standard input is larger than 0 GB"),
        ("LEAST_FREE", 1 << 62, "standard input does not fit on the disk of"),
    ],
)
def test_what_is_too_large_leaves_nothing(
    run, pipe, wav, monkeypatch, limit, value, message
):
    monkeypatch.setattr(standard_input, limit, value)
    pipe(wav)
    status, _, err = run("decompose", "-", *QUICK)
    assert (status, err.count("\n")) == (1, 1)
    assert message in err
    assert not Path("specnmf_out").exists()


def test_standard_input_is_read_once(run, pipe, wav):
    pipe(wav)
    status, _, err = run("decompose", "-", "-", *QUICK)
    assert status == 1
    assert "its run would be specnmf_out/stdin, like that of -" in err
