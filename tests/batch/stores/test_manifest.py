"""The manifest: a journal that is only ever added to."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specnmf.batch.stores import manifest
from specnmf.batch.stores.manifest import (
    MANIFEST,
    FileManifest,
    PieceManifest,
    Record,
    read_history,
)
from specnmf.batch.stores.places import open_store
from specnmf.errors import BatchError


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "runs")


@pytest.fixture
def bucket():
    """A store that is not on disk."""
    fsspec = pytest.importorskip("fsspec")
    yield open_store("memory://bucket/runs")
    fsspec.filesystem("memory").store.clear()


def ended(song, event="done", **facts):
    return {
        "event": event,
        "song": song,
        "settings_hash": "h",
        "stamps": "1:2",
        **facts,
    }


def write(store, content):
    path = Path(store.location(MANIFEST))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def line(song, **facts):
    return json.dumps(ended(song, **facts)).encode() + b"\n"


def keep(store, *events):
    opened = store.manifest()
    opened.append(events)
    opened.close()


def test_what_is_kept_is_read(store):
    assert not store.has_manifest()
    assert read_history(store) == {}
    keep(store, {"event": "begin", "song": "a.wav"}, ended("a.wav"))
    keep(store, ended("b.wav", "failed", error="no audio"))
    assert store.has_manifest()
    assert read_history(store) == {
        "a.wav": Record(True, "h", "1:2"),
        "b.wav": Record(False, "h", "1:2", "no audio"),
    }


def test_the_last_word_counts(store):
    keep(store, ended("a"), ended("b", "failed"), {"event": "begin", "song": "a"})
    keep(store, ended("a", "failed", error="x"), ended("b"))
    keep(store, {"event": "begin", "song": "b"})
    history = read_history(store)
    assert [history["a"].done, history["b"].done] == [False, True]


def test_an_event_is_a_line_and_none_is_ever_changed(store):
    path = Path(store.location(MANIFEST))
    before = b""
    for number in range(3):
        keep(store, ended(f"{number}\n"), ended(f"{number}\u2028"))
        content = path.read_bytes()
        assert content.startswith(before)
        assert content.count(b"\n") == 2 * (number + 1)
        before = content


def test_events_are_on_disk_when_append_returns(store, monkeypatch):
    synchronised = []
    monkeypatch.setattr(
        os,
        "fsync",
        lambda file: synchronised.append(os.fstat(file).st_size),
    )
    opened = store.manifest()
    opened.append([ended("a"), ended("b")])
    size = len(line("a") + line("b"))
    assert synchronised == [size]
    opened.append([])  # nothing to wait for
    assert synchronised == [size]
    opened.append([ended("c")])
    assert synchronised == [size, size + len(line("c"))]
    opened.close()


@pytest.mark.parametrize("cut", [1, 5, len(line("b")) - 1])
def test_a_line_that_was_cut_off_costs_only_itself(store, cut):
    write(store, line("a") + line("b")[:cut])
    keep(store, ended("c"))
    events = Path(store.location(MANIFEST)).read_bytes()
    assert events == line("a") + line("b")[:cut] + b"\n" + line("c")
    assert {"a", "c"} <= set(read_history(store)) <= {"a", "b", "c"}


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\n\n",
        b"\0" * 1000,
        b"\xff\xfe\xfa",
        b"{",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"null",
        b"17",
        b'"done"',
        b"[1, 2]",
        b"9" * 10_000,
        b"1e999",
        b'{"event": "done"',
        b'{"event": ["done"], "song": "x"}',
        b'{"event": {"done": 1}, "song": "x"}',
        b'{"event": "done", "song": 7}',
        b'{"event": "done", "song": ["x"]}',
        b'{"event": "done", "song": "x", "stamps": null}',
        b'{"event": "failed", "song": "x", "error": {}}',
        b'{"event": "done", "song": "' + b"x" * (3 << 20) + b'"}',
    ],
    ids=lambda garbage: repr(garbage[:20]),
)
def test_garbage_is_passed_over(store, garbage):
    write(store, line("a") + garbage + b"\n" + line("b"))
    assert list(read_history(store)) == ["a", "b"]


@given(st.binary(max_size=200))
def test_no_bytes_upset_the_reading(tmp_path_factory, content):
    store = open_store(tmp_path_factory.mktemp("runs"))
    write(store, content)
    assert all(isinstance(record, Record) for record in read_history(store).values())


@pytest.mark.parametrize(
    "name",
    [os.fsdecode(b"\xff\xfe.wav"), "a\nb\r.wav", "emoji 🎻.wav", '"quoted".wav', "-x"],
)
def test_names_of_every_kind_come_back(store, name):
    keep(store, ended(name))
    assert list(read_history(store)) == [name]


def test_a_folder_in_its_place_is_refused_in_one_line(store):
    Path(store.location(MANIFEST)).mkdir(parents=True)
    with pytest.raises(BatchError, match=r"batch\.jsonl: Is a directory$"):
        store.manifest()
    with pytest.raises(BatchError, match=r"batch\.jsonl: Is a directory$"):
        read_history(store)


def test_a_folder_that_cannot_be_made_is_refused_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BatchError, match=r"batch\.jsonl: (File exists|Not a dir)"):
        open_store(tmp_path / "file").manifest()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_in_one_line():
    opened = FileManifest(Path("/dev/full"))
    with pytest.raises(BatchError, match=r"^/dev/full: No space left on device$"):
        opened.append([ended("a")])
    opened.close()


def test_elsewhere_events_are_gathered_into_pieces(bucket, monkeypatch):
    opened = bucket.manifest()
    assert isinstance(opened, PieceManifest)
    opened.append([ended("a")])
    assert not bucket.has_manifest()
    monkeypatch.setattr(manifest, "GATHERED", 0)
    opened.append([ended("b", "failed")])
    assert len(bucket.names(MANIFEST)) == 1
    opened.append([ended("b")])
    opened.close()
    opened.close()
    assert len(bucket.names(MANIFEST)) == 2
    assert bucket.has_manifest()
    history = read_history(bucket)
    assert list(history) == ["a", "b"]
    assert history["b"].done


def test_pieces_of_later_batches_come_later(bucket, monkeypatch):
    for number, now in enumerate((999_999_999.9, 1_000_000_000.0, 1_000_000_000.5)):
        monkeypatch.setattr(manifest.time, "time", lambda now=now: now)
        keep(bucket, ended("a", settings_hash=str(number)))
    assert len(bucket.names(MANIFEST)) == 3
    assert read_history(bucket)["a"].settings_hash == "2"


def test_many_pieces_of_one_batch_keep_their_order(bucket, monkeypatch):
    monkeypatch.setattr(manifest, "GATHERED", -1)
    opened = bucket.manifest()
    for number in range(12):
        opened.append([ended("a", settings_hash=str(number))])
    opened.close()
    assert read_history(bucket)["a"].settings_hash == "11"


def test_a_damaged_piece_costs_only_itself(bucket):
    keep(bucket, ended("a"))
    bucket.write(f"{MANIFEST}/5-damaged.jsonl", b"\xff{{{\n" + line("b") + b"{")
    assert set(read_history(bucket)) == {"a", "b"}
