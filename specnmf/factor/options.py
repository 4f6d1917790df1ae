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

#: How near a beta is to one of them that is taken for it.
NEAR = 1e-6

#: How many components to look for unless told.
N_COMPONENTS = 8

#: The most components that auto may choose.
MOST_AUTO = 64


def parse_beta(beta: float | str) -> float:
    """The number that ``euclidean``, ``kl``, ``is`` or a number's text stands for.

    A number next to that of a name is taken for it: the difference of its powers would
    be rounding alone.

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
    """How long to fit, from where, and on how many cores."""

    max_iter: int = option(200, "The most iterations.", least=1)
    tol: float = option(
        1e-4, "Stop below this relative decrease of the cost; 0: never.", least=0
    )
    seed: int = option(0, "Seed of the random start.", least=0)
    threads: int | None = option(
        None, "Threads; by default one a core.", least=1, group=RUN
    )


class SolverOptions(FitOptions, group=FIT):
    """What a solver minimises, and which solver does."""

    beta: float = option(
        BETAS["kl"],
        "The divergence: euclidean (2), kl (1), is (0) or any number.",
        parse=parse_beta,
        metavar="[euclidean|kl|is|NUMBER]",
        shown="kl",
    )
    solver: Solver = option(
        "auto", "auto: hals for euclidean, joint for kl and is, else mu."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_beta(self.beta)
        check_solver(self.solver, self.beta)


class NmfOptions(SolverOptions, group=FIT):
    """The options of `nmf`."""

    init: Init = option("random", "The start; nndsvda fills nndsvd's zeros.")
    stop: Stop = option("cost", "What --tol is about: the cost, or FMP's factors.")


def check_beta(beta: float, got: object = None) -> None:
    """Raise ParameterError unless ``beta`` is a finite number."""
    if not is_finite(beta):
        shown = beta if got is None else got
        raise ParameterError(f"beta is {', '.join(BETAS)} or a number, got {shown!r}")


def check_components(n_components: int | str) -> None:
    """Raise ParameterError unless it is auto or a number of components."""
    if isinstance(n_components, str):
        if n_components != "auto":
            raise ParameterError(
                f"n_components is a whole number or auto, got {n_components!r}"
            )
    else:
        check_at_least("n_components", n_components, 1)


def check_solver(solver: str, beta: float) -> None:
    """Raise ParameterError if the solver does not minimise this divergence."""
    if solver == "hals" and beta != BETAS["euclidean"]:
        raise ParameterError(
            f"solver hals minimises beta 2 (euclidean) only, got beta {beta:g}; use mu"
        )
    if solver == "joint" and beta not in (BETAS["kl"], BETAS["is"]):
        raise ParameterError(
            "solver joint minimises beta 1 (kl) and 0 (is) only, "
            f"got beta {beta:g}; use mu"
        )
