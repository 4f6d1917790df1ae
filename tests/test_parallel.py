"""Threads: order, counts, and the BLAS left as it was found."""

import math
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from threadpoolctl import threadpool_info

from specnmf import parallel
from specnmf.parallel import n_threads, workers


def blas_threads():
    return {
        pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"
    }


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_results_come_in_the_order_of_the_items(threads):
    with workers(threads) as mapper:
        assert mapper(lambda x: x * x, range(50)) == [x * x for x in range(50)]


def test_errors_of_a_piece_reach_the_caller():
    with workers(2) as mapper, pytest.raises(ZeroDivisionError):
        mapper(lambda x: 1 / x, [1, 0])


def test_pieces_may_have_pieces_of_their_own():
    with workers(2) as mapper:
        found = mapper(lambda n: sum(mapper(lambda x: x, range(n))), range(20))
    assert found == [n * (n - 1) // 2 for n in range(20)]


def test_a_ceiling_holds_for_the_default_only(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert n_threads() == 1
    assert n_threads(3) == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "nonsense")
    assert n_threads() >= 1


def test_pythons_own_variable_goes_before_the_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("PYTHON_CPU_COUNT", "7")
    assert n_threads() == 7
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert n_threads() == 3
    for nothing in ("default", "0", "-2", ""):
        monkeypatch.setenv("PYTHON_CPU_COUNT", nothing)
        assert 1 <= n_threads() <= 3


#: Files of control groups, and the cores that they allow.
QUOTAS = [
    ("0::/", {"cpu.max": "max 100000"}, math.inf),
    ("0::/", {"cpu.max": "150000 100000"}, 1.5),
    ("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "300000 100000"}, 3),
    ("0::/a/b", {"a/b/cpu.max": "50000 100000", "a/cpu.max": "300000 100000"}, 0.5),
    ("0::/host/only", {"cpu.max": "200000 100000"}, 2),
    ("0::/../outside", {"cpu.max": "200000 100000"}, 2),
    ("0::/a", {"unified/a/cpu.max": "200000 100000"}, 2),
    ("0::/a", {"b/cpu.max": "100000 100000"}, math.inf),
    ("0::/", {"cpu.max": "garbage"}, math.inf),
    ("0::/", {"cpu.max": "100000 0"}, math.inf),
    ("", {"cpu.max": "200000 100000"}, 2),
    ("nonsense\n1:2", {"cpu.max": "200000 100000"}, 2),
    ("4:cpu,cpuacct:/a\n2:memory:/b", {"cpu,cpuacct/a": (250, 100)}, 2.5),
    ("4:cpu,cpuacct:/docker/1f", {"cpu,cpuacct": (250, 100)}, 2.5),
    ("1:cpu:/a/b\n0::/", {"cpu/a/b": (-1, 100), "cpu/a": (400, 100)}, 4),
    ("1:cpu:/", {"cpu": (-1, 100)}, math.inf),
    (None, {"cpu": (200, 100)}, 2),
    (None, {}, math.inf),
]


@pytest.mark.parametrize(("own", "files", "cores"), QUOTAS)
def test_the_quota_of_a_container_is_found(tmp_path, monkeypatch, own, files, cores):
    root, place = tmp_path / "cgroup", tmp_path / "own"
    for name, content in files.items():
        if isinstance(content, tuple):
            (root / name).mkdir(parents=True, exist_ok=True)
            for key, value in zip(("quota", "period"), content, strict=True):
                (root / name / f"cpu.cfs_{key}_us").write_text(f"{value}\n")
        else:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(f"{content}\n")
    if own is not None:
        place.write_text(f"{own}\n")
    assert parallel.cpu_quota(root, place) == cores
    monkeypatch.setattr(parallel, "CGROUPS", root)
    monkeypatch.setattr(parallel, "OWN_CGROUP", place)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(parallel.os, "sched_getaffinity", lambda pid: range(64))
    monkeypatch.setattr(parallel.os, "process_cpu_count", lambda: 64, raising=False)
    assert n_threads() == (64 if cores == math.inf else math.ceil(cores))


def test_the_blas_is_left_as_it_was_whoever_leaves_last():
    before = blas_threads()
    barrier = Barrier(2)

    def overlap(last):
        with workers(1):
            barrier.wait(10)
            inside = blas_threads()
            if not last:
                return inside
            barrier.wait(10)
            return blas_threads()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(overlap, False), pool.submit(overlap, True)
        assert first.result(10) == {1}
        barrier.wait(10)
        assert second.result(10) == {1}
    assert blas_threads() == before
