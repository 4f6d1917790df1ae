"""The command as a process: its streams, its signals, and empty paths."""

import errno
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
from conftest import ROOT

QUICK = ("-k", "1", "--max-iter", "2", "--no-figures", "--no-report")

if sys.platform == "win32":
    pytest.skip("needs a POSIX shell", allow_module_level=True)


@pytest.fixture
def shell(tmp_path):
    """Run a line in a shell beside a song; ``specnmf`` is the command."""
    soundfile.write(tmp_path / "song.wav", np.sin(np.arange(4000.0)) / 2, 8000)
    line = f"specnmf() {{ '{sys.executable}' -m specnmf \"$@\"; }}; "

    def shell(command):
        return subprocess.run(
            ["bash", "-c", line + command],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

    return shell


@pytest.mark.slow  # many processes
@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&-", "<&- >&- 2>&-"])
def test_a_closed_stream_stops_nothing(shell, tmp_path, closed):
    done = shell(f"specnmf decompose song.wav {' '.join(QUICK)} {closed}")
    assert done.returncode == 0
    run = tmp_path / "specnmf_out" / "song"
    assert (run / "run.json").is_file()
    assert soundfile.info(run / "sources" / "component_01.wav").frames == 4000


@pytest.mark.slow  # many processes
@pytest.mark.parametrize("more", ["", "--json"])
def test_results_that_cannot_be_printed_are_an_error_but_songs_are_done(
    shell, tmp_path, more
):
    (tmp_path / "two.wav").symlink_to("song.wav")
    songs = "song.wav two.wav"
    done = shell(f"specnmf decompose {songs} {' '.join(QUICK)} {more} > /dev/full")
    message = os.strerror(errno.ENOSPC)
    assert done.stderr == f"error: results cannot be printed: {message}\n"
    assert done.returncode == 1
    names = sorted(path.name for path in (tmp_path / "specnmf_out").iterdir())
    assert names == ["song", "two"]


@pytest.mark.parametrize("command", ["--help", "config show", "decompose --help"])
def test_help_that_cannot_be_printed_is_an_error(shell, command):
    done = shell(f"specnmf {command} > /dev/full")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


@pytest.mark.slow  # many processes
def test_errors_that_cannot_be_printed_stop_nothing(shell, tmp_path):
    done = shell(f"specnmf decompose nope.wav song.wav {' '.join(QUICK)} 2> /dev/full")
    assert done.returncode == 1
    assert done.stdout.startswith("specnmf_out/song\n")
    assert shell("specnmf --nope 2> /dev/full").returncode == 2


def test_a_reader_that_goes_is_no_error(shell):
    done = shell("specnmf config show | head -n 1; echo ${PIPESTATUS[1]}")
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["decompose", "song.wav", "-o", ""],
        ["decompose", ""],
        ["decompose", "song.wav", "--config", ""],
        ["decompose", "song.wav", "--config", "empty.toml"],
        ["decompose", "song.wav", "--config", "nul.toml"],
        ["separate", "song.wav", "--score", ""],
        ["label", "song.wav", "--labels", ""],
        ["batch", ""],
        ["batch", "songs", "--output", ""],
        ["batch", "songs", "--files-from", ""],
        ["batch", "songs", "--score-from", ""],
        ["evaluate", "a", "b", "--mix", ""],
        ["rerun", ""],
        ["rerun", "a", "--input", ""],
        ["config", "show", "--config", ""],
    ],
    ids=" ".join,
)
def test_an_empty_text_is_no_path(run, tmp_path, arguments):
    (tmp_path / "empty.toml").write_text('output = ""')
    (tmp_path / "nul.toml").write_text(r'output = "a\u0000b"')
    status, _, err = run(*arguments)
    assert (status, "expected a path, got '" in err) == (2, True)
    assert {path.name for path in tmp_path.iterdir()} == {"empty.toml", "nul.toml"}


@pytest.mark.slow  # many processes
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_time_leaves_no_traceback(tmp_path, number):
    """Not while Python itself starts, which nobody can guard."""
    program = (
        "print(1, flush=True); import sys; sys.argv = ['specnmf', 'config', 'show'];"
        "from specnmf.__main__ import main; print(2, flush=True); main()"
    )
    for wait in (0.02, 0.05, 0.1, 0.2, 0.3, 0.6):
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout.readline() == "1\n"
        time.sleep(wait)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        assert "Traceback" not in err
        assert process.returncode in (0, -number, 128 + number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_python_ends_leaves_no_traceback(tmp_path, number):
    program = (
        "import atexit, os, signal, sys; sys.argv = ['specnmf', 'config', 'show'];"
        # A job in the background ignores it.
        "signal.signal(signal.SIGINT, signal.default_int_handler);"
        f"atexit.register(lambda: os.kill(os.getpid(), {int(number)}));"
        "from specnmf.__main__ import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (-number, "")
    assert done.stdout
