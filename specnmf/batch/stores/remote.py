"""Folders at URLs, through fsspec."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from specnmf.batch.stores.lock import signed_file
from specnmf.batch.stores.manifest import MANIFEST, MOST_PIECE, PieceManifest
from specnmf.batch.stores.network import file_system, network, upload
from specnmf.batch.stores.store import (
    Entry,
    Store,
    Unreadable,
    is_hidden,
    is_safe,
    within,
)

#: The properties that distinguish versions of a file, the most reliable first.
_STAMPS = ("ETag", "etag", "LastModified", "updated", "mtime", "modified", "created")

#: s3fs reads the text after this in a name as a version of the file.
_VERSION = "?versionId="


@dataclass(frozen=True)
class RemoteStore(Store):
    """A folder or file at a URL.

    Unlike in web URLs, ``%``, ``?`` and ``#`` are parts of names.
    """

    root: str
    protocol: str  #: s3, gs, memory, ...
    authority: str  #: The bucket or host.
    path: str  #: What comes after, with no slash at either end.

    @classmethod
    def at(cls, root: str) -> RemoteStore:
        """The store at a URL.

        ParameterError if the protocol is unknown or its package is not installed.
        """
        protocol, _, rest = root.partition("://")
        authority, _, path = rest.partition("/")
        store = cls(root, protocol.lower(), authority, path.strip("/"))
        _ = store.files
        return store

    @property
    def files(self) -> Any:
        """The fsspec file system, shared by the whole process."""
        return file_system(self.protocol, self.authority, os.getpid())

    def key(self, name: str = "") -> str:
        """The path of a file or folder in that file system; "" is the root."""
        bucket = f"{self.protocol}://{self.authority}/"
        base, path = str(self.files._strip_protocol(bucket)), self._path(name)
        return f"{base.rstrip('/')}/{path}" if path else base

    def lock(self) -> AbstractContextManager[None]:
        """Lock the folder by a file that is signed repeatedly."""
        return signed_file(self)

    def manifest(self) -> PieceManifest:
        """Start a piece, as files cannot be appended to."""
        return PieceManifest(self)

    def has_manifest(self) -> bool:
        """Whether there are such pieces."""
        return bool(self.names(MANIFEST))

    def manifest_lines(self) -> Iterator[bytes]:
        """Yield the lines of the pieces."""
        for name in self.names(MANIFEST):
            piece = self.read(f"{MANIFEST}/{name}", MOST_PIECE) or b""
            yield from piece.splitlines()

    def has_run(self, name: str, *, recorded: bool) -> bool:
        """Whether it is recorded or exists: a million requests would take hours."""
        return recorded or super().has_run(name, recorded=False)

    @contextmanager
    def making(self, name: str, *, overwrite: bool = True) -> Iterator[Path]:
        """Yield a temporary folder; upload the run that is made in it."""
        with tempfile.TemporaryDirectory(prefix="specnmf-") as folder:
            yield Path(folder)
            (run,) = Path(folder).iterdir()
            upload(run, RemoteStore.at(self.location(name)), overwrite=overwrite)

    def sweep(self, names: Iterable[str]) -> None:
        """Do nothing: the next upload replaces an interrupted one."""

    def _at(self, name: str) -> str:
        return f"{self.protocol}://{self.authority}/{self._path(name)}"

    def _path(self, name: str) -> str:
        return "/".join(part for part in (self.path, name) if part)

    @network()
    def _list(
        self, folder: str, unreadable: Unreadable
    ) -> tuple[list[Entry], list[str]]:
        key, files, folders = self.key(folder), [], []
        for info in _listed(self.files, key):
            last = info["name"].removeprefix(key).removeprefix("/")
            name = within(folder, last)
            if "/" in last or not is_safe(last) or _VERSION in last:
                unreadable(name, "a name that cannot be used")
            elif info["type"] == "file":
                files.append(_entry(name, info))
            elif not is_hidden(last):
                folders.append(name)
        return sorted(files, key=lambda file: file.name), sorted(folders)

    @network()
    def _entry(self, name: str) -> Entry | None:
        info = self.files.info(self.key(name))
        return _entry(name, info) if info["type"] == "file" else None

    @network()
    def _read(self, name: str, most: int) -> bytes:
        files, key = self.files, self.key(name)
        if files.info(key)["size"] == 0:
            return b""  # an empty file has no first byte to ask for
        content: bytes = files.cat_file(key, start=0, end=most)
        return content

    @network()
    def _write(self, name: str, content: bytes) -> None:
        self.files.pipe_file(self.key(name), content)

    @network()
    def _create(self, name: str, content: bytes) -> bool:
        """S3 and Google's storage refuse the second of two writers themselves.

        For others, the file is looked up first, which leaves a short race.
        """
        files, key = self.files, self.key(name)
        return not files.exists(key) and _put_first(files, key, content)

    @network()
    def _remove(self, name: str) -> None:
        self.files.rm_file(self.key(name))


def _put_first(files: Any, key: str, content: bytes) -> bool:
    """Write a file that did not exist a moment ago; return whether it was created."""
    try:
        files.pipe_file(key, content, mode="create")
    except FileExistsError:
        return False
    except (NotImplementedError, TypeError, ValueError):
        files.pipe_file(key, content)
    except OSError as error:
        # Simultaneous writers may get a conflict that does not mention a file.
        if files.exists(key):
            return False
        if error.errno != errno.ENOSYS:
            raise
        files.pipe_file(key, content)
    return True


def _listed(files: Any, key: str) -> list[dict[str, Any]]:
    """The content of a folder, without the empty file that represents it in S3."""
    found: list[dict[str, Any]] = files.ls(key, detail=True)
    if {info["name"] for info in found if info["type"] == "file"} == {key}:
        raise NotADirectoryError(key)
    own = f"{key}/"
    return [info for info in found if info["type"] != "file" or info["name"] != own]


def _entry(name: str, info: dict[str, Any]) -> Entry:
    return Entry(name, int(info["size"] or 0), _stamp(info))


def _stamp(info: dict[str, Any]) -> str:
    """The stamp of a file; a listing and a request for the file give the same one."""
    stamp = next((info[key] for key in _STAMPS if info.get(key)), "")
    return str(stamp.timestamp() if isinstance(stamp, datetime) else stamp)
