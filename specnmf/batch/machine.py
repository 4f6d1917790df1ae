"""What the machine has, and how jobs share it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from specnmf.batch.settings import BatchSettings
from specnmf.batch.worker import Limits
from specnmf.parallel import n_threads

#: A song whose time is up is asked to end before its process is killed; in seconds.
GRACE = 5.0

#: Where Linux says what a container may take.
CGROUP = Path("/sys/fs/cgroup/memory.max")


def memory() -> int | None:
    """Bytes that there are for programs; None where it cannot be told."""
    sizes = []
    with suppress(AttributeError, ValueError, OSError):
        sizes.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError, ValueError):
        sizes.append(int(CGROUP.read_text()))  # "max", where there is no bound
    return min(sizes, default=None)


def n_jobs(settings: BatchSettings, per_job: int) -> int:
    """How many songs to do at a time: one a core, if the memory lasts.

    Parameters
    ----------
    settings : BatchSettings
        jobs, where that is given.
    per_job : int
        Bytes that a job takes.
    """
    if settings.jobs is not None:
        return settings.jobs
    whole = memory()
    most = n_threads() if whole is None else whole // per_job
    return max(1, min(n_threads(), most))


def share(settings: BatchSettings, jobs: int) -> Limits:
    """What each of so many jobs may take: its share of the cores and of the memory."""
    whole = memory()
    fair = None if whole is None else whole // jobs
    grace = None if settings.timeout is None else settings.timeout + GRACE
    return Limits(
        threads=max(1, n_threads() // jobs),
        memory=settings.max_memory or fair,
        seconds=grace,
    )
