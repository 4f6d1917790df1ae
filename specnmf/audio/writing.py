"""Recordings into files, through soundfile or PyAV."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import media_writing
from specnmf.audio.opening import libsndfile_error, reason
from specnmf.audio.options import LOSSY, SUBTYPES, check_subtype
from specnmf.audio.reading import PathLike
from specnmf.audio.recording import Audio, Float32, Sound, audio_of
from specnmf.audio.tags import Tags
from specnmf.errors import AudioError

#: Integer subtypes and their bits: sources written in them add up exactly.
INTEGER_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}

#: Sample rates that MPEG layer III knows.
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)

#: A disk with fewer free bytes is full.
LEAST_FREE = 1 << 20

#: The size in bytes from which a WAV file needs the 64-bit header of RF64.
RF64_BYTES = 4_000_000_000


def output_subtype(format: str, requested: str | None, source: str) -> str:
    """The subtype of sources: the one asked for, else the nearest to the input's.

    Subtypes are as libsndfile names them, the one asked for in any case. Lossy inputs
    become 24 bit.

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
    """Raise AudioError if a format cannot hold this rate or number of channels.

    Also if it needs PyAV, which is not installed.
    """
    if format in media_writing.FORMATS:
        media_writing.check_writable(format, sr, n_channels)
    if format == "mp3" and (sr not in MP3_RATES or n_channels > 2):
        raise AudioError(
            f"mp3 holds at most 2 channels at up to 48000 Hz, got {n_channels} at "
            f"{sr} Hz; use --format wav or flac"
        )
    if format == "flac" and n_channels > 8:
        raise AudioError(
            f"flac holds at most 8 channels, got {n_channels}; use --format wav"
        )


def bytes_of(audio: Sound, format: str, subtype: str) -> int:
    """About what a file as long as a recording takes; of WAV, all but its header.

    Of FLAC it is half of WAV's, of MP3, Ogg and Opus 64 kbit/s a channel, of M4A 96:
    the loudest of sources take so much, most take less.
    """
    if format in LOSSY:
        rate = media_writing.BIT_RATES.get(format, 64_000)
        return round(audio.duration * audio.n_channels * rate / 8)
    n_bytes = audio.n_samples * audio.n_channels * _width(subtype)
    return n_bytes // 2 if format == "flac" else n_bytes


def _width(subtype: str) -> int:
    """The bytes of a sample; at most, if they are compressed."""
    bits = 32 if subtype == "FLOAT" else INTEGER_BITS.get(subtype, 64)
    return bits // 8


def _forget_when(path: Path) -> None:
    """Set the date in a WAV of floats to zero: the same sources are the same bytes.

    libsndfile writes it into the PEAK chunk, before the samples, behind a version.
    """
    with path.open("r+b") as file:
        if file.read(4) not in (b"RIFF", b"RF64"):
            return
        file.seek(12)
        name, size = b"", 0
        while name not in (b"PEAK", b"data"):
            file.seek(size + (size & 1), os.SEEK_CUR)
            head = file.read(8)
            if len(head) < 8:
                return
            name, size = head[:4], int.from_bytes(head[4:], "little")
        if name == b"PEAK":
            file.seek(4, os.SEEK_CUR)
            file.write(bytes(4))


