"""A batch on its way, with workers that are threads and do as they are told."""

import json
import queue
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from specnmf.batch.finding import Song
from specnmf.batch.planning import Plan, Recipe
from specnmf.batch.running import Batch, Summary
from specnmf.batch.settings import BatchSettings
from specnmf.batch.stores.manifest import Record
from specnmf.batch.stores.places import open_store
from specnmf.batch.work import Outcome
from specnmf.errors import BatchError, WorkerError
from specnmf.output.folder import PARTIAL, REPORT
from specnmf.tasks.decompose import Settings
from specnmf.tasks.registry import TASKS
from specnmf.tasks.separate import ScoreSettings

#: A test that waits so long has failed, however busy the machine is; in seconds.
LONG = 120

RECIPE = Recipe(
    tasks=[TASKS["separate"], TASKS["decompose"]],
    settings={"separate": ScoreSettings(), "decompose": Settings()},
)

#: What is asked for of songs without a score.
HASH = RECIPE.hash_of(Song("a.wav", "1:1"))


class Threads:
    """Workers whose jobs are done by a function in threads."""

    def __init__(self, work, capacity=2):
        self.work, self.capacity = work, capacity
        self.pool = ThreadPoolExecutor(capacity)
        self.kills, self.most, self.now = 0, 0, 0
        self.begun = []
        self.lock, self.killed = threading.Lock(), threading.Event()
        self.busy = threading.Event()

    def submit(self, job):
        self.begun.append(job.name)
        if len(self.begun) == self.capacity:
            self.busy.set()
        return self.pool.submit(self._do, job)

    def kill(self):
        self.kills += 1
        self.killed.set()

    def close(self):
        self.pool.shutdown()

    def _do(self, job):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            return self.work(job)
        finally:
            with self.lock:
                self.now -= 1


class Notes:
    """A watcher that keeps everything."""

    def __init__(self):
        self.seen, self.stopped = [], threading.Event()

    def begin(self, song):
        self.seen.append(("begin", song.name))

    def said(self, said):
        self.seen.append(("said", said))

    def end(self, song, outcome):
        self.seen.append(("end", song.name, outcome.error, outcome.kept))

    def stop(self, *, now):
        self.seen.append(("stop", now))
        self.stopped.set()

    def ends(self):
        return {name: error for kind, name, error, _ in self._ended()}

    def _ended(self):
        return [note for note in self.seen if note[0] == "end"]


@pytest.fixture
def batch(tmp_path):
    """Make a batch of songs, done by a function; close what it needs."""
    closing = []

    def make(names, work, *, capacity=2, history=None, **options):
        plan = Plan(
            [Song(name, "1:1") for name in names],
            open_store(tmp_path / "songs"),
            open_store(tmp_path / "runs"),
            RECIPE,
            BatchSettings(**options),
            history or {},
        )
        workers, manifest = Threads(work, capacity), plan.output.manifest()
        closing.extend((workers, manifest))
        return Batch(plan, workers, manifest, Notes())

    yield make
    for each in closing:
        each.close()


