"""Recordings out of files, through soundfile."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.commands import converting
from specnmf.audio.hushing import hushed
from specnmf.audio.opening import (
    Opened,
    check_file,
    libsndfile_error,
    promised_samples,
    reason,
    sound_file,
)
from specnmf.audio.recording import (
    BLOCK,
    LOUDEST,
    MOST_CHANNELS,
    Audio,
    Float32,
    audio_of,
    span,
    too_loud,
)
from specnmf.audio.tags import Tags, read_tags
from specnmf.errors import AudioError

if TYPE_CHECKING:
    import soundfile

    from specnmf.audio.media import Media

PathLike = str | os.PathLike[str]

#: What functions take as a recording: its file, an `Audio`, or samples with their rate.
SongLike = PathLike | Audio | NDArray[np.floating]

#: The share of a recording that may be missing without a warning from `read`: headers
#: of playable files are off by a few blocks.
TOLERATED = 0.01

#: Samples of all channels together that a block holds: a header may claim a thousand
#: channels.
MOST_VALUES = 8 * BLOCK

#: Sample rates that recordings have, in Hz, up to those of DSD. Windows of seconds grow
#: with the rate, so that a few bytes of a header could ask for gigabytes.
LOWEST_RATE, HIGHEST_RATE = 100, 3_072_000


def read(path: PathLike, *, start: float = 0.0, duration: float | None = None) -> Audio:
    """The recording in a file, or an excerpt of it.

    Parameters
    ----------
    path : path
        Anything that libsndfile reads: WAV, FLAC, OGG, MP3, AIFF, ... With PyAV
        (``pip install 'specnmf[media]'``) also M4A, WMA, WavPack, MP4, MKV, ...
    start, duration : float
        The excerpt in seconds; without a duration, to the end.

    Returns
    -------
    Audio
        At the file's own rate and with all its channels.

    Raises
    ------
    AudioError
        If the file is missing, no audio, damaged, empty, or holds samples that are
        not finite.

    Warns
    -----
    UserWarning
        If the header states no length, or more than there is: what there is, is read.

    Examples
    --------
    >>> import specnmf
    >>> specnmf.read("audio_examples/chorale/chorale.flac", start=2.0, duration=1.5)
    Audio(2 channels, 44100 Hz, 1.5 s)
    """
    audio = load(path, start=start, duration=duration)
    whole = start == 0 and duration is None
    n_samples = audio.n_samples if whole else None
    for remark in remarks(path, n_samples, tolerated=TOLERATED):
        warnings.warn(f"{path}: {remark}", stacklevel=2)
    return audio


def sound_of(song: SongLike, sr: int | None = None) -> Audio:
    """A recording in memory, of whatever functions take as one.

    Raises
    ------
    AudioError
        As of `read` and `Audio`; and if an array comes without its rate, or a file or
        an Audio with one.
    """
    if not isinstance(song, str | os.PathLike):
        return audio_of(song, sr)
    check_no_rate(song, sr)
    return read(song)


def check_no_rate(path: PathLike, sr: int | None) -> None:
    """Raise AudioError if a rate is given for a file, which has its own."""
    if sr is not None:
        raise AudioError(f"{path}: sr is for arrays, a file has its own; leave it out")


def load(path: PathLike, *, start: float = 0.0, duration: float | None = None) -> Audio:
    """The same, for those who say themselves what is in doubt: see `remarks`."""
    with reading(path) as source:
        return _joined(source, source.excerpt(start, duration))


def read_up_to(
    most: int, path: PathLike, *, start: float = 0.0, duration: float | None = None
) -> Audio | None:
    """The recording as `load` gives it, or None if it is longer than ``most`` samples.

    No more are read, whatever the header says.
    """
    blocks, n_samples = [], 0
    with reading(path) as source:
        if source.expected(start, duration) > most:
            return None
        for block in source.excerpt(start, duration):
            blocks.append(block)
            n_samples += block.shape[1]
            if n_samples > most:
                return None
        return _joined(source, blocks)


def _joined(source: Source, blocks: Iterable[Float32]) -> Audio:
    return Audio(np.concatenate(list(blocks), axis=1), source.sr)


def remarks(
    path: PathLike, n_samples: int | None = None, *, tolerated: float = 0.0
) -> list[str]:
    """What leaves in doubt whether all of a recording is there.

    An Ogg file states no length at its beginning, so one cut short reads like a
    shorter one, without the mark that ends a stream; one saved from the air lacks it
    as well. Headers of recordings that were never finished state no length. And some
    files hold less than they promise: ``n_samples`` is how many could be read, if all
    were asked for; a share that is ``tolerated`` may be missing. None of this is an
    error: players play what there is.
    """
    path = Path(path)
    found = []
    with path.open("rb") as file:
        if file.read(4) == b"OggS" and not _ends_as_ogg(file):
            found.append("no end-of-stream mark: the file may be cut short")
    with sound_file(path) as opened:
        if opened.layout is not None:
            found += opened.layout.remarks
        promised = _surely(opened)
        if n_samples is not None and n_samples < promised < math.inf:
            lost = promised - n_samples
            if lost > tolerated * promised:
                seconds = lost / opened.file.samplerate
                found.append(f"{seconds:.2f} s shorter than its header says")
    return found


def _surely(opened: Opened) -> float:
    """The samples per channel that the header promises, at least."""
    layout = opened.layout
    if layout is not None and layout.least:
        return float(layout.least)
    return promised_samples(opened)


def _ends_as_ogg(file: BinaryIO) -> bool:
    file.seek(max(0, os.fstat(file.fileno()).st_size - (1 << 17)))
    tail = file.read()
    page = tail[tail.rfind(b"OggS") :]
    return len(page) > 5 and bool(page[5] & 4)


@dataclass(frozen=True)
class Source:
    """A file open for reading, whose length is only believed once read."""

    path: Path
    opened: Opened

    @property
    def file(self) -> soundfile.SoundFile | Media:
        """As libsndfile reads it, or FFmpeg."""
        return self.opened.file

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

    def tags(self) -> Tags:
        """What the file says of the recording."""
        return read_tags(self.path, self.file)

    def expected(self, start: float, duration: float | None) -> float:
        """Samples a channel that an excerpt may have; 0 if nobody knows."""
        promised = promised_samples(self.opened)
        layout = self.opened.layout
        if math.isinf(promised):
            promised = 0.0 if layout is None else layout.n_samples
        asked = math.inf if duration is None else duration * self.sr
        return max(0.0, min(asked, promised - start * self.sr))

    def span(self, start: float, duration: float | None) -> tuple[int, int | None]:
        """The first sample of an excerpt, and how many there are, if not all."""
        return span(self.sr, start, duration)

    def excerpt(self, start: float, duration: float | None) -> Iterator[Float32]:
        """Yield an excerpt, in seconds, in blocks (n_channels, n) of float32.

        Raises
        ------
        ParameterError
            If the excerpt begins before the recording, or lasts no time.
        AudioError
            As `blocks`; and at the end, if there was nothing, hardly anything in very
            many channels, or samples that are not finite.
        """
        first, count = self.span(start, duration)
        n_samples = 0
        for block in _finite(self, self.blocks(first, count, dtype="float32")):
            n_samples += block.shape[1]
            yield block
        if n_samples == 0:
            late = f"ends before the start of the excerpt at {start} s"
            why = late if start > 0 else "holds no samples"
            raise AudioError(f"{self.path}: {why}")
        if self.n_channels > max(n_samples, MOST_CHANNELS):
            raise AudioError(
                f"{self.path}: {self.n_channels} channels of {n_samples} samples, "
                "expected a recording; its header may be damaged"
            )

    def blocks(
        self, first: int = 0, count: int | None = None, *, dtype: str
    ) -> Iterator[NDArray[Any]]:
        """Yield the samples from ``first`` on in blocks (n_channels, n).

        Raises
        ------
        AudioError
            If the file is damaged.
        """
        position = 0
        end = self._end(None if count is None else first + count)
        most = min(BLOCK, MOST_VALUES // self.n_channels)
        while end is None or position < end:
            n = most if end is None else min(most, end - position)
            block = self._next(n, dtype)
            keep = block[:, max(0, first - position) :]
            position += block.shape[1]
            if keep.shape[1]:
                yield keep
            if block.shape[1] < n:
                return

    def _end(self, end: int | None) -> int | None:
        """Where to stop; behind a FLAC's end libsndfile takes a tag for damage."""
        if self.file.format != "FLAC" or math.isinf(promised_samples(self.opened)):
            return end
        frames = int(self.file.frames)
        return frames if end is None else min(end, frames)

    def _next(self, n: int, dtype: str) -> NDArray[Any]:
        buffer = np.empty((n, self.n_channels), dtype)
        try:
            with hushed() if self.subtype.startswith("MPEG") else nullcontext():
                got = self.file.buffer_read_into(buffer, dtype)
        except libsndfile_error() as error:
            raise AudioError(
                f"{self.path}: damaged or cut short{reason(error)}"
            ) from error
        return buffer[:got].T


