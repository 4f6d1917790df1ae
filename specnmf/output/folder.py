"""The only writer of run folders: whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from specnmf.errors import OutputError

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

#: A folder that holds this file holds a finished run.
REPORT = "run.json"

#: Begins the name of a folder that is being written, beside its target.
PARTIAL = ".specnmf-"


def target(output: str | Path, recording: str | Path) -> Path:
    """Where the run of a recording goes: a folder called like it, without its suffix.

    OutputError is raised if that would be the folder of runs itself, or the one above.
    """
    stem = Path(recording).stem
    if stem in ("", ".", ".."):
        raise OutputError(f"{recording}: no folder can be called {stem!r}; rename it")
    return Path(output) / stem


def check_free(target: Path, *, overwrite: bool) -> None:
    """Raise OutputError if a run may not take this place.

    A finished run gives way to ``overwrite`` only; what is no run never does.
    """
    if not os.path.lexists(target):
        return
    if (target / REPORT).is_file():
        if not overwrite:
            raise OutputError(
                f"{target} holds a finished run; use --overwrite, or another --output"
            )
    elif not target.is_dir() or any(target.iterdir()):
        raise OutputError(
            f"{target} exists and is no run; move it, or use another --output"
        )


@contextmanager
def run_folder(target: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a hidden folder beside the target; rename it to the target at the end.

    Whatever ends the block early, what it wrote is removed, with the parents it needed.
    OutputError is raised if the place is taken, or anything cannot be written.
    """
    made: list[Path] = []
    try:
        check_free(target, overwrite=overwrite)
        made = _make_parents(target.parent)
        with _partial_folder(target.parent) as partial:
            yield partial
            _publish(partial, target)
    except BaseException as error:
        for parent in made:
            with suppress(OSError):
                parent.rmdir()
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise OutputError(f"{target} cannot be written: {reason}") from error
        raise


def sweep(parent: Path) -> None:
    """Remove what runs left unfinished in a folder when they were killed.

    What is being written is locked by its writer, and left alone; so is everything
    where locks are not to be had.
    """
    with _locked(parent) as alone:
        for path in list(parent.glob(f"{PARTIAL}*/")) if alone else ():
            if not path.is_symlink():
                with _locked(path, wait=False) as abandoned:
                    if abandoned:
                        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _partial_folder(parent: Path) -> Iterator[Path]:
    """Yield a new hidden folder, locked; it is removed if it is there in the end."""
    partial = parent / f"{PARTIAL}{secrets.token_hex(6)}"
    with ExitStack() as stack:
        with _locked(parent):  # no sweep comes between
            partial.mkdir(parents=True)  # a run that fails may just have taken them
            stack.callback(shutil.rmtree, partial, ignore_errors=True)
            stack.enter_context(_locked(partial, wait=False))
        yield partial


@contextmanager
def _locked(folder: Path, *, wait: bool = True) -> Iterator[bool]:
    """Yield whether this process has the folder to itself; a lock ends with it."""
    file, alone = None, False
    if fcntl is not None:
        with suppress(OSError):  # not every file system has locks
            file = os.open(folder, os.O_RDONLY)
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            alone = True
    try:
        yield alone
    finally:
        if file is not None:
            os.close(file)


def _make_parents(folder: Path) -> list[Path]:
    """Make a folder; return those that were missing, the innermost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in (folder, *folder.parents):
        if path.exists() and not path.is_dir():
            raise OutputError(f"{path} is a file, expected a folder for runs")
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _publish(partial: Path, target: Path) -> None:
    """Put the finished folder in its place, and the old one, if any, away."""
    if not target.exists():
        partial.rename(target)
        return
    old = target.parent / f"{PARTIAL}{secrets.token_hex(6)}"
    with _locked(target.parent):
        target.rename(old)
        try:
            partial.rename(target)
        except BaseException:
            old.rename(target)
            raise
        shutil.rmtree(old, ignore_errors=True)
