"""The files of a run: listed in its run.json, and recognised when it is replaced."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from specnmf.parallel import workers

#: What a command takes standard input for, also the path of such a recording in
#: run.json, and what its run is called.
STANDARD_INPUT, STANDARD_NAME = "-", "stdin"

#: A folder that holds this file holds a finished run.
REPORT = "run.json"

#: The keys of run.json with the files of the run, and with its `seal`.
FILES, SEAL = "files", "finished"

#: The keys that the seal does not cover.
UNSEALED = {SEAL, "command", "seconds"}

#: The largest run.json, in bytes.
MOST_REPORT = 256 << 20

#: The number of cached SHA-256.
MOST_SUMS = 1 << 14

#: Cached by device, inode, size and times of files.
_sums: dict[tuple[int, ...], str] = {}

#: Keys that run.json has in every version.
_KEYS = {
    *("kind", "settings", "settings_hash", "inputs", "versions"),
    *("residual_db", "components"),
}

#: The pattern of the seal.
_SEALED = re.compile(f'"{SEAL}": "([0-9a-f]{{64}})"'.encode())

#: The files of older runs, whose run.json does not list them; without labels.txt, which
#: users may edit.
_NAMES = re.compile(
    r"factors\.npz|layers\.npz|tree\.json|(?:pianoroll|aligned)\.(?:mid|csv)"
    r"|figures/(?:spectrogram|templates|activations|reconstruction|loss|rank|layers"
    r"|score|sources|alignment|labels)\.(?:png|svg|pdf)"
)
_SOURCES = re.compile(r"sources/(?:layer_\d+/)?[^/]+\.(?:wav|flac|ogg|mp3)")


@dataclass(frozen=True)
class Products:
    """The files of a run, from its run.json.

    Attributes
    ----------
    listed : mapping of str to (int, str), or None
        The size and SHA-256 of each file, by its name in the folder; None: run.json is
        older than this list, or damaged, and only names are used.
    sources : frozenset of str or None
        The sources in an older run.json; None: it is damaged.
    seal : str
        The seal of run.json; empty if it has none.
    """

    listed: Mapping[str, tuple[int, str]] | None = None
    sources: frozenset[str] | None = None
    seal: str = ""

    @property
    def damaged(self) -> bool:
        """Whether the files of the run are unknown."""
        return self.listed is None and self.sources is None

    def lists(self, name: str) -> bool:
        """Whether a file of this name may be from the run."""
        if name == REPORT:
            return True
        if self.listed is not None:
            return name in self.listed
        if self.sources is not None and name in self.sources:
            return True
        if self.sources is None and _SOURCES.fullmatch(name):
            return True
        return _NAMES.fullmatch(name) is not None

    def holds(self, name: str, size: int, checksum: Callable[[], str]) -> bool:
        """Whether a file is from the run, and unchanged.

        ``checksum`` is called only if it decides; it returns the SHA-256 of the file,
        or for run.json the seal that it should have.
        """
        if not self.lists(name):
            return False
        if name == REPORT:
            return not self.seal or checksum() == self.seal
        if self.listed is None:
            return True
        expected, digest = self.listed[name]
        return size == expected and checksum() == digest


def read_products(content: bytes) -> Products:
    """The files of a run, from the bytes of its run.json, which may be invalid."""
    report, seals = _parse(content), _SEALED.findall(content)
    seal = seals[-1].decode() if seals else ""
    if report is None:
        return Products(seal=seal)
    files = report.get(FILES)
    if not isinstance(files, list):
        return Products(sources=frozenset(_named_sources(report)), seal=seal)
    listed = {}
    for entry in files:
        match entry:
            case {"path": str(path), "size": int(size), "sha256": str(checksum)}:
                listed[path] = size, checksum
    return Products(listed, seal=seal)


def read_left_out(folder: Path) -> list[str]:
    """The names of the sources in a run that it did not write; empty for other folders.

    Sources of layers are in folders, whose names are left out.
    """
    report = folder / REPORT
    if not report.is_file() or report.stat().st_size > MOST_REPORT:
        return []
    names = (_parse(report.read_bytes()) or {}).get("left_out")
    names = names if isinstance(names, list) else []
    return [name.rpartition("/")[2] for name in names if isinstance(name, str)]


def read_named(folder: Path) -> dict[str, Path]:
    """The files of a run's sources by the names of the stems, where these differ.

    Empty if files are called like their stems, for layers, and for other folders.
    """
    report = folder / REPORT
    if not report.is_file() or report.stat().st_size > MOST_REPORT:
        return {}
    content = _parse(report.read_bytes()) or {}
    found: dict[str, str] = {}
    for key in ("stems", "labels", "components"):
        entries = content.get(key)
        for entry in entries if isinstance(entries, list) and not found else ():
            match entry:
                case {"label": str(name), "source": str(path)}:
                    found[name] = path
    if all(PurePosixPath(path).stem == name for name, path in found.items()):
        return {}
    inside = {n: p for n, p in found.items() if _SOURCES.fullmatch(p)}
    return {name: folder / path for name, path in inside.items()}


def is_foreign(content: bytes) -> bool:
    """Whether a run.json is of another program: an object without any of our keys."""
    report = _parse(content)
    return bool(report) and not _KEYS & {*(report or ())}


def _parse(content: bytes) -> dict[str, Any] | None:
    """The object in a run.json; text after it is ignored."""
    try:
        report, _ = json.JSONDecoder().raw_decode(content.decode())
    except (ValueError, RecursionError):
        return None
    return report if isinstance(report, dict) else None


def _named_sources(report: Any) -> Iterator[str]:
    """The sources in an older run.json."""
    waiting = [report]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            source = each.get("source")
            if isinstance(source, str):
                yield source
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)


def list_files(folder: Path, *, threads: int | None = None) -> list[dict[str, Any]]:
    """The files in a folder with their sizes and SHA-256, for run.json."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    with workers(threads) as mapper:
        sums = mapper(sha256, paths)
    return [
        {
            "path": path.relative_to(folder).as_posix(),
            "size": path.stat().st_size,
            "sha256": checksum,
        }
        for path, checksum in zip(paths, sums, strict=True)
    ]


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal; of a folder, that of its files.

    Files of a folder count by their names and contents, those in folders within it do
    not.
    """
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.is_file())
        lines = [f"{sha256(each)} {each.name}\n" for each in files]
        return hashlib.sha256("".join(lines).encode(errors="replace")).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_there(path: Path) -> bool:
    """Whether a path is a file; invalid paths are not."""
    try:
        return path.is_file()
    except OSError:  # the name is too long, or the folder is not readable
        return False


def as_json(content: Mapping[str, Any]) -> bytes:
    """Standard JSON, UTF-8, no NaN.

    Bytes of file names that are not UTF-8 are escaped.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode(errors="backslashreplace")


