"""Pieces of a file, read as one: a corrected header, and the samples."""

from __future__ import annotations

import io
import mmap
import os
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO

#: Bytes, or the span of a file that is meant.
Piece = bytes | slice

Bytes = bytes | mmap.mmap


@dataclass(frozen=True)
class Layout:
    """How to read a file that libsndfile would misread.

    Attributes
    ----------
    pieces : tuple of bytes or slice
        What to read instead: bytes, and spans of the file; empty to read the file as it
        is.
    streamed : bool
        Whether libsndfile reads to the end, whatever a header states.
    remarks : tuple of str
        What was assumed.
    missing : float
        The missing share of what the header states.
    n_samples : int
        The approximate number of samples per channel, if known for a stream.
    least : int
        The number of samples per channel that a stream has at least, if it is whole.
    """

    pieces: tuple[Piece, ...]
    streamed: bool = False
    remarks: tuple[str, ...] = ()
    missing: float = 0.0
    n_samples: int = 0
    least: int = 0


class Pieces(io.RawIOBase):
    """Pieces of a file as one file, open for reading."""

    def __init__(self, path: Path, pieces: Sequence[Piece]) -> None:
        self.source = path.open("rb")
        self.pieces = pieces
        self.starts = list(accumulate(map(_length, pieces), initial=0))
        self.position = 0

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer; the number of bytes, fewer only at the end."""
        view, done = memoryview(buffer).cast("B"), 0
        while done < len(view):
            n = self._read_some(view[done:])
            if n == 0:
                break
            done += n
        return done

    def _read_some(self, view: memoryview) -> int:
        """Fill a view as far as one piece goes."""
        i = bisect_right(self.starts, self.position) - 1
        if i >= len(self.pieces):
            return 0
        piece, within = self.pieces[i], self.position - self.starts[i]
        n = min(len(view), self.starts[i + 1] - self.position)
        if isinstance(piece, bytes):
            view[:n] = piece[within : within + n]
        else:
            self.source.seek(piece.start + within)
            n = self.source.readinto(view[:n])
        self.position += n
        return n

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position."""
        origins = {os.SEEK_SET: 0, os.SEEK_CUR: self.position}
        self.position = max(0, origins.get(whence, self.starts[-1]) + offset)
        return self.position

    def tell(self) -> int:
        """The position."""
        return self.position

    def close(self) -> None:
        """Close the file."""
        self.source.close()
        super().close()


def _length(piece: Piece) -> int:
    return len(piece) if isinstance(piece, bytes) else piece.stop - piece.start


def mapped(file: BinaryIO) -> mmap.mmap:
    """The bytes of a file, without reading them."""
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
