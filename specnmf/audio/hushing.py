"""What libmpg123 prints is kept from the terminal."""

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
    """Standard error, led into a file as long as anyone wants it so."""

    wanted = 0
    terminal = -1
    file: BinaryIO

    def begin(self) -> None:
        """Lead it into the file, if nobody did before."""
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
        """Lead it back, if nobody wants it caught any more, and pass on the rest."""
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
    """Keep libmpg123's notes off standard error; what others print goes there after.

    libsndfile has no switch for them. What they tell of, a file that is damaged or
    cut short, is found and said by `specnmf.audio.reading.remarks`.
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
