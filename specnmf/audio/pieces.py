"""Pieces of a file, read as if they were one: a header set right, and the samples."""

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
    """How a file is to be read where libsndfile would misread it.

    Attributes
    ----------
    pieces : tuple of bytes or slice
        What to read in its place: bytes, and spans of the file; nothing if the file
        as it is.
    streamed : bool
        Whether libsndfile is to read to the end, whatever a header may say.
    remarks : tuple of str
        What was assumed.
    missing : float
        The share of what the header states that is not there.
    n_samples : int
        About so many a channel, where that is known of what is streamed.
    """

    pieces: tuple[Piece, ...]
    streamed: bool = False
    remarks: tuple[str, ...] = ()
    missing: float = 0.0
    n_samples: int = 0


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
        """Fill a view as far as one piece reaches."""
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
        """Go to a place."""
        origins = {os.SEEK_SET: 0, os.SEEK_CUR: self.position}
        self.position = max(0, origins.get(whence, self.starts[-1]) + offset)
        return self.position

    def tell(self) -> int:
        """The place."""
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
