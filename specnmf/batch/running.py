"""The songs of a batch on their way: what fails stops nothing, what is done is kept."""

from __future__ import annotations

import hashlib
import os
import posixpath
import queue
import time
import traceback
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from specnmf.batch import work
from specnmf.batch.crew import Crew, Listener
from specnmf.batch.finding import Song
from specnmf.batch.planning import LOGS, Plan
from specnmf.batch.stores.manifest import Manifest
from specnmf.batch.work import Job, Outcome, Said, spell
from specnmf.batch.worker import Limits
from specnmf.errors import BatchError, SpecnmfError

if TYPE_CHECKING:
    from specnmf.batch.cluster import Cluster

#: The longest name of a log, in bytes.
MOST_NAME = 240


class Processes:
    """Runs jobs in so many processes on this machine."""

    def __init__(self, capacity: int, limits: Limits, listener: Listener) -> None:
        self.capacity = capacity
        self.crew = Crew(capacity, limits=limits, listener=listener)

    def submit(self, job: Job, /) -> Future[Outcome]:
        """Schedule a job."""
        return self.crew.submit(work.do, job)

    def kill(self) -> None:
        """Stop now, whatever is running."""
        self.crew.kill()

    def close(self) -> None:
        """End the processes, once they have nothing more to do."""
        self.crew.shutdown()


class Watcher(Protocol):
    """Is told how a batch goes on; these methods do nothing."""

    def begin(self, song: Song) -> None:
        """Take note of a song that has been submitted."""
        return

    def said(self, said: Said) -> None:
        """Take note, in any thread, of how far a song is."""
        return

    def end(self, song: Song, outcome: Outcome) -> None:
        """Take note of a song that is done, was done before, or failed."""
        return

    def stop(self, *, now: bool) -> None:
        """Take note that no more songs are begun, or that those begun are given up."""
        return


class Unwatched(Watcher):
    """A watcher that takes note of nothing."""


class Failure(NamedTuple):
    """A song that failed, why, and where more is said of it."""

    song: str
    error: str
    log: str


@dataclass
class Summary:
    """What came of a batch.

    Attributes
    ----------
    songs, done, failed, skipped : int
        How many there are; were done; failed, now or before; and were done before.
    seconds : float
        How long it took.
    duration : float
        Seconds of sound in the songs that were done.
    failures : list of Failure
        In the order in which they came.
    passed_over : mapping of str to int
        Files that no task takes: how many of each suffix.
    """

    songs: int
    done: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    duration: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    passed_over: Mapping[str, int] = field(default_factory=dict)

    @property
    def left(self) -> int:
        """Songs that a stopped batch did not do."""
        return self.songs - self.done - self.failed - self.skipped

    @property
    def speed(self) -> float:
        """How many times as fast as it plays the sound was done."""
        return self.duration / self.seconds if self.seconds else 0.0