@contextmanager
def reading(path: PathLike) -> Iterator[Source]:
    """Open a recording for reading.

    Raises
    ------
    AudioError
        If the file is missing, no audio that libsndfile or FFmpeg knows, or of a
        sample rate that no recording has.
    """
    path = Path(path)
    check_file(path)
    with sound_file(path) as opened:
        source = Source(path, opened)
        if not LOWEST_RATE <= source.sr <= HIGHEST_RATE:
            raise AudioError(
                f"{path}: a sample rate of {source.sr} Hz, expected {LOWEST_RATE} to "
                f"{HIGHEST_RATE}; set the right one: "
                f"{converting(path, '_44100', after='-af asetrate=44100')}"
            )
        yield source


def _finite(source: Source, blocks: Iterable[Float32]) -> Iterator[Float32]:
    """Yield the blocks; after the last, say which samples were not finite, if any."""
    position, count, earliest, peak = 0, 0, 0, 0.0
    for block in blocks:
        low, high = float(block.min()), float(block.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            bad = np.flatnonzero(~np.isfinite(block).all(axis=0))
            earliest = earliest if count else position + int(bad[0])
            count += len(bad)
        else:
            peak = max(peak, -low, high)
        position += block.shape[1]
        yield block
    if count:
        raise AudioError(
            f"{source.path}: holds NaN or infinite samples ({count}, the first at "
            f"{earliest / source.sr:.3f} s); repair the recording first"
        )
    if peak > LOUDEST:
        raise AudioError(f"{source.path}: {too_loud(peak)}")
