"""Models: the magnitudes of each source, of which masks are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import kernels
from specnmf.audio.stft import Float32


class Models(Protocol):
    """What masks are made of: the magnitudes of each source, for any frames."""

    @property
    def names(self) -> tuple[str, ...]:
        """The sources."""

    def magnitudes(self, frames: slice) -> list[Float32 | None]:
        """Each source's, (n_channels or 1, n_frames, n_bins); None if it is silent."""

    def total(self, frames: slice, models: list[Float32]) -> Float32:
        """The sum of the models of these frames."""


class Factors(Protocol):
    """What is needed of a factorisation: V ≈ W H, and a label a component."""

    @property
    def W(self) -> NDArray[np.floating]:
        """Templates, shape (n_bins, n_components)."""

    @property
    def H(self) -> NDArray[np.floating]:
        """Activations, shape (n_components, n_frames)."""

    @property
    def labels(self) -> tuple[str, ...]:
        """A label a component; components of one label make one source."""


class FactorModels:
    """The models of a factorisation: components of one label are one source.

    The sources come in the order of ``names``, then as labels first appear.
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
        """Each source's W H, shape (1, n_frames, n_bins)."""
        if any(len(own) != 1 for own in self.components.values()):
            return [self._product(own, frames) for own in self.components.values()]
        own = [component for (component,) in self.components.values()]
        W, H = self.factors.W[:, own], self.factors.H[own, frames]
        models = np.empty((len(own), 1, H.shape[1], len(W)), np.float32)
        kernels.outer_products(
            np.ascontiguousarray(H, np.float32),
            np.ascontiguousarray(W.T, np.float32),
            models,
        )
        return list(models)

    def total(self, frames: slice, models: list[Float32]) -> Float32:
        """The whole W H: one product costs less than the sum of all models."""
        return self._product(range(self.factors.W.shape[1]), frames)

    def _product(self, components: Sequence[int], frames: slice) -> Float32:
        W, H = self.factors.W, self.factors.H
        product = H[components, frames].T @ W[:, components].T
        return np.ascontiguousarray(product, np.float32)[np.newaxis]
