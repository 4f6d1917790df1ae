"""Runs jobs on the workers of a Dask cluster."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager

from specnmf.batch import work
from specnmf.batch.work import Job, Outcome, Said
from specnmf.errors import BatchError, ParameterError

#: Jobs submitted for each worker: the running one and the next.
AHEAD = 2

#: The longest time for an answer of the scheduler, and the time until its number of
#: workers is asked for again; in seconds.
PATIENCE, BELIEVED = 10, 5.0

#: The topic of workers' progress, and the seconds between two events of a worker: they
#: all go through the scheduler.
TOPIC, RARELY = "specnmf", 2.0


class Cluster:
    """Runs jobs on a cluster, by the executor of Dask's client.

    The scheduler gives the job of a lost worker to another worker, and gives up on a
    job that has lost several (``distributed.scheduler.allowed-failures``). Raises
    ParameterError without Dask, BatchError if no scheduler answers at the address.
    """

    def __init__(self, address: str, listener: Callable[[Said], None]) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise ParameterError(
                "--scheduler needs Dask: pip install 'specnmf[dask]'"
            ) from error
        try:
            self.client = Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise BatchError(f"{address}: no Dask scheduler answers") from error
        self.executor: Executor = self.client.get_executor()
        self.client.subscribe_topic(TOPIC, lambda event: listener(Said(*event[1])))
        self.futures: set[Future[Outcome]] = set()
        self.counted, self.count = -BELIEVED, 0

    @property
    def capacity(self) -> int:
        """The number of jobs to submit at a time; it follows the number of workers."""
        if time.monotonic() - self.counted > BELIEVED:
            self.counted = time.monotonic()
            with _reached():
                self.count = len(self.client.nthreads())
        return max(1, AHEAD * self.count)

    def submit(self, job: Job, /) -> Future[Outcome]:
        """Schedule a job."""
        with _reached():
            future: Future[Outcome] = self.executor.submit(do, job)
        self.futures.add(future)
        future.add_done_callback(self.futures.discard)
        return future

    def kill(self) -> None:
        """Cancel the jobs that have not started; the running ones finish."""
        for future in list(self.futures):
            future.cancel()

    def close(self) -> None:
        """Leave the cluster."""
        self.client.close()


@contextmanager
def _reached() -> Iterator[None]:
    """Turn the errors of a client that has lost its scheduler into one line."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise BatchError("the cluster is lost; use --resume to continue") from error


def do(job: Job) -> Outcome:
    """Run a job on a worker of a cluster."""
    from distributed import get_worker

    worker, spoken = get_worker(), -math.inf

    def say(said: Said) -> None:
        nonlocal spoken
        if time.monotonic() - spoken > RARELY:
            spoken = time.monotonic()
            worker.log_event(TOPIC, tuple(said))

    return work.do(job, say)
