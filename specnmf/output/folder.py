"""The only writer of run folders: whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from specnmf.errors import OutputError
from specnmf.output import keeping
from specnmf.output.exchange import exchange, move
from specnmf.output.keeping import Kept
from specnmf.output.products import REPORT, Finished, is_foreign

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

#: Begins the name of a folder that is being written, beside its target.
PARTIAL = ".specnmf-"

#: Begins that of a folder for a run that is being replaced.
_ASIDE = f"{PARTIAL}was-"

#: The whole name of the former.
_UNFINISHED = re.compile(re.escape(PARTIAL) + "[0-9a-f]+")


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
    recover(target)
    _check_free(target, overwrite=overwrite)


def _check_free(target: Path, *, overwrite: bool) -> None:
    if not os.path.lexists(target):
        return
    if _is_run(target):
        if not overwrite:
            raise OutputError(
                f"{target} holds a finished run; use --overwrite, or another --output"
            )
    elif not target.is_dir() or any(target.iterdir()):
        raise OutputError(
            f"{target} exists and is no run; move it, or use another --output"
        )


@contextmanager
def run_folder(
    target: Path, *, overwrite: bool = False, inputs: Iterable[Path] = ()
) -> Iterator[Path]:
    """Yield a hidden folder beside the target; rename it to the target at the end.

    What the run that it replaces did not write, or what was changed there since, is
    kept in the new one (`kept`), and so are ``inputs``. At any time there is the old
    run or the new one. Whatever ends the block early, what it wrote is removed, with
    the parents it needed.

    OutputError is raised if the place is taken, at the beginning or the end, or
    anything cannot be written.
    """
    made: list[Path] = []
    inputs = list(inputs)
    try:
        target = target.resolve() if target.is_symlink() else target
        check_free(target, overwrite=overwrite)
        if _is_run(target):
            keeping.check_keepable(target)
        made = _make_parents(target.parent)
        with _partial_folder(target.parent) as partial:
            yield partial
            _publish(partial, target, inputs, overwrite=overwrite)
    except BaseException as error:
        for parent in made:
            with suppress(OSError):
                parent.rmdir()
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise OutputError(f"{target} cannot be written: {reason}") from error
        raise


def keep(target: Path, partial: Path, inputs: Iterable[Path] = ()) -> list[Kept]:
    """Keep in a run that is being written what the run it replaces did not write so.

    `run_folder` does so at its end; who has to know before it what is kept, and by
    which names, calls this when all but run.json is written.
    """
    if not _is_run(target):
        return []
    return keeping.keep(Finished(target, _names_in(target, inputs)), partial)


def kept_as(path: Path, target: Path, kept: Iterable[Kept]) -> Path | None:
    """Where a file in a run is after it was kept; None if nothing has moved it."""
    (name,) = _names_in(target, [path]) or {""}
    moved = {each.then: each.now for each in kept if each.now != each.then}
    return target / moved[name] if name in moved else None


def recover(target: Path) -> None:
    """Put a run back that was being replaced when its writer was killed.

    That leaves traces only where two folders cannot exchange their names at once.
    """
    aside = _aside(target)
    if not os.path.lexists(aside):
        return
    with _locked(target.parent):
        old = aside / target.name
        if old.is_dir() and not os.path.lexists(target):
            old.rename(target)
            aside.rmdir()
        elif _is_run(target):
            keep(old, target)
            shutil.rmtree(aside, ignore_errors=True)


def sweep(parent: Path) -> None:
    """Remove what runs left unfinished in a folder when they were killed.

    What is being written is locked by its writer, and left alone; so is everything
    where locks are not to be had.
    """
    with _locked(parent) as alone:
        for path in list(parent.glob(f"{PARTIAL}*/")) if alone else ():
            if _UNFINISHED.fullmatch(path.name) and not path.is_symlink():
                with _locked(path, wait=False) as abandoned:
                    if abandoned:
                        shutil.rmtree(path, ignore_errors=True)
    for aside in list(parent.glob(f"{_ASIDE}*/")):
        for old in list(aside.iterdir()):
            if _aside(parent / old.name) == aside:
                recover(parent / old.name)


def _is_run(folder: Path) -> bool:
    """Whether a folder holds a finished run; another program's run.json is none."""
    report = folder / REPORT
    if not report.is_file():
        return False
    return not is_foreign(Finished(folder).content)


def _names_in(folder: Path, paths: Iterable[Path]) -> frozenset[str]:
    """The names in a folder of those of these files that lie in it."""
    root = folder.resolve()
    found = (path.resolve() for path in paths)
    return frozenset(
        path.relative_to(root).as_posix() for path in found if path.is_relative_to(root)
    )


def _aside(target: Path) -> Path:
    """Where the run of a name is put, in a folder, while another takes its place."""
    name = target.name.encode(errors="surrogatepass")
    digest = hashlib.sha256(name).hexdigest()
    return target.parent / f"{_ASIDE}{digest[:16]}"


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


def _publish(
    partial: Path, target: Path, inputs: Sequence[Path], *, overwrite: bool
) -> None:
    """Put the finished folder in its place, and the old one, if any, away."""
    if overwrite:
        keep(target, partial, inputs)  # this may take long, and nobody has to wait
    with _locked(target.parent):
        while not move(partial, target):
            try:
                _check_free(target, overwrite=overwrite)
            except OutputError as error:
                raise OutputError(f"{error} (it appeared meanwhile)") from None
            if _is_run(target):
                keep(target, partial, inputs)
                _replace(partial, target, inputs)
                return


def _replace(partial: Path, target: Path, inputs: Sequence[Path]) -> None:
    """Exchange a run for a new one, which has all that has to be kept.

    The old one is looked at again before it is removed: what was saved in it at the
    last moment is kept as well.
    """
    names = _names_in(target, inputs)
    if not exchange(partial, target):
        _replace_in_two_steps(partial, target)
        return
    try:
        keeping.keep(Finished(partial, names), target)
    except BaseException:
        exchange(partial, target)
        raise
    # The old run has the name of the hidden folder now, and is removed like one.


def _replace_in_two_steps(partial: Path, target: Path) -> None:
    """Put a run aside for a new one: in between, `recover` finds it there."""
    aside = _aside(target)
    aside.mkdir(exist_ok=True)
    place = aside / target.name
    target.rename(place)
    try:
        partial.rename(target)
    except BaseException:
        place.rename(target)
        aside.rmdir()
        raise
    keep(place, target)
    shutil.rmtree(aside, ignore_errors=True)
