"""The interface of a folder of songs or runs, local or remote."""

from __future__ import annotations

import os
import posixpath
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from specnmf.errors import AudioError, OutputError, ParameterError, SpecnmfError
from specnmf.output.folder import PARTIAL
from specnmf.output.products import REPORT

if TYPE_CHECKING:
    from specnmf.batch.stores.manifest import Manifest

#: Called with the name of a folder or file that cannot be read, and the reason.
Unreadable = Callable[[str, str], None]

#: The marker in a folder at a URL while a run is uploaded to it or removed from it.
UPLOADING = f"{PARTIAL}uploading"

#: The errors for a missing file.
MISSING = (FileNotFoundError, NotADirectoryError)

#: Two letters at least: `c://` begins a path on Windows.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def ignore(name: str, why: str) -> None:
    """Ignore unreadable folders."""


@dataclass(frozen=True)
class Entry:
    """A file in a store."""

    name: str  #: Relative to the store's root, with "/" between folders.
    size: int  #: In bytes.
    #: Changes when the file does: the time of its last change in nanoseconds for local
    #: files, its ETag (else the time of its last change) elsewhere.
    stamp: str


class Store(ABC):
    """A folder, local or remote; it need not exist until it is read.

    Names are relative to the root, with "/" between folders, and never lead out of
    it: a name with an empty part or a part `..` is a ParameterError. Threads may
    share a store.

    A subclass defines how files are listed, read and written. Its methods with an
    underscore raise only OSError, which becomes an error of one line here: OutputError
    for runs, AudioError for songs. It also defines the lock, the manifest and the
    transfer of runs for a batch.
    """

    root: str  #: The folder as given by the user.

    def walk(
        self, *, recursive: bool, unreadable: Unreadable = ignore
    ) -> Iterator[Entry]:
        """Yield the files, by name within each folder, folder by folder.

        Hidden files, hidden folders and folders with a finished run are skipped. Links
        to files count as files; links to folders are followed, but no folder is visited
        twice. At most one folder's files are in memory.

        ``unreadable(name, reason)`` is called for folders that cannot be read. If the
        root is missing, not a folder or unreadable, the first iteration raises
        AudioError.
        """
        waiting, seen = [""], set[Hashable]()
        while waiting:
            folder = waiting.pop()
            try:
                identity = self._identity(folder)
                files, folders = self._list(folder, unreadable)
            except OSError as error:
                if not folder:
                    raise _no_folder(self.root, error) from error
                unreadable(folder, reason(error))
                continue
            if identity in seen or (folder and _holds_run(files)):
                continue
            seen.add(identity)
            yield from (file for file in files if not is_hidden(file.name))
            if recursive:
                waiting.extend(reversed(folders))

    def entry(self, name: str) -> Entry | None:
        """The size and stamp of a file; None if there is no such file."""
        with told(AudioError, self.location(name)), suppress(*MISSING):
            return self._entry(name)
        return None

    def location(self, name: str) -> str:
        """The path or URL of a file, for `local_copy` in any process."""
        return self._at(check_name(name))

    def place(self, name: str) -> str:
        """The location of a file, given by its name or its location."""
        elsewhere = is_url(name) or Path(name).is_absolute()
        return name if elsewhere else self.location(name)

    def names(self, folder: str) -> list[str]:
        """The names of the files directly in a folder, without the folder.

        They are sorted and include hidden files. "" is the root; a missing folder has
        no names.
        """
        place = self.location(folder) if folder else self._at("")
        with told(OutputError, f"{place} cannot be read"), suppress(*MISSING):
            return [last(file.name) for file in self._list(folder, ignore)[0]]
        return []

    def read(self, name: str, most: int) -> bytes | None:
        """The bytes of a file; None if there is no such file.

        OutputError if there are more than ``most`` bytes.
        """
        place = self.location(name)
        with told(OutputError, f"{place} cannot be read"), suppress(*MISSING):
            content = self._read(name, most + 1)
            if len(content) > most:
                raise OutputError(f"{place}: expected at most {most} bytes")
            return content
        return None

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all; it replaces a file of that name."""
        with told(OutputError, f"{self.location(name)} cannot be written"):
            self._write(name, content)

    def create(self, name: str, content: bytes) -> bool:
        """Write a file unless it exists; return whether it was written.

        Of several processes, one succeeds, if the storage supports that.
        """
        with told(OutputError, f"{self.location(name)} cannot be written"):
            return self._create(name, content)

    def remove(self, name: str) -> None:
        """Remove a file, if it exists."""
        place = self.location(name)
        with told(OutputError, f"{place} cannot be removed"), suppress(*MISSING):
            self._remove(name)

    def inside(self, other: Store) -> str | None:
        """The name of another folder in this one; None if it is elsewhere."""
        here, there = f"{self._real().rstrip('/')}/", other._real()
        return there.removeprefix(here) if there.startswith(here) else None

    def name_of(self, listed: str) -> str:
        """The name of a file, given by its name or its location.

        ParameterError if it is elsewhere.
        """
        absolute = is_url(listed) or posixpath.isabs(listed)
        root = f"{self._at('').rstrip('/')}/"
        inside = listed.removeprefix(root) if absolute else listed
        name = posixpath.normpath(inside)
        if is_url(inside) or name.split("/")[0] in ("", ".", ".."):
            raise ParameterError(
                f"the list contains {listed!r}, expected files in {self.root}"
            )
        return name

    @abstractmethod
    def lock(self) -> AbstractContextManager[None]:
        """Lock this folder of runs against other batches.

        BatchError, with process and host, if another batch uses it.
        """

    @abstractmethod
    def manifest(self) -> Manifest:
        """The manifest of this folder of runs, to append to."""

    @abstractmethod
    def has_manifest(self) -> bool:
        """Whether this folder of runs has the manifest of a batch."""

    @abstractmethod
    def manifest_lines(self) -> Iterator[bytes]:
        """Yield the lines of the manifest, oldest first; none without a manifest."""

    def has_run(self, name: str, *, recorded: bool) -> bool:
        """Whether a folder holds a finished run.

        ``recorded`` says whether the manifest lists it; remote stores rely on that.
        """
        return self.entry(f"{name}/{REPORT}") is not None

    @abstractmethod
    def making(
        self, name: str, *, overwrite: bool = True
    ) -> AbstractContextManager[Path]:
        """Yield a local folder in which to make a run for a folder of the store.

        At the end the run is in that folder. It replaces an older run if it may
        overwrite. OutputError if the folder holds something other than a run.
        """

    @abstractmethod
    def sweep(self, names: Iterable[str]) -> None:
        """Remove unfinished folders that lost workers have left for these runs."""

    @abstractmethod
    def _at(self, name: str) -> str:
        """The path or URL of a file or folder; "" is the root."""

    def _real(self) -> str:
        """The root with links resolved, so that its name is unique."""
        return self._at("")

    def _identity(self, folder: str) -> Hashable:
        """The same for names of one folder."""
        return folder

    @abstractmethod
    def _list(
        self, folder: str, unreadable: Unreadable
    ) -> tuple[list[Entry], list[str]]:
        """The files in a folder, and the names of its folders, without hidden ones."""

    @abstractmethod
    def _entry(self, name: str) -> Entry | None: ...

    @abstractmethod
    def _read(self, name: str, most: int) -> bytes: ...

    @abstractmethod
    def _write(self, name: str, content: bytes) -> None: ...

    @abstractmethod
    def _create(self, name: str, content: bytes) -> bool: ...

    @abstractmethod
    def _remove(self, name: str) -> None: ...


def reason(error: BaseException) -> str:
    """The message of an error, on one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return next(iter(str(error).splitlines()), "") or type(error).__name__


