"""Opening recordings with soundfile, and what their headers promise."""

from __future__ import annotations

import math
import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from specnmf.errors import AudioError

if TYPE_CHECKING:
    import soundfile

#: Chunks whose declared size exceeds what the file holds: `data : 9 (should be 4)`.
_CUT_CHUNK = re.compile(
    r"^ *(?:data|SSND|riff) : (\d+) \(should be (\d+)\)", re.MULTILINE
)

_CUT_DS64 = re.compile(r"count (\d+) does not match value from 'ds64' chunk of (\d+)")

#: Declared sizes from here on mean "unknown", as programs write them to a pipe.
_UNKNOWN_SIZE = 0x7FFF_0000

#: The number of frames by which libsndfile means that it does not know.
_UNKNOWN_FRAMES = 0x7FFF_FFFF_FFFF_FFFF


@contextmanager
def sound_file(path: Path) -> Iterator[soundfile.SoundFile]:
    """Open a file with libsndfile, or raise AudioError if it is none that it reads."""
    with _opened(path, os.fsencode(path)) as file:
        if str(file.subtype).startswith("MPEG") and not _states_its_length(path):
            with _piped(path) as piped:
                yield piped
        else:
            yield file


def _opened(path: Path, source: bytes | int) -> soundfile.SoundFile:
    """The file, or the stream of what it holds, as libsndfile opens it."""
    import soundfile

    if path.suffix.lower() == ".raw":
        raise AudioError(
            f"{path}: raw samples, whose rate no header tells; convert them first: "
            f"ffmpeg -f s16le -ar 44100 -ac 2 -i {path.name} {path.stem}.wav"
        )
    try:
        return soundfile.SoundFile(source, closefd=False)
    except soundfile.LibsndfileError as error:
        raise AudioError(
            f"{path}: not a recording that libsndfile reads ({reason(error)}); "
            f"convert it first: ffmpeg -i {path.name} {path.stem}_converted.wav"
        ) from error


@contextmanager
def _piped(path: Path) -> Iterator[soundfile.SoundFile]:
    """Open a file as a stream: libsndfile then reads all of it.

    An MP3 that states no length gets one guessed from its first frame, and
    libsndfile stops reading there, at half the song if the bit rate varies.
    """
    out, into = os.pipe()

    def feed() -> None:
        with (
            suppress(BrokenPipeError),
            path.open("rb") as source,
            os.fdopen(into, "wb") as sink,
        ):
            shutil.copyfileobj(source, sink)

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    try:
        with _opened(path, out) as file:
            yield file
    finally:
        os.close(out)
        feeder.join()


def _states_its_length(path: Path) -> bool:
    """Whether an MP3's first frame is a Xing, Info or VBRI header."""
    with path.open("rb") as file:
        head = file.read(10)
        tag = 0
        if head.startswith(b"ID3") and len(head) == 10:
            # The tag's size lies in the lower 7 bits of 4 bytes.
            sizes = zip(head[6:], (21, 14, 7, 0), strict=True)
            tag = 10 + sum((byte & 0x7F) << shift for byte, shift in sizes)
        file.seek(tag)
        first_frame = file.read(4096)
    return any(mark in first_frame for mark in (b"Xing", b"Info", b"VBRI"))


def check_file(path: Path) -> None:
    """Raise AudioError unless there is a file that may be read and holds anything."""
    try:
        if path.is_dir():
            raise AudioError(f"{path}: a folder, expected an audio file")
        if path.stat().st_size == 0:
            raise AudioError(f"{path}: empty, expected an audio file")
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise AudioError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AudioError(f"{path}: cannot be opened ({reason})") from error


def promised_samples(file: soundfile.SoundFile) -> float:
    """Samples a channel that the header states; infinite if it states none.

    Where chunks are longer than the file, libsndfile corrects the number and only
    logs it.
    """
    log = str(file.extra_info)
    cut = _CUT_CHUNK.search(log)
    if cut and int(cut[2]) < int(cut[1]) < _UNKNOWN_SIZE:
        return float(file.frames) * int(cut[1]) / max(1, int(cut[2]))
    ds64 = _CUT_DS64.search(log)
    if ds64 and int(ds64[1]) < int(ds64[2]):
        return float(ds64[2])
    return math.inf if file.frames == _UNKNOWN_FRAMES else float(file.frames)


def libsndfile_error() -> type[Exception]:
    """The exception that soundfile raises, imported when it is needed."""
    import soundfile

    return soundfile.LibsndfileError  # type: ignore[no-any-return]


def reason(error: Exception) -> str:
    """What libsndfile says, without its prefix and full stop."""
    text = str(getattr(error, "error_string", error))
    return text.removeprefix("Error : ").strip().rstrip(".").lower()