class Batch:
    """A plan on its way: manifest and watcher are told of all that happens."""

    def __init__(
        self,
        plan: Plan,
        workers: Processes | Cluster,
        manifest: Manifest,
        watcher: Watcher,
    ) -> None:
        self.plan, self.workers = plan, workers
        self.manifest, self.watcher = manifest, watcher
        self.summary = Summary(len(plan.songs), passed_over=plan.passed_over)
        self.running: dict[Future[Outcome], Song] = {}
        self.ended: queue.SimpleQueue[Future[Outcome] | None] = queue.SimpleQueue()
        self.events: list[dict[str, Any]] = []
        self.stopping = self.killed = False
        self.obeyed = self.stopping, self.killed

    def run(self) -> Summary:
        """Do all songs, or as many as there is time for until `stop`."""
        began = time.monotonic()
        songs = self.plan.songs
        self._note("batch", songs=len(songs), command=self.plan.recipe.command)
        todo = iter(songs)
        while True:
            self._hand_out(todo)
            self._write_down()
            if not self.running:
                break
            self._take(self.ended.get())
            while not self.ended.empty():
                self._take(self.ended.get())
        self.summary.seconds = time.monotonic() - began
        counts = ("done", "failed", "skipped", "left", "seconds", "duration")
        self._note("end", **{name: getattr(self.summary, name) for name in counts})
        self._write_down()
        return self.summary

    def stop(self) -> None:
        """Begin no more songs; at the second call, give up those that are begun.

        It may be called from a signal handler.
        """
        self.killed = self.stopping
        self.stopping = True
        self.ended.put(None)

    def _hand_out(self, todo: Iterator[Song]) -> None:
        while not self.stopping and len(self.running) < self.workers.capacity:
            song = next(todo, None)
            if song is None:
                return
            self._begin(song)

    def _begin(self, song: Song) -> None:
        try:
            verdict, job = self.plan.verdict(song), self.plan.job(song)
        except SpecnmfError as reason:
            self._end(song, Outcome(song.name, error=str(reason)))
            return
        if verdict == "done":
            self.summary.skipped += 1
            self.watcher.end(song, Outcome(song.name, kept=True))
        elif verdict == "failed":
            error = self.plan.history[song.name].error
            self._fail(song, Outcome(song.name, error=f"{error} (before)"), _log(song))
        elif verdict == "taken":
            place = self.plan.output.location(song.target)
            error = f"{place} holds a finished run; use --resume or --overwrite"
            self._fail(song, Outcome(song.name, error=error))
        else:
            self._note("begin", song=song.name)
            future = self.workers.submit(job)
            self.running[future] = song
            future.add_done_callback(self.ended.put)
            self.watcher.begin(song)

    def _take(self, future: Future[Outcome] | None) -> None:
        """Take note of a song that has ended, or of a wish to stop."""
        if future is None:
            self._stop()
            return
        song = self.running.pop(future)
        try:
            self._end(song, future.result())
        except Exception as error:  # the worker's: it is lost
            if self.killed:
                self._note("stopped", song=song.name)
            elif isinstance(error, CancelledError):
                raise BatchError("the cluster is lost; --resume goes on") from error
            else:
                self._end(song, _lost(song, error))
            self.plan.sweep([song])

    def _stop(self) -> None:
        """Do as `stop` wishes, which may have been called again since."""
        if self.obeyed == (self.stopping, self.killed):
            return
        self.obeyed = self.stopping, self.killed
        if self.killed:
            self.workers.kill()
        self.watcher.stop(now=self.killed)

    def _end(self, song: Song, outcome: Outcome) -> None:
        """Take note of what came of a song."""
        if outcome.error is not None:
            log = self._write_log(song, outcome)
            self._record("failed", song, outcome, error=outcome.error, log=log)
            self._fail(song, outcome, log)
            return
        self._record("done", song, outcome, warnings=list(outcome.warnings))
        record = self.plan.history.get(song.name)
        if record is not None and not record.done:
            with suppress(SpecnmfError):  # the log of a failure that is none any more
                self.plan.output.remove(_log(song))
        if outcome.kept:
            self.summary.skipped += 1
        else:
            self.summary.done += 1
            self.summary.duration += outcome.duration
        self.watcher.end(song, outcome)

    def _fail(self, song: Song, outcome: Outcome, log: str = "") -> None:
        self.summary.failed += 1
        self.summary.failures.append(Failure(song.name, str(outcome.error), log))
        self.watcher.end(song, outcome)

    def _record(self, event: str, song: Song, outcome: Outcome, **facts: Any) -> None:
        self._note(
            event,
            song=song.name,
            settings_hash=self.plan.recipe.hash_of(song),
            stamps=song.stamps,
            seconds=outcome.seconds,
            duration=outcome.duration,
            **outcome.facts,
            **facts,
        )

    def _note(self, event: str, **facts: Any) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.events.append({"event": event, "time": now, **facts})

    def _write_down(self) -> None:
        events, self.events = self.events, []
        self.manifest.append(events)

    def _write_log(self, song: Song, outcome: Outcome) -> str:
        """Write what is known of a failure; where, or nothing if that fails too."""
        name = _log(song)
        content = f"{song.name}: {outcome.error}\n\n{outcome.log}"
        try:
            self.plan.output.write(name, content.encode(errors="backslashreplace"))
        except SpecnmfError:
            return ""
        return name


def _lost(song: Song, error: Exception) -> Outcome:
    """What is known of a song whose worker did not answer."""
    log = "".join(traceback.format_exception(error))
    known = isinstance(error, SpecnmfError)
    message = str(error) if known else spell(error)
    return Outcome(song.name, error=message, log=log)


def _log(song: Song) -> str:
    """Where more is said of a song's failure."""
    folder, base = posixpath.split(song.name)
    if len(os.fsencode(base)) > MOST_NAME:
        base = hashlib.sha256(os.fsencode(base)).hexdigest()
    return posixpath.join(LOGS, folder, f"{base}.log")
