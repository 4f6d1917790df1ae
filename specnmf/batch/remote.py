"""Folders behind URLs, through fsspec."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any

from specnmf.batch.store import (
    UPLOADING,
    Entry,
    Unreadable,
    check_name,
    check_size,
    holds_run,
    is_hidden,
    is_safe,
    no_folder,
    reason,
    tell,
)
from specnmf.errors import AudioError, OutputError, ParameterError, SpecnmfError
from specnmf.output.folder import REPORT

#: What tells one version of a file from another, the surest first.
_STAMPS = ("ETag", "etag", "LastModified", "updated", "mtime", "modified", "created")

#: s3fs takes what follows this in a name for a version of the file before it.
_VERSION = "?versionId="

#: Bytes that file systems allow a name; characters of a suffix that is kept then.
_LONGEST, _LONGEST_SUFFIX = 255, 16

#: The protocols that the optional dependencies are for.
_EXTRA = {"s3", "s3a", "gs", "gcs"}

_REMEDY = "pip install 'specnmf[cloud]'"


@dataclass(frozen=True)
class Place:
    """A URL taken apart, with nothing in it that stands for anything else.

    Unlike a URL of the web's, ``%``, ``?`` and ``#`` in it are parts of names.

    Attributes
    ----------
    protocol : str
        s3, gs, memory, ...
    authority : str
        The bucket or host.
    path : str
        What comes after, with no slash at either end.
    """

    protocol: str
    authority: str
    path: str

    @classmethod
    def at(cls, url: str) -> Place:
        """The place at a URL."""
        protocol, _, rest = url.partition("://")
        authority, _, path = rest.partition("/")
        return cls(protocol.lower(), authority, path.strip("/"))

    def within(self, name: str) -> Place:
        """The place of that name in this one; "" is this one."""
        path = "/".join(part for part in (self.path, name) if part)
        return Place(self.protocol, self.authority, path)

    @property
    def url(self) -> str:
        """The URL, from which `at` makes the same place."""
        return f"{self.protocol}://{self.authority}/{self.path}"

    @property
    def files(self) -> Any:
        """The fsspec file system that it is in, one for the whole process."""
        return _file_system(self.protocol, self.authority, os.getpid())

    @property
    def key(self) -> str:
        """What that file system calls it."""
        base = str(self.files._strip_protocol(f"{self.protocol}://{self.authority}/"))
        return f"{base.rstrip('/')}/{self.path}" if self.path else base


@lru_cache(maxsize=32)
def _file_system(protocol: str, authority: str, process: int) -> Any:
    """The file system; another one in each process, as connections outlive no fork."""
    url = f"{protocol}://{authority}/"
    try:
        import fsspec

        kind = fsspec.get_filesystem_class(protocol)
        options = kind._get_kwargs_from_urls(url)
        return kind(use_listings_cache=False, skip_instance_cache=True, **options)
    except ModuleNotFoundError as error:
        raise ParameterError(
            f"{url}: expected fsspec to reach it; {_REMEDY}"
        ) from error
    except ImportError as error:
        remedy = f"; {_REMEDY}" if protocol in _EXTRA else ""
        raise ParameterError(f"{url}: {reason(error)}{remedy}") from error
    except Exception as error:  # each backend has its own
        raise ParameterError(f"{url}: {reason(error)}") from error


@dataclass(frozen=True)
class RemoteStore:
    """A folder behind a URL.

    Attributes
    ----------
    root : str
        As the user gave it.
    place : Place
        The same taken apart.
    """

    root: str
    place: Place

    @classmethod
    def at(cls, root: str) -> RemoteStore:
        """The store at a URL.

        Raises
        ------
        ParameterError
            If its protocol is unknown, or what it needs is not installed.
        """
        place = Place.at(root)
        _ = place.files
        return cls(root, place)

    @property
    def is_local(self) -> bool:
        """False."""
        return False

    def walk(
        self, *, recursive: bool, unreadable: Unreadable | None = None
    ) -> Iterator[Entry]:
        """Yield the files: see `Store.walk`."""
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            try:
                files, folders = self._listing(folder, unreadable)
            except Exception as error:  # each backend has its own
                if not folder:
                    raise no_folder(self.root, error) from error
                tell(unreadable, folder, reason(error))
                continue
            if folder and holds_run({_last(file.name) for file in files}):
                continue
            yield from (file for file in files if not is_hidden(file.name))
            if recursive:
                waiting.extend(reversed(folders))

    def entry(self, name: str) -> Entry | None:
        """What is known of a file: see `Store.entry`."""
        place = self._place(name)
        with _one_line(AudioError, place.url):
            try:
                info = place.files.info(place.key)
            except FileNotFoundError:
                return None
        return _entry(name, info) if info["type"] == "file" else None

    def location(self, name: str) -> str:
        """The URL of a file: see `Store.location`."""
        return self._place(name).url

    def names(self, folder: str) -> list[str]:
        """The files directly in a folder: see `Store.names`."""
        place = self._place(folder) if folder else self.place
        with _one_line(OutputError, f"{place.url} cannot be read"):
            try:
                found = _listed(place)
            except (FileNotFoundError, NotADirectoryError):
                return []
        return sorted(_last(info["name"]) for info in found if info["type"] == "file")

    def read(self, name: str, most: int) -> bytes | None:
        """The bytes of a file: see `Store.read`."""
        place = self._place(name)
        with _one_line(OutputError, f"{place.url} cannot be read"):
            try:
                # An empty file has no first byte to ask for.
                if place.files.info(place.key)["size"] == 0:
                    return b""
                content = place.files.cat_file(place.key, start=0, end=most + 1)
            except FileNotFoundError:
                return None
        return check_size(content, most, place.url)

    def write(self, name: str, content: bytes) -> None:
        """Write a file: see `Store.write`."""
        place = self._place(name)
        with _one_line(OutputError, f"{place.url} cannot be written"):
            place.files.pipe_file(place.key, content)

    def create(self, name: str, content: bytes) -> bool:
        """Write a file unless there is one: see `Store.create`.

        The storage itself decides who is first where it knows how to, as S3 and
        Google's do. Others are asked beforehand, which leaves a moment for two.
        """
        place = self._place(name)
        with _one_line(OutputError, f"{place.url} cannot be written"):
            return not place.files.exists(place.key) and _put_first(place, content)

    def remove(self, name: str) -> None:
        """Remove a file: see `Store.remove`."""
        place = self._place(name)
        with _one_line(OutputError, f"{place.url} cannot be removed"):
            _remove(place)

    def _place(self, name: str) -> Place:
        return self.place.within(check_name(name))

    def _listing(
        self, folder: str, unreadable: Unreadable | None
    ) -> tuple[list[Entry], list[str]]:
        """The files in a folder and the names of the folders in it, each sorted."""
        place = self.place.within(folder)
        files, folders = [], []
        for info in _listed(place):
            last = info["name"].removeprefix(place.key).removeprefix("/")
            name = f"{folder}/{last}" if folder else last
            if "/" in last or not is_safe(last) or _VERSION in last:
                tell(unreadable, name, "a name that cannot be used")
            elif info["type"] == "file":
                files.append(_entry(name, info))
            elif not is_hidden(last):
                folders.append(name)
        return sorted(files, key=lambda file: file.name), sorted(folders)


@contextmanager
def downloaded(location: str) -> Iterator[Path]:
    """Yield the path of a copy of a file, which is removed afterwards.

    Raises
    ------
    AudioError
        If there is no such file, or it cannot be copied.
    """
    place = Place.at(location)
    with tempfile.TemporaryDirectory(prefix="specnmf-") as folder:
        path = Path(folder, _local_name(_last(place.path)))
        with _one_line(AudioError, location):
            try:
                place.files.get_file(place.key, str(path))
            except FileNotFoundError as error:
                raise AudioError(f"{location}: no such file") from error
        if not path.is_file():
            raise AudioError(f"{location}: a folder, expected a file")
        yield path


def upload(folder: Path, location: str, *, overwrite: bool) -> None:
    """Upload a finished run: see `specnmf.batch.places.publish`.

    Until all of it is there, a hidden file tells what it is: so what an upload
    leaves that was cut off is known for that, and gives way to the next.
    """
    target = Place.at(location)
    marker = target.within(UPLOADING)
    with _one_line(OutputError, f"{location} cannot be written"):
        old = _check_free(target, overwrite=overwrite)
        target.files.pipe_file(marker.key, b"")
        for place in old:
            _remove(place)
        names = _run_json_last(folder)
        try:
            for name in names:
                target.files.put_file(str(folder / name), target.within(name).key)
        except BaseException:
            _take_back([*map(target.within, reversed(names)), marker])
            raise
    with suppress(Exception):  # the run is there, whatever its marker says
        _remove(marker)


def _check_free(target: Place, *, overwrite: bool) -> list[Place]:
    """The files that have to go before a run may be here, its run.json first."""
    found = _below(target)
    report, marker = target.within(REPORT), target.within(UPLOADING)
    if report in found and not overwrite:
        raise OutputError(
            f"{target.url} holds a finished run; use --overwrite, or another --output"
        )
    if found and not {report, marker} & set(found):
        raise OutputError(
            f"{target.url} exists and is no run; move it, or use another --output"
        )
    old = [place for place in found if place != marker]
    return sorted(old, key=lambda place: place != report)


def _below(target: Place) -> list[Place]:
    """The places of all files in a folder and its folders, or of a file."""
    own = f"{target.key}/"  # the empty file that stands for a folder in S3
    keys = [key for key in target.files.find(target.key) if key != own]
    return [target.within(key.removeprefix(target.key).strip("/")) for key in keys]


def _run_json_last(folder: Path) -> list[str]:
    """The names of a run's files, in the order in which they are uploaded."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    return sorted(names, key=lambda name: name == REPORT)


