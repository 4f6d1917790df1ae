"""Ideal masks, made from the true sources: the upper bound of masking the mixture."""

from __future__ import annotations

import numpy as np

from specnmf.audio import kernels
from specnmf.audio.recording import Audio, Float32
from specnmf.audio.stft import Grid, spectra

#: Added to the references' power, so that silence has no share.
EPSILON = np.float32(1e-30)


def ideal_ratio_masks(
    mixture: Audio, references: list[Float32], *, n_fft: int | None = None
) -> list[Float32]:
    """The mixture through the share of each reference in the power, channel by channel.

    The references have the shape of the mixture. The window has n_fft samples, by
    default as in `specnmf.stft`, and a hop of a quarter. Raises ParameterError if it is
    odd or too short.
    """
    from scipy import fft

    grid = Grid.of(mixture, n_fft)
    n, hop, before = grid.n_samples, grid.hop_length, grid.n_fft // 2
    out = np.zeros(
        (len(references), mixture.n_channels, n + 2 * grid.n_fft), np.float32
    )
    for frames in grid.blocks():
        powers = [abs(spectra(y, grid, frames)) ** 2 for y in references]
        share = spectra(mixture.samples, grid, frames) / (sum(powers) + EPSILON)
        for power, y in zip(powers, out, strict=True):
            pieces = fft.irfft(power * share, grid.n_fft)
            kernels.overlap_add(pieces, grid.window, hop, y[:, frames.start * hop :])
    out = out[:, :, before : before + n]
    gains = np.zeros(n, np.float32)
    kernels.add_windows(grid.window**2, hop, grid.n_frames, before, gains)
    return list(out / gains)
