"""Semi-supervised NMF: data and labels share their activations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from specnmf.arrays import numbers
from specnmf.errors import ParameterError
from specnmf.factor import starts
from specnmf.factor.factorization import Factorization
from specnmf.factor.iterate import Callback, iterate
from specnmf.factor.layers.labels import Labels
from specnmf.factor.layers.model import Layers
from specnmf.factor.layers.options import LayerFit
from specnmf.factor.masked import Part, WeightedUpdates, known
from specnmf.factor.matrices import Array
from specnmf.factor.options import parse_beta
from specnmf.parallel import workers
from specnmf.subnormals import flush_to_zero


def semisupervised_nmf(
    X: ArrayLike,
    start: Factorization | int | Sequence[int],
    *,
    labels: ArrayLike,
    label_mask: ArrayLike | None = None,
    label_weight: float = LayerFit.label_weight,
    data_mask: ArrayLike | None = None,
    beta: float | str = LayerFit.beta,
    label_beta: float | str | None = None,
    max_iter: int = LayerFit.max_iter,
    tol: float = LayerFit.tol,
    rng: int | np.random.Generator = LayerFit.seed,
    callback: Callback | None = None,
) -> Layers:
    """Factors with ``X ≈ A S`` and labels ``Y ≈ B S``, which share the activations S.

    Multiplicative updates minimise ``D_beta(W ⊙ X | W ⊙ A S) + label_weight D_label(L ⊙
    Y | L ⊙ B S)``. In columns without labels only the data determine S, and B S
    predicts the labels.

    Parameters
    ----------
    X : array, shape (n_rows, n_columns)
        The data, non-negative and finite where it is not masked; masked entries may be
        anything, NaN included. float32 is computed in float32, everything else in
        float64.
    start : Factorization or int
        The initial A and S; an int, or a list of one, means a random start with that
        many components.
    labels : array
        Y, shape (n_classes, n_columns), non-negative; or the class number of each
        column, shape (n_columns,), -1 where it is unknown.
    label_mask : array of bool, optional
        L, the labels that are known, shape (n_columns,) or (n_classes, n_columns).
    label_weight : float
        The weight of the labels relative to the data, lambda in the paper.
    data_mask : array, shape (n_rows, n_columns), optional
        W, which entries of X are known, or the weight of each.
    beta : float or str
        The divergence of the data term: ``"euclidean"`` (2), ``"kl"`` (1), ``"is"`` (0)
        or any number.
    label_beta : float or str, optional
        The divergence of the label term, by default ``beta``. The two may only differ
        if one is 1 and the other 2.
    max_iter : int
        Maximum number of iterations.
    tol : float
        Stop when an iteration lowers the cost by no more than this fraction.
    rng : int or numpy.random.Generator
        Seed or generator of the random start; B always starts at random.
    callback : callable, optional
        Called as ``callback(iteration, loss)``; iterations count from 1.

    Returns
    -------
    Layers
        One layer: ``A[0]`` with columns of unit norm, ``S[0]`` and ``B``. ``losses[i]``
        is the cost after iteration i, with half the squares where beta is 2, and never
        rises.

    Raises
    ------
    ParameterError
        If the data, the labels or an option is out of range.

    References
    ----------
    Lee, Yoo and Choi, "Semi-supervised nonnegative matrix factorization", IEEE
    Signal Processing Letters 17(1), 2010, equations 4 to 8; with other divergences,
    Haddock, Kassab, Li, Kryshchenko, Grotheer, Sizikova, Wang, Merkh, Madushani, Ahn,
    Needell and Leonard, "Semi-supervised NMF models for topic modeling in learning
    tasks", 2020.

    Examples
    --------
    Five columns of two kinds; the kind of the last two is unknown:

    >>> import numpy as np
    >>> import specnmf
    >>> X = np.array([[5.0, 4, 0, 0, 4], [4, 5, 1, 0, 5], [0, 1, 5, 4, 0]])
    >>> layers = specnmf.semisupervised_nmf(X, 2, labels=[0, 0, 1, -1, -1], rng=0)
    >>> layers.classes()
    array([0, 0, 1, 1, 0])
    """
    betas = _betas(beta, label_beta)
    LayerFit(label_weight=label_weight, max_iter=max_iter, tol=tol)
    X = numbers("X", X)
    counts = np.ones(X.shape, bool) if data_mask is None else data_mask
    X, weights = known(X, counts, ("X", "data_mask"))
    found = Labels.of(labels, label_mask, X.shape[1])
    rng = np.random.default_rng(rng)
    if not isinstance(start, Factorization):
        start = starts.random(X, _single(start), rng=rng)
    A, S = start.W.astype(X.dtype), start.H.astype(X.dtype)
    if X.shape != (len(A), S.shape[1]):
        raise ParameterError(
            f"the start must fit X of shape {X.shape}, got {A.shape} and {S.shape}"
        )
    data = Part(X, weights, A, beta=betas[0])
    said = Part(
        found.Y.astype(X.dtype),
        (label_weight * found.known).astype(X.dtype),
        _start_of_B(found, S, rng),
        beta=betas[1],
    )
    with workers(1), flush_to_zero():
        updates = WeightedUpdates([data, said], S)
        losses = iterate(updates, max_iter=max_iter, tol=tol, callback=callback)
    return Layers([data.W], [updates.H], said.W, np.array(losses)).unit_columns()


def _single(ranks: int | Sequence[int]) -> int:
    """The number of components of a single layer."""
    numbers = np.atleast_1d(np.asarray(ranks))
    if numbers.shape != (1,) or numbers.dtype.kind not in "iu":
        raise ParameterError(
            f"a single layer needs one number of components, got {ranks!r}; "
            "use hierarchical_nmf for more layers"
        )
    return int(numbers[0])


def _betas(beta: float | str, label_beta: float | str | None) -> tuple[float, float]:
    data = parse_beta(beta)
    said = data if label_beta is None else parse_beta(label_beta)
    if data != said and {data, said} != {1.0, 2.0}:
        raise ParameterError(
            "beta and label_beta must be equal, or one 1 and the other 2, "
            f"got {data:g} and {said:g}"
        )
    return data, said


def _start_of_B(labels: Labels, S: Array, rng: np.random.Generator) -> Array:
    """A random B, scaled so that the mean of B S is about that of Y."""
    scale = labels.Y.sum() / max(1, labels.known.sum()) or 1.0
    columns = float(S.sum(axis=0, dtype=np.float64).mean()) or 1.0
    random = 2 * scale / columns * (1 - rng.random((len(labels.Y), len(S))))
    return random.astype(S.dtype)
