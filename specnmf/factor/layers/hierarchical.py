"""Hierarchical NMF: each layer factorises the activations of the one below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from specnmf.factor.divergence import floor, split
from specnmf.factor.factorization import Factorization
from specnmf.factor.iterate import Callback, Counted
from specnmf.factor.layers.labels import Labels
from specnmf.factor.layers.model import Layers, parse_ranks
from specnmf.factor.layers.options import LayerFit
from specnmf.factor.layers.semisupervised import semisupervised_nmf
from specnmf.factor.masked import weighted_divergence
from specnmf.factor.matrices import Array, non_negative
from specnmf.factor.nmf import nmf
from specnmf.factor.options import Solver, parse_beta
from specnmf.parallel import cut, workers
from specnmf.subnormals import flush_to_zero

#: Columns of X of which the cost is computed at once.
COLUMNS = 1024

#: What zeros become, relative to the mean, before multiplicative updates go on.
FILL = 1e-3


def hierarchical_nmf(
    X: ArrayLike,
    ranks: int | Sequence[int],
    *,
    labels: ArrayLike | None = None,
    label_mask: ArrayLike | None = None,
    label_weight: float = LayerFit.label_weight,
    beta: float | str = LayerFit.beta,
    solver: Solver = LayerFit.solver,
    restarts: int = LayerFit.restarts,
    max_iter: int = LayerFit.max_iter,
    tol: float = LayerFit.tol,
    rng: int | np.random.Generator = LayerFit.seed,
    threads: int | None = LayerFit.threads,
    callback: Callback | None = None,
) -> Layers:
    """Layers with ``X ≈ A[0] S[0]``, ``S[0] ≈ A[1] S[1]``, …, one after the other.

    A layer does not know the layers above it, so what one layer loses is lost for all
    that follow.

    Parameters
    ----------
    X : array, shape (n_rows, n_columns)
        The data, non-negative and finite. float32 is computed in float32, everything
        else in float64.
    ranks : sequence of int
        The number of components of each layer; an int means a single layer.
    labels : array, optional
        Labels for the last layer, as in `specnmf.semisupervised_nmf`.
    label_mask : array of bool, optional
        The labels that are known, as in `specnmf.semisupervised_nmf`.
    label_weight : float
        The weight of the label term.
    beta : float or str
        The divergence of every layer.
    solver : str
        As in `specnmf.nmf`. With labels, multiplicative updates continue from its
        result for the last layer.
    restarts : int
        The number of random starts of all layers. The result with the lowest cost of
        the last layer's model of X, and of the labels, is kept: first layers that fit
        equally well may leave activations that are hard to factorise.
    max_iter, tol : int, float
        For each layer, as in `specnmf.nmf`.
    rng : int or numpy.random.Generator
        Seed or generator of the random starts.
    threads : int, optional
        Number of threads; by default one per core. The result does not depend on it.
    callback : callable, optional
        Called as ``callback(iteration, loss)``. Iterations are counted over all layers
        and starts; the loss is that of the current layer.

    Returns
    -------
    Layers
        The columns of every A have unit norm; ``losses`` are those of the last layer.

    Raises
    ------
    ParameterError
        If the data, the labels, the ranks or an option is out of range.

    References
    ----------
    Cichocki and Zdunek, "Multilayer nonnegative matrix factorisation", Electronics
    Letters 42(16), 2006; Gao, Haddock, Molitor, Needell, Sadovnik, Will and Zhang,
    "Neural nonnegative matrix factorization for hierarchical multilayer topic
    modeling", CAMSAP 2019, section II.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> rng = np.random.default_rng(0)
    >>> X = rng.random((20, 6)) @ rng.random((6, 3)) @ rng.random((3, 40))
    >>> layers = specnmf.hierarchical_nmf(X, [6, 3], rng=0)
    >>> [a.shape for a in layers.A], [s.shape for s in layers.S]
    ([(20, 6), (6, 3)], [(6, 40), (3, 40)])
    >>> layers.error(X) < 0.05
    True
    """
    X = non_negative("X", X)
    ranks = parse_ranks(ranks)
    options = LayerFit(
        beta=parse_beta(beta),
        solver=solver,
        restarts=restarts,
        label_weight=label_weight,
        max_iter=max_iter,
        tol=tol,
        threads=threads,
    )
    known = None if labels is None else Labels.of(labels, label_mask, X.shape[1])
    rng = np.random.default_rng(rng)
    chain = _Chain(X, ranks, known, options, rng, Counted(callback))
    with flush_to_zero():
        found = [chain.factorise() for _ in range(restarts)]
        return found[0] if restarts == 1 else min(found, key=chain.cost)


@dataclass(frozen=True, eq=False)
class _Chain:
    """Layers, each of which factorises the activations of the one before."""

    X: Array
    ranks: Sequence[int]
    labels: Labels | None
    options: LayerFit
    rng: np.random.Generator
    callback: Callback

    def factorise(self) -> Layers:
        """Factorise X, then its activations, and so on; labels enter the last layer."""
        A: list[Array] = []
        S: list[Array] = []
        for rank in self.ranks:
            below = S[-1] if S else self.X
            found = self._layer(below, rank)
            if self.labels is not None and len(A) == len(self.ranks) - 1:
                found = self._labelled(below, found, self.labels)
            A, S = [*A, *found.A], [*S, *found.S]
        return Layers(A, S, found.B, found.losses)

    def cost(self, layers: Layers) -> float:
        """The cost of the last layer's model of X, and of the labels."""
        beta, templates = self.options.beta, layers.templates()
        cost, least = 0.0, floor(float(self.X.max()), beta)
        with workers(1):  # or the BLAS would round by the number of cores
            for columns in cut(slice(0, self.X.shape[1]), COLUMNS):
                model = templates @ layers.S[-1][:, columns]
                V, P = (
                    np.ascontiguousarray(M, np.float64)
                    for M in (self.X[:, columns], model)
                )
                cost += split(V, P, beta, least)[0]
        if self.labels is None:
            return cost
        said = _label_cost(self.labels, layers.predictions(), beta)
        return cost + self.options.label_weight * said

    def _layer(self, X: Array, rank: int) -> Layers:
        options = self.options
        found = nmf(
            X,
            rank,
            beta=options.beta,
            solver=options.solver,
            max_iter=options.max_iter,
            tol=options.tol,
            rng=self.rng,
            threads=options.threads,
            callback=self.callback,
        )
        return Layers([found.W], [found.H], losses=found.losses).unit_columns()

    def _labelled(self, X: Array, found: Layers, labels: Labels) -> Layers:
        A, S = (np.maximum(M, FILL * M.mean()) for M in (found.A[0], found.S[0]))
        return semisupervised_nmf(
            X,
            Factorization(A, S),
            labels=labels.Y,
            label_mask=labels.known,
            label_weight=self.options.label_weight,
            beta=self.options.beta,
            max_iter=self.options.max_iter,
            tol=self.options.tol,
            rng=self.rng,
            callback=self.callback,
        )


def _label_cost(labels: Labels, predictions: Array, beta: float) -> float:
    """The divergence of the known labels from the predictions."""
    least = floor(float(labels.Y.max()), beta)
    Y = np.maximum(labels.Y, least) if beta <= 0 else labels.Y
    P = np.maximum(predictions, least)
    return weighted_divergence(Y, P, labels.known.astype(np.float64), beta)