@pytest.fixture
def events(tmp_path):
    """Read the manifest."""

    def events():
        lines = (tmp_path / "runs" / "batch.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    return events


def done(job):
    return Outcome(job.name, seconds=0.5, duration=2.0, facts={"kind": "decompose"})


def kinds(events):
    return [(event["event"], event.get("song")) for event in events]


def test_all_songs_are_done_in_their_order(batch, events):
    names = [f"{number}.wav" for number in range(7)]
    going = batch(names, done, capacity=1)
    summary = going.run()
    assert going.workers.begun == names
    assert (summary.songs, summary.done, summary.left) == (7, 7, 0)
    assert (summary.failed, summary.skipped, summary.failures) == (0, 0, [])
    assert summary.duration == 14.0
    assert summary.speed == pytest.approx(14.0 / summary.seconds)
    each = [(kind, name) for name in names for kind in ("begin", "done")]
    assert kinds(events()) == [("batch", None), *each, ("end", None)]


def test_the_manifest_says_what_became_of_a_song(batch, events):
    batch(["a.wav"], done).run()
    first, _, event, last = events()
    assert (first["songs"], first["command"]) == (1, "")
    assert event.pop("time") <= last["time"]
    assert event == {
        "event": "done",
        "song": "a.wav",
        "settings_hash": HASH,
        "stamps": "1:1",
        "seconds": 0.5,
        "duration": 2.0,
        "kind": "decompose",
        "warnings": [],
    }
    assert {key: last[key] for key in ("done", "failed", "skipped", "left")} == {
        "done": 1,
        "failed": 0,
        "skipped": 0,
        "left": 0,
    }


def test_no_more_songs_are_handed_out_than_there_are_workers_for(batch):
    pair = threading.Barrier(2, timeout=LONG)

    def work(job):
        pair.wait()
        return done(job)

    going = batch(map(str, range(20)), work, capacity=3)
    assert going.run().done == 20
    assert 2 <= going.workers.most <= 3


def test_the_beginning_is_written_down_before_the_end(batch, events):
    batch(map(str, range(20)), done, capacity=4).run()
    seen = kinds(events())
    for number in map(str, range(20)):
        assert seen.index(("begin", number)) < seen.index(("done", number))


def test_what_fails_stops_nothing_and_is_explained(batch, events, tmp_path):
    def work(job):
        if job.name in ("x/1.wav", "3.wav"):
            return Outcome(job.name, error=f"{job.name}: no audio", log="Traceback...")
        return done(job)

    going = batch(["0.wav", "x/1.wav", "2.wav", "3.wav"], work, capacity=1)
    summary = going.run()
    assert (summary.done, summary.failed) == (2, 2)
    assert summary.failures == [
        ("x/1.wav", "x/1.wav: no audio", "batch_logs/x/1.wav.log"),
        ("3.wav", "3.wav: no audio", "batch_logs/3.wav.log"),
    ]
    log = (tmp_path / "runs" / "batch_logs" / "x" / "1.wav.log").read_text()
    assert log == "x/1.wav: x/1.wav: no audio\n\nTraceback..."
    (event,) = [each for each in events() if each.get("song") == "3.wav"][1:]
    assert (event["event"], event["error"]) == ("failed", "3.wav: no audio")
    assert event["log"] == "batch_logs/3.wav.log"


@pytest.mark.parametrize(
    "name",
    [
        "x" * 251 + ".wav",
        "ä" * 125 + ".wav",
        "a\nb.wav",
        "-x.wav",
        "'\".wav",
        b"\xff.wav".decode(errors="surrogateescape"),
    ],
)
def test_names_of_every_kind_get_a_log(batch, tmp_path, name):
    def work(job):
        return Outcome(job.name, error=f"no audio in {name}")

    (failure,) = batch([name], work).run().failures
    log = (tmp_path / "runs" / failure.log).read_bytes()
    assert b"no audio in" in log


def test_a_log_that_cannot_be_written_stops_nothing(batch, tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "batch_logs").write_text("in the way")
    going = batch(["a", "b"], lambda job: Outcome(job.name, error="broken"))
    assert [failure.log for failure in going.run().failures] == ["", ""]


def test_a_worker_that_is_lost_fails_its_song_alone(batch, tmp_path):
    def work(job):
        if job.name == "1.wav":
            error = WorkerError("its process was ended by SIGSEGV")
            error.add_note("printed before")
            raise error
        return done(job)

    left = tmp_path / "runs" / f"{PARTIAL}dead"
    left.mkdir(parents=True)
    going = batch(["0.wav", "1.wav", "2.wav"], work)
    summary = going.run()
    assert (summary.done, summary.failed) == (2, 1)
    assert summary.failures[0].error == "its process was ended by SIGSEGV"
    log = (tmp_path / "runs" / summary.failures[0].log).read_text()
    assert "printed before" in log
    assert not left.exists()


@pytest.mark.parametrize(
    "error", [KeyError("x"), OSError(5, "EIO"), ValueError("a\nb")]
)
def test_an_error_that_nobody_expected_fails_its_song_in_one_line(
    batch, tmp_path, error
):
    def work(job):
        raise error

    (failure,) = batch(["a.wav"], work).run().failures
    assert failure.error.startswith(type(error).__name__)
    assert "\n" not in failure.error
    assert "Traceback" in (tmp_path / "runs" / failure.log).read_text()


def test_a_run_that_was_there_already_counts_as_skipped(batch, events):
    going = batch(["a"], lambda job: Outcome(job.name, kept=True, duration=3.0))
    summary = going.run()
    assert (summary.done, summary.skipped, summary.duration) == (0, 1, 0.0)
    assert kinds(events())[2] == ("done", "a")


def test_songs_that_are_known_are_not_begun(batch, tmp_path, events):
    history = {
        "done": Record(True, HASH, "1:1"),
        "failed": Record(False, HASH, "1:1", "broken"),
        "changed": Record(True, HASH, "0:0"),
    }
    for name in history:
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / REPORT).touch()
    going = batch([*history, "new"], done, history=history, resume=True)
    summary = going.run()
    assert going.workers.begun == ["changed", "new"]
    assert (summary.done, summary.failed, summary.skipped) == (2, 1, 1)
    assert summary.failures == [("failed", "broken (before)", "batch_logs/failed.log")]
    assert going.watcher.ends()["done"] is None
    assert {name for _, name in kinds(events())} == {None, "changed", "new"}


def test_a_reason_from_before_is_told_the_same_however_often(batch):
    history = {"a": Record(False, HASH, "1:1", "broken")}
    for _ in range(2):
        (failure,) = batch(["a"], done, history=history, resume=True).run().failures
        assert failure.error == "broken (before)"


