"""Kernels are kept where that is possible, and compiled all the same where not."""

import errno
import importlib.util
import os
import shutil
import subprocess
import sys
import warnings

import numba
import numpy as np
import pytest
import soundfile
from conftest import ROOT
from numba.core import caching

from specnmf import jit

SOURCE = """
from specnmf.jit import njit

@njit(cache=True, nogil=True)
def double(x):
    return 2 * x
"""


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A module with a kernel; nothing has been said of kernels yet."""
    monkeypatch.setattr(jit, "_remarks", [])
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    (tmp_path / "package").mkdir()
    path = tmp_path / "package" / "kernels.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture
def nowhere(source, tmp_path, monkeypatch):
    """No folder of caches can be made, not even by root."""
    (source.parent / "__pycache__").touch()
    (tmp_path / "caches").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))


def double(source):
    """The kernel, as a new process has it."""
    spec = importlib.util.spec_from_file_location("kernels", source)
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module.double


def kept(source):
    return sorted((source.parent / "__pycache__").glob("*double*"))


def hits(kernel):
    return sum(kernel.stats.cache_hits.values())


def test_a_kernel_is_kept_for_the_next_process(source):
    first = double(source)
    assert (first(3), hits(first)) == (6, 0)
    second = double(source)
    assert (second(3), hits(second)) == (6, 1)
    assert second.stats.cache_path == str(source.parent / "__pycache__")
    assert jit.remarks() == []


def test_all_kernels_are_declared_so():
    for path in (ROOT / "specnmf").rglob("*.py"):
        assert "import njit" not in path.read_text().replace("jit import njit", "")


@pytest.mark.usefixtures("nowhere")
def test_without_a_place_for_it_a_kernel_is_compiled_and_that_is_said_once(source):
    kernel = double(source)
    with pytest.warns(UserWarning, match="cannot be cached .*set NUMBA_CACHE_DIR"):
        assert kernel(3) == 6
    with warnings.catch_warnings(action="error"):
        assert kernel(3.0) == 6.0
        assert double(source)(4) == 8
    (remark,) = jit.remarks()
    assert "cache folder cannot be written" in remark


@pytest.mark.usefixtures("nowhere")
def test_packages_load_whose_kernels_have_no_place(source):
    """Without it, importing librosa ends with a RuntimeError of numba."""
    jit.prepare()
    source.write_text("import numba\n@numba.njit(cache=True)\ndef double(x): return x")
    assert callable(double(source))


def test_a_place_that_is_none_gives_way_to_the_next(source, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "file"))
    assert double(source)(3) == 6
    assert len(kept(source)) == 2
    assert jit.remarks() == []


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("content", [b"", b"\x80\x05\x95", bytes(500), None])
def test_what_is_kept_and_broken_is_made_anew(source, suffix, content):
    assert double(source)(3) == 6
    (path,) = (each for each in kept(source) if each.suffix == suffix)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    kernel = double(source)
    assert (kernel(3), hits(kernel)) == (6, 0)
    kernel = double(source)
    assert (kernel(3), hits(kernel)) == (6, 1)
    assert jit.remarks() == []


def test_a_full_disk_stops_nothing(source, monkeypatch):
    def full(self, name, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(caching.IndexDataCacheFile, "_save_data", full)
    with pytest.warns(UserWarning, match="cannot be cached .No space left on device"):
        assert double(source)(3) == 6


def test_code_of_another_user_is_not_run(source, monkeypatch):
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("needs the right to give files away")
    assert double(source)(3) == 6
    monkeypatch.setattr(os, "geteuid", lambda: 2)
    os.chown(source.parent / "__pycache__", 1, 1)
    kernel = double(source)
    with pytest.warns(UserWarning, match="__pycache__ belongs to another user"):
        assert (kernel(3), hits(kernel)) == (6, 0)
    os.chown(source, 1, 1)  # whose code runs anyhow
    kernel = double(source)
    assert (kernel(3), hits(kernel)) == (6, 1)


@pytest.mark.slow  # compiles all kernels
def test_a_command_says_in_a_line_that_kernels_are_not_kept(tmp_path):
    shutil.copytree(
        ROOT / "specnmf",
        tmp_path / "specnmf",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for folder in {path.parent for path in (tmp_path / "specnmf").rglob("*.py")}:
        (folder / "__pycache__").touch()
    (tmp_path / "caches").touch()
    soundfile.write(tmp_path / "song.wav", np.sin(np.arange(4000.0)) / 2, 8000)
    options = ["-k", "1", "--max-iter", "2", "--beta", "2", "--no-figures"]
    options += ["--no-sources"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "caches")}
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-m", "specnmf", "decompose", "song.wav", *options],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("warning: compiled kernels cannot be cached")
