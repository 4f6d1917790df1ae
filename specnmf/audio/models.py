"""Models: the magnitudes of each source, from which masks are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Float32


class Models(Protocol):
    """The magnitudes of each source, for any frames."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the sources."""

    def magnitudes(self, frames: slice) -> list[Float32 | None]:
        """Those of each source, (n_channels or 1, n_frames, n_bins); None if silent."""

    def total(self, frames: slice, models: list[Float32]) -> Float32:
        """The sum of the models of these frames."""


class Factors(Protocol):
    """The attributes of a factorisation that are needed: V ≈ W H, and labels."""

    @property
    def W(self) -> NDArray[np.floating]:
        """Templates, shape (n_bins, n_components)."""

    @property
    def H(self) -> NDArray[np.floating]:
        """Activations, shape (n_components, n_frames)."""

    @property
    def labels(self) -> tuple[str, ...]:
        """One label per component; components with the same label form one source."""


class FactorModels:
    """The models of a factorisation: components with the same label are one source.

    The sources are in the order of ``names``, then in that of the labels.
    """

    def __init__(self, factors: Factors, *, names: Sequence[str] = ()) -> None:
        self.factors = factors
        self.components: dict[str, list[int]] = {name: [] for name in names}
        for k, label in enumerate(factors.labels):
            self.components.setdefault(label, []).append(k)

    @property
    def names(self) -> tuple[str, ...]:
        """The labels, in order."""
        return tuple(self.components)

    def magnitudes(self, frames: slice) -> list[Float32 | None]:
        """W H of each source, shape (1, n_frames, n_bins)."""
        return [self._product(own, frames) for own in self.components.values()]

    def single(self) -> tuple[Float32, Float32] | None:
        """W.T and H of the sources, if each is one component."""
        if any(len(own) != 1 for own in self.components.values()):
            return None
        order = [component for (component,) in self.components.values()]
        W, H = self.factors.W[:, order], self.factors.H[order]
        return np.ascontiguousarray(W.T, np.float32), np.asarray(H, np.float32)

    def total(self, frames: slice, models: list[Float32]) -> Float32:
        """W H of all components: one product costs less than the sum of all models."""
        return self._product(range(self.factors.W.shape[1]), frames)

    def _product(self, components: Sequence[int], frames: slice) -> Float32:
        W, H = self.factors.W, self.factors.H
        product = H[components, frames].T @ W[:, components].T
        return np.ascontiguousarray(product, np.float32)[np.newaxis]
