"""The layer of noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.factor.parametric import kernels
from specnmf.factor.parametric.fitting import Float32, Layer


class Noise(Layer):
    """What nobody plays by the score: broad bands whose strength is free over time.

    ``bands`` are their spectra (n_bands, n_bins); ``strengths``, how loud each is when,
    (n_channels, n_frames, n_bands), all start at one ``strength``.
    """

    def __init__(
        self, bands: Float32, *, strength: float, n_channels: int, n_frames: int
    ) -> None:
        self.bands, self.edges = bands, _edges(bands)
        shape = n_channels, n_frames, len(bands)
        self.strengths = np.full(shape, strength, np.float32)
        self.sums = np.maximum(bands.sum(axis=1), np.float32(kernels.SILENCE))

    def add(self, frames: slice, model: Float32) -> None:
        """Add the noise of the frames."""
        kernels.add_noise(self.strengths[:, frames], self.bands, self.edges, model)

    def add_share(self, frames: slice, share: Float32, model: Float32) -> None:
        """Add a share of the noise, (n_channels or 1, n_frames, n_bands or 1).

        The model may have the first bins alone.
        """
        strengths = (share * self.strengths[:, frames]).astype(np.float32)
        kernels.add_noise(strengths, self.bands, self.edges, model)

    def loudness(self) -> Float32:
        """The norm of its spectrum in each frame, the channels' mean, (n_frames,)."""
        power = (self.strengths @ (self.bands @ self.bands.T) * self.strengths).sum(2)
        loudness: Float32 = np.sqrt(np.maximum(power, 0)).mean(axis=0)
        return loudness

    def follow(self, frames: slice, ratio: Float32) -> None:
        """Update the strengths in the frames."""
        strengths = self.strengths[:, frames]
        kernels.follow_noise(strengths, self.bands, self.edges, self.sums, ratio)


def _edges(bands: Float32) -> NDArray[np.int64]:
    """The bins of each band, from and to, shape (n_bands, 2)."""
    heard = bands > 0
    first, stop = heard.argmax(axis=1), heard.shape[1] - heard[:, ::-1].argmax(axis=1)
    return np.stack([first, np.where(heard.any(axis=1), stop, first)], axis=1)
