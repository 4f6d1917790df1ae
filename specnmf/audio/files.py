"""Recordings in and out of files, through soundfile."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from specnmf.errors import AudioError
from specnmf.settings import SUBTYPES, check_above, check_at_least, check_subtype

if TYPE_CHECKING:
    import soundfile

Float32 = NDArray[np.float32]
PathLike = str | os.PathLike[str]

#: Samples a channel read or written at a time.
BLOCK = 1 << 18

#: Integer subtypes and their bits: sources written in them add up exactly.
INTEGER_BITS = {
    "PCM_S8": 8,
    "PCM_U8": 8,
    "PCM_16": 16,
    "PCM_24": 24,
    "PCM_32": 32,
    "ALAC_16": 16,
    "ALAC_20": 20,
    "ALAC_24": 24,
    "ALAC_32": 32,
}

#: Sample rates that MPEG layer III knows.
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)

#: The size in bytes from which a WAV file needs the 64-bit header of RF64.
RF64_BYTES = 4_000_000_000

#: Chunks whose declared size exceeds what the file holds: `data : 9 (should be 4)`.
_CUT_CHUNK = re.compile(
    r"^ *(?:data|SSND|riff) : (\d+) \(should be (\d+)\)", re.MULTILINE
)

_CUT_DS64 = re.compile(r"count (\d+) does not match value from 'ds64' chunk of (\d+)")

#: Declared sizes from here on mean "unknown", as programs write them to a pipe.
_UNKNOWN_SIZE = 0x7FFF_0000


@dataclass(frozen=True, eq=False)
class Audio:
    """A recording in memory.

    Parameters
    ----------
    samples : array, shape (n_channels, n_samples) or (n_samples,)
        Kept as float32; full scale is 1.
    sr : int
        Sample rate in Hz.

    Raises
    ------
    AudioError
        If there are no samples, or the rate is not positive.
    """

    samples: Float32
    sr: int

    def __post_init__(self) -> None:
        samples = np.atleast_2d(np.asarray(self.samples, np.float32))
        if samples.ndim != 2 or 0 in samples.shape:
            raise AudioError(
                f"samples must be (n_channels, n_samples), got shape {samples.shape}"
            )
        if self.sr <= 0:
            raise AudioError(f"the sample rate must be positive, got {self.sr} Hz")
        object.__setattr__(self, "samples", samples)
        object.__setattr__(self, "sr", int(self.sr))

    @property
    def n_channels(self) -> int:
        """The number of channels."""
        return int(self.samples.shape[0])

    @property
    def n_samples(self) -> int:
        """The number of samples a channel."""
        return int(self.samples.shape[1])

    @property
    def duration(self) -> float:
        """The length in seconds."""
        return self.n_samples / self.sr


def read(path: PathLike, *, start: float = 0.0, duration: float | None = None) -> Audio:
    """The recording in a file, or an excerpt of it.

    Parameters
    ----------
    path : path
        Anything that libsndfile reads: WAV, FLAC, OGG, MP3, AIFF, ...
    start, duration : float
        The excerpt in seconds; without a duration, to the end.

    Returns
    -------
    Audio
        At the file's own rate and with all its channels.

    Raises
    ------
    AudioError
        If the file is missing, no audio, cut short, empty, or holds samples that
        are not finite.
    """
    check_at_least("start", start, 0)
    if duration is not None:
        check_above("duration", duration, 0)
    with reading(path) as source:
        sr = source.sr
        first = round(start * sr)
        count = None if duration is None else max(1, round(duration * sr))
        blocks = list(source.blocks(first, count, dtype="float32"))
    if not blocks:
        raise _nothing_to_read(path, start)
    samples = np.concatenate(blocks, axis=1)
    _check_finite(path, samples, sr)
    return Audio(samples, sr)


def findings(audio: Audio) -> list[str]:
    """What a listener should know before believing a decomposition of this audio."""
    peak = max(float(-audio.samples.min()), float(audio.samples.max()))
    if peak == 0:
        return ["silent: all samples are zero, so all sources will be silent"]
    if all(channel.min() == channel.max() for channel in audio.samples):
        return ["constant: a DC offset and no sound"]
    clipped = sum(_clipped(channel) for channel in audio.samples)
    if clipped:
        return [f"clipped: {clipped} samples in runs at full scale"]
    return []


def unfinished(path: PathLike) -> list[str]:
    """Say so if an Ogg file lacks the mark that ends a stream.

    Ogg states no length, so a file cut short reads like a shorter one; a stream
    saved from the air lacks the mark as well, so this is no error.
    """
    with Path(path).open("rb") as file:
        if file.read(4) != b"OggS":
            return []
        file.seek(max(0, os.fstat(file.fileno()).st_size - (1 << 17)))
        tail = file.read()
    page = tail[tail.rfind(b"OggS") :]
    ended = len(page) > 5 and page[5] & 4
    return [] if ended else ["no end-of-stream mark: the file may be cut short"]


def _clipped(channel: Float32) -> int:
    """Samples in runs of at least three at full scale."""
    # 16 bits end at 1 - 2**-15 on the positive side.
    full = (channel >= 1 - 2.0**-15) | (channel <= -1)
    return int(np.count_nonzero(full[:-2] & full[1:-1] & full[2:]))


@dataclass(frozen=True)
class Source:
    """A file open for reading, whose length is only believed once read."""

    path: Path
    file: soundfile.SoundFile

    @property
    def sr(self) -> int:
        """The sample rate in Hz."""
        return int(self.file.samplerate)

    @property
    def n_channels(self) -> int:
        """The number of channels."""
        return int(self.file.channels)

    @property
    def subtype(self) -> str:
        """How a sample is stored, as libsndfile names it."""
        return str(self.file.subtype)

    def blocks(
        self, first: int = 0, count: int | None = None, *, dtype: str
    ) -> Iterator[NDArray[Any]]:
        """Yield the samples from ``first`` on in blocks (n_channels, n).

        Raises
        ------
        AudioError
            If the file ends before its header says so.
        """
        position = 0
        end = None if count is None else first + count
        while end is None or position < end:
            n = BLOCK if end is None else min(BLOCK, end - position)
            block = self._next(n, dtype)
            keep = block[:, max(0, first - position) :]
            position += block.shape[1]
            if keep.shape[1]:
                yield keep
            if block.shape[1] < n:
                self._check_whole(position)
                return

    def _next(self, n: int, dtype: str) -> NDArray[Any]:
        buffer = np.empty((n, self.n_channels), dtype)
        try:
            got = self.file.buffer_read_into(buffer, dtype)
        except _libsndfile_error() as error:
            raise AudioError(
                f"{self.path}: damaged or cut short ({_reason(error)})"
            ) from error
        return buffer[:got].T

    def _check_whole(self, n_samples: int) -> None:
        promised = self.file.frames
        if promised < _SF_COUNT_MAX and n_samples < promised:
            raise _cut_short(self.path, promised / self.sr, n_samples / self.sr)


_SF_COUNT_MAX = 0x7FFF_FFFF_FFFF_FFFF


@contextmanager
def reading(path: PathLike) -> Iterator[Source]:
    """Open a recording for reading.

    Raises
    ------
    AudioError
        If the file is missing, no audio that libsndfile knows, or cut short.
    """
    path = Path(path)
    _check_file(path)
    with _sound_file(path) as file:
        _check_chunks(path, file)
        yield Source(path, file)


@contextmanager
def _sound_file(path: Path) -> Iterator[soundfile.SoundFile]:
    import soundfile

    try:
        file = soundfile.SoundFile(os.fsencode(path))
    except soundfile.LibsndfileError as error:
        raise AudioError(
            f"{path}: not a recording that libsndfile reads ({_reason(error)}); "
            f"convert it first: ffmpeg -i {path.name} {path.stem}_converted.wav"
        ) from error
    with file:
        if str(file.subtype).startswith("MPEG") and not _states_its_length(path):
            with _piped(path) as piped:
                yield piped
        else:
            yield file


@contextmanager
def _piped(path: Path) -> Iterator[soundfile.SoundFile]:
    """Open a file as a stream: libsndfile then reads all of it.

    An MP3 that states no length gets one guessed from its first frame, and
    libsndfile stops reading there, at half the song if the bit rate varies.
    """
    import soundfile

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
        with soundfile.SoundFile(out, closefd=False) as file:
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


def _check_file(path: Path) -> None:
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


def _check_chunks(path: Path, file: soundfile.SoundFile) -> None:
    """Refuse a file shorter than its header says: libsndfile only logs it."""
    log = str(file.extra_info)
    cut = _CUT_CHUNK.search(log)
    if cut and int(cut[2]) < int(cut[1]) < _UNKNOWN_SIZE:
        held = file.frames / file.samplerate
        raise _cut_short(path, held * int(cut[1]) / max(1, int(cut[2])), held)
    ds64 = _CUT_DS64.search(log)
    if ds64 and int(ds64[1]) < int(ds64[2]):
        rate = file.samplerate
        raise _cut_short(path, int(ds64[2]) / rate, int(ds64[1]) / rate)


def _cut_short(path: Path, promised: float, held: float) -> AudioError:
    return AudioError(
        f"{path}: cut short: its header says {promised:.2f} s, it holds {held:.2f} s; "
        "copy it again, or save what is left with an audio editor"
    )


def _nothing_to_read(path: PathLike, start: float) -> AudioError:
    if start > 0:
        return AudioError(f"{path}: ends before the start of the excerpt at {start} s")
    return AudioError(f"{path}: holds no samples")


def _check_finite(path: PathLike, samples: Float32, sr: int) -> None:
    for channel in samples:
        if np.isfinite(channel.min()) and np.isfinite(channel.max()):
            continue
        bad = np.flatnonzero(~np.isfinite(channel))
        raise AudioError(
            f"{path}: holds NaN or infinite samples ({len(bad)}, the first at "
            f"{bad[0] / sr:.3f} s); repair the recording first"
        )


def _libsndfile_error() -> type[Exception]:
    import soundfile

    return soundfile.LibsndfileError  # type: ignore[no-any-return]


def _reason(error: Exception) -> str:
    """What libsndfile says, without its prefix and full stop."""
    text = str(getattr(error, "error_string", error))
    return text.removeprefix("Error : ").strip().rstrip(".").lower()


def output_subtype(format: str, requested: str | None, source: str) -> str:
    """The subtype of sources: the one asked for, else the nearest to the input's.

    Parameters
    ----------
    format : {"wav", "flac", "ogg", "mp3"}
        Of the sources.
    requested : str or None
        As libsndfile names it, in any case.
    source : str
        The input's subtype; lossy ones become 24 bit.

    Raises
    ------
    ParameterError
        If the format cannot hold the subtype asked for.
    """
    check_subtype(format, requested)
    if requested is not None:
        return requested.upper()
    known = SUBTYPES[format]
    if source in ("PCM_S8", "PCM_U8"):
        return {"wav": "PCM_U8", "flac": "PCM_S8"}.get(format, known[0])
    if source.startswith("ALAC_"):
        source = {"ALAC_16": "PCM_16", "ALAC_32": "PCM_32"}.get(source, "PCM_24")
    return source if source in known else known[0]


def check_writable(format: str, sr: int, n_channels: int) -> None:
    """Raise AudioError if a format cannot hold this rate or number of channels."""
    if format == "mp3" and (sr not in MP3_RATES or n_channels > 2):
        raise AudioError(
            f"mp3 holds at most 2 channels at up to 48000 Hz, got {n_channels} at "
            f"{sr} Hz; use --format wav or flac"
        )
    if format == "flac" and n_channels > 8:
        raise AudioError(
            f"flac holds at most 8 channels, got {n_channels}; use --format wav"
        )


class Writer:
    """One file of sources, written block by block.

    Parameters
    ----------
    path : path
        The file to make.
    sr, n_channels : int
        Rate in Hz and channels.
    format, subtype : str
        From SUBTYPES.
    n_samples : int
        How many samples a channel are to come: a large WAV needs another header.

    Raises
    ------
    AudioError
        If the file cannot be written, then or at any later call.
    """

    def __init__(
        self,
        path: Path,
        *,
        sr: int,
        n_channels: int,
        format: str,
        subtype: str,
        n_samples: int,
    ) -> None:
        import soundfile

        self.path, self.n_samples = path, n_samples
        self.bits = INTEGER_BITS.get(subtype)
        width = (self.bits or 64) // 8
        large = format == "wav" and n_samples * n_channels * width > RF64_BYTES
        container = "RF64" if large else format.upper()
        with self._one_line():
            self.file = soundfile.SoundFile(
                os.fsencode(path), "w", sr, n_channels, subtype, format=container
            )

    def write(self, block: NDArray[Any]) -> None:
        """Append a block (n, n_channels): integers at the file's scale, or floats."""
        if self.bits is not None:
            block = block << (32 - self.bits)
        with self._one_line():
            self.file.write(block)

    def close(self) -> None:
        """Finish the file, and check that all of it is there."""
        import soundfile

        with self._one_line():
            self.file.close()
            if soundfile.info(os.fsencode(self.path)).frames < self.n_samples:
                raise OSError("only a part was written")

    def abandon(self) -> None:
        """Close an unfinished file without a word."""
        with suppress(Exception):
            self.file.close()

    @contextmanager
    def _one_line(self) -> Iterator[None]:
        try:
            yield
        except (_libsndfile_error(), OSError, AssertionError) as error:
            free = shutil.disk_usage(self.path.parent).free
            full = "the disk is full" if free < 1 << 20 else _reason(error)
            raise AudioError(f"{self.path.name} cannot be written: {full}") from error


