"""The options of factorisations, and what their values mean."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from specnmf.checks import check_at_least, is_finite
from specnmf.errors import ParameterError
from specnmf.options import FIT, RUN, Options, option

Solver = Literal["auto", "mu", "hals", "joint"]
Init = Literal["random", "nndsvd", "nndsvda"]
Stop = Literal["cost", "factors"]

#: The betas that have a name.
BETAS: Mapping[str, float] = {"euclidean": 2.0, "kl": 1.0, "is": 0.0}

#: A beta nearer than this to one of them becomes it.
NEAR = 1e-6

#: The default number of components.
N_COMPONENTS = 8

#: The most components that auto may choose.
MOST_AUTO = 64


def parse_beta(beta: float | str) -> float:
    """The number for ``euclidean``, ``kl``, ``is`` or a number, given as text or not.

    A number within NEAR of a named one becomes that: their powers would differ by
    rounding only.

    Raises
    ------
    ParameterError
        If ``beta`` is neither a known name nor a finite number.
    """
    if isinstance(beta, str) and beta.strip().lower() in BETAS:
        return BETAS[beta.strip().lower()]
    try:
        number = float(beta)
    except (ValueError, OverflowError):
        number = math.nan
    check_beta(number, got=beta)
    near = (named for named in BETAS.values() if abs(number - named) < NEAR)
    return next(near, number)


class FitOptions(Options, group=FIT):
    """How long to fit, from which seed, and with how many threads."""

    max_iter: int = option(200, "Maximum number of iterations.", least=1)
    tol: float = option(
        1e-4,
        "Stop when the cost falls by less than this fraction; 0: run all iterations.",
        least=0,
    )
    seed: int = option(0, "Seed of the random start.", least=0)
    threads: int | None = option(
        None, "Number of threads; by default one per core.", least=1, group=RUN
    )


class SolverOptions(FitOptions, group=FIT):
    """The divergence to minimise, and the solver."""

    beta: float = option(
        BETAS["kl"],
        "Divergence to minimise: euclidean (2), kl (1), is (0) or any number.",
        parse=parse_beta,
        metavar="[euclidean|kl|is|NUMBER]",
        shown="kl",
    )
    solver: Solver = option(
        "auto", "auto: hals for euclidean, joint for kl and is, mu for other numbers."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_beta(self.beta)
        check_solver(self.solver, self.beta)


class NmfOptions(SolverOptions, group=FIT):
    """The options of `nmf`."""

    init: Init = option(
        "random", "Initial W and H; nndsvda is nndsvd with its zeros filled."
    )
    stop: Stop = option(
        "cost",
        "Apply --tol to the decrease of the cost, or to the change of W and H (FMP).",
    )


def check_beta(beta: float, got: object = None) -> None:
    """Raise ParameterError unless ``beta`` is a finite number."""
    if not is_finite(beta):
        shown = beta if got is None else got
        raise ParameterError(
            f"beta must be {', '.join(BETAS)} or a number, got {shown!r}"
        )


def check_components(n_components: int | str) -> None:
    """Raise ParameterError unless it is auto or a number of components."""
    if isinstance(n_components, str):
        if n_components != "auto":
            raise ParameterError(
                f"n_components must be a whole number or auto, got {n_components!r}"
            )
    else:
        check_at_least("n_components", n_components, 1)


def check_solver(solver: str, beta: float) -> None:
    """Raise ParameterError if the solver does not minimise this divergence."""
    if solver == "hals" and beta != BETAS["euclidean"]:
        raise ParameterError(
            f"solver hals minimises only beta 2 (euclidean), got beta {beta:g}; use mu"
        )
    if solver == "joint" and beta not in (BETAS["kl"], BETAS["is"]):
        raise ParameterError(
            "solver joint minimises only beta 1 (kl) and 0 (is), "
            f"got beta {beta:g}; use mu"
        )