def _take_back(places: list[Place]) -> None:
    """Remove what an upload may have left, as far as that is possible."""
    for place in places:
        with suppress(Exception):  # the upload's own error is the one to tell
            _remove(place)


def _put_first(place: Place, content: bytes) -> bool:
    """Write a file that was not there a moment ago; say whether it still was not."""
    try:
        place.files.pipe_file(place.key, content, mode="create")
    except FileExistsError:
        return False
    except (NotImplementedError, TypeError, ValueError):
        place.files.pipe_file(place.key, content)
    except OSError as error:
        # Two at once may be told of a conflict, with no word of a file.
        if place.files.exists(place.key):
            return False
        if error.errno != errno.ENOSYS:
            raise
        place.files.pipe_file(place.key, content)
    return True


def _remove(place: Place) -> None:
    with suppress(FileNotFoundError):
        place.files.rm_file(place.key)


def _listed(place: Place) -> list[dict[str, Any]]:
    """What is in a folder, without the empty file that stands for it in S3."""
    found: list[dict[str, Any]] = place.files.ls(place.key, detail=True)
    files = {info["name"] for info in found if info["type"] == "file"}
    if files == {place.key}:
        raise NotADirectoryError(place.url)
    own = f"{place.key}/"
    return [info for info in found if info["type"] != "file" or info["name"] != own]