def write(path: PathLike, audio: Audio, *, subtype: str | None = None) -> None:
    """Write a recording; the file's suffix decides the format.

    Parameters
    ----------
    path : path
        Ends in .wav, .flac, .ogg or .mp3.
    audio : Audio
        What to write. Samples beyond full scale are clipped by integer subtypes,
        so those are refused.
    subtype : str, optional
        By default PCM_24 for WAV and FLAC.

    Raises
    ------
    AudioError
        If the format or subtype is unknown, a sample beyond full scale would be
        clipped, or the file cannot be written.
    """
    path = Path(path)
    format = path.suffix.lower().removeprefix(".")
    if format not in SUBTYPES:
        raise AudioError(f"{path}: sources are {', '.join(SUBTYPES)}, got {format!r}")
    chosen = output_subtype(format, subtype, SUBTYPES[format][0])
    check_writable(format, audio.sr, audio.n_channels)
    writer = Writer(
        path,
        sr=audio.sr,
        n_channels=audio.n_channels,
        format=format,
        subtype=chosen,
        n_samples=audio.n_samples,
    )
    samples: NDArray[Any] = audio.samples.T
    if writer.bits is not None:
        samples = _integers(path, audio.samples.T, writer.bits)
    writer.write(samples)
    writer.close()


def _integers(path: Path, samples: Float32, bits: int) -> NDArray[np.int32]:
    scaled = np.rint(samples.astype(np.float64) * 2.0 ** (bits - 1))
    limit = 2.0 ** (bits - 1)
    if scaled.min() < -limit or scaled.max() > limit:
        raise AudioError(
            f"{path}: samples reach {np.abs(samples).max():.3f}, beyond full scale; "
            "lower the gain or write subtype FLOAT"
        )
    return np.minimum(scaled, limit - 1).astype(np.int32)
