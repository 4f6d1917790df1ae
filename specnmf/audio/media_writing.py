"""Sources as M4A (AAC) and Opus, which PyAV writes with FFmpeg's libraries.

The delay of the encoder and the padding at the end are stated in the file: as an edit
list and as iTunes does in M4A, by the pre-skip and the last position in Ogg. The bytes
depend on nothing but the samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import media
from specnmf.errors import AudioError

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream

#: The formats.
FORMATS = ("m4a", "opus")

#: Sample rates of AAC in Hz.
AAC_RATES = (
    *(8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200),
    96000,
)

#: The rates that Opus has; sound at another one is resampled to the last.
OPUS_RATES = (8000, 12000, 16000, 24000, 48000)

#: Bits per second a channel, at most a number of bits a sample of AAC.
BIT_RATES, MOST_BITS = {"m4a": 96_000, "opus": 64_000}, 4

#: FFmpeg's muxer, encoder and format of samples.
_MAKERS = {"m4a": ("ipod", "aac", "fltp"), "opus": ("ogg", "libopus", "flt")}

#: AAC by its fast coder: sources add up more nearly than by the one that searches.
_OPTIONS = {"m4a": {"aac_coder": "fast"}, "opus": {}}

#: Samples a channel that are handed on at a time.
_BLOCK = 1 << 16

#: Samples by which FFmpeg's AAC is late, also those of a packet.
_AAC_FRAME = 1024


def check_writable(format: str, sr: int, n_channels: int) -> None:
    """Raise AudioError if a format cannot hold such a recording, or PyAV is missing."""
    if not media.is_installed():
        raise AudioError(f"{format} is written with PyAV; install it: {media.INSTALL}")
    if n_channels > 2:
        raise AudioError(
            f"{format} is written with at most 2 channels, got {n_channels}; use "
            "--format wav or flac"
        )
    if format == "m4a" and sr not in AAC_RATES:
        raise AudioError(
            f"m4a holds {AAC_RATES[0]} to {AAC_RATES[-1]} Hz of certain rates, got "
            f"{sr}; use --format wav or flac"
        )


def rate_of(format: str, sr: int) -> int:
    """The sample rate of a file of sound at a rate."""
    return OPUS_RATES[-1] if format == "opus" and sr not in OPUS_RATES else sr


class Encoder:
    """A file that is encoded, written as soundfile's ``SoundFile`` is.

    Parameters
    ----------
    path : path
        The file.
    sr, n_channels, n_samples : int
        Of the sound.
    format : {"m4a", "opus"}
        Its format.
    """

    def __init__(
        self, path: Path, sr: int, n_channels: int, *, n_samples: int, format: str
    ) -> None:
        import av

        muxer, encoder, self.layout_of = _MAKERS[format]
        self.sr, self.n_channels, self.position = rate_of(format, sr), n_channels, 0
        self.resampler = Resampler(sr, self.sr, n_channels)
        self.stack = ExitStack()
        file = self.stack.enter_context(path.open("wb+"))
        options = {"fflags": "+bitexact"}
        if format == "m4a":
            # The edit list counts in these units, so that it is exact.
            options |= {"movflags": "+use_metadata_tags", "movie_timescale": str(sr)}
        self.container = av.open(file, "w", format=muxer, container_options=options)
        self.stack.callback(self.container.close)
        if format == "m4a":
            self.container.metadata["iTunSMPB"] = _itunes(n_samples)
        stream = self.container.add_stream(
            encoder, rate=self.sr, options=_OPTIONS[format]
        )
        self.stream = cast("AudioStream", stream)
        context = self.stream.codec_context
        context.layout = _layout(n_channels)
        context.flags |= av.codec.context.Flags.bitexact
        rate = BIT_RATES[format]
        most = MOST_BITS * self.sr if format == "m4a" else rate
        context.bit_rate = min(rate, most) * n_channels

    def write(self, block: NDArray[Any]) -> None:
        """Encode a block, (n, n_channels), of floats."""
        for first in range(0, len(block), _BLOCK):
            self._encode(self.resampler(block[first : first + _BLOCK]))

    def close(self) -> None:
        """Encode what is left, and finish the file."""
        self._encode(self.resampler.rest())
        self.container.mux(self.stream.encode(None))
        self.stack.close()

    def abandon(self) -> None:
        """Close an unfinished file."""
        with suppress(Exception):
            self.stack.close()

    def _encode(self, samples: NDArray[np.float32]) -> None:
        if not len(samples):
            return
        frame = _frame(samples, self.sr, self.position, self.layout_of)
        self.position += len(samples)
        self.container.mux(self.stream.encode(frame))


class Resampler:
    """Blocks of sound at another rate; the first sample stays the first."""

    def __init__(self, sr: int, rate: int, n_channels: int) -> None:
        import av

        self.sr, self.position, self.n_channels = sr, 0, n_channels
        layout = _layout(n_channels)
        self.resampler = (
            None
            if sr == rate
            else av.AudioResampler(format="flt", layout=layout, rate=rate)
        )

    def __call__(self, block: NDArray[Any]) -> NDArray[np.float32]:
        """The samples that are ready after a block, both (n, n_channels)."""
        samples = np.ascontiguousarray(block, np.float32)
        if self.resampler is None or not len(samples):
            return samples
        frame = _frame(samples, self.sr, self.position, "flt")
        self.position += len(samples)
        return self._joined(self.resampler.resample(frame))

    def rest(self) -> NDArray[np.float32]:
        """The samples that are left after the last block."""
        frames = [] if self.resampler is None else self.resampler.resample(None)
        return self._joined(frames)

    def _joined(self, frames: list[AudioFrame]) -> NDArray[np.float32]:
        parts = [frame.to_ndarray().reshape(-1, self.n_channels) for frame in frames]
        return np.concatenate([np.empty((0, self.n_channels), np.float32), *parts])


def resampled(
    blocks: Iterator[NDArray[Any]], sr: int, rate: int
) -> Iterator[NDArray[Any]]:
    """Yield blocks, (n_channels, n), at another rate, as an `Encoder` writes them."""
    resampler = None
    for block in blocks:
        resampler = resampler or Resampler(sr, rate, len(block))
        yield resampler(block.T).T
    if resampler is not None:
        yield resampler.rest().T


def _layout(n_channels: int) -> str:
    return "mono" if n_channels == 1 else "stereo"


def _frame(
    samples: NDArray[np.float32], sr: int, position: int, format: str
) -> AudioFrame:
    """A frame of samples, (n, n_channels), that begins at a position."""
    import av

    values = samples.T if format.endswith("p") else samples.reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(values), format=format, layout=_layout(samples.shape[1])
    )
    frame.sample_rate, frame.pts, frame.time_base = sr, position, Fraction(1, sr)
    return frame


def _itunes(n_samples: int) -> str:
    """Priming, padding and samples, as iTunes states them."""
    padding = -(n_samples + _AAC_FRAME) % _AAC_FRAME
    rest = " 00000000" * 8
    return f" 00000000 {_AAC_FRAME:08X} {padding:08X} {n_samples:016X}{rest}"
