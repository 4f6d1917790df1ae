"""What the machine has, and how jobs share it."""

import os

import pytest

from specnmf.batch import machine
from specnmf.batch.settings import BatchSettings
from specnmf.batch.worker import Limits

GIB = 1 << 30


@pytest.fixture
def has(monkeypatch, tmp_path):
    """Let the machine have so many cores and so much memory."""

    def has(cores, gigabytes):
        monkeypatch.setattr(machine, "n_threads", lambda: cores)
        whole = None if gigabytes is None else gigabytes * GIB
        monkeypatch.setattr(machine, "memory", lambda: whole)

    return has


@pytest.fixture
def allowed(monkeypatch, tmp_path):
    """Let a container be allowed so much; None: there is no container."""

    def allowed(content):
        path = tmp_path / "memory.max"
        if content is not None:
            path.write_text(content)
        monkeypatch.setattr(machine, "CGROUP", path)
        return machine.memory()

    return allowed


@pytest.mark.skipif(not hasattr(os, "sysconf"), reason="needs sysconf")
def test_the_memory_is_the_machines_or_the_containers_whichever_is_less(allowed):
    whole = allowed(None)
    assert whole is not None
    assert whole > 1 << 20
    assert allowed("max\n") == whole
    assert allowed("1048576\n") == 1 << 20
    assert allowed(f"{1 << 62}\n") == whole
    assert allowed("garbage") == whole


@pytest.mark.parametrize(
    ("own", "place"),
    [
        ("0::/a/b", "a/memory.max"),
        ("3:memory:/a", "memory/a/memory.limit_in_bytes"),
        ("3:memory:/docker/1f", "memory/memory.limit_in_bytes"),
    ],
)
def test_the_memory_of_a_group_around_ours_counts(tmp_path, monkeypatch, own, place):
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text("1048576\n")
    (tmp_path / "own").write_text(own)
    monkeypatch.setattr(machine, "CGROUP", tmp_path / "memory.max")
    monkeypatch.setattr(machine, "OWN_CGROUP", tmp_path / "own")
    assert machine.memory() == 1 << 20


def test_where_nothing_tells_the_memory_it_is_unknown(allowed, monkeypatch):
    monkeypatch.delattr(machine.os, "sysconf")
    assert allowed(None) is None


@pytest.mark.parametrize(
    ("cores", "gigabytes", "jobs"),
    [(4, 64, 4), (16, 8, 4), (16, 1, 1), (1, 64, 1), (8, None, 8)],
)
def test_there_are_as_many_jobs_as_cores_and_memory_for(has, cores, gigabytes, jobs):
    has(cores, gigabytes)
    assert machine.n_jobs(BatchSettings(), 2 * GIB) == jobs


def test_jobs_that_are_asked_for_are_had(has):
    has(2, 1)
    assert machine.n_jobs(BatchSettings(jobs=7), 2 * GIB) == 7


@pytest.mark.parametrize(
    ("cores", "jobs", "threads"), [(8, 1, 8), (8, 2, 4), (8, 3, 2), (2, 8, 1)]
)
def test_jobs_times_threads_are_the_cores_at_most(has, cores, jobs, threads):
    has(cores, 12)
    limits = machine.share(BatchSettings(), jobs)
    assert limits == Limits(threads=threads, memory=12 * GIB // jobs)


def test_memory_that_is_asked_for_goes_before_a_fair_share(has):
    has(2, 12)
    assert machine.share(BatchSettings(max_memory=GIB), 2).memory == GIB
    has(2, None)
    assert machine.share(BatchSettings(), 2).memory is None


def test_a_process_outlives_its_songs_time_by_a_grace(has):
    has(2, 12)
    limits = machine.share(BatchSettings(timeout=3), 2)
    assert limits.seconds == 3 + machine.GRACE
