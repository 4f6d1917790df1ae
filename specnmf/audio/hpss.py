"""Harmonic-percussive-residual splitting: masks from two median filters.

Held tones are lines along time in a spectrogram, struck sounds lines along frequency. A
median over time keeps the first, one over frequency the second (Fitzgerald 2010). What
is not clearly one of them is residual (Driedger, Müller and Disch 2014).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from specnmf.audio.options import PARTS
from specnmf.audio.stft import Float32, Grid
from specnmf.checks import check_at_least
from specnmf.jit import prepare
from specnmf.parallel import workers

#: The length of the filters, along time in seconds, along frequency in Hz. Drums ring
#: on: with 31 frames and bins, 0.36 s and 667 Hz at 44.1 kHz, they are half harmonic.
SECONDS, HZ = 1.0, 300.0

#: Frames of a block.
FRAMES = 512


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
    masks = np.empty((2, grid.n_frames, grid.n_bins), np.float32)
    prepare()  # librosa's own kernels
    from librosa.decompose import hpss

    kernel = kernel_size(grid)

    def fill(frames: slice) -> None:
        around = slice(max(0, frames.start - kernel[0] // 2), frames.stop + kernel[0])
        own = slice(frames.start - around.start, frames.stop - around.start)
        found = hpss(
            np.ascontiguousarray(V[:, around]),
            kernel_size=kernel,
            margin=margin,
            mask=True,
        )
        for mask, part in zip(masks, found, strict=True):
            mask[frames] = part[:, own].T

    with workers(threads) as mapper:
        mapper(fill, grid.blocks(FRAMES))
    harmonic, percussive = masks
    if margin == 1:
        return PartMasks(harmonic, np.subtract(1, harmonic, out=percussive), None)
    residual = np.subtract(1, harmonic)
    residual -= percussive
    return PartMasks(harmonic, percussive, np.maximum(residual, 0, out=residual))


def kernel_size(grid: Grid) -> tuple[int, int]:
    """The lengths of both filters, in frames and in bins, which are odd."""
    frames = SECONDS * grid.sr / grid.hop_length
    bins = HZ * grid.n_fft / grid.sr
    return _odd(frames), _odd(bins)


def _odd(length: float) -> int:
    """The nearest odd number, at least 3."""
    return max(3, 2 * round((length - 1) / 2) + 1)