def _entry(name: str, info: dict[str, Any]) -> Entry:
    return Entry(name, int(info["size"] or 0), _stamp(info))


def _stamp(info: dict[str, Any]) -> str:
    """The stamp of a file; the same from a listing as from a question for it alone."""
    stamp = next((info[key] for key in _STAMPS if info.get(key)), "")
    return str(stamp.timestamp() if isinstance(stamp, datetime) else stamp)


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _local_name(name: str) -> str:
    """A name as file systems here allow it, with the same suffix."""
    if name in {"", ".", ".."}:
        return "_"
    if os.name == "nt":
        name = re.sub(r'[\x00-\x1f<>:"|?*\\]', "_", name)
    suffix = PurePath(name).suffix
    suffix = suffix if len(suffix) <= _LONGEST_SUFFIX else ""
    room = _LONGEST - len(suffix.encode(errors="replace"))
    stem = name.removesuffix(suffix).encode(errors="replace")
    return stem[:room].decode(errors="ignore") + suffix


@contextmanager
def _one_line(kind: type[SpecnmfError], what: str) -> Iterator[None]:
    """Turn errors of the network's libraries, which share no base, into one line."""
    try:
        yield
    except SpecnmfError:
        raise
    except Exception as error:
        raise kind(f"{what}: {reason(error)}") from error
