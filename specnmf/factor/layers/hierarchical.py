"""Hierarchical NMF: each layer factorises the activations of the one below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.checks import check_at_least
from specnmf.errors import ParameterError
from specnmf.factor.divergence import beta_divergence, floor
from specnmf.factor.factorization import Factorization
from specnmf.factor.iterate import Callback, Counted
from specnmf.factor.layers.labels import Labels
from specnmf.factor.layers.model import Layers, parse_ranks
from specnmf.factor.layers.semisupervised import semisupervised_nmf
from specnmf.factor.masked import weighted_divergence
from specnmf.factor.matrices import non_negative
from specnmf.factor.nmf import nmf
from specnmf.factor.options import NmfOptions, Solver, parse_beta

Array = NDArray[np.floating]

#: What zeros become, relative to the mean, before multiplicative updates go on.
FILL = 1e-3


def hierarchical_nmf(
    X: ArrayLike,
    ranks: int | Sequence[int],
    *,
    labels: ArrayLike | None = None,
    label_mask: ArrayLike | None = None,
    label_weight: float = 1.0,
    beta: float | str = 2.0,
    solver: Solver | Sequence[Solver] = "auto",
    restarts: int = 1,
    max_iter: int = NmfOptions.max_iter,
    tol: float = NmfOptions.tol,
    rng: int | np.random.Generator = NmfOptions.seed,
    threads: int | None = NmfOptions.threads,
    callback: Callback | None = None,
) -> Layers:
    """X ≈ A[0] S[0], S[0] ≈ A[1] S[1], and so on, one after the other.

    No layer hears of those above, so what one loses is lost to all that follow.

    Parameters
    ----------
    X : array, shape (n_rows, n_columns)
        Non-negative and finite. float32 is computed in float32, all else in float64.
    ranks : sequence of int
        The number of components of each layer; an int is that of a single one.
    labels, label_mask, label_weight : optional
        As `semisupervised_nmf` takes them, by which the last layer is found then.
    beta : float or str
        The divergence of every layer.
    solver : str or sequence of str
        As `specnmf.nmf` takes it, for all layers or for each; with labels,
        multiplicative updates go on from what the last layer's finds.
    restarts : int
        How often all layers are found from other random starts. Kept are those whose
        last layer models X, and the labels, at the lowest cost: first layers that fit
        alike may leave activations to the next that do not.
    max_iter, tol : int, float
        Of each layer, as `specnmf.nmf` takes them.
    rng : int or numpy.random.Generator
        For the random starts.
    threads : int, optional
        None: one a core. The result does not depend on it.
    callback : callable, optional
        Called as ``callback(iteration, loss)`` with the iterations of all layers
        and starts counted together, and each one's own cost.

    Returns
    -------
    Layers
        Columns of every A have unit norm; ``losses`` are the last layer's own.

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
    """
    X = non_negative("X", X)
    ranks = parse_ranks(ranks)
    solvers = check_solvers(solver, len(ranks))
    check_at_least("restarts", restarts, 1)
    check_at_least("label_weight", label_weight, 0)
    known = None if labels is None else Labels.of(labels, label_mask, X.shape[1])
    options = NmfOptions(beta=parse_beta(beta), max_iter=max_iter, tol=tol)
    rng, counted = np.random.default_rng(rng), Counted(callback)
    chain = _Chain(solvers, options, rng, threads, counted)
    found = [chain.factorise(X, ranks, known, label_weight) for _ in range(restarts)]
    if restarts == 1:
        return found[0]
    beta = options.beta
    costs = [_whole_cost(X, one, known, label_weight, beta) for one in found]
    return found[int(np.argmin(costs))]


@dataclass(frozen=True)
class _Chain:
    """How layers follow each other."""

    solvers: Sequence[Solver]
    options: NmfOptions
    rng: np.random.Generator
    threads: int | None
    callback: Callback

    def factorise(
        self, X: Array, ranks: Sequence[int], labels: Labels | None, weight: float
    ) -> Layers:
        """Factorise X, then its activations, and so on; the last by the labels too."""
        A: list[Array] = []
        S: list[Array] = []
        for rank, solver in zip(ranks, self.solvers, strict=True):
            found = self._layer(S[-1] if S else X, rank, solver)
            if labels is not None and len(A) == len(ranks) - 1:
                found = self._labelled(S[-1] if S else X, found, labels, weight)
            A, S = [*A, *found.A], [*S, *found.S]
        return Layers(A, S, found.B, found.losses)

    def _layer(self, X: Array, rank: int, solver: Solver) -> Layers:
        options = self.options
        found = nmf(
            X,
            rank,
            beta=options.beta,
            solver=solver,
            max_iter=options.max_iter,
            tol=options.tol,
            rng=self.rng,
            threads=self.threads,
            callback=self.callback,
        )
        return Layers([found.W], [found.H], losses=found.losses).unit_columns()

    def _labelled(
        self, X: Array, found: Layers, labels: Labels, weight: float
    ) -> Layers:
        A, S = (np.maximum(M, FILL * M.mean()) for M in (found.A[0], found.S[0]))
        return semisupervised_nmf(
            X,
            Factorization(A, S),
            labels=labels.Y,
            label_mask=labels.known,
            label_weight=weight,
            beta=self.options.beta,
            max_iter=self.options.max_iter,
            tol=self.options.tol,
            rng=self.rng,
            callback=self.callback,
        )


def _whole_cost(
    X: Array, layers: Layers, labels: Labels | None, weight: float, beta: float
) -> float:
    """Of the last layer's model of X, and of the labels."""
    cost = beta_divergence(X, layers.product(), beta)
    if labels is None:
        return cost
    least = floor(float(labels.Y.max()), beta)
    Y = np.maximum(labels.Y, least) if beta <= 0 else labels.Y
    P = np.maximum(layers.predictions(), least)
    known = labels.known.astype(np.float64)
    return cost + weight * weighted_divergence(Y, P, known, beta)


def check_solvers(solver: Solver | Sequence[Solver], n_layers: int) -> Sequence[Solver]:
    """The solver of each layer.

    Raises
    ------
    ParameterError
        If solvers are not as many as layers.
    """
    if isinstance(solver, str):
        return [solver] * n_layers
    if len(solver) != n_layers:
        raise ParameterError(
            f"{n_layers} layers need as many solvers, or one, got {len(solver)}"
        )
    return solver
