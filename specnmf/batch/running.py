"""Running a batch: failures do not stop it, and finished songs are kept."""

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
from specnmf.batch.gathering import gather
from specnmf.batch.planning import LOGS, Plan
from specnmf.batch.stores.manifest import Manifest
from specnmf.batch.work import Job, Outcome, Said, spell
from specnmf.batch.worker import Limits
from specnmf.errors import BatchError, SpecnmfError

if TYPE_CHECKING:
    from specnmf.batch.cluster import Cluster

#: The longest name of a log, in bytes.
MOST_NAME = 240

#: The longest wait for an event, in seconds. A signal that arrives just before a wait
#: does not end it, and its handler runs after it.
LONGEST_WAIT = 0.25


class Processes:
    """Runs jobs in a number of processes on this machine."""

    def __init__(self, capacity: int, limits: Limits, listener: Listener) -> None:
        self.capacity = capacity
        self.crew = Crew(capacity, limits=limits, listener=listener)

    def submit(self, job: Job, /) -> Future[Outcome]:
        """Schedule a job."""
        return self.crew.submit(work.do, job)

    def kill(self) -> None:
        """Stop at once, whatever is running."""
        self.crew.kill()

    def close(self) -> None:
        """End the processes after their jobs are done."""
        self.crew.shutdown()


class Watcher(Protocol):
    """Receives the events of a batch; these methods do nothing."""

    def begin(self, song: Song) -> None:
        """A song has been submitted."""
        return

    def said(self, said: Said) -> None:
        """A song has made progress; called in any thread."""
        return

    def end(self, song: Song, outcome: Outcome) -> None:
        """A song is done, was done before, or has failed."""
        return

    def stop(self, *, now: bool) -> None:
        """No more songs are started; ``now``: running songs are cancelled too."""
        return


class Unwatched(Watcher):
    """A watcher that ignores all events."""


class Failure(NamedTuple):
    """A song that failed in a batch.

    Attributes
    ----------
    song : str
        The name of the song, relative to its folder.
    error : str
        The reason, on one line.
    log : str
        The path or URL of a log with the details; empty if there is none.

    Examples
    --------
    >>> import specnmf
    >>> failure = specnmf.Failure("noise.wav", "noise.wav: no such file", "")
    >>> failure.song
    'noise.wav'
    """

    song: str
    error: str
    log: str


@dataclass
class Summary:
    """The outcome of a batch.

    Attributes
    ----------
    songs, done, failed, skipped : int
        Number of all songs; of those done now; of those that failed, now or before; of
        those done before.
    seconds : float
        Duration of the batch.
    duration : float
        Seconds of sound in the songs done now.
    failures : list of Failure
        In the order in which they occurred.
    passed_over : mapping of str to int
        The number of files that no task takes, by suffix.
    gathered : int
        The number of sources in the folder ``flat``, if one was asked for.

    Examples
    --------
    >>> import specnmf
    >>> summary = specnmf.Summary(songs=3, done=2, seconds=10.0, duration=180.0)
    >>> summary.left, summary.speed
    (1, 18.0)
    """

    songs: int
    done: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    duration: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    passed_over: Mapping[str, int] = field(default_factory=dict)
    gathered: int = 0

    @property
    def left(self) -> int:
        """The number of songs that a stopped batch did not reach."""
        return self.songs - self.done - self.failed - self.skipped

    @property
    def speed(self) -> float:
        """Seconds of sound per second of work."""
        return self.duration / self.seconds if self.seconds else 0.0


class Batch:
    """A running plan; every event goes to the manifest and the watcher."""

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
        """Do all songs, or as many as possible until `stop`."""
        began = time.monotonic()
        songs = self.plan.songs
        self._note("batch", songs=len(songs), command=self.plan.recipe.command)
        todo = iter(songs)
        while True:
            self._hand_out(todo)
            self._write_down()
            if not self.running:
                break
            with suppress(queue.Empty):
                self._take(self.ended.get(timeout=LONGEST_WAIT))
            while not self.ended.empty():
                self._take(self.ended.get())
        if self.plan.settings.flat is not None and not self.stopping:
            failed = {each.song for each in self.summary.failures}
            self.summary.gathered = gather(self.plan, failed)
        self.summary.seconds = time.monotonic() - began
        counts = ("done", "failed", "skipped", "left", "seconds", "duration")
        self._note("end", **{name: getattr(self.summary, name) for name in counts})
        self._write_down()
        return self.summary

    def stop(self) -> None:
        """Start no more songs; at the second call, cancel the running ones.

        Signal handlers may call it.
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
        """Handle the end of a song, or a request to stop."""
        if future is None:
            self._stop()
            return
        song = self.running.pop(future)
        try:
            self._end(song, future.result())
        except Exception as error:  # of the worker, which is lost
            if self.killed:
                self._note("stopped", song=song.name)
            elif isinstance(error, CancelledError):
                raise BatchError(
                    "the cluster is lost; use --resume to continue"
                ) from error
            else:
                self._end(song, _lost(song, error))
            self.plan.sweep([song])

    def _stop(self) -> None:
        """Follow `stop`, which may have been called again since."""
        if self.obeyed == (self.stopping, self.killed):
            return
        self.obeyed = self.stopping, self.killed
        if self.killed:
            self.workers.kill()
        self.watcher.stop(now=self.killed)

    def _end(self, song: Song, outcome: Outcome) -> None:
        """Record the outcome of a song."""
        if outcome.error is not None:
            log = self._write_log(song, outcome)
            self._record("failed", song, outcome, error=outcome.error, log=log)
            self._fail(song, outcome, log)
            return
        self._record("done", song, outcome, warnings=list(outcome.warnings))
        record = self.plan.history.get(song.name)
        if record is not None and not record.done:
            with suppress(SpecnmfError):  # the log of an earlier failure
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
        """Write the log of a failure; return its location, or "" if that fails too."""
        name = _log(song)
        content = f"{song.name}: {outcome.error}\n\n{outcome.log}"
        try:
            self.plan.output.write(name, content.encode(errors="backslashreplace"))
        except SpecnmfError:
            return ""
        return name


def _lost(song: Song, error: Exception) -> Outcome:
    """The outcome of a song whose worker did not answer."""
    log = "".join(traceback.format_exception(error))
    known = isinstance(error, SpecnmfError)
    message = str(error) if known else spell(error)
    return Outcome(song.name, error=message, log=log)


def _log(song: Song) -> str:
    """The name of the log of a song's failure."""
    folder, base = posixpath.split(song.name)
    if len(os.fsencode(base)) > MOST_NAME:
        base = hashlib.sha256(os.fsencode(base)).hexdigest()
    return posixpath.join(LOGS, folder, f"{base}.log")
