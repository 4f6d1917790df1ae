"""Neural NMF: the templates of all layers, learned together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.checks import check_at_least, check_choice
from specnmf.errors import ParameterError
from specnmf.factor.iterate import Callback, Counted
from specnmf.factor.layers import descent
from specnmf.factor.layers.descent import Doubles, Function, Progress
from specnmf.factor.layers.labels import Labels
from specnmf.factor.layers.model import Layers, parse_ranks
from specnmf.factor.layers.network import Costs, Network
from specnmf.factor.matrices import non_negative
from specnmf.factor.options import NmfOptions
from specnmf.parallel import workers

Loss = Literal["reconstruction", "energy"]
LabelLoss = Literal["l2", "cross-entropy"]
Method = Literal["l-bfgs-b", "projected", "stochastic"]

#: Columns that a stochastic step looks at.
BATCH = 256


def neural_nmf(
    X: ArrayLike,
    ranks: int | Sequence[int],
    *,
    labels: ArrayLike | None = None,
    label_mask: ArrayLike | None = None,
    label_weight: float = 1.0,
    loss: Loss = "reconstruction",
    label_loss: LabelLoss = "l2",
    method: Method = "l-bfgs-b",
    start: Layers | None = None,
    restarts: int = 5,
    batch_size: int = BATCH,
    max_iter: int = 500,
    tol: float = 1e-5,
    rng: int | np.random.Generator = NmfOptions.seed,
    threads: int | None = NmfOptions.threads,
    callback: Callback | None = None,
) -> Layers:
    """X ≈ A[0] A[1] ... A[L] S[L], where every S follows from the A.

    S[0] = q(X, A[0]) and S[l] = q(S[l-1], A[l]) with q(X, A) = argmin_{S >= 0}
    ||X - A S||, as the activations of a neural network follow from its weights. The A
    are found by descent along the exact derivative through all layers, so that lower
    layers learn what upper ones need.

    Parameters
    ----------
    X : array, shape (n_rows, n_columns)
        Non-negative and finite.
    ranks : sequence of int
        The number of components of each layer; an int is that of a single one.
    labels : array, optional
        Y, shape (n_classes, n_columns), non-negative; or the number of each column's
        class, shape (n_columns,), -1 where it is not known.
    label_mask : array of bool, optional
        L, which labels are known, shape (n_columns,) or (n_classes, n_columns).
    label_weight : float
        How much the label term counts beside the data term.
    loss : {"reconstruction", "energy"}
        The data term: ||X - A[0] ... A[L] S[L]||² / 2, or the sum over the layers of
        ||S[l-1] - A[l] S[l]||² / 2.
    label_loss : {"l2", "cross-entropy"}
        The label term: ||L ⊙ (Y - B S[L])||² / 2, or the cross-entropy of Y and
        softmax(B S[L]) over columns whose labels are all known.
    method : {"l-bfgs-b", "projected", "stochastic"}
        L-BFGS with bounds; gradient steps projected on A >= 0; or such steps for
        ``batch_size`` columns at a time, where there are very many.
    start : Layers, optional
        Where to start, such as what `hierarchical_nmf` found; by default, and in all
        restarts but the first, at random.
    restarts : int
        How many starts there are; the one that ends at the lowest cost is kept.
    batch_size : int
        Columns of a stochastic step.
    max_iter : int
        The most iterations of each start; a stochastic one is a pass over all columns.
    tol : float
        Stop once an iteration lowers the cost by no more than this fraction of it, on
        average over ten.
    rng : int or numpy.random.Generator
        For the random starts and batches.
    threads : int, optional
        None: one a core. The result does not depend on it.
    callback : callable, optional
        Called as ``callback(iteration, loss)``; the iterations of all starts are
        counted together.

    Returns
    -------
    Layers
        Every factor is non-negative; columns of every A have unit norm, without
        which the energy could be made as small as one likes. Computed in double
        precision, returned in X's own. ``losses`` are those of the start kept, and
        never rise.

    Raises
    ------
    ParameterError
        If the data, the labels, the ranks or an option is out of range.

    Notes
    -----
    The cost resolves no more than 1e-15 ||X||². Beside X, memory holds some matrices of
    the first layer's size, (ranks[0], n_columns), and a few hundred columns of X in
    double precision.

    References
    ----------
    Gao, Haddock, Molitor, Needell, Sadovnik, Will and Zhang, "Neural nonnegative
    matrix factorization for hierarchical multilayer topic modeling", CAMSAP 2019;
    Will, Zhang, Sadovnik, Gao, Vendrow, Haddock, Molitor and Needell, under the same
    title, Sampling Theory, Signal Processing, and Data Analysis, 2023. There, A may
    become negative.
    """
    X = non_negative("X", X)
    _check_options(loss, label_loss, method)
    check_at_least("restarts", restarts, 1)
    check_at_least("batch_size", batch_size, 1)
    check_at_least("label_weight", label_weight, 0)
    NmfOptions(max_iter=max_iter, tol=tol)
    known = None if labels is None else Labels.of(labels, label_mask, X.shape[1])
    _check_whole(known, label_loss)
    shapes = _shapes(X, parse_ranks(ranks), start)
    rng, counted = np.random.default_rng(rng), Counted(callback)
    with workers(threads) as mapper:
        costs = Costs(loss, label_loss, label_weight, mapper)
        # the B that minimises squares follows from S, if S is that of all columns
        with_B = label_loss != "l2" or method == "stochastic"
        network = Network(X, known, shapes, costs, with_B=with_B)
        descend = _descent(method, partial(network.batches, batch_size, rng))
        found = []
        for given in [start, *[None] * (restarts - 1)]:
            progress = Progress(tol, counted)
            end = descend(
                network.function(),
                network.start(given, rng),
                max_iter=max_iter,
                progress=progress,
            )
            progress.end()
            found.append((end, progress.losses))
        end, losses = min(found, key=lambda each: each[1][-1])
        return network.layers(end, losses)


def _descent(
    method: Method, batches: Callable[[], list[Function]]
) -> Callable[..., Doubles]:
    if method == "stochastic":
        return partial(descent.stochastic_gradient, batches=batches)
    return descent.l_bfgs_b if method == "l-bfgs-b" else descent.projected_gradient


def _check_options(loss: str, label_loss: str, method: str) -> None:
    check_choice("loss", loss, get_args(Loss))
    check_choice("label_loss", label_loss, get_args(LabelLoss))
    check_choice("method", method, get_args(Method))


def _check_whole(labels: Labels | None, label_loss: str) -> None:
    """Raise ParameterError if a cross-entropy would be over no column at all."""
    if label_loss == "l2" or labels is None or labels.known.all(axis=0).any():
        return
    raise ParameterError(
        "label_loss cross-entropy needs a column whose labels are all known, got none; "
        "use l2, or leave out classes that are never known"
    )


def _shapes(
    X: NDArray[np.floating], ranks: Sequence[int], start: Layers | None
) -> list[tuple[int, int]]:
    """The shape of each A, which those of a start must have."""
    shapes = list(pairwise((len(X), *ranks)))
    for a in [] if start is None else start.A:
        non_negative("the start's A", a)
    if start is not None and [a.shape for a in start.A] != shapes:
        raise ParameterError(
            f"the start needs A of shapes {shapes}, got {[a.shape for a in start.A]}"
        )
    return shapes
