"""Cores and memory of the machine, and the share of each job."""

from __future__ import annotations

import os
from contextlib import suppress

from specnmf.batch.settings import BatchSettings
from specnmf.batch.worker import Limits
from specnmf.parallel import CGROUPS, OWN_CGROUP, cgroup_folders, n_threads

#: A song is asked to end when its time is up; its process is killed this many seconds
#: later.
GRACE = 5.0

#: The memory limit of a container on Linux, in version 2 of its control groups.
CGROUP = CGROUPS / "memory.max"

#: The same in version 1.
OLD_LIMIT = "memory.limit_in_bytes"


def memory() -> int | None:
    """Bytes of memory for programs; None where that is unknown."""
    sizes = []
    with suppress(AttributeError, ValueError, OSError):
        sizes.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for folder in cgroup_folders("memory", CGROUP.parent, OWN_CGROUP):
        for name in (CGROUP.name, OLD_LIMIT):
            with suppress(OSError, ValueError):
                sizes.append(int((folder / name).read_text()))  # "max": no bound
    return min(sizes, default=None)


def n_jobs(settings: BatchSettings, per_job: int) -> int:
    """The number of songs at a time: one per core, if the memory suffices for each."""
    if settings.jobs is not None:
        return settings.jobs
    whole = memory()
    most = n_threads() if whole is None else whole // per_job
    return max(1, min(n_threads(), most))


def share(settings: BatchSettings, jobs: int) -> Limits:
    """The limits of each job: its share of the cores and the memory."""
    whole = memory()
    fair = None if whole is None else whole // jobs
    grace = None if settings.timeout is None else settings.timeout + GRACE
    return Limits(
        threads=max(1, n_threads() // jobs),
        memory=settings.max_memory or fair,
        seconds=grace,
    )
