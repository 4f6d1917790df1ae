"""nmf: the one door to every solver."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from specnmf.arrays import array_of
from specnmf.errors import ParameterError
from specnmf.factor import coarse, starts
from specnmf.factor.divergence import check_powers
from specnmf.factor.factorization import Factorization
from specnmf.factor.hals import ExactActivations, Hals
from specnmf.factor.iterate import Callback, iterate
from specnmf.factor.iterate import Solver as SteppingSolver
from specnmf.factor.joint import JointMajorisation
from specnmf.factor.matrices import Array, Booleans, non_negative
from specnmf.factor.multiplicative import MultiplicativeUpdates
from specnmf.factor.options import NmfOptions, Solver, Stop, parse_beta
from specnmf.parallel import Mapper, workers
from specnmf.subnormals import flush_to_zero

Support = tuple[ArrayLike | None, ArrayLike | None]

#: What ``auto`` stands for; multiplicative updates for any other beta.
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
    """V ≈ WH from a start, by minimising a beta-divergence.

    Parameters
    ----------
    V : array, shape (n_bins, n_frames)
        Non-negative and finite. float32 is computed in float32, all else in
        float64. Columns contiguous (Fortran order) save a copy.
    start : Factorization or int
        Where to start; an int stands for a random start of so many components.
    beta : float or str
        ``"euclidean"`` (2), ``"kl"`` (1), ``"is"`` (0) or any number.
    solver : {"auto", "mu", "hals", "joint"}
        Multiplicative updates serve any beta, HALS only 2, joint majorisation 1 and
        0; auto takes these where they serve, as they need a fraction of the time:
        they learn from part of the frames first, and go on with momentum. ``"mu"``
        takes exactly the textbook's steps, at beta 2 those of the FMP notebooks.
    max_iter : int
        The most iterations over all frames.
    tol : float
        See ``stop``; 0 runs all ``max_iter`` iterations.
    stop : {"cost", "factors"}
        End when an iteration lowers the cost by no more than ``tol`` of itself,
        or, FMP's criterion, when both factors change by less than ``tol`` in
        spectral norm.
    fixed : array of bool, shape (n_components,), optional
        Components whose templates stay untouched, not even rescaled. If that is
        all, HALS solves for the activations exactly, by non-negative least squares.
    support : pair of bool arrays or None, shapes of W and H
        Entries that may be other than zero; the rest is zero from the start.
        Numbers count as true where they are not zero.
    normalize : bool
        Scale each learned template to a maximum of 1, its scale kept in H, as
        the last step.
    rng : int or numpy.random.Generator
        For a random start.
    threads : int, optional
        None: one a core. The result does not depend on it.
    callback : callable, optional
        Called as ``callback(iteration, loss)``; iterations count from 1.

    Returns
    -------
    Factorization
        Components in the order of the start, with its labels; ``losses[i]`` is
        the cost after iteration i and never rises.

    Raises
    ------
    ParameterError
        If V, the start, a mask or an option is out of range.

    References
    ----------
    Lee and Seung 2001; Févotte and Idier 2011; Cichocki and Phan 2009; Ang and Gillis
    2019; Marmin, Goulart and Févotte 2023; Müller, "Fundamentals of Music Processing",
    section 8.3. The documentation's page on theory has the equations.
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
    free_W, free_H = _support(start, support)
    learned = ~_mask("fixed", fixed, (start.n_components,), default=False)
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
            f"for V of shape {V.shape} the start needs W {expected[0]} and "
            f"H {expected[1]}, got {start.W.shape} and {start.H.shape}"
        )


def _support(start: Factorization, support: Support) -> tuple[Booleans, Booleans]:
    W_mask, H_mask = (
        None if m is None else array_of("support", m) != 0 for m in support
    )
    return (
        _mask("support of W", W_mask, start.W.shape, default=True),
        _mask("support of H", H_mask, start.H.shape, default=True),
    )


def _mask(
    name: str, mask: ArrayLike | None, shape: tuple[int, ...], *, default: bool
) -> Booleans:
    if mask is None:
        return np.full(shape, default)
    array = array_of(name, mask)
    if array.dtype != np.bool_ or array.shape != shape:
        raise ParameterError(
            f"{name} must be booleans of shape {shape}, "
            f"got {array.dtype} of shape {array.shape}"
        )
    return array


def _max_normalize(W: Array, H: Array, learned: Booleans) -> None:
    """Scale each learned column of W to a maximum of 1, and its row of H back."""
    peaks = W.max(axis=0)
    scaled = learned & (peaks > 0)
    W[:, scaled] /= peaks[scaled]
    H[scaled] *= peaks[scaled, np.newaxis]
