"""NMF of a matrix with entries that are missing, or weigh more or less than others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.errors import ParameterError
from specnmf.factor.divergence import EPS, floor, gamma
from specnmf.factor.factorization import Factorization
from specnmf.factor.iterate import Callback, Factors, iterate
from specnmf.parallel import workers
from specnmf.settings import Settings, parse_beta

Array = NDArray[np.floating]


def weighted_divergence(V: Array, P: Array, weights: Array, beta: float) -> float:
    """D_beta(V | P) with a weight for each entry, summed over all.

    Parameters
    ----------
    V, P : array, shape (n_bins, n_frames)
        The data and its model, non-negative; P, and for beta <= 0 V too, must have
        no zero where the weight is none.
    weights : array of the same shape
        How much each entry counts; 0: not at all.
    beta : float
        The divergence.
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


class WeightedUpdates:
    """H <- H (Wᵀ(M V P^(beta-2)) / (Wᵀ(M P^(beta-1)) + eps))^gamma; then W.

    Parameters
    ----------
    V, weights : array, shape (n_bins, n_frames)
        The data, and M.
    W, H : array, shape (n_bins, n_components) and (n_components, n_frames)
        The start.
    beta : float
        The divergence.
    learned : array of bool, shape (n_components,)
        Which templates to update.

    Attributes
    ----------
    cost : float
        Of the current factors.
    """

    inertia = 1.0  # none of it is for another solver

    def __init__(
        self,
        V: Array,
        weights: Array,
        W: Array,
        H: Array,
        *,
        beta: float,
        learned: NDArray[np.bool_],
    ) -> None:
        self.beta, self.gamma, self.learned = beta, gamma(beta), learned
        self.floor = V.dtype.type(floor(float(V.max()), beta))
        self.V = np.maximum(V, self.floor) if beta <= 0 else V
        self.weights, self.weighted_V = weights, weights * self.V
        # Below it, products of two entries are denormal, and a hundred times slower.
        self.least = np.sqrt(np.finfo(V.dtype).tiny)
        self.W, self.H = W, H
        self.P = self._model()
        self.cost = self._look()

    def step(self) -> float:
        """Update both factors; return the cost, which is never above the last."""
        last = self.W, self.H, self.P
        self.update()
        cost = self._look()
        if cost > self.cost:  # by rounding, or the eps of a denominator
            self.W, self.H, self.P = last
            return self.cost
        self.cost = cost
        return cost

    def update(self) -> None:
        """Update H, then W, and leave the cost as it was."""
        negative, positive = self._slopes()
        self.H = self._updated(self.H, self.W.T @ negative, self.W.T @ positive)
        self.P = self._model()
        if self.learned.any():
            negative, positive = self._slopes()
            W = self._updated(self.W, negative @ self.H.T, positive @ self.H.T)
            self.W = np.where(self.learned, W, self.W)
            self.P = self._model()

    def factors(self) -> Factors:
        """W transposed, and H."""
        return self.W.T, self.H

    def _model(self) -> Array:
        P = self.W @ self.H
        return np.maximum(P, self.floor, out=P)

    def _look(self) -> float:
        return weighted_divergence(self.V, self.P, self.weights, self.beta)

    def _slopes(self) -> tuple[Array, Array]:
        """The negative and the positive part of the slope of the cost in P."""
        if self.beta == 1:
            return self.weighted_V / self.P, self.weights
        slope = self.P ** (self.beta - 1)
        return self.weighted_V * slope / self.P, self.weights * slope

    def _updated(self, factor: Array, negative: Array, positive: Array) -> Array:
        ratio = negative / (positive + negative.dtype.type(EPS))
        updated = factor * (ratio if self.gamma == 1 else ratio**self.gamma)
        return np.where(updated < self.least, 0, updated)


