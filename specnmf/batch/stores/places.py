"""Paths and URLs: the store at each, and copies of files from there."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote_to_bytes

from specnmf.batch.stores.local import LocalStore
from specnmf.batch.stores.store import MISSING, Store, is_url, told
from specnmf.errors import AudioError, ParameterError

_FILE_URL = re.compile(r"file://(?:localhost)?(?=/)", re.IGNORECASE)

#: `user:password@`, where a password may contain slashes; `host:22/` and an access
#: point of S3, `arn:aws:...`, do not match.
_PASSWORD = re.compile(r"(://)(?!arn:)[^/@:]*:(?!\d+(?:/|$))[^@]*@")


def absolute(location: str | os.PathLike[str]) -> str:
    """A location that does not depend on the current folder."""
    location = os.fspath(location)
    return location if is_url(location) else str(Path(location).absolute())


def open_store(root: str | os.PathLike[str]) -> Store:
    """The store at a path, a ``file://`` URL, or a URL that fsspec can reach.

    Raises
    ------
    ParameterError
        If the URL contains a password, its protocol is unknown, or its package is not
        installed.
    """
    root = os.fspath(root)
    path = _local_path(root)
    if path is not None:
        return LocalStore(root, path)
    from specnmf.batch.stores.remote import RemoteStore

    return RemoteStore.at(root)


def is_folder(location: str) -> bool:
    """Whether a location is a folder; a URL is a folder if it ends with a slash."""
    path = _local_path(location)
    if path is None:
        return location.endswith("/")
    with suppress(OSError):  # opening it will report that
        return path.is_dir()
    return False


@contextmanager
def local_copy(location: str) -> Iterator[Path]:
    """Yield the path of a file, or of a temporary copy.

    Only files at URLs are copied, under their own names as far as local names allow.
    AudioError if there is no such file, or it cannot be copied.
    """
    path = _local_path(location)
    if path is None:
        from specnmf.batch.stores.network import downloaded
        from specnmf.batch.stores.remote import RemoteStore

        with downloaded(RemoteStore.at(location)) as path:
            yield path
        return
    with told(AudioError, location):
        try:
            mode = path.stat().st_mode
        except MISSING as error:
            raise AudioError(f"{location}: no such file") from error
    if stat.S_ISDIR(mode):
        raise AudioError(f"{location}: a folder, expected a file")
    yield path


def _local_path(location: str) -> Path | None:
    """The path of a location, given as such or as a file URL; None for other URLs."""
    if "\0" in location:
        raise ParameterError(
            f"{location!r}: expected a path or URL without a null character"
        )
    if not is_url(location):
        return Path(location)
    if _PASSWORD.match(location, location.index("://")):
        shown = _PASSWORD.sub(r"\1***@", location)
        raise ParameterError(
            f"{shown}: expected a URL without a password; "
            "put it into the environment: messages and files would repeat it"
        )
    if not location.lower().startswith("file://"):
        return None
    path, found = _FILE_URL.subn("", location)
    if not found:
        raise ParameterError(f"{location}: expected file:/// with an absolute path")
    decoded = os.fsdecode(unquote_to_bytes(os.fsencode(path)))
    if "\0" in decoded:
        raise ParameterError(f"{location}: expected a path without a null character")
    return Path(decoded[1:] if os.name == "nt" else decoded)
