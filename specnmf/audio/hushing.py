"""Messages of libmpg123 are kept from the terminal."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

#: Lines of libmpg123: its notes, and its errors with the place in its source.
_NOTES = re.compile(rb"(?:Note|Warning): |\n?\[[^\]\n]*libmpg123[^\]\n]*\] ")

_lock = threading.Lock()


class _Catching:
    """Standard error, redirected to a file while anyone wants that."""

    wanted = 0
    terminal = -1
    file: BinaryIO

    def begin(self) -> None:
        """Redirect it to the file, unless it already is."""
        if self.wanted == 0:
            self.terminal = os.dup(2)
            try:
                self.file = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `end`)
            except OSError:
                os.close(self.terminal)
                raise
            os.dup2(self.file.fileno(), 2)
        self.wanted += 1

    def end(self) -> None:
        """Restore it if nobody wants it redirected any more, and pass on the rest."""
        self.wanted -= 1
        if self.wanted:
            return
        os.dup2(self.terminal, 2)
        os.close(self.terminal)
        with self.file as file:
            file.seek(0)
            rest = b"".join(line for line in file if not _NOTES.match(line))
        if rest.strip():
            os.write(2, rest)


_catching = _Catching()


@contextmanager
def hushed() -> Iterator[None]:
    """Keep libmpg123's notes off standard error; other output goes there afterwards.

    libsndfile has no switch for them. `specnmf.audio.reading.remarks` finds and reports
    the same faults: a file that is damaged or cut short.
    """
    with _lock:
        try:
            _catching.begin()
        except OSError:  # closed, so that nobody is disturbed
            caught = False
        else:
            caught = True
    try:
        yield
    finally:
        if caught:
            with _lock:
                _catching.end()
