"""The sources of all songs of a batch in one folder, as copies under their own names.

The folder may hold other files: `LISTED` says which are of a batch, and only those are
replaced or removed, and only while they are as they were written.
"""

from __future__ import annotations

import csv
import io
import json
import os
import secrets
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from specnmf.batch.finding import Song
from specnmf.batch.planning import Plan
from specnmf.batch.settings import BatchSettings
from specnmf.batch.stores.places import local_copy, open_store
from specnmf.batch.stores.store import Store, is_url, told
from specnmf.errors import BatchError, ParameterError
from specnmf.filenames import identity, safe_name
from specnmf.output.folder import PARTIAL
from specnmf.output.naming import song_name
from specnmf.output.products import FILES, MOST_REPORT, REPORT, sha256

#: The list of the files in the folder, and its columns.
LISTED = "sources.csv"
COLUMNS = ("file", "song", "sha256")

#: The largest such list, in bytes.
MOST_LISTED = 64 << 20

#: The longest name of a file, in bytes.
MOST_BYTES = 255


class Gathered(NamedTuple):
    """A file in the folder."""

    file: str  #: Relative to it, with ``/``.
    song: str  #: The location of its song.
    sha256: str


@dataclass(frozen=True)
class _Source:
    """A source of a run."""

    song: Song
    file: str  #: Its name in the folder.
    place: str  #: The location of the file.
    sha256: str


def check_flat(
    settings: BatchSettings,
    songs: Sequence[Song],
    source: Store,
    output: Store,
    patterns: Sequence[str],
) -> None:
    """Check before the work that the sources of all songs can be in one folder.

    Parameters
    ----------
    settings : BatchSettings
        With the folder.
    songs : sequence of Song
        The songs.
    source, output : Store
        The folders of songs and of runs.
    patterns : sequence of str
        The patterns of the names of sources, of all tasks that have sources.

    Raises
    ------
    ParameterError
        If it is no local folder, no task has sources, or names lack the song.
    BatchError
        If sources of two songs would have the same names, or if the folder is that of
        the songs or of a run.
    """
    flat = settings.flat or ""
    if is_url(flat):
        raise ParameterError(f"flat must be a folder on this machine, got {flat}")
    if not patterns:
        raise ParameterError("flat is for tasks that write sources")
    for pattern in patterns:
        _check_songs(pattern, songs, source)
    file = open_store(str(Path(flat, LISTED).absolute()))
    beside = source.inside(file)
    if beside == LISTED or (beside is not None and settings.recursive):
        raise BatchError(f"{flat} is in the folder of the songs; use another --flat")
    inside = output.inside(file)
    own = "" if inside is None else inside.removesuffix(LISTED)
    if inside is not None and any(
        own.startswith(f"{song.target}/") or f"{song.target}/".startswith(own)
        for song in songs
    ):
        raise BatchError(f"{flat} is a folder of runs; use another --flat")


def _check_songs(pattern: str, songs: Sequence[Song], source: Store) -> None:
    """Check that the names of sources tell the songs apart."""
    seen: dict[str, str] = {}
    for song in songs:
        name = song_name(pattern, source.location(song.name))
        other = seen.setdefault(identity(name), song.name)
        if other == song.name:
            continue
        if "{song}" not in pattern:
            raise ParameterError(
                f"name {pattern!r} does not tell songs apart, which flat needs; use "
                "one that has the song, such as {song}_{stem}"
            )
        raise BatchError(
            f"{other} and {song.name}: sources of both would be called alike, such as "
            f"{name}; add {{folder}} to --name, rename one, or use --exclude"
        )


def gather(plan: Plan, failed: Collection[str]) -> int:
    """Copy the sources of all songs that are done into the folder; return how many.

    Raises
    ------
    BatchError
        If two sources have the same name, or a file that is not of a batch is in the
        way; nothing is copied then.
    """
    assert plan.settings.flat is not None  # the caller has looked
    folder = Path(plan.settings.flat)
    sources = [
        each
        for song in sorted(plan.songs, key=lambda song: song.name)
        if song.name not in failed
        for each in _sources(plan, song)
    ]
    _check_different(sources)
    with told(BatchError, str(folder)):
        listed = _read_list(folder)
        old = _old(folder, listed, {each.file: each.sha256 for each in sources})
        for each in sources:
            if old.get(each.file) != each.sha256:
                _copy(each, folder)
        own = {plan.source.location(song.name) for song in plan.songs}
        kept = [each for each in listed if each.song not in own]
        made = [_gathered(plan, each) for each in sources]
        _remove(folder, listed, {each.file for each in (*kept, *made)})
        _write_list(folder, sorted({*kept, *made}))
    return len(sources)


