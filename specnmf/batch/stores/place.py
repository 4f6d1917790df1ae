"""URLs, and the files behind them, through fsspec."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any

from specnmf.batch.stores.store import last, reason, told
from specnmf.errors import AudioError, ParameterError, SpecnmfError

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
        path = Path(folder, _local_name(last(place.path)))
        with told(AudioError, location), network():
            try:
                place.files.get_file(place.key, str(path))
            except FileNotFoundError as error:
                raise AudioError(f"{location}: no such file") from error
        if not path.is_file():
            raise AudioError(f"{location}: a folder, expected a file")
        yield path


@contextmanager
def network() -> Iterator[None]:
    """Turn errors of the network's libraries, which share no base, into OSErrors."""
    try:
        yield
    except (OSError, SpecnmfError):
        raise
    except Exception as error:
        raise OSError(reason(error)) from error


def remove(place: Place) -> None:
    """Remove a file, if it is there."""
    with suppress(FileNotFoundError):
        place.files.rm_file(place.key)


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