def masked_nmf(
    V: ArrayLike,
    start: Factorization,
    *,
    weights: ArrayLike,
    beta: float | str = Settings.beta,
    max_iter: int = Settings.max_iter,
    tol: float = Settings.tol,
    fixed: ArrayLike | None = None,
    callback: Callback | None = None,
) -> Factorization:
    """V ≈ WH where the weights are, by multiplicative updates.

    The rows of two matrices stacked, each with weights of its own, make a joint
    factorisation with the activations shared.

    Parameters
    ----------
    V : array, shape (n_bins, n_frames)
        Non-negative and finite where it has a weight; elsewhere anything, NaN
        included. float32 is computed in float32, all else in float64.
    start : Factorization
        Where to start; a zero stays one.
    weights : array, shape (n_bins, n_frames)
        How much each entry counts, at least 0; false or 0: missing.
    beta : float or str
        As in `specnmf.nmf`.
    max_iter, tol : int, float
        The most iterations; the last is the one that lowers the cost by no more
        than ``tol`` of itself.
    fixed : array of bool, shape (n_components,), optional
        Components whose templates stay untouched.
    callback : callable, optional
        Called as ``callback(iteration, loss)``; iterations count from 1.

    Returns
    -------
    Factorization
        In the scale of the start; ``losses[i]`` is the weighted cost after
        iteration i and never rises. A bin or frame without any weight gets zeros.

    Raises
    ------
    ParameterError
        If V, the start, the weights or an option is out of range.

    References
    ----------
    Févotte and Idier, "Algorithms for nonnegative matrix factorization with the
    beta-divergence", Neural Computation 2011, section 4; with weights, Blondel, Ho
    and van Dooren, "Weighted nonnegative matrix factorization and face feature
    extraction", 2008.
    """
    options = Settings(beta=parse_beta(beta), max_iter=max_iter, tol=tol)
    V, weights = _known(V, weights)
    W, H = start.W.astype(V.dtype), start.H.astype(V.dtype)
    if V.shape != (W.shape[0], H.shape[1]):
        raise ParameterError(
            f"the start must fit V of shape {V.shape}, got W {W.shape} and H {H.shape}"
        )
    learned = ~_fixed(fixed, start.n_components)
    with workers(1):
        updates = WeightedUpdates(V, weights, W, H, beta=options.beta, learned=learned)
        losses = iterate(
            updates,
            max_iter=options.max_iter,
            tol=options.tol,
            stop="cost",
            callback=callback,
        )
    return replace(start, W=updates.W, H=updates.H, losses=np.array(losses))


def _known(V: ArrayLike, weights: ArrayLike) -> tuple[Array, Array]:
    """V with zeros where it has no weight, and the weights in the same precision."""
    V, weights = np.asarray(V), np.asarray(weights)
    if V.ndim != 2 or 0 in V.shape or weights.shape != V.shape:
        raise ParameterError(
            "V and weights must be matrices of one shape, "
            f"got {V.shape} and {weights.shape}"
        )
    dtype = V.dtype if V.dtype in (np.float32, np.float64) else np.dtype(np.float64)
    weights = weights.astype(dtype)
    if not (weights.min() >= 0 and weights.max() < np.inf):
        raise ParameterError(
            "weights must be finite and non-negative, "
            f"got {weights.min()} to {weights.max()}"
        )
    known = np.where(weights > 0, V, 0).astype(dtype)
    if not (known.min() >= 0 and known.max() < np.inf):
        raise ParameterError(
            "V must be finite and non-negative where it has a weight, "
            f"got values from {known.min()} to {known.max()}"
        )
    return known, weights


def _fixed(fixed: ArrayLike | None, n_components: int) -> NDArray[np.bool_]:
    mask = np.zeros(n_components, bool) if fixed is None else np.asarray(fixed)
    if mask.dtype != np.bool_ or mask.shape != (n_components,):
        raise ParameterError(
            f"fixed must be {n_components} booleans, "
            f"got {mask.dtype} of shape {mask.shape}"
        )
    return mask
