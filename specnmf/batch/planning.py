"""The plan of a batch: a job for each song, each with a folder of its own."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from specnmf.batch.finding import Song
from specnmf.batch.settings import BatchSettings
from specnmf.batch.stores.lock import LOCK
from specnmf.batch.stores.manifest import MANIFEST, Record
from specnmf.batch.stores.store import Store
from specnmf.batch.work import Job
from specnmf.errors import BatchError
from specnmf.output import report
from specnmf.output.folder import PARTIAL
from specnmf.tasks.settings import SongSettings
from specnmf.tasks.task import Task

#: The folder of the logs of failures, beside the runs.
LOGS = "batch_logs"

#: All names that the batch uses there.
RESERVED = (MANIFEST, LOCK, LOGS)

#: The state of a song: it is new; it was started, failed or has changed since; it is
#: done; it failed and is not retried; another run has its folder.
Verdict = Literal["new", "again", "done", "failed", "taken"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The tasks of a batch, and their settings.

    A song gets the first task for which it has all inputs, else the last task.
    """

    tasks: Sequence[Task[Any]]
    settings: Mapping[str, SongSettings]  #: By the names of the tasks.
    #: Files for all songs, by the names of tasks' inputs; and their SHA-256.
    given: Mapping[str, str] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    command: str = ""  #: For run.json.

    def task_of(self, song: Song) -> Task[Any]:
        """The task of a song."""
        there = {*self.given, *(name for name, _ in song.beside)}
        for task in self.tasks:
            if {each.name for each in task.inputs} <= there:
                return task
        return self.tasks[-1]

    def hash_of(self, song: Song) -> str:
        """The hash of the settings and inputs for a song."""
        return self._hashes[self.task_of(song).name]

    def inputs_of(self, song: Song) -> dict[str, str]:
        """The inputs of a song's task; files for all songs come first."""
        there = {**dict(song.beside), **self.given}
        names = (each.name for each in self.task_of(song).inputs)
        return {name: there[name] for name in names if name in there}

    @cached_property
    def _hashes(self) -> dict[str, str]:
        """The hash of each task's settings and of the files for all songs."""
        hashes = {}
        for task in self.tasks:
            names = [each.name for each in task.inputs]
            own = {n: self.checksums[n] for n in names if n in self.checksums}
            hashes[task.name] = report.settings_hash(
                task.name, self.settings[task.name], own
            )
        return hashes


@dataclass(frozen=True)
class Plan:
    """The songs of a batch, their folders, their tasks and their history."""

    songs: Sequence[Song]  #: In the order in which they start.
    source: Store
    output: Store
    recipe: Recipe
    settings: BatchSettings  #: Those for finding songs have no effect here.
    history: Mapping[str, Record]  #: Earlier outcomes of songs.
    #: The number of files that no task takes, by suffix.
    passed_over: Mapping[str, int] = field(default_factory=dict)
    #: Folders of inputs that match no song: the input and the folder.
    unused: Sequence[tuple[str, str]] = ()

    def verdict(self, song: Song) -> Verdict:
        """The state of a song."""
        record = self.history.get(song.name)
        if record is not None and self._as_it_was(song, record):
            if not record.done:
                return "again" if self.settings.retry_failed else "failed"
            if not self.settings.checksum and self._is_there(song):
                return "done"
        if not self.settings.resumes and not self.settings.overwrite:
            return "taken" if self._is_there(song) else "new"
        return "new" if record is None else "again"

    def job(self, song: Song) -> Job:
        """The job of a song, for a worker."""
        recipe, task = self.recipe, self.recipe.task_of(song)
        return Job(
            task=task,
            name=song.name,
            song=self.source.location(song.name),
            inputs={
                name: self.source.place(place)
                for name, place in recipe.inputs_of(song).items()
            },
            output=self.output.root,
            target=song.target,
            settings=recipe.settings[task.name],
            redo=self.settings.overwrite,
            overwrite=self.settings.overwrite or self.settings.resumes,
            seconds=self.settings.timeout,
            command=recipe.command,
        )

    def sweep(self, songs: Iterable[Song]) -> None:
        """Remove unfinished folders that lost workers have left."""
        self.output.sweep(song.target for song in songs)

    def _as_it_was(self, song: Song, record: Record) -> bool:
        asked = self.recipe.hash_of(song)
        return record.settings_hash == asked and record.stamps == song.stamps

    def _is_there(self, song: Song) -> bool:
        recorded = song.name in self.history
        return self.output.has_run(song.target, recorded=recorded)


def check_targets(songs: Iterable[Song]) -> None:
    """Check that every song gets a folder of its own.

    BatchError if two songs share a folder, if the folder of one is within that of
    another, or if the batch needs it for itself.
    """
    targets: dict[str, str] = {}
    clashes = []
    for song in songs:
        # To some file systems, names that differ in case or form are the same.
        target = unicodedata.normalize("NFC", song.target).casefold()
        other = targets.setdefault(target, song.name)
        if other != song.name:
            clashes.append(f"{other} and {song.name}: both runs would be {song.target}")
    clashes += _nested(targets)
    if clashes:
        more = f" (and {len(clashes) - 1} more)" if len(clashes) > 1 else ""
        raise BatchError(f"{clashes[0]}{more}; rename one, or use --exclude")


def _nested(targets: dict[str, str]) -> Iterator[str]:
    for target, name in targets.items():
        parts = target.split("/")
        if parts[-1] in ("", ".", ".."):
            yield f"{name}: {parts[-1]!r} cannot be the name of its run's folder"
        elif parts[0] in RESERVED or any(part.startswith(PARTIAL) for part in parts):
            yield f"{name}: its run would be {target}, which the batch needs for itself"
        for length in range(1, len(parts)):
            parent = "/".join(parts[:length])
            if parent in targets:
                yield f"{name}: its run would be in that of {targets[parent]}, {parent}"
