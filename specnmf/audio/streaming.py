"""Recordings that stay on disk: surveyed once, then transformed in several passes."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np

from specnmf.audio.reading import PathLike, reading
from specnmf.audio.recording import Float32, Survey
from specnmf.audio.stft import FRAMES, Complex64, Grid, rms, spectra
from specnmf.errors import AudioError
from specnmf.parallel import Mapper, cut, workers

#: What the samples and magnitudes of a block of frames may take.
BLOCK_BYTES = 32 << 20


@dataclass(frozen=True)
class Recording:
    """A recording, or an excerpt of it, that was read once and not kept.

    Attributes
    ----------
    first : int
        The first sample of the excerpt.
    n_samples : int
        The samples per channel, as counted while reading.
    found : tuple of str
        Remarks on the recording.
    """

    path: Path
    first: int
    sr: int
    n_channels: int
    n_samples: int
    found: tuple[str, ...]

    @property
    def duration(self) -> float:
        """The length in seconds."""
        return self.n_samples / self.sr

    def findings(self) -> list[str]:
        """Remarks to read before trusting a decomposition."""
        return list(self.found)

    def blocks(self) -> Generator[Float32, None, None]:
        """Yield the samples in blocks (n_channels, n), float32."""
        with reading(self.path) as source:
            yield from source.blocks(self.first, self.n_samples, dtype="float32")


def survey(
    path: PathLike,
    *,
    start: float = 0.0,
    duration: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> Recording:
    """Read a recording to its end, and find what its header may not state.

    ``progress`` is called with the number of samples read; errors are as for
    `specnmf.read`.
    """
    with reading(path) as source:
        found = Survey(source.n_channels)
        for block in source.excerpt(start, duration):
            found.add(block)
            if progress is not None:
                progress(found.n_samples)
        return Recording(
            Path(path),
            source.span(start, duration)[0],
            source.sr,
            source.n_channels,
            found.n_samples,
            tuple(found.findings()),
        )


class RollingSpectra:
    """The transform of a recording on disk, of which only a stretch is in memory.

    Several threads may ask for frames in any order, as long as none is ``keep`` frames
    or more before the end of the latest.
    """

    def __init__(self, recording: Recording, grid: Grid, *, keep: int) -> None:
        self.path, self.grid, self.keep = recording.path, grid, keep
        self.blocks = recording.blocks()
        self.samples = np.zeros((recording.n_channels, 0), np.float32)
        self.origin = 0
        self.lock = Lock()

    def __call__(self, frames: slice) -> Complex64:
        """The transform of some frames, shape (n_channels, n_frames, n_bins)."""
        with self.lock:
            self._reach(frames.stop)
            samples, origin = self.samples, self.origin
        return spectra(samples, self.grid, frames, origin=origin)

    def close(self) -> None:
        """Close the file."""
        self.blocks.close()

    def _reach(self, stop: int) -> None:
        """Hold the samples of the last ``keep`` frames before ``stop``."""
        hop, reach = self.grid.hop_length, self.grid.n_fft // 2
        held = self.origin + self.samples.shape[1]
        last = min((stop - 1) * hop + reach, self.grid.n_samples)
        if held >= last:
            return
        origin = min(held, max(self.origin, (stop - self.keep) * hop - reach))
        pieces = [self.samples[:, origin - self.origin :]]
        while held < last:
            block = next(self.blocks, None)
            if block is None:
                raise AudioError(f"{self.path}: became shorter while it was read")
            pieces.append(block)
            held += block.shape[1]
        self.samples, self.origin = np.concatenate(pieces, axis=1), origin


class RollingMagnitudes:
    """The magnitudes of a recording on disk, for frames in their order."""

    def __init__(self, recording: Recording, grid: Grid) -> None:
        self.shape = grid.n_bins, grid.n_frames  # of an array of all
        self.spectra_of = RollingSpectra(recording, grid, keep=FRAMES)

    def __call__(self, frames: slice) -> Float32:
        """The magnitudes of some frames, shape (n_frames, n_bins)."""
        return _magnitudes(self.spectra_of, frames, lambda f, pieces: [*map(f, pieces)])

    def close(self) -> None:
        """Close the file."""
        self.spectra_of.close()


def magnitudes(
    recording: Recording, grid: Grid, *, threads: int | None = None
) -> Generator[Float32, None, None]:
    """Yield the frames of `specnmf.audio.stft.magnitude`, (n, n_bins), in blocks."""
    length = block_length(grid, recording.n_channels)
    spectra_of = RollingSpectra(recording, grid, keep=length)
    with closing(spectra_of), workers(threads) as mapper:
        for frames in grid.blocks(length):
            yield _magnitudes(spectra_of, frames, mapper)


def _magnitudes(spectra_of: RollingSpectra, frames: slice, mapper: Mapper) -> Float32:
    """The magnitudes of some frames, shape (n_frames, n_bins)."""
    VT = np.empty((frames.stop - frames.start, spectra_of.grid.n_bins), np.float32)

    def fill(piece: slice) -> None:
        within = slice(piece.start - frames.start, piece.stop - frames.start)
        VT[within] = rms(spectra_of(piece))

    mapper(fill, cut(frames, FRAMES))
    return VT


def block_length(grid: Grid, n_channels: int) -> int:
    """Frames a block, in whole pieces, so that it fits into BLOCK_BYTES."""
    per_frame = 4 * (grid.n_bins + n_channels * grid.hop_length)
    return FRAMES * max(1, BLOCK_BYTES // (FRAMES * per_frame))
