"""Threads: order, counts, and the BLAS left as it was found."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from threadpoolctl import threadpool_info

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
