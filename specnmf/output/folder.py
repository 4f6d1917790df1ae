"""The only writer of run folders: whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from specnmf.errors import OutputError

#: A folder that holds this file holds a finished run.
REPORT = "run.json"

#: Begins the name of a folder that is being written, beside its target.
PARTIAL = ".specnmf-"


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

    Parameters
    ----------
    target : path
        Where the run is to be found.
    overwrite : bool
        Replace a finished run that is there.

    Raises
    ------
    OutputError
        If the place is taken, or anything cannot be written. Whatever ends the
        block early, what it wrote is removed, with the parents it needed.
    """
    made: list[Path] = []
    partial = target.parent / f"{PARTIAL}{secrets.token_hex(6)}"
    try:
        check_free(target, overwrite=overwrite)
        made = _make_parents(target.parent)
        partial.mkdir()
        yield partial
        _publish(partial, target)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        for parent in made:
            with suppress(OSError):
                parent.rmdir()
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise OutputError(f"{target} cannot be written: {reason}") from error
        raise


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
    target.rename(old)
    try:
        partial.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
