"""Folders of songs and runs, on this machine or behind a URL."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote_to_bytes

from specnmf.errors import AudioError, OutputError, ParameterError
from specnmf.output.folder import PARTIAL, REPORT

#: Called with the name of a folder or file that cannot be read, and why.
Unreadable = Callable[[str, str], None]

#: In a folder behind a URL as long as a run is uploaded to it or removed from it.
UPLOADING = f"{PARTIAL}uploading"

#: Two letters at least: `c://` begins a path on Windows.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")

_FILE_URL = re.compile(r"file://(?:localhost)?(?=/)", re.IGNORECASE)

#: `user:password@`, where a password may hold slashes; `host:22/` and an access
#: point of S3, `arn:aws:...`, are none.
_PASSWORD = re.compile(r"(://)(?!arn:)[^/@:]*:(?!\d+(?:/|$))[^@]*@")

#: What file systems without hard links answer to the wish for one.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


@dataclass(frozen=True)
class Entry:
    """A file in a store.

    Attributes
    ----------
    name : str
        Relative to the store's root, with "/" between folders.
    size : int
        In bytes.
    stamp : str
        Another one when the file has changed: the time of its last change in
        nanoseconds here, its ETag (else the time of its last change) elsewhere.
    """

    name: str
    size: int
    stamp: str


class Store(Protocol):
    """A folder, wherever it is; it need not exist until something is read from it.

    Names are relative to the root, with "/" between folders, and never lead out of
    it: a name with an empty part or a part `..` is a ParameterError. Threads may
    share a store.
    """

    @property
    def root(self) -> str:
        """The folder as the user gave it."""

    @property
    def is_local(self) -> bool:
        """Whether its locations are paths on this machine."""

    def walk(
        self, *, recursive: bool, unreadable: Unreadable | None = None
    ) -> Iterator[Entry]:
        """Yield the files, by name within each folder, folder by folder.

        Hidden files and folders are left out, and so are folders that hold a
        finished run. Links to files count as files; links to folders are followed,
        but no folder is visited twice. No more than one folder's names are held.

        Parameters
        ----------
        recursive : bool
            Whether to visit folders within the folder.
        unreadable : callable, optional
            ``unreadable(name, reason)`` is told of what had to be left out.

        Raises
        ------
        AudioError
            When the first file is asked for, if the root is missing, no folder,
            or cannot be read.
        """

    def entry(self, name: str) -> Entry | None:
        """What is known of a file; None if there is none of that name.

        Raises
        ------
        AudioError
            If that cannot be found out.
        """

    def location(self, name: str) -> str:
        """The path or URL of a file, for `local_copy` in any process."""

    def names(self, folder: str) -> list[str]:
        """The names, without the folder's, of the files directly in a folder.

        They are sorted, and hidden ones are among them.

        Parameters
        ----------
        folder : str
            A name; "" is the root. If there is no such folder, there are no names.

        Raises
        ------
        OutputError
            If the folder cannot be read.
        """

    def read(self, name: str, most: int) -> bytes | None:
        """The bytes of a file; None if there is none of that name.

        Raises
        ------
        OutputError
            If it holds more than ``most`` bytes, or cannot be read.
        """

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all, in place of any of that name.

        Raises
        ------
        OutputError
            If it cannot be written.
        """

    def create(self, name: str, content: bytes) -> bool:
        """Write a file unless there is one of that name; say whether it was written.

        Of several processes that try, one succeeds, if the storage can tell.

        Raises
        ------
        OutputError
            If it cannot be written.
        """

    def remove(self, name: str) -> None:
        """Remove a file, if there is one of that name.

        Raises
        ------
        OutputError
            If it cannot be removed.
        """


def is_url(location: str | os.PathLike[str]) -> bool:
    """Whether a location begins with a scheme like ``s3://``."""
    return _URL.match(os.fspath(location)) is not None


def open_store(root: str | os.PathLike[str]) -> Store:
    """The store at a path or URL.

    Parameters
    ----------
    root : path or str
        A path; a ``file://`` URL, which is a path in other words; or the URL of a
        folder that fsspec can reach: ``s3://bucket/folder``, ``gs://...``.

    Raises
    ------
    ParameterError
        If the URL holds a password, its protocol is unknown, or what it needs is
        not installed.
    """
    root = os.fspath(root)
    path = _local_path(root)
    if path is not None:
        return LocalStore(root, path)
    from specnmf.batch.remote import RemoteStore

    return RemoteStore.at(root)


