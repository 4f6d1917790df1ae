"""nmf: the public function for all solvers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from specnmf.errors import ParameterError
from specnmf.factor import coarse, starts
from specnmf.factor.divergence import check_powers
from specnmf.factor.factorization import Factorization
from specnmf.factor.hals import ExactActivations, Hals
from specnmf.factor.iterate import Callback, iterate
from specnmf.factor.iterate import Solver as SteppingSolver
from specnmf.factor.joint import JointMajorisation
from specnmf.factor.matrices import (
    Array,
    Booleans,
    Support,
    mask,
    non_negative,
    supports,
)
from specnmf.factor.multiplicative import MultiplicativeUpdates
from specnmf.factor.options import NmfOptions, Solver, Stop, parse_beta
from specnmf.parallel import Mapper, workers
from specnmf.subnormals import flush_to_zero

#: The solvers of ``auto``; multiplicative updates for any other beta.
FASTEST: dict[float, Solver] = {2: "hals", 1: "joint", 0: "joint"}

#: Steps on every fourth frame before all frames are taken, by solver; the exact steps
#: of multiplicative updates are asked for by name, and taken from the start given.
COARSE_STEPS = {"hals": 5, "joint": 10}


def nmf(
    V: ArrayLike,
    start: Factorization | int,
    *,
    beta: float | str = NmfOptions.beta,
    solver: Solver = NmfOptions.solver,
    max_iter: int = NmfOptions.max_iter,
    tol: float = NmfOptions.tol,
    stop: Stop = NmfOptions.stop,
    fixed: ArrayLike | None = None,
    support: Support = (None, None),
    normalize: bool = True,
    rng: int | np.random.Generator = NmfOptions.seed,
    threads: int | None = NmfOptions.threads,
    callback: Callback | None = None,
) -> Factorization:
    """Templates W and activations H with V ≈ WH, by minimising a beta-divergence.

    Parameters
    ----------
    V : array, shape (n_bins, n_frames)
        The data, non-negative and finite. float32 is computed in float32, everything
        else in float64. Contiguous columns (Fortran order) save a copy.
    start : Factorization or int
        The initial W and H; an int means a random start with that many components.
    beta : float or str
        The divergence: ``"euclidean"`` (2), ``"kl"`` (1), ``"is"`` (0) or any number.
    solver : {"auto", "mu", "hals", "joint"}
        ``"mu"``: multiplicative updates, for any beta; exactly the steps of the
        textbook, and for beta 2 those of the FMP notebooks. ``"hals"``: only beta 2.
        ``"joint"``: joint majorisation, only beta 1 and 0. ``"auto"`` takes these two
        where it can: they need a fraction of the time, because they learn from part of
        the frames first and use momentum.
    max_iter : int
        Maximum number of iterations over all frames.
    tol : float
        The threshold of ``stop``; 0 runs all ``max_iter`` iterations.
    stop : {"cost", "factors"}
        ``"cost"``: stop when an iteration lowers the cost by no more than the fraction
        ``tol``. ``"factors"``, as in FMP: stop when both factors change by less than
        ``tol`` in spectral norm.
    fixed : array of bool, shape (n_components,), optional
        Components whose templates do not change, not even in scale. If all are fixed,
        HALS solves for the activations exactly, by non-negative least squares.
    support : pair of bool arrays or None, shapes of W and H
        The entries that may be nonzero; all others are zero from the start. Numbers
        count as true where they are not zero.
    normalize : bool
        At the end, scale each learned template to a maximum of 1, and its row of H by
        the inverse.
    rng : int or numpy.random.Generator
        Seed or generator of the random start.
    threads : int, optional
        Number of threads; by default one per core. The result does not depend on it.
    callback : callable, optional
        Called as ``callback(iteration, loss)``; iterations count from 1.

    Returns
    -------
    Factorization
        The components are in the order of the start and keep its labels. ``losses[i]``
        is the cost after iteration i; it never rises.

    Raises
    ------
    ParameterError
        If V, the start, a mask or an option is out of range.

    References
    ----------
    Lee and Seung 2001; Févotte and Idier 2011; Cichocki and Phan 2009; Ang and Gillis
    2019; Marmin, Goulart and Févotte 2023; Müller, "Fundamentals of Music Processing",
    section 8.3. The theory pages of the documentation have the equations.

    Examples
    --------
    A matrix of two spectra is recovered:

    >>> import numpy as np
    >>> import specnmf
    >>> W = np.array([[1.0, 0], [0.5, 0.2], [0, 1]])  # three bins
    >>> H = np.array([[2.0, 0, 4, 2], [0, 3, 3, 9]])  # four frames
    >>> V = W @ H
    >>> result = specnmf.nmf(V, 2, rng=0)
    >>> bool(np.allclose(result.W @ result.H, V, atol=1e-3))
    True

    With known templates, only the activations are fitted:

    >>> start = specnmf.Factorization(W, np.ones((2, 4)))
    >>> result = specnmf.nmf(V, start, beta="euclidean", fixed=[True, True])
    >>> result.H.round(6)
    array([[2., 0., 4., 2.],
           [0., 3., 3., 9.]])
    """
    options = NmfOptions(
        beta=parse_beta(beta),
        solver=solver,
        max_iter=max_iter,
        tol=tol,
        stop=stop,
        threads=threads,
    )
    V = non_negative("V", V, form="(n_bins, n_frames)")
    check_powers("V", V, options.beta)
    if not isinstance(start, Factorization):
        start = starts.random(V, start, rng=rng)
    _check_start(V, start)
    free_W, free_H = supports(start.W.shape, start.H.shape, support)
    learned = ~mask("fixed", fixed, (start.n_components,), default=False)
    WT = np.array(start.W.T, V.dtype, order="C")
    H = np.array(start.H, V.dtype, order="C")
    problem = _Problem(np.asfortranarray(V).T, options, learned, free_W.T, free_H)
    with workers(threads) as mapper, flush_to_zero():
        WT *= free_W.T
        H *= free_H
        WT, H, losses = _solve(problem, WT, H, mapper, callback)
        W = np.ascontiguousarray(WT.T)
        W[:, ~learned] = start.W[:, ~learned]
        if normalize:
            _max_normalize(W, H, learned)
    return replace(start, W=W, H=H, losses=np.array(losses))


@dataclass(frozen=True, eq=False)
class _Problem:
    """V frame by frame, and what there is to find."""

    VT: Array
    options: NmfOptions
    learned: Booleans
    free_WT: Booleans
    free_H: Booleans

    @property
    def solver(self) -> str:
        """Its name, once ``auto`` is decided."""
        named = self.options.solver
        return FASTEST.get(self.options.beta, "mu") if named == "auto" else named


def _solve(
    problem: _Problem, WT: Array, H: Array, mapper: Mapper, callback: Callback | None
) -> tuple[Array, Array, list[float]]:
    """Both factors from a start, and the cost after each iteration."""
    begun, options = _begin(problem, WT, H, mapper), problem.options
    losses = iterate(
        begun,
        max_iter=options.max_iter,
        tol=options.tol,
        stop=options.stop,
        callback=callback,
    )
    return *begun.factors(), losses


def _begin(problem: _Problem, WT: Array, H: Array, mapper: Mapper) -> SteppingSolver:
    """The solver, from the start or from what part of the frames taught it."""
    make = partial(_make, problem, mapper)
    if problem.solver not in COARSE_STEPS or not problem.learned.any():
        return make(problem.VT, WT, H, problem.free_H)
    free = H > 0 if problem.solver == "joint" else problem.free_H
    n_steps = COARSE_STEPS[problem.solver]
    approached = coarse.approach(problem.VT, WT, H, free, make=make, n_steps=n_steps)
    if approached is None:
        return make(problem.VT, WT, H, problem.free_H)
    factors, inertia = approached
    cost_of_start = make(problem.VT, WT, H, problem.free_H).cost
    solver = make(problem.VT, *factors, problem.free_H, inertia=inertia)
    if solver.cost <= cost_of_start:
        return solver
    return make(problem.VT, WT, H, problem.free_H)


def _make(
    problem: _Problem,
    mapper: Mapper,
    VT: Array,
    WT: Array,
    H: Array,
    free_H: Booleans,
    *,
    inertia: float = 1.0,
) -> SteppingSolver:
    """A solver for some frames, which may go on with another's momentum."""
    learned, beta = problem.learned, problem.options.beta
    if problem.solver == "hals":
        if not learned.any():
            return ExactActivations(VT, WT, H, free_H=free_H, mapper=mapper)
        free = problem.free_WT, free_H
        return Hals(VT, WT, H, learned=learned, free=free, mapper=mapper)
    if problem.solver == "mu":
        return MultiplicativeUpdates(
            VT, WT, H, beta=beta, learned=learned, mapper=mapper
        )
    joint = JointMajorisation(VT, WT, H, beta=beta, learned=learned, mapper=mapper)
    joint.inertia = inertia
    return joint


def _check_start(V: Array, start: Factorization) -> None:
    expected = (V.shape[0], start.n_components), (start.n_components, V.shape[1])
    if (start.W.shape, start.H.shape) != expected:
        raise ParameterError(
            f"for V of shape {V.shape}, the start must have W of shape {expected[0]} "
            f"and H of shape {expected[1]}, got {start.W.shape} and {start.H.shape}"
        )


def _max_normalize(W: Array, H: Array, learned: Booleans) -> None:
    """Scale each learned column of W to a maximum of 1, and its row of H back."""
    peaks = W.max(axis=0)
    scaled = learned & (peaks > 0)
    W[:, scaled] /= peaks[scaled]
    H[scaled] *= peaks[scaled, np.newaxis]