def test_a_place_that_is_taken_fails_its_song(batch, tmp_path):
    (tmp_path / "runs" / "a").mkdir(parents=True)
    (tmp_path / "runs" / "a" / REPORT).touch()
    going = batch(["a.wav", "b.wav"], done)
    summary = going.run()
    assert going.workers.begun == ["b.wav"]
    assert "holds a finished run; use --resume or" in summary.failures[0].error


def test_a_place_that_cannot_be_looked_at_fails_its_song_alone(batch, tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "a").symlink_to("a")
    summary = batch(["a.wav", "b.wav"], done).run()
    assert (summary.done, summary.failed) == (1, 1)
    assert "symbolic links" in summary.failures[0].error


def test_a_stop_from_another_thread_lets_running_songs_finish(batch, events):
    release = threading.Event()

    def work(job):
        release.wait(LONG)
        return done(job)

    going = batch(map(str, range(5)), work, capacity=2)

    def stop():
        going.workers.busy.wait(LONG)
        going.stop()
        going.watcher.stopped.wait(LONG)
        release.set()

    stopper = threading.Thread(target=stop)
    stopper.start()
    summary = going.run()
    stopper.join()
    assert (summary.done, summary.left) == (2, 3)
    assert going.workers.kills == 0
    assert going.watcher.seen.count(("stop", False)) == 1
    assert events()[-1]["left"] == 3


def test_a_second_stop_gives_running_songs_up(batch, events, tmp_path):
    def work(job):
        going.workers.killed.wait(LONG)
        raise WorkerError("stopped before it was finished")

    going = batch(map(str, range(5)), work, capacity=2)
    left = tmp_path / "runs" / f"{PARTIAL}dead"
    left.mkdir(parents=True)

    def stop():
        going.workers.busy.wait(LONG)
        going.stop()
        going.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    summary = going.run()
    stopper.join()
    assert (summary.done, summary.failed, summary.left) == (0, 0, 5)
    assert sorted(kinds(events()))[-2:] == [("stopped", "0"), ("stopped", "1")]
    assert going.watcher.seen.count(("stop", True)) == 1  # it is said once
    assert not left.exists()


def test_a_stop_that_does_not_end_a_wait_is_followed_after_it(batch):
    """As a signal may come just before the wait, and is handled after it."""

    def work(job):
        going.workers.killed.wait(LONG)
        raise WorkerError("stopped before it was finished")

    class Deaf(queue.SimpleQueue):
        """A queue that is waited for in vain once, while both stops come."""

        waits = 0

        def get(self, timeout=LONG):
            self.waits += 1
            if self.waits > 1:
                return super().get(timeout=timeout)
            if timeout < 1:
                going.stop()
                going.stop()
            raise queue.Empty

    going = batch(["a"], work, capacity=1)
    going.ended = Deaf()
    assert going.run().left == 1
    assert going.workers.kills == 1


def test_a_third_stop_changes_nothing(batch):
    going = batch(["a"], done)
    for _ in range(3):
        going.stop()
    assert (going.stopping, going.killed) == (True, True)
    assert going.run().left == 1


def test_a_stop_before_the_beginning_begins_nothing(batch):
    going = batch(["a", "b"], done)
    going.stop()
    assert going.run().left == 2
    assert going.workers.begun == []


def test_a_lost_cluster_ends_the_batch(batch):
    future = Future()
    future.cancel()
    future.set_running_or_notify_cancel()
    going = batch(["a"], done)
    going.workers.submit = lambda job: future
    with pytest.raises(
        BatchError, match="the cluster is lost; use --resume to continue"
    ):
        going.run()


def test_cancelled_songs_of_a_stopped_batch_are_only_stopped(batch, events):
    futures = []

    def submit(job):
        futures.append(Future())
        going.stop()
        going.stop()
        return futures[-1]

    def kill():
        for future in futures:
            future.cancel()

    going = batch(["a"], done)
    going.workers.submit, going.workers.kill = submit, kill
    assert going.run().left == 1
    assert ("stopped", "a") in kinds(events())


def test_a_batch_of_nothing_comes_to_its_end(batch, events):
    summary = batch([], done).run()
    assert (summary.songs, summary.left, summary.speed) == (0, 0, 0.0)
    assert kinds(events()) == [("batch", None), ("end", None)]


def test_thousands_of_songs_leave_nothing_in_memory(batch):
    going = batch(map(str, range(2000)), done, capacity=4)
    assert going.run().done == 2000
    assert (going.running, going.events) == ({}, [])
    assert going.ended.empty()


def test_what_is_left_is_what_nothing_became_of():
    assert Summary(10, done=3, failed=2, skipped=1).left == 4
    assert Summary(1, duration=6.0, seconds=2.0).speed == 3.0
    assert Summary(1, duration=6.0).speed == 0.0