def _gathered(plan: Plan, source: _Source) -> Gathered:
    return Gathered(source.file, plan.source.location(source.song.name), source.sha256)


def _sources(plan: Plan, song: Song) -> Iterator[_Source]:
    """Yield the sources of a song's run, from its run.json, which is not trusted."""
    content = plan.output.read(f"{song.target}/{REPORT}", MOST_REPORT)
    try:
        files = json.loads(content or b"{}").get(FILES, [])
        listed = [(str(each["path"]), str(each["sha256"])) for each in files]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return
    for path, checksum in listed:
        top, *rest = PurePosixPath(path).parts
        if top == "sources" and rest and all(map(_is_safe, rest)):
            place = plan.output.location(f"{song.target}/sources/{'/'.join(rest)}")
            yield _Source(song, "/".join(rest), place, checksum)


def _is_safe(name: str) -> bool:
    return safe_name(name, MOST_BYTES) == name


def _check_different(sources: Sequence[_Source]) -> None:
    seen: dict[str, _Source] = {}
    for each in sources:
        other = seen.setdefault(identity(each.file), each)
        if other is not each:
            raise BatchError(
                f"{other.song.name} and {each.song.name}: both have a source "
                f"{each.file}; change --name"
            )


def _read_list(folder: Path) -> list[Gathered]:
    """The files that batches have put into a folder; none if there is no list."""
    path = folder / LISTED
    if not path.is_file() or path.stat().st_size > MOST_LISTED:
        return []
    text = path.read_bytes().decode(errors="replace")
    try:
        rows = [*csv.reader(io.StringIO(text, newline=""))]
    except csv.Error:
        return []
    if not rows or tuple(rows[0]) != COLUMNS:
        return []
    found = [Gathered(*row) for row in rows[1:] if len(row) == len(COLUMNS)]
    return [each for each in found if all(map(_is_safe, each.file.split("/")))]


def _old(
    folder: Path, listed: Sequence[Gathered], wanted: dict[str, str]
) -> dict[str, str]:
    """The SHA-256 of the files that are there, of those that are to be written.

    BatchError if one is not of a batch, or was changed since.
    """
    ours = {each.file: each.sha256 for each in listed}
    found = {}
    for file, checksum in wanted.items():
        path = folder / file
        if not os.path.lexists(path):
            continue
        found[file] = sha256(path) if path.is_file() and not path.is_symlink() else ""
        if found[file] not in (checksum, ours.get(file)):
            raise BatchError(
                f"{path} is not of a batch, or was changed since; move it, or use "
                "another --flat"
            )
    if wanted and (folder / LISTED).is_file() and not _is_list(folder / LISTED):
        raise BatchError(f"{folder / LISTED} is not of a batch; move it")
    return found


def _is_list(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline(100).decode(errors="replace").strip() == ",".join(COLUMNS)


def _copy(source: _Source, folder: Path) -> None:
    """Copy a source, whole or not at all."""
    target = folder / source.file
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.parent / f"{PARTIAL}{secrets.token_hex(8)}"
    try:
        with local_copy(source.place) as path:
            shutil.copyfile(path, aside)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def _remove(folder: Path, listed: Sequence[Gathered], kept: Collection[str]) -> None:
    """Remove what earlier batches of these songs left, if it is as it was."""
    for each in listed:
        path = folder / each.file
        if each.file in kept or path.is_symlink() or not path.is_file():
            continue
        if sha256(path) == each.sha256:
            path.unlink()
            with suppress(OSError):  # the folder of a layer, if it is empty now
                if path.parent != folder:
                    path.parent.rmdir()


def _write_list(folder: Path, files: Sequence[Gathered]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *files])
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f"{PARTIAL}{secrets.token_hex(8)}"
    try:
        aside.write_bytes(text.getvalue().encode(errors="replace"))
        aside.replace(folder / LISTED)
    finally:
        aside.unlink(missing_ok=True)
