"""From the spectra of sources back to sound, block by block."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import kernels
from specnmf.audio.inverse import Inverse, Source
from specnmf.audio.recording import Audio
from specnmf.audio.separated import Separated
from specnmf.audio.stft import Float32, Grid
from specnmf.errors import AudioError
from specnmf.parallel import Mapper
from specnmf.subnormals import flush_to_zero

#: Blocks of all sources, (n_sources, n_channels, n), with their first sample.
Stream = Generator[tuple[int, Float32], None, None]

Samples = TypeVar("Samples", NDArray[np.float32], NDArray[np.float64])


class Piece(NamedTuple):
    """The spectra of all sources in some frames.

    Attributes
    ----------
    frames : slice
        The frames.
    source : callable
        ``source(index)`` has the spectra of one source, or is None if it is silent.
    """

    frames: slice
    source: Callable[[int], Source | None]


class Resynthesis:
    """Overlap-add of consecutive blocks for all sources at once."""

    def __init__(self, grid: Grid, n_sources: int, n_channels: int) -> None:
        self.grid, self.inverse = grid, Inverse(grid)
        overlap = max(0, grid.n_fft - grid.hop_length)
        self.tails = np.zeros((n_sources, n_channels, overlap), np.float32)

    def block(
        self, frames: slice, pieces: Sequence[Piece], mapper: Mapper
    ) -> tuple[int, Float32]:
        """The samples that no later frame changes, with the number of the first."""
        start = frames.start * self.grid.hop_length - self.grid.n_fft // 2
        first, last = self._finished(frames)
        gain = self._gain(start + first, last - first)
        out = np.empty((*self.tails.shape[:2], last - first), np.float32)

        def resynthesise(source: int) -> None:
            summed = self._overlap_add(frames, pieces, source)
            np.multiply(summed[:, first:last], gain, out=out[source])

        mapper(resynthesise, range(len(self.tails)))
        return start + first, out

    def _finished(self, frames: slice) -> tuple[int, int]:
        """The part of a block's span that is inside the song and complete."""
        grid = self.grid
        origin = frames.start * grid.hop_length - grid.n_fft // 2
        first = max(0, -origin)
        if frames.stop == grid.n_frames:
            return first, grid.n_samples - origin
        return first, max(first, (frames.stop - frames.start) * grid.hop_length)

    def _overlap_add(
        self, frames: slice, pieces: Sequence[Piece], source: int
    ) -> Float32:
        """Add a block's frames to the tail of the last; keep the new tail."""
        hop, tail = self.grid.hop_length, self.tails[source]
        advance = (frames.stop - frames.start) * hop
        summed = np.zeros((len(tail), advance + self.grid.n_fft), np.float32)
        summed[:, : tail.shape[1]] = tail
        for piece in pieces:
            found = piece.source(source)
            if found is not None:
                begin = (piece.frames.start - frames.start) * hop
                self.inverse.add(found, begin, summed)
        tail[:] = summed[:, advance : advance + tail.shape[1]]
        return summed

    def _gain(self, start: int, n: int) -> Float32:
        """One over the sum of squared windows at n samples; zero where that is."""
        sums = np.zeros(n, np.float32)
        origin = start + self.grid.n_fft // 2
        kernels.add_windows(
            self.grid.window**2, self.grid.hop_length, self.grid.n_frames, origin, sums
        )
        sums[sums < 1e-9] = np.inf
        return np.reciprocal(sums, out=sums)


class Buffer(Generic[Samples]):
    """Blocks of samples, (..., n), handed out in pieces of any length."""

    def __init__(self, blocks: Iterator[Samples]) -> None:
        self.blocks: Iterator[Samples] = blocks
        self.rest: Samples | None = None

    def take(self, n: int) -> Samples:
        """The next n samples, shape (..., n).

        Raises
        ------
        AudioError
            If there are fewer.
        """
        pieces = [] if self.rest is None else [self.rest]
        while not pieces or sum(piece.shape[-1] for piece in pieces) < n:
            block = next(self.blocks, None)
            if block is None:
                raise AudioError("the recording became shorter while it was read")
            pieces.append(block)
        joined = np.concatenate(pieces, axis=-1)
        self.rest = joined[..., n:]
        return joined[..., :n]


def crossfade(
    one: Stream, other: Stream, weights: Callable[[int, int], Float32]
) -> Stream:
    """Yield a mixture of two streams of the same sources.

    Both streams add up to the same recording, and so does the mixture. ``weights(first,
    n)`` is the weight of the other stream, 0 to 1, in n samples from the first.
    """
    with closing(one), closing(other):
        buffer = Buffer(block.copy() for _, block in other)
        for first, block in one:
            n = block.shape[2]
            yield first, block + weights(first, n) * (buffer.take(n) - block)


@flush_to_zero()
def gather(
    stream: Stream, names: Sequence[str], n_channels: int, grid: Grid
) -> Separated:
    """The sources of a stream in memory, by name."""
    out = np.empty((len(names), n_channels, grid.n_samples), np.float32)
    with closing(stream):
        for first, block in stream:
            out[:, :, first : first + block.shape[2]] = block
    sounds = (Audio(y, grid.sr) for y in out)
    return Separated(zip(names, sounds, strict=True))
