"""Files that the user added to a run folder, or changed there, survive a new run."""

from __future__ import annotations

import errno
import filecmp
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

from specnmf.errors import OutputError
from specnmf.output.products import REPORT, Finished

#: The folder for files whose names the new run needs; if it is taken, ``kept_2``.
KEPT = "kept"

#: The errors of file systems without hard links.
_NO_LINKS = {
    *(errno.EPERM, errno.EACCES, errno.EXDEV, errno.EMLINK),
    *(errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS),
}

#: The number of names in a warning.
LISTED = 5


class Kept(NamedTuple):
    """A kept file, link or empty folder: its old and its new name."""

    then: str
    now: str


def check_keepable(run: Path) -> None:
    """Raise OutputError, or the system's error, if a part of a run cannot be read.

    Mounted file systems in it cannot be kept.
    """
    device = run.stat().st_dev
    for name, status in _walk(run, ""):
        if status.st_dev != device:
            raise OutputError(
                f"{run / name} is on another disk; unmount it, or use another --output"
            )


def keep(run: Finished, new: Path) -> list[Kept]:
    """Keep the files of an older run that it did not write, or that were changed.

    Each such file, link or empty folder is linked or copied to its old name, or if that
    is taken, to the same name in `KEPT`; the older run stays unchanged. Files that are
    there already, under either name, are left. Links are kept as links and not
    followed.
    """
    walked = _walk(run.folder, "")
    own = [(name, status) for name, status in walked if not run.wrote(name, status)]
    own.sort(key=lambda each: os.path.lexists(new / each[0]))  # free names first
    return [
        Kept(name, _put(run.folder / name, status, new, name)) for name, status in own
    ]


def remarks(kept: Sequence[Kept]) -> list[str]:
    """A warning about files that were kept under another name, if any."""
    moved = [each for each in kept if each.now != each.then]
    if not moved:
        return []
    names = ", ".join(f"{each.then} as {each.now}" for each in moved[:LISTED])
    more = f" and {len(moved) - LISTED} more" if len(moved) > LISTED else ""
    return [f"kept of the run that was replaced: {names}{more}"]


def _walk(root: Path, within: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the names of all files and empty folders in a folder."""
    with os.scandir(root / within) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    if not found and within:
        yield within, (root / within).lstat()
    for entry in found:
        name = f"{within}/{entry.name}" if within else entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(root, name)
        else:
            yield name, entry.stat(follow_symlinks=False)


def _put(path: Path, status: os.stat_result, new: Path, name: str) -> str:
    """Link or copy an entry into a new run; return its name there."""
    for place in _places(name):
        target = new / place
        if not all(_is_folder_or_free(new / parent) for parent in parents(place)):
            continue
        if not os.path.lexists(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            _link(path, status, target)
            return place
        if _same(path, status, target):
            return place
    raise AssertionError("names never end")


def _places(name: str) -> Iterator[str]:
    """Candidate names for an entry, the best first."""
    if name != REPORT:
        yield name
    yield from kept_places(name)


def kept_places(name: str) -> Iterator[str]:
    """Names in `KEPT`, then in ``kept_2`` and so on."""
    yield f"{KEPT}/{name}"
    yield from (f"{KEPT}_{number}/{name}" for number in count(2))


def parents(name: str) -> Iterator[str]:
    """The folders of a name, the outermost first."""
    parts = name.split("/")
    yield from ("/".join(parts[:n]) for n in range(1, len(parts)))


def _is_folder_or_free(path: Path) -> bool:
    return (path.is_dir() and not path.is_symlink()) or not os.path.lexists(path)


def _same(path: Path, status: os.stat_result, other: Path) -> bool:
    """Whether two names have indistinguishable content."""
    found = other.lstat()
    if os.path.samestat(status, found):
        return True
    if stat.S_IFMT(status.st_mode) != stat.S_IFMT(found.st_mode):
        return False
    if stat.S_ISLNK(status.st_mode):
        return path.readlink() == other.readlink()
    if stat.S_ISREG(status.st_mode):
        return status.st_size == found.st_size and filecmp.cmp(
            path, other, shallow=False
        )
    return stat.S_ISDIR(status.st_mode)


def _link(path: Path, status: os.stat_result, target: Path) -> None:
    """Make a hard link to something, or a copy where links are not supported."""
    if stat.S_ISDIR(status.st_mode):
        target.mkdir()
        shutil.copystat(path, target)
    elif stat.S_ISLNK(status.st_mode):
        target.symlink_to(path.readlink())
    else:
        try:
            target.hardlink_to(path)
        except OSError as error:
            if error.errno not in _NO_LINKS or not stat.S_ISREG(status.st_mode):
                raise
            shutil.copy2(path, target)
