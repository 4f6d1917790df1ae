"""NMF of a matrix with missing entries, or with a weight for each entry."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from specnmf.arrays import numbers
from specnmf.errors import ParameterError
from specnmf.factor.divergence import EPS, floor, multiplier
from specnmf.factor.iterate import Factors
from specnmf.factor.matrices import Array, non_negative


def weighted_divergence(V: Array, P: Array, weights: Array, beta: float) -> float:
    """D_beta(V | P) with a weight for each entry, summed over all.

    P, and for beta <= 0 also V, must have no zeros, not even where the weight is zero.
    """
    if beta == 2:
        costs = (V - P) ** 2 / 2
    elif beta == 1:
        ratio = V / P
        logs = np.log(ratio, out=np.zeros_like(ratio), where=ratio > 0)
        costs = V * logs - V + P
    elif beta == 0:
        ratio = V / P
        costs = ratio - np.log(ratio) - 1
    else:
        slope = P ** (beta - 1)
        costs = V**beta + (beta - 1) * slope * P - beta * V * slope
        costs /= beta * (beta - 1)
    return float(np.sum(weights * costs))


class Part:
    """One of the matrices that share activations: V ≈ W H with weights M."""

    P: Array  # W H, (n_bins, n_frames), never below what the divergence bears

    def __init__(self, V: Array, weights: Array, W: Array, *, beta: float) -> None:
        self.W, self.beta = W, beta
        self.floor = V.dtype.type(floor(float(V.max()), beta))
        self.V = np.maximum(V, self.floor) if beta <= 0 else V
        self.weights, self.weighted_V = weights, weights * self.V

    def follow(self, H: Array) -> None:
        """Compute the model again for new activations."""
        P = self.W @ H
        self.P = np.maximum(P, self.floor, out=P)

    def cost(self) -> float:
        """The weighted divergence."""
        return weighted_divergence(self.V, self.P, self.weights, self.beta)

    def asks(self) -> tuple[Array, Array]:
        """Wᵀ (M V P^(beta-2)) and Wᵀ (M P^(beta-1)): what raises and what lowers H."""
        negative, positive = self._slopes()
        return self.W.T @ negative, self.W.T @ positive

    def learn(self, H: Array) -> None:
        """Update the templates and the model."""
        negative, positive = self._slopes()
        ratio = multiplier(negative @ H.T, positive @ H.T, self.beta)
        self.W = _scaled(self.W, ratio)
        self.follow(H)

    def _slopes(self) -> tuple[Array, Array]:
        """The negative and the positive part of the slope of the cost in P."""
        if self.beta == 1:
            return self.weighted_V / self.P, self.weights
        slope = self.P ** (self.beta - 1)
        return self.weighted_V * slope / self.P, self.weights * slope


class WeightedUpdates:
    """H <- H (Wᵀ(M V P^(beta-2)) / (Wᵀ(M P^(beta-1)) + eps))^gamma; then each W.

    A zero stays zero, and components without any weight become zero.

    With several parts of the same beta, numerators and denominators are sums over the
    parts. For one Kullback-Leibler and one Euclidean part, H minimises the sum of their
    majorisers, the root of a quadratic, so the cost cannot rise either.

    References
    ----------
    Févotte and Idier 2011, section 4; with weights, Blondel, Ho and van Dooren,
    "Weighted nonnegative matrix factorization and face feature extraction", 2008.
    """

    def __init__(self, parts: Sequence[Part], H: Array) -> None:
        self.parts, self.H = tuple(parts), H
        for part in self.parts:
            part.follow(H)
        self.cost = sum(part.cost() for part in self.parts)

    def step(self) -> float:
        """Update all factors; return the cost, which never rises."""
        last = self.H, [(part.W, part.P) for part in self.parts]
        self.update()
        cost = sum(part.cost() for part in self.parts)
        if cost > self.cost:  # by rounding, or the eps of a denominator
            self.H = last[0]
            for part, (W, P) in zip(self.parts, last[1], strict=True):
                part.W, part.P = W, P
            return self.cost
        self.cost = cost
        return cost

    def update(self) -> None:
        """Update H, then each W, without computing the cost."""
        self.H = _scaled(self.H, self._ratio())
        for part in self.parts:
            part.follow(self.H)
            part.learn(self.H)

    def factors(self) -> Factors:
        """W transposed, of all parts beside each other, and H."""
        return np.concatenate([part.W.T for part in self.parts], axis=1), self.H

    def _ratio(self) -> Array:
        """The factor for H."""
        asks: dict[float, tuple[Array, Array]] = {}
        for part in self.parts:
            more, less = part.asks()
            if part.beta in asks:
                more, less = more + asks[part.beta][0], less + asks[part.beta][1]
            asks[part.beta] = more, less
        if len(asks) == 1:
            ((beta, (more, less)),) = asks.items()
            return multiplier(more, less, beta)
        return _root(*asks[2.0], *asks[1.0])


def _root(more: Array, less: Array, more_kl: Array, less_kl: Array) -> Array:
    """The r >= 0 that minimises less r²/2 - more r + less_kl r - more_kl log r."""
    half = (more - less_kl) / 2
    root = np.sqrt(half**2 + less * more_kl)
    eps = more.dtype.type(EPS)
    # Of the two forms of the root, that without a difference of near equals.
    return np.where(
        half > 0, (half + root) / (less + eps), more_kl / (root - half + eps)
    )


def _scaled(factor: Array, ratio: Array) -> Array:
    """The product, with entries set to zero if products of two are subnormal.

    Subnormal numbers take a hundred times longer.
    """
    scaled = factor * ratio
    return np.where(scaled < np.sqrt(np.finfo(factor.dtype).tiny), 0, scaled)


def known(
    V: ArrayLike, weights: ArrayLike, names: tuple[str, str] = ("V", "weights")
) -> tuple[Array, Array]:
    """V with zeros where its weight is zero, and the weights in the same precision.

    Raises
    ------
    ParameterError
        If shapes do not fit, or either is out of range. ``names`` are the names of both
        in the message.
    """
    V, weights = numbers(names[0], V), numbers(names[1], weights)
    if V.ndim != 2 or 0 in V.shape or weights.shape != V.shape:
        raise ParameterError(
            f"{names[0]} and {names[1]} must be matrices of the same shape, "
            f"got {V.shape} and {weights.shape}"
        )
    dtype = V.dtype if V.dtype in (np.float32, np.float64) else np.dtype(np.float64)
    with np.errstate(over="ignore"):  # infinity is named below
        weights = non_negative(names[1], weights.astype(dtype))
        V = np.where(weights > 0, V, 0).astype(dtype)
    expected = "finite and non-negative where its weight is above 0"
    return non_negative(names[0], V, expected=expected), weights
