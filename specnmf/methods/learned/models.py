"""Templates of several frames as models of stems."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Float32
from specnmf.factor.convolutive.model import (
    ConvolutiveFactorization,
    stacked,
    stacked_templates,
)
from specnmf.factor.factorization import Factorization


class ConvolutiveModels:
    """The models of a convolutive factorisation: those with one label are one source.

    The sources are in the order of ``names``. Each bin of a frame is the sum over lags
    of the template's bin at the lag, times the activation so many frames before.
    """

    def __init__(
        self, pattern: ConvolutiveFactorization, *, names: Sequence[str]
    ) -> None:
        self.pattern, self.names = pattern, tuple(names)
        self.HT = np.ascontiguousarray(pattern.H.T, np.float32)
        labels = np.array(pattern.labels)
        self.owned = [np.flatnonzero(labels == name) for name in self.names]
        self.WT = [
            stacked_templates(pattern.W[:, own].astype(np.float32))
            for own in self.owned
        ]

    def magnitudes(self, frames: slice) -> list[Float32 | None]:
        """Those of each source, shape (1, n_frames, n_bins)."""
        before = min(frames.start, self.pattern.n_template_frames - 1)
        heard = self.HT[frames.start - before : frames.stop]
        return [
            self._heard(heard[:, own], WT)[np.newaxis, before:]
            for own, WT in zip(self.owned, self.WT, strict=True)
        ]

    def total(self, frames: slice, models: list[Float32]) -> Float32:
        """The sum of the models of these frames."""
        total = models[0].copy()
        for model in models[1:]:
            total += model
        return total

    def _heard(self, HT: Float32, WT: Float32) -> Float32:
        lags = stacked(HT, self.pattern.n_template_frames)
        return np.asarray(lags @ WT, np.float32)


def as_spectra(pattern: ConvolutiveFactorization) -> Factorization:
    """The nearest V ≈ W H: for each component one spectrum, and its level over time.

    Of all products w h, the sums over the frames and over the bins of what a component
    explains give the one with the least Kullback-Leibler divergence from it. Frames
    behind the last one count as well.

    Returns
    -------
    Factorization
        With templates of maximum 1, and the labels and losses of the pattern.
    """
    W, H = pattern.W.sum(axis=2), pattern.H
    fading = pattern.W.sum(axis=0) / np.maximum(W.sum(axis=0)[:, np.newaxis], _LEAST)
    level = np.zeros_like(H)
    for lag in range(min(pattern.n_template_frames, H.shape[1])):
        level[:, lag:] += fading[:, lag, np.newaxis] * H[:, : H.shape[1] - lag]
    return scaled(Factorization(W, level, pattern.labels, pattern.losses))


def scaled(factors: Factorization) -> Factorization:
    """The same product, with templates of maximum 1."""
    peaks: NDArray[np.floating] = factors.W.max(axis=0)
    peaks = np.where(peaks > 0, peaks, 1).astype(factors.W.dtype)
    W, H = factors.W / peaks, factors.H * peaks[:, np.newaxis]
    return Factorization(W, H, factors.labels, factors.losses)


#: What a silent template is divided by.
_LEAST = np.float32(1e-30)
