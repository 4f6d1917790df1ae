"""Neural NMF: the templates of all layers learned together, by their gradient."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.errors import ParameterError
from specnmf.factor.divergence import check_powers
from specnmf.factor.iterate import Callback, Counted
from specnmf.factor.layers.descent import l_bfgs_b
from specnmf.factor.layers.hierarchical import hierarchical_nmf
from specnmf.factor.layers.labels import Labels
from specnmf.factor.layers.model import Layers, parse_ranks
from specnmf.factor.layers.network import Network
from specnmf.factor.layers.options import LabelLoss, Loss, NeuralFit
from specnmf.factor.matrices import Doubles, non_negative
from specnmf.parallel import workers
from specnmf.subnormals import flush_to_zero

#: Layers found one after the other, out of which a start takes those that fit X best,
#: and the iterations of each layer.
CANDIDATES, ITERATIONS = 3, 30


def neural_nmf(
    X: ArrayLike,
    ranks: int | Sequence[int],
    *,
    labels: ArrayLike | None = None,
    label_mask: ArrayLike | None = None,
    label_weight: float = NeuralFit.label_weight,
    loss: Loss = NeuralFit.loss,
    label_loss: LabelLoss = NeuralFit.label_loss,
    start: Layers | None = None,
    restarts: int = NeuralFit.restarts,
    max_iter: int = NeuralFit.max_iter,
    tol: float = NeuralFit.tol,
    rng: int | np.random.Generator = NeuralFit.seed,
    threads: int | None = NeuralFit.threads,
    callback: Callback | None = None,
) -> Layers:
    """Layers with ``X ≈ A[0] A[1] … A[L] S[L]``, where the A determine every S.

    ``S[0] = q(X, A[0])`` and ``S[l] = q(S[l-1], A[l])``, where ``q(X, A)`` is the
    S >= 0 that minimises ``||X - A S||``. The activations of a neural network follow
    from its weights in the same way. The A are found by descent along the exact
    gradient through all layers, so lower layers learn what upper ones need.

    Parameters
    ----------
    X : array, shape (n_rows, n_columns)
        The data, non-negative and finite.
    ranks : sequence of int
        The number of components of each layer; an int means a single layer.
    labels : array, optional
        Y, as in `specnmf.semisupervised_nmf`.
    label_mask : array of bool, optional
        M, the labels that are known, as in `specnmf.semisupervised_nmf`.
    label_weight : float
        The weight of the label term.
    loss : {"reconstruction", "energy"}
        The data term: ``||X - A[0] ... A[L] S[L]||² / 2``, or the sum over the layers
        of ``||S[l-1] - A[l] S[l]||² / 2``.
    label_loss : {"l2", "cross-entropy"}
        The label term: ``||M ⊙ (Y - B S[L])||² / 2``, or the cross-entropy of Y and
        softmax(B S[L]) over the columns whose labels are all known.
    start : Layers, optional
        The initial layers, such as the result of `specnmf.hierarchical_nmf`. By
        default, and in all restarts but the first, a few of its iterations from random
        factors.
    restarts : int
        The number of starts; the result with the lowest cost is kept.
    max_iter : int
        Maximum number of iterations of each start.
    tol : float
        Stop when an iteration lowers the cost by no more than this fraction, averaged
        over ten iterations.
    rng : int or numpy.random.Generator
        Seed or generator of the random starts.
    threads : int, optional
        Number of threads; by default one per core. The result does not depend on it.
    callback : callable, optional
        Called as ``callback(iteration, loss)``. Iterations are counted over all starts.

    Returns
    -------
    Layers
        Every factor is non-negative, and the columns of every A have unit norm;
        otherwise the energy could be made arbitrarily small. Computed in double
        precision, returned in the precision of X. ``losses`` are those of the start
        that is kept, and never rise.

    Raises
    ------
    ParameterError
        If the data, the labels, the ranks or an option is out of range.

    Notes
    -----
    The descent is L-BFGS with bounds. From random templates, most descents end in
    minima that separate what belongs together. From layers that were found one after
    the other, the best of several candidates, few do.

    The cost has a resolution of 1e-15 ``||X||²``. Beside X, memory holds some matrices
    of the size of the first layer, (ranks[0], n_columns), a few hundred columns of X in
    double precision, and for the starts a copy of X if its columns are not contiguous.

    References
    ----------
    Gao, Haddock, Molitor, Needell, Sadovnik, Will and Zhang, "Neural nonnegative
    matrix factorization for hierarchical multilayer topic modeling", CAMSAP 2019;
    Will, Zhang, Sadovnik, Gao, Vendrow, Haddock, Molitor and Needell, under the same
    title, Sampling Theory, Signal Processing, and Data Analysis, 2023. There, A may
    become negative.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> rng = np.random.default_rng(0)
    >>> X = rng.random((20, 6)) @ rng.random((6, 3)) @ rng.random((3, 40))
    >>> layers = specnmf.neural_nmf(X, [6, 3], restarts=1, max_iter=50, rng=0)
    >>> layers.ranks
    (6, 3)
    >>> layers.error(X) < 0.01
    True
    """
    X = non_negative("X", X)
    check_powers("X", X, 2)
    ranks = parse_ranks(ranks)
    options = NeuralFit(
        label_weight=label_weight,
        loss=loss,
        label_loss=label_loss,
        restarts=restarts,
        max_iter=max_iter,
        tol=tol,
        threads=threads,
    )
    known = None if labels is None else Labels.of(labels, label_mask, X.shape[1])
    _check_whole(known, label_loss)
    shapes = list(pairwise((len(X), *ranks)))
    if start is not None:
        _check_start(start, shapes)
    rng, counted, found = np.random.default_rng(rng), Counted(callback), []
    with workers(threads) as mapper, flush_to_zero():
        network = Network(X, known, shapes, options, mapper)
        for number in range(restarts):
            given = None if number else start
            A = _begin(X, ranks, threads, rng) if given is None else _doubles(given)
            vector = network.start(A)
            found.append(
                l_bfgs_b(network, vector, max_iter=max_iter, tol=tol, callback=counted)
            )
        end, losses = min(found, key=lambda each: each[1][-1])
        return network.layers(end, losses)


def _begin(
    X: NDArray[np.floating],
    ranks: Sequence[int],
    threads: int | None,
    rng: np.random.Generator,
) -> list[Doubles]:
    """Templates of layers found one after the other.

    They are found by multiplicative updates: HALS sets numbers to zero early, and then
    more descents end in bad minima. A single layer does not have this problem, and HALS
    comes nearer. Components of zeros restart at random, because the cost has no slope
    there.
    """
    found = hierarchical_nmf(
        X,
        ranks,
        solver="mu" if len(ranks) > 1 else "hals",
        restarts=CANDIDATES,
        max_iter=ITERATIONS,
        rng=rng,
        threads=threads,
    )
    return [
        np.where(a.any(axis=0), a, 1 - rng.random(a.shape)) for a in _doubles(found)
    ]


def _doubles(layers: Layers) -> list[Doubles]:
    return [np.asarray(a, np.float64) for a in layers.A]


def _check_whole(labels: Labels | None, label_loss: str) -> None:
    """Raise ParameterError if a cross-entropy would be over no column."""
    if label_loss == "l2" or labels is None or labels.known.all(axis=0).any():
        return
    raise ParameterError(
        "label_loss cross-entropy needs a column whose labels are all known, got none; "
        "use l2, or leave out classes that are never known"
    )


def _check_start(start: Layers, shapes: list[tuple[int, int]]) -> None:
    """Raise ParameterError if templates do not fit, or are negative or not finite."""
    for a in start.A:
        non_negative("the start's A", a)
    if [a.shape for a in start.A] != shapes:
        raise ParameterError(
            f"the start needs A of shapes {shapes}, got {[a.shape for a in start.A]}"
        )
