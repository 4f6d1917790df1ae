"""The layer of free components."""

from __future__ import annotations

import numpy as np

from specnmf.factor.parametric import kernels
from specnmf.factor.parametric.fitting import Float32, Layer


class Components(Layer):
    """Free templates and activations, as of NMF, beside the other layers.

    ``W``, (n_components, n_bins), is the same in all channels, ``H`` is (n_channels,
    n_frames, n_components). The cost includes ``price`` times what they contribute:
    they explain only what the other layers cannot explain nearly as well.
    """

    def __init__(self, W: Float32, H: Float32, *, price: float = 0.0) -> None:
        self.W, self.H = W, H
        self.paid = np.float32(1 + price)

    def add(self, frames: slice, model: Float32) -> None:
        """Add what the components contribute to the frames."""
        model += self.H[:, frames] @ self.W

    def follow(self, frames: slice, ratio: Float32) -> None:
        """Update the activations in the frames."""
        sums = np.maximum(self.paid * self.W.sum(axis=1), np.float32(kernels.SILENCE))
        self.H[:, frames] *= (ratio @ self.W.T) / sums

    def gather(self, frames: slice, ratio: Float32, iteration: int) -> Float32:
        """Numerators of the templates, (n_components, n_bins)."""
        found = np.zeros(self.W.shape, np.float32)
        for H, own in zip(self.H[:, frames], ratio, strict=True):
            found += H.T @ own
        return found

    def learn(self, numerators: Float32, iteration: int) -> None:
        """Update the templates."""
        heard = self.paid * self.H.sum(axis=(0, 1))[:, np.newaxis]
        self.W *= numerators / np.maximum(heard, np.float32(kernels.SILENCE))
