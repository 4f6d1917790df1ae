"""Fixtures of the command line's tests."""

import signal
import sys

import pytest

from specnmf.cli import main


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run the command line in an empty folder: status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*args):
        monkeypatch.setattr(sys, "argv", ["specnmf", *map(str, args)])
        before = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(SystemExit) as stop:
                main()
        finally:
            signal.signal(signal.SIGTERM, before)
        captured = capsys.readouterr()
        return stop.value.code or 0, captured.out, captured.err

    return run
