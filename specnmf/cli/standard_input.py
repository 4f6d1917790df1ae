"""A recording on standard input, ``-``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from specnmf.errors import AudioError, SpecnmfError
from specnmf.output import folder
from specnmf.output.products import STANDARD_INPUT, STANDARD_NAME

#: How a recording comes there.
PIPE = "ffmpeg -i FILE -f wav - | specnmf ... -"

#: The largest recording in bytes, and the room that it leaves on the disk.
MOST_BYTES, LEAST_FREE = 64 << 30, 256 << 20

#: Bytes that are copied at a time.
_BLOCK = 1 << 20


def named(song: str) -> str:
    """What the run of a song is called after."""
    return STANDARD_NAME if song == STANDARD_INPUT else song


@contextmanager
def file_of(song: str, output: Path) -> Iterator[Path]:
    """Yield the file of a song; of standard input, a copy that is removed afterwards.

    It lies in the folder for runs, for the folder of temporary files may be memory.

    Raises
    ------
    AudioError
        If standard input is a terminal, too large or cannot be read.
    """
    if song != STANDARD_INPUT:
        yield Path(song)
        return
    if sys.stdin is None or sys.stdin.isatty():
        raise AudioError(f"standard input is a terminal, expected a recording: {PIPE}")
    with folder.scratch(output) as place:
        path = place / STANDARD_NAME
        try:
            _copy(sys.stdin.buffer, path)
            yield path
        except SpecnmfError as error:
            raise type(error)(_told(str(error), path)) from error


def _told(message: str, path: Path) -> str:
    """A message about the copy as one about standard input."""
    told = message.replace(str(path), "standard input")
    fault, advice, _ = told.partition("; convert it first: ")
    return f"{fault}{advice}{PIPE}" if advice else told


def _copy(source: BinaryIO, path: Path) -> None:
    """Copy standard input into a file."""
    size = 0
    try:
        with path.open("wb") as file:
            while block := source.read(_BLOCK):
                size += len(block)
                _check_room(size, path)
                file.write(block)
    except OSError as error:
        reason = error.strerror or error
        raise AudioError(f"standard input cannot be kept: {reason}") from error


def _check_room(size: int, path: Path) -> None:
    """Raise AudioError if so many bytes are too many."""
    if size > MOST_BYTES:
        raise AudioError(
            f"standard input is larger than {MOST_BYTES >> 30} GB; read a file"
        )
    if shutil.disk_usage(path.parent).free < LEAST_FREE:
        raise AudioError(
            f"standard input does not fit on the disk of {path.parent.parent}; use "
            "another --output"
        )
