"""Threads: fixed pieces of work on a few cores, with results that never vary.

Work is cut into pieces that depend on the data alone, each piece is computed by
one thread, and what the pieces return is combined in their order. The number of
threads therefore changes the time, never a bit of the result.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Lock
from typing import Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Mapper(Protocol):
    """Applies a function to items on the threads."""

    def __call__(self, function: Callable[[T], R], items: Iterable[T], /) -> list[R]:
        """The results, in the order of the items."""


def n_threads(requested: int | None = None) -> int:
    """The threads to use: those asked for, else one for each core at hand.

    ``OMP_NUM_THREADS``, where set, is a ceiling on the default.
    """
    if requested is not None:
        return requested
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    cores = cores or os.cpu_count() or 1
    ceiling = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(ceiling)) if ceiling.isdigit() and int(ceiling) else cores


def cut(whole: slice, length: int) -> Iterator[slice]:
    """Yield a range in slices of ``length``; the last may be shorter."""
    for first in range(whole.start, whole.stop, length):
        yield slice(first, min(first + length, whole.stop))


@contextmanager
def workers(threads: int | None = None) -> Iterator[Mapper]:
    """Yield a mapper over ``threads`` threads, with the BLAS kept to one each.

    The pieces are parallel already: a BLAS that splits them again would have the
    threads fight over cores, and would round differently on other machines. While they
    work, subnormal numbers count as zero.
    """
    count = n_threads(threads)
    with _single_threaded_blas:
        if count == 1:
            yield _alone
            return
        with ThreadPoolExecutor(count - 1, thread_name_prefix="specnmf") as pool:
            yield lambda function, items: _shared(pool, count, function, items)


def _alone(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """What a function returns for each item, in the calling thread."""
    from specnmf.subnormals import flush_to_zero

    with flush_to_zero():
        return [function(item) for item in items]


def _shared(
    pool: ThreadPoolExecutor,
    count: int,
    function: Callable[[T], R],
    items: Iterable[T],
) -> list[R]:
    """What a function returns for each item; the calling thread works as well.

    Whoever is free takes the next item, so a pass over a few short pieces costs one
    wake-up a thread, not one a piece.
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
    """Keeps the BLAS to one thread while anyone is inside.

    The limit is the whole process's: if each thread set and restored it alone, the
    last to leave would restore what another had set.
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
    """Let the current thread set OpenBLAS's limit.

    From 3.7 on, threadpoolctl heeds the first thread that sets one, and silently
    no other; here it may be another thread that enters first or leaves last.
    """
    from threadpoolctl import OpenBLASController

    clear = getattr(OpenBLASController, "clear_controlling_thread", None)
    if clear is not None:
        clear(force=True)


_single_threaded_blas = _SingleThreadedBlas()
