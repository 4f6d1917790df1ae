"""The layer of noise."""

from __future__ import annotations

import numpy as np

from specnmf.factor.parametric.fitting import Float32, Layer
from specnmf.factor.parametric.kernels import SILENCE


class Noise(Layer):
    """What nobody plays by the score: broad bands whose strength is free over time.

    ``bands`` are their spectra (n_bands, n_bins); ``strengths``, how loud each is when,
    (n_channels, n_frames, n_bands), all start at one ``strength``.
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

    def loudness(self) -> Float32:
        """The norm of its spectrum in each frame, the channels' mean, (n_frames,)."""
        power = (self.strengths @ (self.bands @ self.bands.T) * self.strengths).sum(2)
        loudness: Float32 = np.sqrt(np.maximum(power, 0)).mean(axis=0)
        return loudness

    def follow(self, frames: slice, ratio: Float32) -> None:
        """Update the strengths in the frames."""
        self.strengths[:, frames] *= (ratio @ self.bands.T) / self.sums
