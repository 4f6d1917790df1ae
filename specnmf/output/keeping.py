"""What a person put into a run folder, or changed there, goes into the next one."""

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

#: Where a file goes whose name the new run needs; if that is taken too, ``kept_2``.
KEPT = "kept"

#: What file systems answer to the wish for a hard link that they cannot have.
_NO_LINKS = {
    *(errno.EPERM, errno.EACCES, errno.EXDEV, errno.EMLINK),
    *(errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS),
}

#: How many names a remark lists.
LISTED = 5


class Kept(NamedTuple):
    """A file, link or empty folder that was kept: its name then and now."""

    then: str
    now: str


def check_keepable(run: Path) -> None:
    """Raise OutputError, or the system's error, if all of a run cannot be looked at.

    What is mounted in it cannot be kept, for it is another file system's.
    """
    device = run.stat().st_dev
    for name, status in _walk(run, ""):
        if status.st_dev != device:
            raise OutputError(
                f"{run / name} is another disk's; unmount it, or use another --output"
            )


def keep(run: Finished, new: Path) -> list[Kept]:
    """Keep in a new run what an older one holds and did not write so.

    Each such file, link or empty folder is linked, or else copied, to its old place, or
    if that is taken to the same in `KEPT`; the older run stays as it is. What is there
    already, under either name, is left. Links are kept as links, and never followed.
    """
    walked = _walk(run.folder, "")
    own = [(name, status) for name, status in walked if not run.wrote(name, status)]
    own.sort(key=lambda each: os.path.lexists(new / each[0]))  # the others make room
    return [
        Kept(name, _put(run.folder / name, status, new, name)) for name, status in own
    ]


def remarks(kept: Sequence[Kept]) -> list[str]:
    """A line about what was kept under another name, if anything was."""
    moved = [each for each in kept if each.now != each.then]
    if not moved:
        return []
    names = ", ".join(f"{each.then} as {each.now}" for each in moved[:LISTED])
    more = f" and {len(moved) - LISTED} more" if len(moved) > LISTED else ""
    return [f"kept of the run that was replaced: {names}{more}"]


def _walk(root: Path, within: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the names in a folder of all but folders, and of empty folders."""
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
    """Link or copy something into a new run; the name that it has there."""
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
    """Names for what had a name before, the best first; a new run has a report."""
    if name != REPORT:
        yield name
    yield from kept_places(name)


def kept_places(name: str) -> Iterator[str]:
    """Names in `KEPT`, then in ``kept_2`` and so on, without end."""
    yield f"{KEPT}/{name}"
    yield from (f"{KEPT}_{number}/{name}" for number in count(2))


def parents(name: str) -> Iterator[str]:
    """The folders of a name, the outermost first."""
    parts = name.split("/")
    yield from ("/".join(parts[:n]) for n in range(1, len(parts)))


def _is_folder_or_free(path: Path) -> bool:
    return (path.is_dir() and not path.is_symlink()) or not os.path.lexists(path)


def _same(path: Path, status: os.stat_result, other: Path) -> bool:
    """Whether two names lead to what no one could tell apart."""
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
    """Make a second name for something, or a copy where there are no such names."""
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
