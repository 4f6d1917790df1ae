"""batch.jsonl: the events of each song, one per line; lines are only appended."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specnmf.batch.stores.store import Store, told
from specnmf.errors import BatchError, SpecnmfError

#: Its name in the folder of runs: a file on disk, a folder of pieces elsewhere.
MANIFEST = "batch.jsonl"

#: Longer lines are not events.
MOST_LINE = 1 << 20

#: The largest piece of a manifest that is read from a URL, in bytes.
MOST_PIECE = 64 << 20

#: In stores that cannot append, events are collected this long, in seconds.
GATHERED = 10.0


@dataclass(frozen=True, slots=True)
class Record:
    """The last outcome of a song."""

    done: bool  #: Else it failed.
    settings_hash: str  #: Of the settings.
    stamps: str  #: Of its inputs at that time.
    error: str = ""  #: The reason of a failure.


class FileManifest:
    """A file to which events are appended and synchronised with the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with told(BatchError, str(path)):
            path.parent.mkdir(parents=True, exist_ok=True)
            self.file = path.open("a+b", buffering=0)
            self._finish_line()

    def append(self, events: Iterable[dict[str, Any]]) -> None:
        """Write the events and synchronise them with the disk."""
        lines = memoryview(b"".join(map(_line, events)))
        if not lines:
            return
        with told(BatchError, str(self.path)):
            while lines:
                lines = lines[self.file.write(lines) :]
            os.fsync(self.file.fileno())

    def _finish_line(self) -> None:
        """End a line that was cut off while it was written."""
        if self.file.seek(0, os.SEEK_END):
            self.file.seek(-1, os.SEEK_END)
            if self.file.read(1) != b"\n":
                self.file.write(b"\n")

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class PieceManifest:
    """Pieces in a store that cannot append: a new one every few seconds.

    If a batch is killed, the events of its last seconds are missing; the finished runs
    themselves show what was done.
    """

    def __init__(self, store: Store) -> None:
        self.store, self.lines = store, bytearray()
        self.began, self.number = time.time(), 0
        self.since = time.monotonic()

    def append(self, events: Iterable[dict[str, Any]]) -> None:
        """Collect the events; those of a few seconds make a piece."""
        self.lines += b"".join(map(_line, events))
        if time.monotonic() - self.since > GATHERED:
            with suppress(SpecnmfError):  # they are kept; the next attempt may succeed
                self.close()

    def close(self) -> None:
        """Write the collected events as the next piece."""
        if self.lines:
            name = f"{self.began:017.6f}-{self.number:06}"
            self.store.write(f"{MANIFEST}/{name}.jsonl", bytes(self.lines))
            self.lines.clear()
            self.number += 1
        self.since = time.monotonic()


#: Stores appended events: on disk at once, elsewhere when it is closed at the latest.
Manifest = FileManifest | PieceManifest


def read_history(store: Store) -> dict[str, Record]:
    """The last outcome of each song in the manifest of a folder of runs.

    Truncated or damaged lines are skipped: their songs count as not done and are
    checked again. A manifest that cannot be read is a BatchError.
    """
    return dict(filter(None, map(_parse, store.manifest_lines())))


def _parse(line: bytes) -> tuple[str, Record] | None:
    """The song and its outcome; None for other events and for damaged lines."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or event.get("event") not in ("done", "failed"):
        return None
    texts = [event.get(key, "") for key in ("song", "settings_hash", "stamps", "error")]
    if not all(isinstance(text, str) for text in texts):
        return None
    song, settings_hash, stamps, error = texts
    return song, Record(event["event"] == "done", settings_hash, stamps, error)


def _line(event: dict[str, Any]) -> bytes:
    """An event as a line; names that are not Unicode are escaped."""
    return json.dumps(event, allow_nan=False).encode() + b"\n"
