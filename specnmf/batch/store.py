"""What a folder of songs or runs is, wherever it lies."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from specnmf.errors import AudioError, OutputError, ParameterError
from specnmf.output.folder import PARTIAL, REPORT

#: Called with the name of a folder or file that cannot be read, and why.
Unreadable = Callable[[str, str], None]

#: In a folder behind a URL as long as a run is uploaded to it or removed from it.
UPLOADING = f"{PARTIAL}uploading"


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
