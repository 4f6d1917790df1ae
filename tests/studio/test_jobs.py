"""One job at a time."""

import threading

import pytest

from specnmf.errors import ParameterError
from specnmf.studio.jobs import BusyError, CancelledError, Jobs


class Slow:
    """Work that goes on until it is let go."""

    def __init__(self, error=None):
        self.begun, self.go = threading.Event(), threading.Event()
        self.error = error

    def __call__(self, progress):
        progress("fit", 1, 3, "loss 5")
        self.begun.set()
        assert self.go.wait(5)
        if self.error is not None:
            raise self.error
        progress("fit", 2, 3, "")


@pytest.fixture
def told():
    return []


@pytest.fixture
def jobs(told):
    jobs = Jobs(told.append)
    yield jobs
    jobs.close()


def start(jobs, told, error=None):
    work = Slow(error)
    jobs.start("separate", work, told.append)
    assert work.begun.wait(5)
    return work


def end(jobs, work):
    work.go.set()
    waiting = threading.Event()
    while jobs.doing is not None:
        waiting.wait(0.005)


def test_a_job_tells_how_far_it_is(jobs, told):
    assert jobs.doing is None
    work = start(jobs, told)
    assert jobs.doing == {"stage": "fit", "done": 1, "total": 3, "note": "loss 5"}
    end(jobs, work)
    assert told == []


def test_a_second_job_is_refused(jobs, told):
    work = start(jobs, told)
    with pytest.raises(BusyError, match="busy"):
        jobs.start("separate", Slow(), told.append)
    with pytest.raises(BusyError, match="busy"):
        jobs.do("save", lambda progress: None)
    end(jobs, work)
    assert jobs.do("save", lambda progress: 5) == 5


def test_a_job_that_is_cancelled_ends_at_its_next_step(jobs, told):
    work = start(jobs, told)
    jobs.cancel()
    end(jobs, work)
    assert told == []


def test_work_that_is_waited_for_is_cancelled_too(jobs):
    def work(progress):
        jobs.cancel()
        progress("fit", 1, 1, "")

    with pytest.raises(CancelledError):
        jobs.do("save", work)
    assert jobs.doing is None


def test_why_a_job_failed_is_told_in_a_line(jobs, told):
    end(jobs, start(jobs, told, ParameterError("no notes")))
    assert told == ["no notes"]


def test_a_lack_of_memory_is_told_in_a_line(jobs, told):
    end(jobs, start(jobs, told, MemoryError()))
    assert "memory" in told[0]


def test_a_bug_is_kept_for_who_can_mend_it(jobs, told):
    bug = KeyError("x")
    end(jobs, start(jobs, told, bug))
    assert told[0] is bug
    assert "KeyError" not in told[1]


def test_closing_waits_for_the_job(jobs, told):
    work = start(jobs, told)
    threading.Timer(0.05, work.go.set).start()
    assert jobs.close()
    assert jobs.doing is None
