"""The layer of drums."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.factor.parametric import kernels
from specnmf.factor.parametric.fitting import Float32, Layer


class Strikes(Layer):
    """Drums: a spectrum for each frame after the strike, the same at every strike.

    A strike sounds in more than one block, so nothing belongs to some frames alone.

    ``frames`` and ``drums`` tell when each strike may begin, and which drum it is;
    ``spectra``, (n_drums, n_lags, n_channels, n_bins), and ``strengths``, one a strike,
    are where those start (Smaragdis 2004). What of a drum lies beyond the ``n_frames``
    of V is not heard.
    """

    def __init__(
        self,
        frames: NDArray[np.int64],
        drums: NDArray[np.int64],
        spectra: Float32,
        strengths: Float32,
        *,
        n_frames: int,
    ) -> None:
        self.strikes = frames, drums
        lags = np.arange(spectra.shape[1])
        self.heard = (frames[:, np.newaxis] + lags < n_frames).astype(np.float32)
        self.spectra, self.strengths = spectra, strengths

    def add(self, frames: slice, model: Float32) -> None:
        """Add what the drums contribute to the frames."""
        self.add_by_owner(frames, np.zeros_like(self.strikes[1]), model[None])

    def add_by_owner(
        self, frames: slice, owner: NDArray[np.int64], models: Float32
    ) -> None:
        """Add each strike to its owner's model (n_owners, n_channels, ...)."""
        span = frames.start, frames.stop
        state = self.strengths, self.spectra
        kernels.add_strikes(span, self.strikes, *state, owner, models)

    def loudness(self) -> Float32:
        """How loud each is so many frames after a strike, (n_drums, n_lags)."""
        return np.asarray(self.spectra.mean(axis=2).sum(axis=2), np.float32)

    def gather(self, frames: slice, ratio: Float32, iteration: int) -> Float32:
        """Numerators of the strengths, or every other iteration of the spectra."""
        span = frames.start, frames.stop
        out: Float32
        if iteration % 2:
            out = np.zeros(self.spectra.shape, np.float32)
            kernels.gather_spectra(span, self.strikes, self.strengths, ratio, out)
        else:
            out = np.zeros(len(self.strengths), np.float32)
            kernels.gather_strikes(span, self.strikes, self.spectra, ratio, out)
        return out

    def learn(self, numerators: Float32, iteration: int) -> None:
        """Update the strengths, or every other iteration the spectra."""
        drum = self.strikes[1]
        if iteration % 2:
            struck = np.zeros(self.spectra.shape[:2], np.float32)
            np.add.at(struck, drum, self.strengths[:, np.newaxis] * self.heard)
            heard = np.maximum(struck, np.float32(kernels.SILENCE))
            self.spectra *= numerators / heard[:, :, np.newaxis, np.newaxis]
        else:
            sums = (self.spectra.sum(axis=(2, 3))[drum] * self.heard).sum(axis=1)
            self.strengths *= numerators / np.maximum(sums, np.float32(kernels.SILENCE))
