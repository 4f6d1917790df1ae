"""Threads: fixed pieces of work on a few cores, with results that never vary.

Work is cut into pieces that depend only on the data. Each piece is computed by one
thread, and the results are combined in order. So the number of threads changes the
time, but no bit of the result.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Protocol, TypeVar

#: Where Linux shows the control groups of containers, and that of this process.
CGROUPS, OWN_CGROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")

T = TypeVar("T")
R = TypeVar("R")


class Mapper(Protocol):
    """Applies a function to items on the threads."""

    def __call__(self, function: Callable[[T], R], items: Iterable[T], /) -> list[R]:
        """The results, in the order of the items."""


def n_threads(requested: int | None = None) -> int:
    """The number of threads: as requested, otherwise one per available core.

    Available cores are those that the process may use, or the quota of a container,
    rounded up. ``PYTHON_CPU_COUNT``, if set, takes precedence, as in Python from 3.13
    on; ``OMP_NUM_THREADS`` limits the default.
    """
    if requested is not None:
        return requested
    cores = _number(os.environ.get("PYTHON_CPU_COUNT", "")) or _cores()
    ceiling = _number(os.environ.get("OMP_NUM_THREADS", ""))
    return min(cores, ceiling or cores)


def _number(text: str) -> int:
    """A positive whole number; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() else 0


def _cores() -> int:
    """The number of available cores."""
    count = getattr(os, "process_cpu_count", None)  # from Python 3.13 on
    if count is not None:
        cores = count()
    elif hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count()
    return max(1, math.ceil(min(cores or 1, cpu_quota(CGROUPS, OWN_CGROUP))))


@cache
def cpu_quota(cgroups: Path, own: Path) -> float:
    """The cores whose time a container may use, such as 1.5; infinite without a limit.

    Parameters
    ----------
    cgroups : path
        The folder of Linux's control groups, version 2 or 1.
    own : path
        The file with the control group of the process. The groups around it count as
        well; the lowest limit decides.
    """
    quotas = [math.inf]
    for folder in cgroup_folders("cpu", cgroups, own):
        with suppress(OSError, ValueError, ZeroDivisionError):
            time, period = (folder / "cpu.max").read_text().split()
            quotas.append(float(time) / float(period))  # "max" is no number
        with suppress(OSError, ValueError, ZeroDivisionError):
            time, period = (
                (folder / f"cpu.cfs_{name}_us").read_text()
                for name in ("quota", "period")
            )
            quotas.append(float(time) / float(period))  # -1: none
    return min(quota for quota in quotas if quota > 0)


def cgroup_folders(controller: str, cgroups: Path, own: Path) -> Iterator[Path]:
    """Yield the folders of a process's control groups, and of those around them.

    The controller is ``cpu`` or ``memory``, the other arguments are as for `cpu_quota`.
    A container often knows its group by a path that only its host has; for such a
    group, the root is that of the container. Not every folder exists.
    """
    yield from (cgroups, cgroups / controller)
    lines: list[str] = []
    with suppress(OSError, ValueError):
        lines = own.read_text().splitlines()
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        inner = PurePosixPath(path.lstrip("/"))
        if not controllers:
            roots = (cgroups, cgroups / "unified")
        elif controller in controllers.split(","):
            roots = (cgroups / controllers, cgroups / controller)
        else:
            continue
        outside = ".." in inner.parts
        for group in (PurePosixPath(),) if outside else (inner, *inner.parents):
            yield from (root / group for root in roots)


def cut(whole: slice, length: int) -> Iterator[slice]:
    """Yield a range in slices of ``length``; the last may be shorter."""
    for first in range(whole.start, whole.stop, length):
        yield slice(first, min(first + length, whole.stop))


@contextmanager
def workers(threads: int | None = None) -> Iterator[Mapper]:
    """Yield a mapper over ``threads`` threads, with the BLAS limited to one thread.

    The pieces are already parallel: a BLAS with threads of its own would compete for
    cores, and round differently on other machines. In the meantime, subnormal numbers
    count as zero.
    """
    count = n_threads(threads)
    with _single_threaded_blas:
        if count == 1:
            yield _alone
            return
        with ThreadPoolExecutor(count - 1, thread_name_prefix="specnmf") as pool:
            yield lambda function, items: _shared(pool, count, function, items)


def _alone(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """The results of a function for all items, in the calling thread."""
    from specnmf.subnormals import flush_to_zero

    with flush_to_zero():
        return [function(item) for item in items]


def _shared(
    pool: ThreadPoolExecutor,
    count: int,
    function: Callable[[T], R],
    items: Iterable[T],
) -> list[R]:
    """The results of a function for all items; the calling thread works as well.

    A free thread takes the next item, so a pass over a few short pieces costs one
    wake-up per thread, not one per piece.
    """
    from specnmf.subnormals import flush_to_zero

    todo = list(items)
    results: dict[int, R] = {}
    numbers = iter(range(len(todo)))  # next() on it is atomic

    def work() -> None:
        with flush_to_zero():
            for number in numbers:
                results[number] = function(todo[number])

    others = [pool.submit(work) for _ in range(min(count, len(todo)) - 1)]
    try:
        work()
    finally:  # those that never began have nothing left to do
        begun = [other for other in others if not other.cancel()]
        wait(begun)
    for other in begun:
        other.result()
    return [results[number] for number in range(len(todo))]


class _SingleThreadedBlas:
    """Limits the BLAS to one thread while anyone is inside.

    The limit holds for the whole process: if each thread set and restored it alone, the
    last to leave would restore the limit of another.
    """

    def __init__(self) -> None:
        self.lock, self.inside = Lock(), 0

    def __enter__(self) -> None:
        from threadpoolctl import threadpool_limits

        with self.lock:
            if self.inside == 0:
                _take_control()
                self.limits = threadpool_limits(1, user_api="blas")
            self.inside += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                _take_control()
                self.limits.restore_original_limits()
                _take_control()


def _take_control() -> None:
    """Let the current thread set the limit of OpenBLAS.

    From 3.7 on, threadpoolctl obeys only the first thread that sets one, and silently
    ignores others; here another thread may enter first or leave last.
    """
    from threadpoolctl import OpenBLASController

    clear = getattr(OpenBLASController, "clear_controlling_thread", None)
    if clear is not None:
        clear(force=True)


_single_threaded_blas = _SingleThreadedBlas()
