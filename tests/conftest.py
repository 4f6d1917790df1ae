"""Fixtures for all tests."""

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# A busy machine is slow at times, which is no fault of what is tested.
settings.register_profile(
    "busy", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy")

# One thread each, where there are as many processes as cores.
ALONE = "PYTEST_XDIST_WORKER" not in os.environ
os.environ.setdefault("OMP_NUM_THREADS", "2" if ALONE else "1")

ROOT = Path(__file__).parents[1]

#: Real recordings beside the project; tests that use them are skipped without.
SHARED = ROOT.parent / "shared" / "data"


def pytest_configure(config):
    """Let kernels that are not compiled divide by zero as silently as compiled ones."""
    if os.environ.get("NUMBA_DISABLE_JIT"):
        quiet = r"ignore::RuntimeWarning:specnmf\..*kernels"
        config.addinivalue_line("filterwarnings", quiet)


@pytest.fixture
def rng():
    return np.random.default_rng(20261122)


@pytest.fixture
def shared_data():
    if not SHARED.is_dir():
        pytest.skip("needs the recordings in ../shared/data")
    return SHARED


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run the command line in an empty folder: status, stdout, stderr."""
    from specnmf.cli import main

    monkeypatch.chdir(tmp_path)

    def run(*args):
        monkeypatch.setattr(sys, "argv", ["specnmf", *map(str, args)])
        before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
        try:
            with pytest.raises(SystemExit) as stop:
                main()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        captured = capsys.readouterr()
        return stop.value.code or 0, captured.out, captured.err

    return run