@contextmanager
def local_copy(location: str) -> Iterator[Path]:
    """Yield the path of a file, or of a copy that is removed afterwards.

    Parameters
    ----------
    location : str
        A path or URL. Only what is behind a URL is copied, under its own name as
        far as names here go.

    Raises
    ------
    AudioError
        If there is no such file, or it cannot be copied.
    ParameterError
        As `open_store`.
    """
    path = _local_path(location)
    if path is None:
        from specnmf.batch.remote import downloaded

        with downloaded(location) as path:
            yield path
        return
    _check_file(path, location)
    yield path


def publish(folder: Path, location: str, *, overwrite: bool) -> None:
    """Upload a finished run.

    Its run.json comes last, so a folder that holds one holds the whole run.

    Parameters
    ----------
    folder : path
        The run, on this machine.
    location : str
        The URL where it is to be found.
    overwrite : bool
        Replace a finished run that is there.

    Raises
    ------
    OutputError
        If the place is taken by a run, or by what is no run; or if the upload
        fails, after which what was uploaded is removed again, if that is possible.
    ParameterError
        As `open_store`; or if the location is no URL.
    """
    if _local_path(location) is not None:
        raise ParameterError(f"{location}: expected a URL to upload a run to")
    from specnmf.batch.remote import upload

    upload(folder, location, overwrite=overwrite)


def check_name(name: str) -> str:
    """Return a name that leads to no place outside of its store.

    Raises
    ------
    ParameterError
        For any other.
    """
    if not is_safe(name):
        raise ParameterError(f"{name!r}: expected the name of a file within its folder")
    return name


def is_safe(name: str) -> bool:
    """Whether a name, on this system, leads to a place within its store."""
    parts = name.replace(os.sep, "/").split("/")
    drive = os.path.splitdrive(name)[0]
    return not ({"", ".", ".."} & set(parts) or drive or "\0" in name)


def holds_run(names: set[str]) -> bool:
    """Whether a folder with files of these names is a run, or about to be one."""
    return {REPORT, "factors.npz"} <= names or UPLOADING in names


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


def reason(error: BaseException) -> str:
    """What an error says, in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def no_folder(root: str, error: Exception) -> AudioError:
    """The error to raise for a root that cannot be walked."""
    if isinstance(error, FileNotFoundError):
        return AudioError(f"{root}: no such folder")
    if isinstance(error, NotADirectoryError):
        return AudioError(f"{root}: not a folder")
    return AudioError(f"{root}: {reason(error)}")


def tell(unreadable: Unreadable | None, name: str, why: str) -> None:
    """Tell, if anyone listens, that something is left out."""
    if unreadable is not None:
        unreadable(name, why)


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden by the name that it has in its folder."""
    return name.rpartition("/")[2].startswith(".")


def check_size(content: bytes, most: int, location: str) -> bytes:
    """Return the content of a file that is no larger than allowed.

    Raises
    ------
    OutputError
        If it holds more than ``most`` bytes.
    """
    if len(content) > most:
        raise OutputError(f"{location}: holds more than the {most} bytes expected")
    return content


def _local_path(location: str) -> Path | None:
    """The path that a location is, in plain words or as a file URL; None for others."""
    if "\0" in location:
        raise ParameterError(f"{location!r}: expected a path or URL without a zero")
    if not is_url(location):
        return Path(location)
    if _PASSWORD.match(location, location.index("://")):
        shown = _PASSWORD.sub(r"\1***@", location)
        raise ParameterError(
            f"{shown}: expected a URL without a password; "
            "leave that to the environment, which messages and files do not repeat"
        )
    if not location.lower().startswith("file://"):
        return None
    path, found = _FILE_URL.subn("", location)
    if not found:
        raise ParameterError(f"{location}: expected file:/// and an absolute path")
    decoded = os.fsdecode(unquote_to_bytes(os.fsencode(path)))
    if "\0" in decoded:
        raise ParameterError(f"{location}: expected a path without a zero")
    return Path(decoded[1:] if os.name == "nt" else decoded)


def _check_file(path: Path, location: str) -> None:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise AudioError(f"{location}: no such file") from error
    except OSError as error:
        raise AudioError(f"{location}: {reason(error)}") from error
    if stat.S_ISDIR(found.st_mode):
        raise AudioError(f"{location}: a folder, expected a file")


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