@contextmanager
def told(kind: type[SpecnmfError], what: str) -> Iterator[None]:
    """Turn an error of the system into an error of one line."""
    try:
        yield
    except OSError as error:
        raise kind(f"{what}: {reason(error)}") from error


def _holds_run(files: Iterable[Entry]) -> bool:
    """Whether a folder with these files is a run, finished or not."""
    names = {last(file.name) for file in files}
    return {REPORT, "factors.npz"} <= names or UPLOADING in names


def _no_folder(root: str, error: OSError) -> AudioError:
    """The error for a root that cannot be listed."""
    if isinstance(error, FileNotFoundError):
        return AudioError(f"{root}: no such folder")
    if isinstance(error, NotADirectoryError):
        return AudioError(f"{root}: not a folder")
    return AudioError(f"{root}: {reason(error)}")


def is_url(location: str | os.PathLike[str]) -> bool:
    """Whether a location starts with a scheme such as ``s3://``."""
    return _URL.match(os.fspath(location)) is not None


def check_name(name: str) -> str:
    """Return a name after a check that it is within its store, else ParameterError."""
    if not is_safe(name):
        raise ParameterError(f"{name!r}: expected the name of a file in its folder")
    return name


def is_safe(name: str) -> bool:
    """Whether a name, on this system, stays within its store."""
    parts = name.replace(os.sep, "/").split("/")
    drive = os.path.splitdrive(name)[0]
    return not ({"", ".", ".."} & set(parts) or drive or "\0" in name)


def within(folder: str, name: str) -> str:
    """The name of a file in a folder; "" is the root."""
    return f"{folder}/{name}" if folder else name


def last(name: str) -> str:
    """The name of a file in its folder."""
    return name.rpartition("/")[2]


def is_hidden(name: str) -> bool:
    """Whether the name of a file or folder makes it hidden."""
    return last(name).startswith(".")
