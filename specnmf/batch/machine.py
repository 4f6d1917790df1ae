"""Cores and memory of the machine, and the share of each job."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from specnmf.batch.settings import BatchSettings
from specnmf.batch.worker import Limits
from specnmf.parallel import n_threads

#: So long after a song's time is up its process is killed, in seconds: it is told to
#: end before.
GRACE = 5.0

#: Where Linux says what a container may take.
CGROUP = Path("/sys/fs/cgroup/memory.max")


def memory() -> int | None:
    """Bytes of memory for programs; None where that is unknown."""
    sizes = []
    with suppress(AttributeError, ValueError, OSError):
        sizes.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError, ValueError):
        sizes.append(int(CGROUP.read_text()))  # "max", where there is no bound
    return min(sizes, default=None)


def n_jobs(settings: BatchSettings, per_job: int) -> int:
    """How many songs to run at a time: one a core, if there are bytes for each."""
    if settings.jobs is not None:
        return settings.jobs
    whole = memory()
    most = n_threads() if whole is None else whole // per_job
    return max(1, min(n_threads(), most))


def share(settings: BatchSettings, jobs: int) -> Limits:
    """The limits of each of so many jobs: its share of the cores and the memory."""
    whole = memory()
    fair = None if whole is None else whole // jobs
    grace = None if settings.timeout is None else settings.timeout + GRACE
    return Limits(
        threads=max(1, n_threads() // jobs),
        memory=settings.max_memory or fair,
        seconds=grace,
    )
