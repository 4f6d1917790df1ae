"""The songs of a batch: found in a folder, or listed."""

from __future__ import annotations

import os
import posixpath
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from itertools import groupby
from pathlib import Path, PurePosixPath

from specnmf.audio import media
from specnmf.batch.stores.store import Entry, Store, Unreadable, ignore, told
from specnmf.errors import ParameterError, SpecnmfError
from specnmf.tasks.registry import TASKS
from specnmf.tasks.task import Input

#: The suffixes of recordings: the formats that libsndfile reads, and FFmpeg.
RECORDINGS = {
    *media.SUFFIXES,
    *(".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg"),
    *(".opus", ".rf64", ".snd", ".w64", ".wav"),
}

#: The number of kinds of ignored files that are named.
MOST_KINDS = 6

#: The largest list of files, in bytes.
MOST_LIST = 1 << 30

#: Looks a file up by its name.
Find = Callable[[str], Entry | None]


@dataclass(frozen=True, slots=True)
class Song:
    """A recording of a batch."""

    name: str  #: Relative to the folder, with ``/`` between folders.
    stamps: str  #: Changes when the recording or a file beside it changes.
    #: The inputs of tasks that belong to it: the name of the input, and that of its
    #: file, or the location of a file elsewhere.
    beside: tuple[tuple[str, str], ...] = ()

    @property
    def target(self) -> str:
        """The name of its run, relative to the folder of runs."""
        folder, base = posixpath.split(self.name)
        return posixpath.join(folder, PurePosixPath(base).stem)


@dataclass(frozen=True)
class Sought:
    """Files to look for, with the names of the songs."""

    input: Input  #: Their role in the task.
    #: Their folder, with the same subfolders as the songs; None: beside the songs.
    folder: Store | None = None

    @cached_property
    def find(self) -> Find | None:
        """The lookup in the folder, if there is one."""
        return None if self.folder is None else _finder(self.folder)

    def has(self, song: Song) -> bool:
        """Whether the folder holds a song's file."""
        place = dict(song.beside).get(self.input.name, "")
        return self.folder is not None and place.startswith(self.folder.root)

    def place(self, name: str) -> str:
        """The name of that file in a `Song`."""
        return name if self.folder is None else self.folder.location(name)


def find_songs(
    store: Store,
    *,
    recursive: bool = False,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    sought: Sequence[Sought] = (),
    apart: str | None = None,
    unreadable: Unreadable = ignore,
    passed_over: Counter[str] | None = None,
) -> Iterator[Song]:
    """Yield the recordings in a folder, in the order of their names.

    Hidden folders, folders of runs and the folder named ``apart`` are skipped. Patterns
    such as ``*.wav`` match the name without its folders, or with them if the pattern
    has a slash. A file is taken if a pattern of ``include`` matches it (or there is
    none) and no pattern of ``exclude`` does. If an input has several candidates, the
    first that exists counts. ``passed_over`` counts, by their suffix, the files that no
    task takes, neither as a song nor as an input. A folder that is missing or
    unreadable is an AudioError; a subfolder that is unreadable is reported by
    ``unreadable(name, why)``.
    """
    others = Counter[str]() if passed_over is None else passed_over
    known = RECORDINGS.union(*_beside())
    files = store.walk(recursive=recursive, unreadable=unreadable)
    for folder, entries in groupby(files, lambda entry: posixpath.dirname(entry.name)):
        if apart is not None and (folder == apart or folder.startswith(f"{apart}/")):
            continue
        here = {entry.name: entry for entry in entries}
        for entry in here.values():
            suffix = posixpath.splitext(entry.name)[1].lower()
            if not _chosen(entry.name, include, exclude):
                continue
            if suffix in RECORDINGS:
                yield _song(entry, sought, here.get)
            elif suffix not in known:
                others[suffix] += 1


def _beside() -> Iterator[tuple[str, ...]]:
    """The suffixes of the files that tasks take besides a song."""
    for task in TASKS.values():
        yield from (each.suffixes for each in task.inputs)


def described(passed_over: Mapping[str, int]) -> str:
    """Counts of ignored files, largest first: ``12 .m4a, 1 without a suffix``."""
    common = Counter(passed_over).most_common()
    kinds = [f"{count} {suffix or 'without a suffix'}" for suffix, count in common]
    rest = len(kinds) - MOST_KINDS
    more = [f"{rest} more kinds"] if rest > 0 else []
    return ", ".join([*kinds[:MOST_KINDS], *more])


def listed_songs(
    store: Store, names: Iterable[str], *, sought: Sequence[Sought] = ()
) -> Iterator[Song]:
    """Yield the recordings of a list, each once, whether they exist or not.

    The names are relative to the folder, or absolute paths in it; a name outside it is
    a ParameterError.
    """
    seen, find = set(), _finder(store)
    for listed in names:
        name = store.name_of(listed)
        if name not in seen:
            seen.add(name)
            entry = find(name) or Entry(name, 0, "missing")
            yield _song(entry, sought, find)


def read_list(path: str) -> Iterator[str]:
    """Yield the names in a file, or on standard input for ``-``.

    Line breaks separate them, or NUL if there is one, as ``find -print0`` writes them.
    A file that cannot be read is a ParameterError.
    """
    with told(ParameterError, path):
        if path == "-":
            content = sys.stdin.buffer.read(MOST_LIST + 1)
        else:
            with Path(path).open("rb") as file:
                content = file.read(MOST_LIST + 1)
    if len(content) > MOST_LIST:
        raise ParameterError(f"{path}: expected a list of files of at most a gigabyte")
    names = content.split(b"\0") if b"\0" in content else content.splitlines()
    yield from (os.fsdecode(name) for name in names if name)


def _chosen(name: str, include: Sequence[str], exclude: Sequence[str]) -> bool:
    wanted = not include or any(_matches(name, pattern) for pattern in include)
    return wanted and not any(_matches(name, pattern) for pattern in exclude)


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name if "/" in pattern else posixpath.basename(name), pattern)


def _finder(store: Store) -> Find:
    """Looks files up with few listings; unreadable folders count as empty."""

    @lru_cache(64)
    def files(folder: str) -> frozenset[str]:
        with suppress(SpecnmfError):  # its songs will fail with the reason
            return frozenset(store.names(folder))
        return frozenset()

    def find(name: str) -> Entry | None:
        folder, base = posixpath.split(name)
        with suppress(SpecnmfError):
            return store.entry(name) if base in files(folder) else None
        return None

    return find


def _song(entry: Entry, sought: Sequence[Sought], here: Find) -> Song:
    """The song of a recording, with the files beside it."""
    stem = posixpath.splitext(entry.name)[0]
    stamps, beside = [_stamp(entry)], dict[str, str]()
    for each in sought:
        names = (stem + suffix for suffix in each.input.spellings)
        found = next(filter(None, map(each.find or here, names)), None)
        if found is not None and each.input.name not in beside:
            stamps.append(_stamp(found))
            beside[each.input.name] = each.place(found.name)
    return Song(entry.name, " ".join(stamps), tuple(beside.items()))


def _stamp(entry: Entry) -> str:
    return f"{entry.size}:{entry.stamp}"
