"""The lock: one batch at a time on one folder of runs."""

import errno
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from specnmf.batch.stores import lock
from specnmf.batch.stores.lock import LOCK
from specnmf.batch.stores.places import open_store
from specnmf.errors import BatchError

#: A test that waits so long has failed, however busy the machine is; in seconds.
LONG = 120

HOLD = """
import sys
from specnmf.batch.stores.places import open_store
with open_store(sys.argv[1]).lock():
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "runs")


@pytest.fixture
def bucket():
    fsspec = pytest.importorskip("fsspec")
    yield open_store("memory://locks/runs")
    fsspec.filesystem("memory").store.clear()


@pytest.fixture
def holder(store):
    """Another process that holds the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, store.root],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def signature(**facts):
    return json.dumps({"pid": 7, "host": "far", "time": time.time(), **facts}).encode()


def test_a_second_holder_is_refused_with_the_first_ones_process_and_host(store, holder):
    who = f"process {holder.pid} on {socket.gethostname()}; wait for it, or use"
    with pytest.raises(BatchError, match=who) as caught, store.lock():
        pass
    assert str(caught.value).startswith(f"{store.root}: another batch uses this folder")
    assert Path(store.location(LOCK)).exists()


def test_a_holder_that_is_killed_holds_nothing(store, holder):
    holder.kill()
    holder.wait()
    assert Path(store.location(LOCK)).exists()
    with store.lock():
        mine = json.loads(Path(store.location(LOCK)).read_bytes())
        assert mine["pid"] == os.getpid()
    assert not Path(store.location(LOCK)).exists()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_the_lock_is_released_however_the_batch_ends(store, error):
    def end():
        with store.lock():
            raise error

    for _ in range(2):
        with pytest.raises(error):
            end()
    assert not Path(store.location(LOCK)).exists()


def test_within_one_process_there_is_one_holder_too(store):
    with store.lock():
        with pytest.raises(BatchError, match="another batch"), store.lock():
            pass
        with pytest.raises(BatchError, match="another batch"), store.lock():
            pass  # the refusal released nothing


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage", signature(), b"[" * 5000, b"\xff" * 5000],
    ids=["empty", "garbage", "signature", "brackets", "bytes"],
)
def test_what_a_stale_file_says_does_not_matter(store, content):
    store.write(LOCK, content)
    with store.lock():
        mine = json.loads(Path(store.location(LOCK)).read_bytes())
        assert mine["pid"] == os.getpid()


def test_of_many_at_once_one_at_a_time_gets_it(store):
    inside, most, refused = [], [], []

    def attempt():
        for _ in range(50):
            try:
                with store.lock():
                    inside.append(1)
                    most.append(len(inside))
                    time.sleep(0.0001)
                    inside.pop()
            except BatchError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) + len(refused) == 200
    assert max(most) == 1
    assert all("another batch uses this folder" in message for message in refused)


def test_a_holder_that_leaves_during_the_refusal_makes_no_traceback(store, monkeypatch):
    def just_left(path):
        raise BlockingIOError(errno.EAGAIN, "held a moment ago")

    monkeypatch.setattr(lock, "_lock", just_left)
    with pytest.raises(BatchError, match="process unknown on unknown"), store.lock():
        pass


def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(BatchError, match=r"batch\.lock: (File exists|Not a directory)$"),
        open_store(tmp_path / "file" / "runs").lock(),
    ):
        pass


def test_a_full_disk_is_told_in_one_line(store, monkeypatch):
    def full(file, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(lock.os, "write", full)
    with (
        pytest.raises(BatchError, match=r"batch\.lock: No space left on device$"),
        store.lock(),
    ):
        pass


def test_what_happens_inside_is_not_taken_for_the_locks(store):
    with pytest.raises(OSError, match="inside"), store.lock():
        raise OSError("inside")


def test_elsewhere_a_holder_that_signed_recently_is_respected(bucket):
    bucket.write(LOCK, signature())
    with pytest.raises(BatchError, match="process 7 on far"), bucket.lock():
        pass
    assert json.loads(bucket.read(LOCK, 1000))["pid"] == 7


def test_elsewhere_a_holder_that_signed_long_ago_is_dead(bucket, monkeypatch):
    bucket.write(LOCK, signature())
    now = time.time()
    monkeypatch.setattr(lock.time, "time", lambda: now + lock.DEAD + 1)
    with bucket.lock():
        assert json.loads(bucket.read(LOCK, 1000))["pid"] == os.getpid()
    assert bucket.read(LOCK, 1000) is None


def test_elsewhere_the_lock_is_released_and_refused(bucket):
    for _ in range(2):
        with (
            bucket.lock(),
            pytest.raises(BatchError, match="another batch"),
            bucket.lock(),
        ):
            pass
        assert bucket.read(LOCK, 1000) is None


def test_elsewhere_the_holder_signs_again_and_again(bucket, monkeypatch):
    signed, write = queue.SimpleQueue(), type(bucket).write

    def record(self, name, content):
        write(self, name, content)
        signed.put(json.loads(content)["time"])

    monkeypatch.setattr(lock, "SIGNED", 0.01)
    monkeypatch.setattr(type(bucket), "write", record)
    with bucket.lock():
        assert signed.get(timeout=LONG) < signed.get(timeout=LONG)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"time": "now"}',
        b'{"time": null}',
        b'{"time": NaN}',
        b'{"time": -' + b"9" * 400 + b"}",
        b"\xff",
    ],
    ids=lambda content: repr(content[:15]),
)
def test_elsewhere_garbage_holds_nothing(bucket, content):
    bucket.write(LOCK, content)
    with bucket.lock():
        assert json.loads(bucket.read(LOCK, 1000))["pid"] == os.getpid()


def test_elsewhere_a_time_beyond_all_numbers_makes_no_traceback(bucket):
    bucket.write(LOCK, b'{"time": ' + b"9" * 400 + b"}")
    with pytest.raises(BatchError, match="process unknown on unknown"), bucket.lock():
        pass
