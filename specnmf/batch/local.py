"""Folders on this machine."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from specnmf.batch.store import (
    Entry,
    Unreadable,
    check_name,
    check_size,
    holds_run,
    is_hidden,
    no_folder,
    reason,
    tell,
)
from specnmf.errors import AudioError, OutputError
from specnmf.output.folder import PARTIAL

#: What file systems without hard links answer to the wish for one.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


@dataclass(frozen=True)
class LocalStore:
    """A folder on this machine.

    Attributes
    ----------
    root : str
        As the user gave it.
    folder : path
        The same as a path.
    """

    root: str
    folder: Path

    @property
    def is_local(self) -> bool:
        """True."""
        return True

    def walk(
        self, *, recursive: bool, unreadable: Unreadable | None = None
    ) -> Iterator[Entry]:
        """Yield the files: see `Store.walk`."""
        waiting, seen = [""], set[tuple[int, int]]()
        while waiting:
            name = waiting.pop()
            try:
                status = self._path(name).stat()
                files, folders = _listing(self._path(name))
            except OSError as error:
                if not name:
                    raise no_folder(self.root, error) from error
                tell(unreadable, name, reason(error))
                continue
            place = status.st_dev, status.st_ino
            if place in seen or (name and holds_run(set(files))):
                continue
            seen.add(place)
            yield from self._entries(_within(name, files), unreadable)
            if recursive:
                waiting.extend(reversed(_within(name, folders)))

    def entry(self, name: str) -> Entry | None:
        """What is known of a file: see `Store.entry`."""
        path = self._path(check_name(name))
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise AudioError(f"{path}: {reason(error)}") from error
        return _entry(name, status) if stat.S_ISREG(status.st_mode) else None

    def location(self, name: str) -> str:
        """The path of a file: see `Store.location`."""
        return str(self._path(check_name(name)))

    def names(self, folder: str) -> list[str]:
        """The files directly in a folder: see `Store.names`."""
        path = self._path(check_name(folder) if folder else "")
        try:
            return _listing(path)[0]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise OutputError(f"{path} cannot be read: {reason(error)}") from error

    def read(self, name: str, most: int) -> bytes | None:
        """The bytes of a file: see `Store.read`."""
        path = self._path(check_name(name))
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise OutputError(f"{path} cannot be read: it is no file")
            with path.open("rb") as file:
                content = file.read(most + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise OutputError(f"{path} cannot be read: {reason(error)}") from error
        return check_size(content, most, str(path))

    def write(self, name: str, content: bytes) -> None:
        """Write a file: see `Store.write`."""
        path = self._path(check_name(name))
        with _writing(path), _beside(path, content) as partial:
            partial.replace(path)

    def create(self, name: str, content: bytes) -> bool:
        """Write a file unless there is one: see `Store.create`.

        The file appears with its content in it, by a hard link, where there are such.
        """
        path = self._path(check_name(name))
        with _writing(path), _beside(path, content) as partial:
            try:
                path.hardlink_to(partial)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                return _create_empty_first(path, content)
            return True

    def remove(self, name: str) -> None:
        """Remove a file: see `Store.remove`."""
        path = self._path(check_name(name))
        try:
            path.unlink()
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise OutputError(f"{path} cannot be removed: {reason(error)}") from error

    def _path(self, name: str) -> Path:
        return self.folder.joinpath(*name.split("/"))

    def _entries(
        self, names: list[str], unreadable: Unreadable | None
    ) -> Iterator[Entry]:
        for name in names:
            if is_hidden(name):
                continue
            try:
                yield _entry(name, self._path(name).stat())
            except FileNotFoundError:
                continue
            except OSError as error:
                tell(unreadable, name, reason(error))


def _listing(folder: Path) -> tuple[list[str], list[str]]:
    """The names of the files and of the folders in a folder, each sorted.

    Links count as what they lead to; those that lead nowhere are left out, and so
    is what is neither.
    """
    files, folders = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                if entry.is_dir():
                    folders.append(entry.name)
                elif entry.is_file():
                    files.append(entry.name)
    return sorted(files), sorted(folder for folder in folders if folder[0] != ".")


def _within(folder: str, names: list[str]) -> list[str]:
    return [f"{folder}/{name}" for name in names] if folder else names


def _entry(name: str, status: os.stat_result) -> Entry:
    return Entry(name, status.st_size, str(status.st_mtime_ns))


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Make the folder of a file; tell in one line why the file cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {reason(error)}") from error


@contextmanager
def _beside(path: Path, content: bytes) -> Iterator[Path]:
    """Yield a file with this content in the folder of another; remove it at the end."""
    partial = path.parent / f"{PARTIAL}{secrets.token_hex(6)}"
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield partial
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


def _create_empty_first(path: Path, content: bytes) -> bool:
    """Create a file where there are no hard links: empty for a moment."""
    try:
        file = path.open("xb")
    except FileExistsError:
        return False
    try:
        with file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()
        raise
    return True
