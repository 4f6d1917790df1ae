"""The layer of noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.factor.parametric.kernels import SILENCE

Float32 = NDArray[np.float32]


class Noise:
    """What nobody plays by the score: broad bands whose strength is free over time.

    Parameters
    ----------
    bands : array, shape (n_bands, n_bins)
        Their spectra.
    strength : float
        Where all strengths start.
    n_channels, n_frames : int
        Of V.

    Attributes
    ----------
    strengths : array, shape (n_channels, n_frames, n_bands)
        How loud each band is when.
    """

    def __init__(
        self, bands: Float32, *, strength: float, n_channels: int, n_frames: int
    ) -> None:
        self.bands = bands
        shape = n_channels, n_frames, len(bands)
        self.strengths = np.full(shape, strength, np.float32)
        self.sums = np.maximum(bands.sum(axis=1), np.float32(SILENCE))

    def add(self, frames: slice, model: Float32) -> None:
        """Add the noise of the frames."""
        model += self.strengths[:, frames] @ self.bands

    def follow(self, frames: slice, ratio: Float32) -> None:
        """Update the strengths in the frames."""
        self.strengths[:, frames] *= (ratio @ self.bands.T) / self.sums

    def gather(self, frames: slice, ratio: Float32, iteration: int) -> Float32:
        """Nothing is shared."""
        return np.zeros(0, np.float32)

    def learn(self, numerators: Float32, iteration: int) -> None:
        """Nothing is shared."""
