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

#: The prefix of a folder that is being written, beside its target.
PARTIAL = ".specnmf-"

#: The prefix of the folder of a run that is being replaced.
_ASIDE = f"{PARTIAL}was-"

#: The pattern of the former.
_UNFINISHED = re.compile(re.escape(PARTIAL) + "[0-9a-f]+")


def target(output: str | Path, recording: str | Path) -> Path:
    """The folder for the run of a recording, named like it without its suffix.

    OutputError if that is the folder of runs itself, or the one above.
    """
    stem = Path(recording).stem
    if stem in ("", ".", ".."):
        raise OutputError(
            f"{recording}: {stem!r} cannot be the name of a folder; rename the file"
        )
    return Path(output) / stem


def check_free(target: Path, *, overwrite: bool) -> None:
    """Raise OutputError if a run may not be written to this folder.

    A finished run is replaced only with ``overwrite``; other folders never are.
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
            f"{target} exists and is not a run; move it, or use another --output"
        )


@contextmanager
def run_folder(
    target: Path, *, overwrite: bool = False, inputs: Iterable[Path] = ()
) -> Iterator[Path]:
    """Yield a hidden folder beside the target; rename it to the target at the end.

    Files that the replaced run did not write, or that were changed since, are kept in
    the new one (`kept`), and so are ``inputs``. Either the old or the new run exists at
    all times. If the block ends early, its files are removed, with the new parents.

    OutputError if the folder is taken, at the start or at the end, or anything cannot
    be written.
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


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """Yield a hidden temporary folder, which is removed with its new parents."""
    made: list[Path] = []
    try:
        made = _make_parents(parent)
        with _partial_folder(parent) as partial:
            yield partial
    finally:
        for path in made:
            with suppress(OSError):
                path.rmdir()


def keep(target: Path, partial: Path, inputs: Iterable[Path] = ()) -> list[Kept]:
    """Keep the user's files of a replaced run in the run that is being written.

    `run_folder` does this at its end. Call it earlier, when all but run.json is
    written, to know which files are kept, and under which names.
    """
    if not _is_run(target):
        return []
    return keeping.keep(Finished(target, _names_in(target, inputs)), partial)


def kept_as(path: Path, target: Path, kept: Iterable[Kept]) -> Path | None:
    """The new path of a kept file of a run; None if it was not moved."""
    (name,) = _names_in(target, [path]) or {""}
    moved = {each.then: each.now for each in kept if each.now != each.then}
    return target / moved[name] if name in moved else None


def recover(target: Path) -> None:
    """Restore a run whose replacement was killed.

    This is only needed where two folders cannot exchange their names in one step.
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
    """Remove unfinished runs of killed processes.

    Running writers hold a lock, and their folders stay; without support for locks, all
    folders stay.
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
    """Whether a folder holds a finished run; other programs' run.json do not count."""
    report = folder / REPORT
    if not report.is_file():
        return False
    return not is_foreign(Finished(folder).content)


def _names_in(folder: Path, paths: Iterable[Path]) -> frozenset[str]:
    """The names of those files that are in a folder."""
    root = folder.resolve()
    found = (path.resolve() for path in paths)
    return frozenset(
        path.relative_to(root).as_posix() for path in found if path.is_relative_to(root)
    )


def _aside(target: Path) -> Path:
    """The folder of a run while another takes its place."""
    name = target.name.encode(errors="surrogatepass")
    digest = hashlib.sha256(name).hexdigest()
    return target.parent / f"{_ASIDE}{digest[:16]}"


@contextmanager
def _partial_folder(parent: Path) -> Iterator[Path]:
    """Yield a new hidden folder, locked; it is removed if it exists at the end."""
    partial = parent / f"{PARTIAL}{secrets.token_hex(6)}"
    with ExitStack() as stack:
        with _locked(parent):  # keeps sweeps out
            partial.mkdir(parents=True)  # a failing run may just have removed them
            stack.callback(shutil.rmtree, partial, ignore_errors=True)
            stack.enter_context(_locked(partial, wait=False))
        yield partial


@contextmanager
def _locked(folder: Path, *, wait: bool = True) -> Iterator[bool]:
    """Yield whether this process has locked the folder; the lock ends with it."""
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
            raise OutputError(f"{path}: expected a folder for runs, got a file")
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _publish(
    partial: Path, target: Path, inputs: Sequence[Path], *, overwrite: bool
) -> None:
    """Move the finished folder to its place, and remove the old one, if any."""
    if overwrite:
        keep(target, partial, inputs)  # may take long, but blocks nobody
    with _locked(target.parent):
        while not move(partial, target):
            try:
                _check_free(target, overwrite=overwrite)
            except OutputError as error:
                raise OutputError(f"{error} (it appeared during the run)") from None
            if _is_run(target):
                keep(target, partial, inputs)
                _replace(partial, target, inputs)
                return


def _replace(partial: Path, target: Path, inputs: Sequence[Path]) -> None:
    """Replace a run by a new one, which contains all kept files.

    The old one is checked again before it is removed, so that files that were saved at
    the last moment are kept too.
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
    # The old run now has the name of the hidden folder, and is removed with it.


def _replace_in_two_steps(partial: Path, target: Path) -> None:
    """Move a run aside for a new one, where `recover` can find it."""
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
