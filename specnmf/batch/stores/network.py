"""By fsspec: file systems behind URLs, a file from there, a run on its way there."""

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

#: The protocols that the optional dependencies are for.
_EXTRA = {"s3", "s3a", "gs", "gcs"}

_REMEDY = "pip install 'specnmf[cloud]'"

#: Bytes that file systems allow a name; characters of a suffix that is kept then.
_LONGEST, _LONGEST_SUFFIX = 255, 16


@lru_cache(maxsize=32)
def file_system(protocol: str, authority: str, process: int) -> Any:
    """The file system of a bucket or host; it comes from fsspec.

    Each process has its own: connections outlive no fork. If the protocol is unknown,
    or what it needs is not installed, that is a ParameterError.
    """
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
def network() -> Iterator[None]:
    """Turn errors of the network's libraries, which share no base, into OSErrors."""
    try:
        yield
    except (OSError, SpecnmfError):
        raise
    except Exception as error:
        raise OSError(reason(error)) from error


@contextmanager
def downloaded(file: RemoteStore) -> Iterator[Path]:
    """Yield the path of a copy of a file, which is removed afterwards.

    If there is no such file, or it cannot be copied, that is an AudioError.
    """
    with tempfile.TemporaryDirectory(prefix="specnmf-") as folder:
        path = Path(folder, _local_name(last(file.path)))
        with told(AudioError, file.root), network():
            try:
                file.files.get_file(file.key(), str(path))
            except FileNotFoundError as error:
                raise AudioError(f"{file.root}: no such file") from error
        if not path.is_file():
            raise AudioError(f"{file.root}: a folder, expected a file")
        yield path


def upload(folder: Path, target: RemoteStore, *, overwrite: bool) -> None:
    """Upload a finished run.

    Its run.json comes last, so a folder that holds one holds the whole run. Until then
    a hidden file tells what it is: what an upload leaves that was cut off is known by
    it, and gives way to the next.

    What is in the place of the run and no run wrote, or what was changed since, stays
    there; where the run needs its name, it is copied into `KEPT` first.

    A place that is taken by a run, unless it may overwrite it, or by what is no run, is
    an OutputError; so is an upload that fails, after which what was uploaded is removed
    again, if that is possible.
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
            mark = [] if old.kept else [UPLOADING]  # what is left is not only theirs
            _take_back(target, [*reversed(names), *mark])
            raise
    _take_back(target, [UPLOADING])  # the run is there, whatever its marker says


def _listed(folder: Path) -> list[dict[str, Any]]:
    """The files of a run as its run.json lists them, or else as they are."""
    content = (folder / REPORT).read_bytes()
    listed = read_products(content).listed
    if listed is None:
        return list_files(folder)
    found: list[dict[str, Any]] = json.loads(content)[FILES]
    return found


def _run_json_last(folder: Path) -> list[str]:
    """The names of a run's files, in the order in which they are uploaded."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    return sorted(names, key=lambda name: name == REPORT)


def _take_back(target: RemoteStore, names: Iterable[str]) -> None:
    """Remove what an upload may have left, as far as that is possible."""
    for name in names:
        with suppress(Exception):  # the upload's own error is the one to tell
            remains.remove(target, name)


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
