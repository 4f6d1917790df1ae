"""Local folders."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Hashable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from specnmf.batch.stores.lock import LOCK, locked_file
from specnmf.batch.stores.manifest import MANIFEST, MOST_LINE, FileManifest
from specnmf.batch.stores.store import (
    Entry,
    Store,
    Unreadable,
    is_hidden,
    reason,
    told,
    within,
)
from specnmf.errors import BatchError
from specnmf.output import folder as run_folder
from specnmf.output.folder import PARTIAL

#: The errors of file systems without hard links.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


@dataclass(frozen=True)
class LocalStore(Store):
    """A folder on this machine."""

    root: str
    folder: Path  #: The same as a path.

    def lock(self) -> AbstractContextManager[None]:
        """Lock a file by the operating system."""
        return locked_file(self, self._path(LOCK))

    def manifest(self) -> FileManifest:
        """Open a file to append to."""
        return FileManifest(self._path(MANIFEST))

    def has_manifest(self) -> bool:
        """Whether there is that file."""
        return self.entry(MANIFEST) is not None

    def manifest_lines(self) -> Iterator[bytes]:
        """Yield the lines of that file."""
        path = self._path(MANIFEST)
        with (
            told(BatchError, str(path)),
            suppress(FileNotFoundError),
            path.open("rb") as file,
        ):
            while line := file.readline(MOST_LINE):
                yield line

    @contextmanager
    def making(self, name: str, *, overwrite: bool = True) -> Iterator[Path]:
        """Yield the folder in which the run's own will appear."""
        yield Path(self.location(name)).parent

    def sweep(self, names: Iterable[str]) -> None:
        """Remove unfinished folders that no process writes to."""
        for parent in {Path(self.location(name)).parent for name in names}:
            run_folder.sweep(parent)

    def _at(self, name: str) -> str:
        return str(self._path(name))

    def _path(self, name: str) -> Path:
        return self.folder.joinpath(*name.split("/"))

    def _real(self) -> str:
        return self.folder.resolve().as_posix()

    def _identity(self, folder: str) -> Hashable:
        status = self._path(folder).stat()
        return status.st_dev, status.st_ino

    def _list(
        self, folder: str, unreadable: Unreadable
    ) -> tuple[list[Entry], list[str]]:
        """Links count as their targets; broken links are skipped."""
        files, folders = [], []
        with os.scandir(self._path(folder)) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.is_dir():
                        folders.append(within(folder, entry.name))
                    elif entry.is_file():
                        files.append(within(folder, entry.name))
        shown = sorted(name for name in folders if not is_hidden(name))
        return list(self._entries(sorted(files), unreadable)), shown

    def _entries(self, names: Iterable[str], unreadable: Unreadable) -> Iterator[Entry]:
        for name in names:
            try:
                yield _entry(name, self._path(name).stat())
            except FileNotFoundError:
                continue
            except OSError as error:
                unreadable(name, reason(error))

    def _entry(self, name: str) -> Entry | None:
        status = self._path(name).stat()
        return _entry(name, status) if stat.S_ISREG(status.st_mode) else None

    def _read(self, name: str, most: int) -> bytes:
        path = self._path(name)
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError("not a file")
        with path.open("rb") as file:
            return file.read(most)

    def _write(self, name: str, content: bytes) -> None:
        with _beside(self._path(name), content) as partial:
            partial.replace(self._path(name))

    def _create(self, name: str, content: bytes) -> bool:
        """The file appears with its content, by a hard link where possible."""
        path = self._path(name)
        with _beside(path, content) as partial:
            try:
                path.hardlink_to(partial)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                return _create_empty_first(path, content)
            return True

    def _remove(self, name: str) -> None:
        self._path(name).unlink()


def _entry(name: str, status: os.stat_result) -> Entry:
    return Entry(name, status.st_size, str(status.st_mtime_ns))


@contextmanager
def _beside(path: Path, content: bytes) -> Iterator[Path]:
    """Yield a file with this content in the folder of another; remove it at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.parent / f"{PARTIAL}{secrets.token_hex(6)}"
    try:
        with partial.open("xb") as file:
            _fill(file, content)
        yield partial
    finally:
        partial.unlink(missing_ok=True)


def _create_empty_first(path: Path, content: bytes) -> bool:
    """Create a file without hard links: it is empty for a moment."""
    try:
        file = path.open("xb")
    except FileExistsError:
        return False
    try:
        with file:
            _fill(file, content)
    except BaseException:
        path.unlink()
        raise
    return True


def _fill(file: BinaryIO, content: bytes) -> None:
    """Write a file and synchronise it with the disk."""
    file.write(content)
    file.flush()
    os.fsync(file.fileno())
