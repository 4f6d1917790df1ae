"""What a folder of songs or runs is, wherever it lies."""

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

#: Called with the name of a folder or file that cannot be read, and why.
Unreadable = Callable[[str, str], None]

#: In a folder behind a URL as long as a run is uploaded to it or removed from it.
UPLOADING = f"{PARTIAL}uploading"

#: What systems raise when there is no such file.
MISSING = (FileNotFoundError, NotADirectoryError)

#: Two letters at least: `c://` begins a path on Windows.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def ignore(name: str, why: str) -> None:
    """Tell nobody what cannot be read."""


@dataclass(frozen=True)
class Entry:
    """A file in a store."""

    name: str  #: Relative to the store's root, with "/" between folders.
    size: int  #: In bytes.
    #: Another one when the file has changed: the time of its last change in nanoseconds
    #: here, its ETag (else the time of its last change) elsewhere.
    stamp: str


class Store(ABC):
    """A folder, wherever it is; it need not exist until something is read from it.

    Names are relative to the root, with "/" between folders, and never lead out of
    it: a name with an empty part or a part `..` is a ParameterError. Threads may
    share a store.

    A subclass says how files are listed, read and written: its methods with an
    underscore raise nothing but OSError, which is told in one line here: an OutputError
    for runs, an AudioError for songs. And it says how a batch keeps its runs there:
    their lock, their manifest, how a run gets there.
    """

    root: str  #: The folder as the user gave it.

    def walk(
        self, *, recursive: bool, unreadable: Unreadable = ignore
    ) -> Iterator[Entry]:
        """Yield the files, by name within each folder, folder by folder.

        Hidden files and folders are left out, and so are folders that hold a
        finished run. Links to files count as files; links to folders are followed,
        but no folder is visited twice. No more than one folder's files are held.

        ``unreadable(name, reason)`` is told of what had to be left out. When the first
        file is asked for, a root that is missing, no folder, or cannot be read is an
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
        """What is known of a file; None if there is none of that name."""
        with told(AudioError, self.location(name)), suppress(*MISSING):
            return self._entry(name)
        return None

    def location(self, name: str) -> str:
        """The path or URL of a file, for `local_copy` in any process."""
        return self._at(check_name(name))

    def place(self, name: str) -> str:
        """The location of a file that is given by its name or by its location."""
        elsewhere = is_url(name) or Path(name).is_absolute()
        return name if elsewhere else self.location(name)

    def names(self, folder: str) -> list[str]:
        """The names, without the folder's, of the files directly in a folder.

        They are sorted, and hidden ones are among them. "" is the root; if there is no
        such folder, there are no names.
        """
        place = self.location(folder) if folder else self._at("")
        with told(OutputError, f"{place} cannot be read"), suppress(*MISSING):
            return [last(file.name) for file in self._list(folder, ignore)[0]]
        return []

    def read(self, name: str, most: int) -> bytes | None:
        """The bytes of a file; None if there is none of that name.

        More than ``most`` bytes are an OutputError.
        """
        place = self.location(name)
        with told(OutputError, f"{place} cannot be read"), suppress(*MISSING):
            content = self._read(name, most + 1)
            if len(content) > most:
                raise OutputError(f"{place}: holds more than the {most} bytes expected")
            return content
        return None

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all, in place of any of that name."""
        with told(OutputError, f"{self.location(name)} cannot be written"):
            self._write(name, content)

    def create(self, name: str, content: bytes) -> bool:
        """Write a file unless there is one of that name; say whether it was written.

        Of several processes that try, one succeeds, if the storage can tell.
        """
        with told(OutputError, f"{self.location(name)} cannot be written"):
            return self._create(name, content)

    def remove(self, name: str) -> None:
        """Remove a file, if there is one of that name."""
        place = self.location(name)
        with told(OutputError, f"{place} cannot be removed"), suppress(*MISSING):
            self._remove(name)

    def inside(self, other: Store) -> str | None:
        """The name of another folder in this one; None if it lies elsewhere."""
        here, there = f"{self._real().rstrip('/')}/", other._real()
        return there.removeprefix(here) if there.startswith(here) else None

    def name_of(self, listed: str) -> str:
        """The name of a file that is given by its name or by its location.

        If it lies elsewhere, that is a ParameterError.
        """
        absolute = is_url(listed) or posixpath.isabs(listed)
        root = f"{self._at('').rstrip('/')}/"
        inside = listed.removeprefix(root) if absolute else listed
        name = posixpath.normpath(inside)
        if is_url(inside) or name.split("/")[0] in ("", ".", ".."):
            raise ParameterError(
                f"the list names {listed!r}, expected files in {self.root}"
            )
        return name

    @abstractmethod
    def lock(self) -> AbstractContextManager[None]:
        """Keep other batches out of this folder of runs.

        If another is at work there, a BatchError says its process and host.
        """

    @abstractmethod
    def manifest(self) -> Manifest:
        """The manifest of this folder of runs, to be added to."""

    @abstractmethod
    def has_manifest(self) -> bool:
        """Whether a batch has been at work in this folder of runs."""

    @abstractmethod
    def manifest_lines(self) -> Iterator[bytes]:
        """Yield the lines of the manifest, the oldest first; none without one."""

    def has_run(self, name: str, *, recorded: bool) -> bool:
        """Whether there is a finished run in a folder.

        ``recorded`` says whether the manifest knows it: a store far away believes that.
        """
        return self.entry(f"{name}/{REPORT}") is not None

    @abstractmethod
    def making(
        self, name: str, *, overwrite: bool = True
    ) -> AbstractContextManager[Path]:
        """Yield a folder on this machine to make a run in, for a place in the store.

        At the end the run is in its place. It takes that of an older one if it may
        overwrite; a place that is taken by what is no run is an OutputError.
        """

    @abstractmethod
    def sweep(self, names: Iterable[str]) -> None:
        """Remove what lost workers have left where the runs of these names go."""

    @abstractmethod
    def _at(self, name: str) -> str:
        """The path or URL of a file or folder; "" is the root."""

    def _real(self) -> str:
        """The root, by the same name whatever links lead to it."""
        return self._at("")

    def _identity(self, folder: str) -> Hashable:
        """The same for names of one folder."""
        return folder

    @abstractmethod
    def _list(
        self, folder: str, unreadable: Unreadable
    ) -> tuple[list[Entry], list[str]]:
        """The files in a folder, and the names of its folders but hidden ones."""

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
    """What an error says, in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return next(iter(str(error).splitlines()), "") or type(error).__name__


@contextmanager
def told(kind: type[SpecnmfError], what: str) -> Iterator[None]:
    """Turn an error of the system into one line."""
    try:
        yield
    except OSError as error:
        raise kind(f"{what}: {reason(error)}") from error


def _holds_run(files: Iterable[Entry]) -> bool:
    """Whether a folder with these files is a run, or about to be one."""
    names = {last(file.name) for file in files}
    return {REPORT, "factors.npz"} <= names or UPLOADING in names


def _no_folder(root: str, error: OSError) -> AudioError:
    """The error to raise for a root that cannot be walked."""
    if isinstance(error, FileNotFoundError):
        return AudioError(f"{root}: no such folder")
    if isinstance(error, NotADirectoryError):
        return AudioError(f"{root}: not a folder")
    return AudioError(f"{root}: {reason(error)}")


def is_url(location: str | os.PathLike[str]) -> bool:
    """Whether a location begins with a scheme like ``s3://``."""
    return _URL.match(os.fspath(location)) is not None


def check_name(name: str) -> str:
    """Return a name within its store; one that leads out of it is a ParameterError."""
    if not is_safe(name):
        raise ParameterError(f"{name!r}: expected the name of a file within its folder")
    return name


def is_safe(name: str) -> bool:
    """Whether a name, on this system, leads to a place within its store."""
    parts = name.replace(os.sep, "/").split("/")
    drive = os.path.splitdrive(name)[0]
    return not ({"", ".", ".."} & set(parts) or drive or "\0" in name)


def within(folder: str, name: str) -> str:
    """The name of a file in a folder; "" is the root."""
    return f"{folder}/{name}" if folder else name


def last(name: str) -> str:
    """What a file is called in its folder."""
    return name.rpartition("/")[2]


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden by the name that it has in its folder."""
    return last(name).startswith(".")
