"""Multiplicative updates with a penalty on each component."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Float32
from specnmf.factor.divergence import TINY, beta_divergence
from specnmf.factor.iterate import Factors
from specnmf.parallel import Mapper, cut

#: Frames per piece of work.
PIECE = 256

#: Below it, products of two entries are denormal, which is a hundred times slower.
LEAST = np.sqrt(np.finfo(np.float32).tiny)

TINIEST = np.finfo(np.float32).tiny


class PricedUpdates:
    """Updates that lower D_KL(V | WH) + sum of prices[k] H[k]; columns of W of sum 1.

    With a price of 0.4, a component is used where the others need 1.4 times its sound
    for the same fit.

    Parameters
    ----------
    V : array, shape (n_bins, n_frames), float32
        The data.
    W : array, shape (n_bins, n_components), float32
        Templates of sum 1.
    H : array, shape (n_components, n_frames), float32
        Activations; a zero stays one.
    prices : array, shape (n_components,)
        At least 0.
    learned : array of bool, shape (n_components,)
        Which templates to update.

    References
    ----------
    Lee and Seung, "Algorithms for non-negative matrix factorization", NIPS 2000; with
    prices, Virtanen, "Monaural sound source separation by nonnegative matrix
    factorization with temporal continuity and sparseness criteria", IEEE TASLP 2007.
    """

    inertia = 1.0  # other solvers use it

    def __init__(
        self,
        V: Float32,
        W: Float32,
        H: Float32,
        *,
        prices: NDArray[np.floating],
        learned: NDArray[np.bool_],
        mapper: Mapper,
    ) -> None:
        self.V, self.W, self.H = V, W, H
        self.prices, self.learned = prices.astype(np.float32), learned
        self.mapper = mapper
        self.pieces = list(cut(slice(0, V.shape[1]), PIECE))
        self.floor = np.float32(max(TINY * float(V.max()), 1e-30))
        self.cost = self._look()

    def step(self) -> float:
        """Update both factors; return the cost, which never rises."""
        last = self.W, self.H
        self.H = np.concatenate(self.mapper(self._activations, self.pieces), axis=1)
        if self.learned.any():
            self._update_templates()
        cost = self._look()
        if cost > self.cost:  # by rounding
            self.W, self.H = last
            return self.cost
        self.cost = cost
        return cost

    def factors(self) -> Factors:
        """W transposed, and H."""
        return self.W.T, self.H

    def _activations(self, frames: slice) -> Float32:
        """H <- H Wᵀ(V / WH) / (1 + prices)."""
        explained = self.W.T @ self._ratio(frames)
        H = self.H[:, frames] * explained / (1 + self.prices[:, np.newaxis])
        return np.where(H < LEAST, np.float32(0), H)

    def _update_templates(self) -> None:
        """W <- W (V / WH) Hᵀ, scaled to columns of sum 1: an EM step."""
        learned = self.learned
        parts = self.mapper(
            lambda frames: self._ratio(frames) @ self.H[learned, frames].T, self.pieces
        )
        old = self.W[:, learned]
        new = old * np.sum(parts, axis=0)
        sums = new.sum(axis=0)
        self.W = self.W.copy()
        self.W[:, learned] = np.where(sums > 0, new / np.maximum(sums, TINIEST), old)

    def _ratio(self, frames: slice) -> Float32:
        return self.V[:, frames] / self._model(frames)

    def _model(self, frames: slice) -> Float32:
        P: Float32 = self.W @ self.H[:, frames]
        return np.maximum(P, self.floor, out=P)

    def _look(self) -> float:
        costs = self.mapper(
            lambda frames: beta_divergence(
                self.V[:, frames], self._model(frames), beta=1
            ),
            self.pieces,
        )
        paid = self.prices @ self.H.sum(axis=1, dtype=np.float64)
        return float(sum(costs) + paid)