class Writer:
    """One file of sources, as long as a recording, written block by block.

    ``tags`` are written into it as far as its format has them.

    Raises
    ------
    AudioError
        If the file cannot be written, then or at any later call.
    """

    def __init__(
        self,
        path: Path,
        audio: Sound,
        *,
        format: str,
        subtype: str,
        tags: Tags | None = None,
    ) -> None:
        import soundfile

        self.path, self.n_samples = path, audio.n_samples
        self.tags = tags if format == "wav" else None
        self.bits = INTEGER_BITS.get(subtype)
        n_bytes = audio.n_samples * audio.n_channels * _width(subtype)
        large = format == "wav" and n_bytes > RF64_BYTES  # needs another header
        container = "RF64" if large else format.upper()
        with self._one_line():
            if format in media_writing.FORMATS:
                self.file: Any = media_writing.Encoder(
                    path,
                    audio.sr,
                    audio.n_channels,
                    n_samples=audio.n_samples,
                    format=format,
                )
                return
            self.file = soundfile.SoundFile(
                os.fsencode(path),
                "w",
                audio.sr,
                audio.n_channels,
                subtype,
                format=container,
            )
            if tags is not None:
                tags.put(self.file, format)

    def write(self, block: NDArray[Any]) -> None:
        """Append a block (n, n_channels): integers at the file's scale, or floats.

        Only files of 16 bit take int16, and take it in a fraction of the time.
        """
        if self.bits is not None and block.dtype != np.int16:
            block = block << (32 - self.bits)
        with self._one_line():
            self.file.write(block)

    def close(self) -> None:
        """Finish the file, and check that all of it is there."""
        import soundfile

        with self._one_line():
            self.file.close()
            if isinstance(self.file, media_writing.Encoder):
                return
            _forget_when(self.path)
            if self.tags is not None:
                self.tags.append(self.path)
            if soundfile.info(os.fsencode(self.path)).frames < self.n_samples:
                raise OSError("only a part was written")

    def abandon(self) -> None:
        """Close an unfinished file without a word."""
        with suppress(Exception):
            if isinstance(self.file, media_writing.Encoder):
                self.file.abandon()
            else:
                self.file.close()

    @contextmanager
    def _one_line(self) -> Iterator[None]:
        try:
            yield
        except _errors() as error:
            why = _why_not(self.path) or reason(error).strip(" ()") or "unknown reason"
            raise AudioError(f"{self.path.name} cannot be written: {why}") from error


def _why_not(path: Path) -> str:
    """What of the system keeps a file from being written; empty if unknown."""
    folder = path.parent
    if not folder.exists():
        return f"there is no folder {folder}; make it first"
    if not folder.is_dir():
        return f"{folder} is no folder"
    if path.is_dir():
        return "it is a folder"
    if shutil.disk_usage(folder).free < LEAST_FREE:
        return "the disk is full"
    return (
        "" if os.access(path if path.exists() else folder, os.W_OK) else "no permission"
    )


def _errors() -> tuple[type[Exception], ...]:
    """The exceptions of what writes files; those of PyAV where it is in use."""
    found = libsndfile_error(), OSError, AssertionError
    av = sys.modules.get("av")
    return found if av is None else (*found, av.FFmpegError)


def write(
    path: PathLike,
    audio: Audio | NDArray[np.floating],
    *,
    sr: int | None = None,
    subtype: str | None = None,
) -> None:
    """Write a recording; the file's suffix decides the format.

    Parameters
    ----------
    path : path
        Ends in .wav, .flac, .ogg or .mp3; with PyAV also .m4a (AAC) or .opus.
    audio : Audio or array of floats
        What to write; an array is (n_samples,) or (n_channels, n_samples). Samples
        beyond full scale are clipped by integer subtypes, so those are refused.
    sr : int, optional
        The sample rate of an array in Hz.
    subtype : str, optional
        By default PCM_24 for WAV and FLAC.

    Raises
    ------
    AudioError
        If an array comes without its rate, the format is unknown, a sample beyond full
        scale would be clipped, or the file cannot be written.
    ParameterError
        If the format has no such subtype.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> y = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    >>> specnmf.write("tone.wav", y, sr=8000)
    >>> specnmf.read("tone.wav")
    Audio(1 channel, 8000 Hz, 1.0 s)
    """
    audio = audio_of(audio, sr)
    path = Path(path)
    if "\0" in str(path):  # libsndfile would write a file of the name before it
        raise AudioError(f"{str(path)!r} cannot be written: no name of a file")
    format = path.suffix.lower().removeprefix(".")
    if format not in SUBTYPES:
        raise AudioError(f"{path}: sources are {', '.join(SUBTYPES)}, got {format!r}")
    chosen = output_subtype(format, subtype, SUBTYPES[format][0])
    check_writable(format, audio.sr, audio.n_channels)
    writer = Writer(path, audio, format=format, subtype=chosen)
    samples, bits = audio.samples.T, writer.bits
    writer.write(samples if bits is None else _integers(path, samples, bits))
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
