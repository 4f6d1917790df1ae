"""File systems at URLs through fsspec: fetch a file, upload a run."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from specnmf.batch.stores import remains
from specnmf.batch.stores.store import UPLOADING, last, reason, told
from specnmf.errors import AudioError, OutputError, ParameterError, SpecnmfError
from specnmf.output.products import FILES, REPORT, list_files, read_products

if TYPE_CHECKING:
    from specnmf.batch.stores.remote import RemoteStore

#: The protocols of the optional dependencies.
_EXTRA = {"s3", "s3a", "gs", "gcs"}

_REMEDY = "pip install 'specnmf[cloud]'"

#: The most bytes in a file's name; the characters of a suffix kept in shortened names.
_LONGEST, _LONGEST_SUFFIX = 255, 16


@lru_cache(maxsize=32)
def file_system(protocol: str, authority: str, process: int) -> Any:
    """The fsspec file system of a bucket or host.

    Each process has its own, as connections do not survive a fork. ParameterError if
    the protocol is unknown, or its package is not installed.
    """
    url = f"{protocol}://{authority}/"
    try:
        import fsspec

        kind = fsspec.get_filesystem_class(protocol)
        options = kind._get_kwargs_from_urls(url)
        return kind(use_listings_cache=False, skip_instance_cache=True, **options)
    except ModuleNotFoundError as error:
        raise ParameterError(f"{url}: URLs need fsspec; {_REMEDY}") from error
    except ImportError as error:
        remedy = f"; {_REMEDY}" if protocol in _EXTRA else ""
        raise ParameterError(f"{url}: {reason(error)}{remedy}") from error
    except Exception as error:  # each backend has its own
        raise ParameterError(f"{url}: {reason(error)}") from error


@contextmanager
def network() -> Iterator[None]:
    """Turn errors of network libraries, which have no common base, into OSErrors."""
    try:
        yield
    except (OSError, SpecnmfError):
        raise
    except Exception as error:
        raise OSError(reason(error)) from error


@contextmanager
def downloaded(file: RemoteStore) -> Iterator[Path]:
    """Yield the path of a temporary copy of a file.

    AudioError if there is no such file, or it cannot be copied.
    """
    with tempfile.TemporaryDirectory(prefix="specnmf-") as folder:
        path = Path(folder, _local_name(last(file.path)))
        with told(AudioError, file.root), network():
            try:
                file.files.get_file(file.key(), str(path))
            except FileNotFoundError as error:
                raise AudioError(f"{file.root}: no such file") from error
        if not path.is_file():
            raise AudioError(f"{file.root}: expected a file, got a folder")
        yield path


def upload(folder: Path, target: RemoteStore, *, overwrite: bool) -> None:
    """Upload a finished run.

    run.json comes last, so a folder with run.json holds the whole run. Until then, a
    hidden file marks the upload: the next upload replaces an interrupted one.

    Files in the folder that no run wrote, or that were changed since, stay there; if
    the run needs their names, they are copied into `KEPT` first.

    OutputError if the folder holds a run that may not be overwritten, or something
    other than a run; also if the upload fails. A failed upload is removed if possible.
    """
    with told(OutputError, f"{target.root} cannot be written"), network():
        names = _run_json_last(folder)
        old = remains.check_free(target, overwrite=overwrite)
        marker = json.dumps({FILES: [*_listed(folder), *old.entries()]})
        target.files.pipe_file(target.key(UPLOADING), marker.encode())
        remains.keep(target, old.kept, names)
        for name in old.products:
            remains.remove(target, name)
        try:
            for name in names:
                target.files.put_file(str(folder / name), target.key(name))
        except BaseException:
            mark = (
                [] if old.kept else [UPLOADING]
            )  # the rest also has files of the user
            _take_back(target, [*reversed(names), *mark])
            raise
    _take_back(target, [UPLOADING])  # the run is whole, with or without its marker


def _listed(folder: Path) -> list[dict[str, Any]]:
    """The files of a run as its run.json lists them, else as they are."""
    content = (folder / REPORT).read_bytes()
    listed = read_products(content).listed
    if listed is None:
        return list_files(folder)
    found: list[dict[str, Any]] = json.loads(content)[FILES]
    return found


def _run_json_last(folder: Path) -> list[str]:
    """The names of a run's files in the order of the upload."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    return sorted(names, key=lambda name: name == REPORT)


def _take_back(target: RemoteStore, names: Iterable[str]) -> None:
    """Remove the remains of an upload as far as possible."""
    for name in names:
        with suppress(Exception):  # the upload's own error is reported
            remains.remove(target, name)


def _local_name(name: str) -> str:
    """A name that local file systems allow, with the same suffix."""
    if name in {"", ".", ".."}:
        return "_"
    if os.name == "nt":
        name = re.sub(r'[\x00-\x1f<>:"|?*\\]', "_", name)
    suffix = PurePath(name).suffix
    suffix = suffix if len(suffix) <= _LONGEST_SUFFIX else ""
    room = _LONGEST - len(suffix.encode(errors="replace"))
    stem = name.removesuffix(suffix).encode(errors="replace")
    return stem[:room].decode(errors="ignore") + suffix
