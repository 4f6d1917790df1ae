"""Deep NMF: layers found one after the other, then fitted to X together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike

from specnmf.factor.divergence import check_powers
from specnmf.factor.iterate import Callback, Factors, iterate
from specnmf.factor.layers.hierarchical import hierarchical_nmf
from specnmf.factor.layers.labels import Labels
from specnmf.factor.layers.model import Layers, parse_ranks
from specnmf.factor.layers.objective import Data
from specnmf.factor.layers.options import LayerFit
from specnmf.factor.layers.supervision import label_templates
from specnmf.factor.matrices import Array, Doubles, non_negative
from specnmf.factor.nnls import solve_normal
from specnmf.parallel import Mapper, workers
from specnmf.subnormals import flush_to_zero

#: How a factor A between others is updated: of X ≈ P A Q, with A the one before.
Update = Callable[[Data, Doubles | None, Doubles, Doubles], Doubles]

#: Singular values below this share of the largest count as zero, and by rank must be:
#: a product has as many others as its narrowest factor is wide.
NEGLIGIBLE = 1e-9


def deep_nmf(
    X: ArrayLike,
    ranks: int | Sequence[int],
    *,
    labels: ArrayLike | None = None,
    label_mask: ArrayLike | None = None,
    label_weight: float = LayerFit.label_weight,
    signed: bool = False,
    restarts: int = LayerFit.restarts,
    max_iter: int = LayerFit.max_iter,
    tol: float = LayerFit.tol,
    rng: int | np.random.Generator = LayerFit.seed,
    threads: int | None = LayerFit.threads,
    callback: Callback | None = None,
) -> Layers:
    """Layers with ``X ≈ A[0] A[1] … A[L] S[L]``, all factors fitted to X in turn.

    Layers are first found one after the other. Then ``||X - A[0] ... A[L] S[L]||² / 2``
    is minimised, and with labels ``label_weight ||M ⊙ (Y - B S[L])||² / 2`` is added.

    Parameters
    ----------
    X : array, shape (n_rows, n_columns)
        The data, finite, and non-negative unless ``signed``. float32 gives float32
        factors, everything else float64; the computation is in float64, one piece of X
        at a time.
    ranks : sequence of int
        The number of components of each layer; an int means a single layer.
    labels : array, optional
        Y, as in `specnmf.semisupervised_nmf`.
    label_mask : array of bool, optional
        M, the labels that are known, as in `specnmf.semisupervised_nmf`.
    label_weight : float
        The weight of the label term.
    signed : bool
        Deep semi-NMF: X and every A may have any sign, S and B are non-negative.
    restarts : int
        The number of starts for the initial layers, as in `specnmf.hierarchical_nmf`;
        semi-NMF uses one.
    max_iter : int
        Maximum number of iterations, of each initial layer and of the joint fit.
    tol : float
        Stop when an iteration lowers the cost by no more than this fraction.
    rng : int or numpy.random.Generator
        Seed or generator of the random starts.
    threads : int, optional
        Number of threads; by default one per core. The result does not depend on it.
    callback : callable, optional
        Called as ``callback(iteration, loss)`` during the joint fit.

    Returns
    -------
    Layers
        The columns of every A have unit norm. ``S[l]`` is the S >= 0 for which ``A[0]
        ... A[l] S`` is nearest to X; ``losses[i]`` is the cost of all layers after
        iteration i, and never rises.

    Raises
    ------
    ParameterError
        If the data, the labels, the ranks or an option is out of range.

    Notes
    -----
    With P = A[0] ... A[l-1] and Q = A[l+1] ... A[L] S[L], an iteration updates

    - each A[l] in turn: every entry is set to its optimum >= 0, given all others;
      ``signed``: A = P⁺ X Q⁺ with pseudo-inverses, as Trigeorgis et al. tune deep
      semi-NMF;
    - B, to its optimum;
    - S[L], to its optimum. The paper takes a step towards it:
      S <- S ⊙ sqrt((C₊ + G₋ S) / (C₋ + G₊ S)), with G = PᵀP and C = PᵀX.

    The lower S are not part of the cost. In deep semi-NMF they take the same steps as
    S[L]; here they are set to their optimum. With ``signed``, the rank of A[0] is that
    of the last layer, because the layers above need no more.

    Flenner and Hunter put pooling and a non-linear function between the layers. Then X
    is not a product of the factors, and `specnmf.Layers` does not apply.

    References
    ----------
    Trigeorgis, Bousmalis, Zafeiriou and Schuller, "A deep matrix factorization method
    for learning attribute representations", IEEE Transactions on Pattern Analysis and
    Machine Intelligence 39(3), 2017; Flenner and Hunter, "A deep non-negative matrix
    factorization neural network", 2018; Lee, Yoo and Choi, "Semi-supervised nonnegative
    matrix factorization", IEEE Signal Processing Letters 17(1), 2010.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> rng = np.random.default_rng(0)
    >>> X = rng.random((20, 6)) @ rng.random((6, 3)) @ rng.random((3, 40))
    >>> layers = specnmf.deep_nmf(X, [6, 3], rng=0, max_iter=50)
    >>> layers.ranks
    (6, 3)
    >>> layers.error(X) < 0.01
    True
    """
    X = non_negative(
        "X",
        X,
        form="(n_rows, n_columns)",
        expected="finite, and non-negative unless signed",
        least=-np.inf if signed else 0,
    )
    check_powers("X", X, 2)
    ranks = parse_ranks(ranks)
    options = LayerFit(
        restarts=restarts,
        label_weight=label_weight,
        max_iter=max_iter,
        tol=tol,
        threads=threads,
    )
    known = None if labels is None else Labels.of(labels, label_mask, X.shape[1])
    rng = np.random.default_rng(rng)
    if signed:
        begun, update = _semi_nmf_layers(X, ranks, options, rng), least_squares
    else:
        begun = hierarchical_nmf(
            X,
            ranks,
            restarts=restarts,
            max_iter=max_iter,
            tol=tol,
            rng=rng,
            threads=threads,
        )
        update = hals
    with workers(threads) as mapper, flush_to_zero():
        fit = DeepUpdates(
            X, begun, update, mapper, labels=known, label_weight=label_weight
        )
        return fit.layers(iterate(fit, max_iter=max_iter, tol=tol, callback=callback))


def _semi_nmf_layers(
    X: Array, ranks: Sequence[int], options: LayerFit, rng: np.random.Generator
) -> Layers:
    """Semi-NMF of X, then of its activations, and so on, each from a random start."""
    A: list[Array] = []
    S: list[Array] = []
    with workers(options.threads) as mapper, flush_to_zero():
        for rank in ranks:
            below = S[-1] if S else X
            random = 1 - rng.random((rank, X.shape[1]))
            start = Layers([np.zeros((len(below), rank))], [random])
            layer = DeepUpdates(below, start, least_squares, mapper)
            losses = iterate(layer, max_iter=options.max_iter, tol=options.tol)
            found = layer.layers(losses)
            A, S = [*A, *found.A], [*S, *found.S]
    return Layers(A, S)


class DeepUpdates:
    """Updates of each A in turn, then B, then S: X ≈ A[0] ... A[L] S and Y ≈ B S.

    ``update`` is the update of an A: `hals` or `least_squares`.
    """

    def __init__(
        self,
        X: Array,
        start: Layers,
        update: Update,
        mapper: Mapper,
        *,
        labels: Labels | None = None,
        label_weight: float = 1.0,
    ) -> None:
        self.data, self.update, self.map = Data(X, mapper), update, mapper
        self.labels, self.weight = labels, label_weight
        self.A = [a.astype(np.float64) for a in start.A]
        self.S = start.S[-1].astype(np.float64)
        self.B = self._label_templates()
        P = reduce(np.matmul, self.A)
        self.cost = self._cost(P, self.data.under(P))

    def step(self) -> float:
        """Update every factor; return the cost, which is never above the last."""
        last = self.A, self.B, self.S
        self.A = [*self.A]
        for layer, A in enumerate(self.A):
            below = reduce(np.matmul, self.A[:layer]) if layer else None
            above = reduce(np.matmul, [*self.A[layer + 1 :], self.S])
            self.A[layer] = self.update(self.data, below, A, above)
        self.B = self._label_templates()
        P = reduce(np.matmul, self.A)
        products = self.data.under(P)
        self.S = self._nearest(P, products, self.B)
        cost = self._cost(P, products)
        if not cost <= self.cost:  # by rounding
            self.A, self.B, self.S = last
            return self.cost
        self.cost = cost
        return cost

    def factors(self) -> Factors:
        """A[0] ... A[L] transposed, and S."""
        return reduce(np.matmul, self.A).T, self.S

    def layers(self, losses: Sequence[float]) -> Layers:
        """The factors in the precision of X, with an S for each layer."""
        dtype = self.data.X.dtype
        templates = [reduce(np.matmul, self.A[: n + 1]) for n in range(len(self.A) - 1)]
        below = [self._nearest(P, self.data.under(P)) for P in templates]
        A = [a.astype(dtype) for a in self.A]
        S = [s.astype(dtype) for s in (*below, self.S)]
        B = None if self.B is None else self.B.astype(dtype)
        return Layers(A, S, B, np.array(losses)).unit_columns()

    def _nearest(
        self, P: Doubles, products: Doubles, B: Doubles | None = None
    ) -> Doubles:
        """The S >= 0 with P S ≈ X, and with B also B S ≈ Y, given Pᵀ X."""
        gram = P.T @ P
        if self.labels is None or B is None:
            return solve_normal(gram, products, mapper=self.map)[0]
        S = np.empty_like(products)
        products = products + self.weight * B.T @ self.labels.Y
        columnwise = Labels(self.labels.Y.T, self.labels.known.T)
        for columns, known in columnwise.alike:
            own = gram + self.weight * B[known].T @ B[known]
            S[:, columns] = solve_normal(own, products[:, columns], mapper=self.map)[0]
        return S

    def _label_templates(self) -> Doubles | None:
        """The B >= 0 with B S ≈ Y."""
        if self.labels is None:
            return None
        return label_templates(self.labels, self.S, mapper=self.map)

    def _cost(self, P: Doubles, products: Doubles) -> float:
        """The cost of S and B with P = A[0] ... A[L], given Pᵀ X."""
        S = self.S
        squares = self.data.square - 2 * np.vdot(products, S)
        cost = max(0.0, float(squares + np.vdot(P.T @ P, S @ S.T))) / 2
        if self.labels is not None and self.B is not None:
            missed = self.labels.known * (self.labels.Y - self.B @ S)
            cost += self.weight * float(np.vdot(missed, missed)) / 2
        return cost


# --- what becomes of A in X ≈ P A Q -------------------------------------------------


def hals(data: Data, P: Doubles | None, A: Doubles, Q: Doubles) -> Doubles:
    """A with each entry set to its optimum >= 0 given all others, column by column."""
    A, right = A.copy(), Q @ Q.T
    products = data.times(Q)
    if P is not None:
        products, left = P.T @ products, P.T @ P
    for k in np.flatnonzero(np.diagonal(right) > 0):
        slope = (products[:, k] - _through(P, A @ right[:, k])) / right[k, k]
        if P is None:
            A[:, k] = np.maximum(0, A[:, k] + slope)
            continue
        for j in np.flatnonzero(np.diagonal(left) > 0):
            moved = max(-A[j, k], slope[j] / left[j, j])
            A[j, k] += moved
            slope -= moved * left[:, j]
    return A


def least_squares(data: Data, P: Doubles | None, A: Doubles, Q: Doubles) -> Doubles:
    """The nearest A of any sign; of several, the one of least norm."""
    nearest = data.times(_pseudo_inverse(Q).T)
    return nearest if P is None else _pseudo_inverse(P) @ nearest


def _pseudo_inverse(M: Doubles) -> Doubles:
    return np.asarray(np.linalg.pinv(M, NEGLIGIBLE), np.float64)


def _through(P: Doubles | None, part: Doubles) -> Doubles:
    """Pᵀ P times a part; P None stands for the identity."""
    return part if P is None else P.T @ (P @ part)
