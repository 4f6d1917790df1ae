"""A real scheduler with two worker processes, and a real S3 API, on loopback."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from specnmf.audio.recording import Audio
from specnmf.audio.writing import write
from specnmf.batch.batch import Request, begun, make_plan
from specnmf.batch.running import Summary
from specnmf.batch.settings import BatchSettings
from specnmf.batch.stores.places import open_store
from specnmf.errors import BatchError, ParameterError
from specnmf.tasks.decompose import Settings
from specnmf.tasks.separate import ScoreSettings

distributed = pytest.importorskip("distributed")

SMALL = {"max_iter": 5, "figures": False, "n_fft": 512}


class Watcher:
    """Remembers what it is told."""

    def __init__(self):
        self.begun, self.sayings, self.outcomes = [], [], {}

    def begin(self, song):
        self.begun.append(song.name)

    def said(self, said):
        self.sayings.append(said)

    def end(self, song, outcome):
        self.outcomes[song.name] = outcome

    def stop(self, *, now):
        pass


@pytest.fixture(scope="module")
def cluster():
    # Nothing listens but on loopback, and nothing is left when the module ends.
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=2,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
    ) as cluster:
        yield cluster


@pytest.fixture
def songs(tmp_path, rng):
    for number in range(4):
        y = 0.3 * rng.standard_normal((1, 8000)).cumsum(axis=1) / 50
        place = tmp_path / "songs" / "abc"[number % 3] / f"{number}.wav"
        place.parent.mkdir(parents=True, exist_ok=True)
        write(place, Audio(np.clip(y, -0.9, 0.9).astype(np.float32), 8000))
    (tmp_path / "songs/a/0.csv").write_text(
        "start,duration,pitch\n0,0.5,60\n0.5,0.4,64\n"
    )
    return tmp_path / "songs"


def take_apart(songs, output, watcher=None, seconds=None, **options) -> Summary:
    request = Request(
        source=str(songs),
        output=str(output),
        settings=[
            Settings(n_components=2, **SMALL),
            ScoreSettings(align="never", **SMALL),
        ],
        batch=BatchSettings(recursive=True, **options),
    )
    with begun(make_plan(request), watcher or Watcher()) as batch:
        if seconds is not None:
            threading.Timer(seconds, batch.stop).start()
        return batch.run()


def contents(output):
    """Each file of the runs in a store, and run.json without its circumstances."""
    store, found = open_store(str(output)), {}
    folders = ["a/0", "a/3", "b/1", "c/2"]
    for folder in [*folders, *(f"{folder}/sources" for folder in folders)]:
        for name in store.names(folder):
            content = store.read(f"{folder}/{name}", 1 << 24)
            if name == "run.json":
                content = json.loads(content)
                for circumstance in ("seconds", "command", "finished"):
                    del content[circumstance]
                content["inputs"] = [entry["sha256"] for entry in content["inputs"]]
            found[f"{folder}/{name}"] = content
    return found


@pytest.mark.slow  # whole batches
def test_a_cluster_gives_the_same_bytes_as_this_machine(songs, tmp_path, cluster):
    watcher = Watcher()
    here = take_apart(songs, tmp_path / "here", jobs=1)
    there = take_apart(
        songs, tmp_path / "there", watcher, scheduler=cluster.scheduler_address
    )
    assert here.failures == there.failures == []
    assert here.done == there.done == 4
    assert len(contents(tmp_path / "here")) > 20
    assert contents(tmp_path / "here") == contents(tmp_path / "there")
    assert {said.name for said in watcher.sayings} <= set(watcher.outcomes)
    assert {said.stage for said in watcher.sayings} >= {"read"}


@pytest.mark.slow  # kills processes
def test_what_a_worker_was_at_when_it_was_killed_is_done_by_another(
    songs, tmp_path, cluster
):
    watcher, victims = Watcher(), []

    def said(said):
        watcher.sayings.append(said)
        if not victims:
            workers = cluster.scheduler_info["workers"].values()
            victims.append(next(worker["id"] for worker in workers))
            pid = cluster.workers[victims[0]].process.pid
            os.kill(pid, signal.SIGKILL)

    listener = Watcher()
    listener.said = said
    summary = take_apart(
        songs, tmp_path / "out", listener, scheduler=cluster.scheduler_address
    )
    assert victims
    assert (summary.done + summary.skipped, summary.failed) == (4, 0)
    take_apart(songs, tmp_path / "here", jobs=1)
    assert contents(tmp_path / "here") == contents(tmp_path / "out")


@pytest.mark.slow  # whole batches
def test_a_bucket_on_a_cluster_gives_the_same_bytes(songs, tmp_path, s3, cluster):
    address = cluster.scheduler_address
    with distributed.Client(address) as client:
        client.run(exec, f"import os; os.environ.update({s3.environment})")
    source, output = f"{s3.url}/songs", f"{s3.url}/runs"
    store = open_store(source)
    for path in songs.rglob("*.*"):
        store.write(path.relative_to(songs).as_posix(), path.read_bytes())
    take_apart(songs, tmp_path / "here", jobs=1)
    summary = take_apart(source, output, scheduler=address)
    assert summary.failures == []
    assert summary.done == 4
    assert contents(output) == contents(tmp_path / "here")
    again = take_apart(source, output, scheduler=address, resume=True)
    assert (again.done, again.skipped) == (0, 4)
    text = open_store(output).read("a/0/run.json", 1 << 20)
    assert json.loads(text)["inputs"][1]["path"] == f"{source}/a/0.csv"


@pytest.mark.slow  # batches
def test_a_bucket_here_is_read_written_locked_and_resumed(songs, s3):
    source, output = f"{s3.url}/songs", f"{s3.url}/runs"
    store = open_store(source)
    for path in songs.rglob("*.*"):
        store.write(path.relative_to(songs).as_posix(), path.read_bytes())
    store.write("b/bad.wav", b"no sound")
    summary = take_apart(source, output, jobs=1)
    assert (summary.done, summary.failed) == (4, 1)
    assert summary.failures[0].error.startswith(f"{source}/b/bad.wav: ")
    runs = open_store(output)
    assert b"Traceback" in runs.read("batch_logs/b/bad.wav.log", 1 << 20)
    assert "batch.lock" not in runs.names("")
    runs.write("batch.lock", json.dumps({"pid": 7, "time": time.time()}).encode())
    with pytest.raises(BatchError, match="another batch uses this folder, process 7"):
        take_apart(source, output, jobs=1, resume=True)
    runs.remove("batch.lock")
    store.write("c/2.wav", store.read("b/1.wav", 1 << 20))
    again = take_apart(source, output, jobs=1, retry_failed=True)
    assert (again.done, again.skipped, again.failed) == (1, 3, 1)


def test_a_stopped_batch_leaves_what_is_not_begun(songs, tmp_path, cluster):
    address = cluster.scheduler_address
    first = take_apart(songs, tmp_path / "out", scheduler=address, seconds=0)
    rest = take_apart(songs, tmp_path / "out", scheduler=address, resume=True)
    assert first.left + first.done == 4
    assert rest.done + rest.skipped == 4
    assert not list(Path(tmp_path / "out").rglob(".specnmf-*"))


def test_no_scheduler_is_one_line(songs, tmp_path, monkeypatch):
    monkeypatch.setattr("specnmf.batch.cluster.PATIENCE", 1)
    with pytest.raises(BatchError, match="no Dask scheduler answers"):
        take_apart(songs, tmp_path / "out", scheduler="tcp://127.0.0.1:9")
    with pytest.raises((BatchError, ParameterError), match="Dask"):
        take_apart(songs, tmp_path / "out", scheduler="nonsense")
    assert not (tmp_path / "out/batch.lock").exists()
