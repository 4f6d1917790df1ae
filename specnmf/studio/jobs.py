"""One job at a time, in the background, with progress."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from specnmf.errors import SpecnmfError
from specnmf.tasks.stages import Progress

#: The time that `Jobs.close` waits for a job to react to its cancellation, in seconds.
PATIENCE = 10.0


class BusyError(SpecnmfError):
    """Another job is running."""


class CancelledError(SpecnmfError):
    """A job was cancelled."""


@dataclass(frozen=True)
class Doing:
    """The progress of a job, as `Progress` reports it."""

    stage: str
    done: int
    total: int
    note: str


@dataclass
class _Job:
    """A running job."""

    doing: Doing
    cancelled: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def tell(self, stage: str, done: int, total: int, note: str = "") -> None:
        """Store progress; raise CancelledError if the job is cancelled."""
        if self.cancelled.is_set():
            raise CancelledError("cancelled")
        self.doing = Doing(stage, done, total, note)


class Jobs:
    """Does one job at a time.

    Parameters
    ----------
    unforeseen : callable
        Called with exceptions that are bugs, in a job's thread.
    """

    def __init__(self, unforeseen: Callable[[BaseException], None]) -> None:
        self._unforeseen = unforeseen
        self._lock = threading.Lock()
        self._job: _Job | None = None

    @property
    def doing(self) -> dict[str, Any] | None:
        """The progress of the job, or None."""
        job = self._job
        return None if job is None else asdict(job.doing)

    def start(
        self,
        stage: str,
        work: Callable[[Progress], None],
        failed: Callable[[str], None],
    ) -> None:
        """Start a job in a thread of its own.

        Parameters
        ----------
        stage : str
            The first stage, until the job reports another.
        work : callable
            Called with the function that reports progress; that function raises an
            exception if the job is cancelled.
        failed : callable
            Called with the reason if the work fails, unless it was cancelled.

        Raises
        ------
        BusyError
            If another job is running.
        """
        job = self._take(stage)
        threading.Thread(
            target=self._do, args=(job, work, failed), name="specnmf-job", daemon=True
        ).start()

    def do(self, stage: str, work: Callable[[Progress], Any]) -> Any:
        """Do a job in this thread, and return its result."""
        job = self._take(stage)
        try:
            return work(job.tell)
        finally:
            self._end(job)

    def cancel(self) -> None:
        """Cancel the job; it ends at its next step."""
        job = self._job
        if job is not None:
            job.cancelled.set()

    def close(self) -> bool:
        """Cancel the job and wait for a limited time; return whether it has ended."""
        job = self._job
        self.cancel()
        return job is None or job.ended.wait(PATIENCE)

    def _take(self, stage: str) -> _Job:
        with self._lock:
            if self._job is not None:
                raise BusyError(f"busy ({self._job.doing.stage}); wait or cancel")
            self._job = _Job(Doing(stage, 0, 1, ""))
            return self._job

    def _do(
        self,
        job: _Job,
        work: Callable[[Progress], None],
        failed: Callable[[str], None],
    ) -> None:
        """Do a job; the next job may start afterwards in any case."""
        try:
            work(job.tell)
        except CancelledError:
            pass  # as requested
        except MemoryError:
            failed("not enough memory; open an excerpt or close other programs")
        except SpecnmfError as error:
            failed(str(error))
        except Exception as error:
            self._unforeseen(error)
            failed("internal error; the terminal shows the details")
        finally:
            self._end(job)

    def _end(self, job: _Job) -> None:
        """Let the next job start."""
        self._job = None
        job.ended.set()