def seal(report: Mapping[str, Any]) -> str:
    """The SHA-256 of the content of run.json, without the keys that a rerun changes."""
    content = {name: report[name] for name in report if name not in UNSEALED}
    return hashlib.sha256(as_json(content)).hexdigest()


def seal_of(content: bytes) -> str:
    """The seal that a run.json should have; empty if it was changed."""
    report = _parse(content)
    return "" if report is None or as_json(report) != content else seal(report)


@dataclass(frozen=True)
class Finished:
    """A finished run on disk, and which of its files are unchanged.

    Attributes
    ----------
    folder : path
        The present folder.
    inputs : frozenset of str
        Names of files that always count as the user's.
    """

    folder: Path
    inputs: frozenset[str] = frozenset()

    @cached_property
    def content(self) -> bytes:
        """The bytes of its run.json; empty if it is not a file, or too large."""
        path = self.folder / REPORT
        small = path.is_file() and path.stat().st_size <= MOST_REPORT
        return path.read_bytes() if small else b""

    @cached_property
    def products(self) -> Products:
        """Its files, from run.json."""
        return read_products(self.content)

    @cached_property
    def written_ns(self) -> int:
        """The time of its run.json, in nanoseconds."""
        return (self.folder / REPORT).stat().st_mtime_ns

    def wrote(self, name: str, status: os.stat_result) -> bool:
        """Whether a file is from the run, unchanged, and not one of the inputs."""
        if name in self.inputs or not stat.S_ISREG(status.st_mode):
            return False
        if self.products.damaged and name != REPORT:
            return False
        if self.products.listed is None and status.st_mtime_ns > self.written_ns:
            return False  # run.json is written last
        return self.products.holds(name, status.st_size, lambda: self._sum(name))

    def _sum(self, name: str) -> str:
        """The SHA-256 of a file; for run.json the seal that it should have."""
        if name == REPORT:
            return seal_of(self.content)
        return _sha256_as_of(self.folder / name)


def _sha256_as_of(path: Path) -> str:
    """The SHA-256 of a file, which is read again only if it has changed."""
    status = path.stat()
    times = status.st_mtime_ns, status.st_ctime_ns
    key = (status.st_dev, status.st_ino, status.st_size, *times)
    if key not in _sums:
        if len(_sums) >= MOST_SUMS:
            _sums.clear()
        _sums[key] = sha256(path)
    return _sums[key]
