"""Opening recordings with soundfile, and the lengths that their headers state."""

from __future__ import annotations

import math
import os
import shutil
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from specnmf.audio import chunks, flac, media, mpeg
from specnmf.audio.commands import converting
from specnmf.audio.hushing import hushed
from specnmf.audio.pieces import Layout, Piece, Pieces
from specnmf.errors import AudioError

if TYPE_CHECKING:
    import soundfile

    from specnmf.audio.media import Media

#: The number of frames with which libsndfile means unknown.
_UNKNOWN_FRAMES = 0x7FFF_FFFF_FFFF_FFFF

#: Names of what is not a file, by the letter of `ls -l`.
_NO_FILES = {"d": "a folder", "p": "a pipe", "s": "a socket", "c": "a device"}

#: In what libsndfile says of itself, not of the file.
_INNER = ("internal", "pipe", "psf_", "sf_")


class Opened(NamedTuple):
    """A file that libsndfile reads, or FFmpeg, and how to read it."""

    file: soundfile.SoundFile | Media
    layout: Layout | None = None


@contextmanager
def sound_file(path: Path) -> Iterator[Opened]:
    """Open a file with libsndfile, else with FFmpeg.

    Raises
    ------
    AudioError
        If neither can read it, or only FFmpeg might and PyAV is not installed.
    """
    with ExitStack() as stack:
        with hushed():
            try:
                opened = _opened(path, stack)
            except AudioError as error:
                if not media.may_read(path, error.__cause__):
                    raise
                opened = None
        yield opened or _decoded(path, stack)


def _decoded(path: Path, stack: ExitStack) -> Opened:
    """The file as FFmpeg reads it."""
    file = stack.enter_context(media.opened(path))
    layout = Layout(
        (),
        streamed=True,
        remarks=file.remarks,
        n_samples=file.frames,
        least=file.least,
    )
    return Opened(file, layout)


def _opened(path: Path, stack: ExitStack) -> Opened:
    """The file as libsndfile reads it correctly."""
    if path.suffix.lower() == ".raw":
        raise AudioError(
            f"{path}: raw samples without a header, so the sample rate is unknown; "
            "convert it first: "
            f"{converting(path, '', before='-f s16le -ar 44100 -ac 2')}"
        )
    layout = chunks.layout(path) or flac.layout(path)
    if layout is not None and layout.pieces:
        return Opened(_of_pieces(path, layout, stack), layout)
    try:
        file = stack.enter_context(_open(path, os.fsencode(path)))
    except AudioError:
        layout = mpeg.layout(path)
        if layout is None or not layout.pieces:
            layout = mpeg.without_tags(path)
        if layout is None:
            raise
        return Opened(_of_pieces(path, layout, stack), layout)
    if file.format == "MP3":
        layout = mpeg.layout(path)
    elif _is_guessed(file):
        layout = Layout((slice(0, path.stat().st_size),), streamed=True)
    if layout is None or not layout.pieces:
        return Opened(file, layout)
    return Opened(_of_pieces(path, layout, stack), layout)


def _is_guessed(file: soundfile.SoundFile) -> bool:
    """Whether libsndfile only guesses its length, as for an MP3 in a WAV."""
    return str(file.subtype).startswith("MPEG")


def _of_pieces(path: Path, layout: Layout, stack: ExitStack) -> soundfile.SoundFile:
    if layout.streamed:
        return stack.enter_context(_piped(path, layout.pieces))
    pieces = stack.enter_context(Pieces(path, layout.pieces))
    return stack.enter_context(_open(path, pieces))


def _open(path: Path, source: bytes | int | Pieces) -> soundfile.SoundFile:
    """The file, or its replacement, as libsndfile opens it."""
    import soundfile

    try:
        return soundfile.SoundFile(source, closefd=False)
    except soundfile.LibsndfileError as error:
        if mpeg.is_tag_alone(path):
            raise AudioError(f"{path}: holds a tag but no sound") from error
        raise AudioError(
            f"{path}: not an audio file that libsndfile reads{reason(error)}; "
            f"convert it first: {converting(path, '_converted')}"
        ) from error


@contextmanager
def _piped(path: Path, pieces: Sequence[Piece]) -> Iterator[soundfile.SoundFile]:
    """Open pieces of a file as a stream: libsndfile then reads all of them.

    An MP3 that states no length gets one guessed from its first frame, and
    libsndfile stops reading there, at half the song if the bit rate varies.
    """
    out, into = os.pipe()

    def feed() -> None:
        with (
            suppress(BrokenPipeError),
            Pieces(path, pieces) as source,
            os.fdopen(into, "wb") as sink,
        ):
            shutil.copyfileobj(source, sink)

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    try:
        with _open(path, out) as file:
            yield file
    finally:
        os.close(out)
        feeder.join()


def check_file(path: Path) -> None:
    """Raise AudioError unless the file exists, can be read and is not empty."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            kind = _NO_FILES.get(stat.filemode(found.st_mode)[0], "no file")
            raise AudioError(f"{path}: {kind}, expected an audio file")
        if found.st_size == 0:
            raise AudioError(f"{path}: empty, expected an audio file")
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise AudioError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AudioError(f"{path}: cannot be opened ({reason})") from error


def promised_samples(opened: Opened) -> float:
    """The samples per channel that the header states; infinite if it states none."""
    frames, layout = opened.file.frames, opened.layout
    if frames == _UNKNOWN_FRAMES or (layout is not None and layout.streamed):
        return math.inf
    if layout is None or not layout.missing:
        return float(frames)
    return float(round(frames / (1 - layout.missing)))


def libsndfile_error() -> type[Exception]:
    """The exception that soundfile raises, imported when it is needed."""
    import soundfile

    return soundfile.LibsndfileError  # type: ignore[no-any-return]


def reason(error: Exception) -> str:
    """The reason that libsndfile gives, in parentheses, if it gives one."""
    text = str(getattr(error, "error_string", error))
    text = text.removeprefix("Error : ").strip().rstrip(".").lower()
    return "" if any(word in text for word in _INNER) else f" ({text})"
