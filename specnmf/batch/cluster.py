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

#: Jobs submitted for each worker: the one that it runs, and the next.
AHEAD = 2

#: How long a scheduler may take to answer, and how long its number of workers is
#: believed; in seconds.
PATIENCE, BELIEVED = 10, 5.0

#: The topic of workers' progress, and the seconds between two events of a worker: all
#: of them go through the scheduler.
TOPIC, RARELY = "specnmf", 2.0


class Cluster:
    """Runs jobs on a cluster, by the executor of Dask's client.

    A job whose worker is lost is given to another one by the scheduler, which gives up
    on jobs that lose several (``distributed.scheduler.allowed-failures``). Without Dask
    there is a ParameterError; if no scheduler answers at the address, a BatchError.
    """

    def __init__(self, address: str, listener: Callable[[Said], None]) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise ParameterError(
                "a scheduler needs Dask: pip install 'specnmf[dask]'"
            ) from error
        try:
            self.client = Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise BatchError(f"{address}: no Dask scheduler answers there") from error
        self.executor: Executor = self.client.get_executor()
        self.client.subscribe_topic(TOPIC, lambda event: listener(Said(*event[1])))
        self.futures: set[Future[Outcome]] = set()
        self.counted, self.count = -BELIEVED, 0

    @property
    def capacity(self) -> int:
        """How many jobs to submit at a time: it follows the number of workers."""
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
        """Cancel the jobs; those that are running go on to their end."""
        for future in list(self.futures):
            future.cancel()

    def close(self) -> None:
        """Leave the cluster."""
        self.client.close()


@contextmanager
def _reached() -> Iterator[None]:
    """Turn the errors of a client without its scheduler into one line."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise BatchError("the cluster is lost; --resume goes on") from error


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
