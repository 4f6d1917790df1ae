"""Harmonic-percussive-residual splitting: masks from two median filters.

Held tones are lines along time in a spectrogram, struck sounds lines along frequency. A
median over time keeps the first, one over frequency the second (Fitzgerald 2010). What
is not clearly one of them is residual (Driedger, Müller and Disch 2014).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from specnmf.audio import median_kernels
from specnmf.audio.options import PARTS
from specnmf.audio.stft import Float32, Grid
from specnmf.checks import check_at_least
from specnmf.parallel import cut, workers

#: The length of the filters, along time in seconds, along frequency in Hz. Drums ring
#: on: with 31 frames and bins, 0.36 s and 667 Hz at 44.1 kHz, they are half harmonic.
SECONDS, HZ = 1.0, 300.0

#: Frames of a block, and bins whose medians along time are found side by side: they
#: are next to each other in memory.
FRAMES, SIDE_BY_SIDE = 512, 16

#: Smaller medians are silence: their squares would vanish.
TINY = np.finfo(np.float32).tiny


class PartMasks(NamedTuple):
    """The share of each part in a spectrogram; the shares add up to 1.

    Attributes
    ----------
    harmonic, percussive : array, shape (n_frames, n_bins), float32
        From 0 to 1.
    residual : array of that shape, or None
        None if the other two add up to 1.
    """

    harmonic: Float32
    percussive: Float32
    residual: Float32 | None

    @property
    def by_name(self) -> dict[str, Float32]:
        """The masks of the parts that there are."""
        named = zip(PARTS, self, strict=True)
        return {name: mask for name, mask in named if mask is not None}


def part_masks(
    V: Float32, grid: Grid, *, margin: float = 1.0, threads: int | None = None
) -> PartMasks:
    """Masks of the harmonic and the percussive part, and of what is neither.

    Parameters
    ----------
    V : array, shape (n_bins, n_frames), float32
        The magnitudes of a recording, on the grid.
    grid : Grid
        The grid of the analysis.
    margin : float
        How many times one median must exceed the other for a bin to be of its part; at
        1 there is no residual.
    threads : int, optional
        Number of threads; by default one per core. The result does not depend on it.

    Returns
    -------
    PartMasks
        The squares of both medians, compared as those of a Wiener filter.

    Raises
    ------
    ParameterError
        If the margin is below 1.

    References
    ----------
    Fitzgerald, "Harmonic/percussive separation using median filtering", DAFx 2010;
    Driedger, Müller and Disch, "Extending harmonic-percussive separation of audio
    signals", ISMIR 2014; as in ``librosa.decompose.hpss``.
    """
    check_at_least("margin", margin, 1)
    harmonic, percussive = medians(V, kernel_size(grid), threads=threads)
    median_kernels.share(harmonic, percussive, np.float32(margin), TINY)
    if margin == 1:
        return PartMasks(harmonic, np.subtract(1, harmonic, out=percussive), None)
    residual = np.subtract(1, harmonic)
    residual -= percussive
    return PartMasks(harmonic, percussive, np.maximum(residual, 0, out=residual))


def medians(
    V: Float32, lengths: tuple[int, int], *, threads: int | None = None
) -> tuple[Float32, Float32]:
    """The running medians of V along time and along frequency.

    Parameters
    ----------
    V : array, shape (n_bins, n_frames), float32
        Finite. It is fastest if each frame is contiguous, as of `stft.magnitude`.
    lengths : tuple of int
        The odd lengths of both filters, in frames and in bins. Beyond its edges V is
        mirrored.
    threads : int, optional
        Number of threads; by default one per core. The result does not depend on it.

    Returns
    -------
    along, across : array, shape (n_frames, n_bins), float32
        As of ``scipy.ndimage.median_filter``, transposed.
    """
    frames_first = np.ascontiguousarray(V.T)
    found = np.empty((2, *frames_first.shape), np.float32)

    def fill(frames: slice) -> None:
        along, across = found[:, frames]
        windows = np.empty((SIDE_BY_SIDE, lengths[0]), np.float32)
        window = np.empty(lengths[1], np.float32)
        median_kernels.medians_along(frames_first, frames.start, windows, along)
        median_kernels.medians_across(frames_first, frames.start, window, across)

    with workers(threads) as mapper:
        mapper(fill, cut(slice(0, len(frames_first)), FRAMES))
    return found[0], found[1]


def kernel_size(grid: Grid) -> tuple[int, int]:
    """The lengths of both filters, in frames and in bins, which are odd."""
    frames = SECONDS * grid.sr / grid.hop_length
    bins = HZ * grid.n_fft / grid.sr
    return _odd(frames), _odd(bins)


def _odd(length: float) -> int:
    """The nearest odd number, at least 3."""
    return max(3, 2 * round((length - 1) / 2) + 1)
