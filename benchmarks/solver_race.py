"""How long until a solver is as good as scikit-learn's? Time to the same objective."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from itertools import product
from statistics import geometric_mean, median
from typing import NamedTuple

import numpy as np
from sklearn.decomposition import non_negative_factorization
from solver_cases import (
    Case,
    Float32,
    Timed,
    case,
    iterations_to,
    objective,
    ours,
    progress,
    spectrograms,
    warm_up,
)
from solver_plan import Plan, Results, brief, size_name, spread
from tables import table

from specnmf.factor.options import BETAS

#: What scikit-learn calls the divergences, and its solver for each.
PEERS = {
    "euclidean": ("frobenius", "cd"),
    "kl": ("kullback-leibler", "mu"),
    "is": ("itakura-saito", "mu"),
}

#: The targets: geometric mean of the ratios of times for each divergence, least ratio.
LEAST_MEAN = {"euclidean": 3.0, "kl": 4.0, "is": 4.0}
LEAST = 1.5

#: A target that is not reached in so many times the peer's iterations is given up.
PATIENCE = 4

HEAD = ("V", "components", "scikit-learn's iterations", "its time, s")
HEAD = (*HEAD, "our iterations", "our time, s", "ratio")


class Race(NamedTuple):
    """Seconds of each run to the objective, and what it takes us to get there.

    Without ``iterations`` it was not reached.
    """

    theirs: list[float]
    ours: list[float]
    iterations: int | None

    @property
    def ratio(self) -> float | None:
        """How many times longer the peer takes."""
        if self.iterations is None:
            return None
        return median(self.theirs) / median(self.ours)


def main(plan: Plan, results: Results) -> None:
    print("### Time to the same objective\n")
    rows: dict[str, list[list[str]]] = {beta: [] for beta in plan.betas}
    races: dict[str, list[Race]] = {beta: [] for beta in plan.betas}
    for size, V in spectrograms(plan, plan.sizes):
        for beta, rank, target in product(plan.betas, plan.ranks, plan.targets):
            name = f"race, {plan.song}, {size_name(size)}, {beta}, {rank}, {target}"
            run = partial(race, V, beta, rank, target, plan)
            outcome = measured(name, run, results)
            races[beta].append(outcome)
            rows[beta].append(row(size_name(size), rank, target, outcome))
    for beta in plan.betas:
        print(f"{beta}, beside scikit-learn's solver {PEERS[beta][1]}:\n")
        print(table(HEAD, rows[beta]), end="\n\n")
        print(verdict(beta, races[beta]), end="\n\n", flush=True)


def measured(name: str, run: partial[Race], results: Results) -> Race:
    """Return a race run before, else run it."""
    progress(name)
    outcome = Race(*results.of(name, run))
    ratio = "not reached" if outcome.ratio is None else brief(outcome.ratio)
    progress(f"  scikit-learn {spread(outcome.theirs)} s, ratio {ratio}")
    return outcome


def race(V: Float32, beta: str, rank: int, target: int, plan: Plan) -> Race:
    """Take the peer's objective after so many iterations; time both ways to it in turn.

    The first turn of the peer also tells the objective.
    """
    warm_up(beta, plan.threads)
    warm_up_peer(beta)
    own = case(V, beta, rank)
    first = scikit_learn(own, target)
    level = objective(own, first.W, first.H)
    iterations = iterations_to(level, own, PATIENCE * target, plan.threads)
    outcome = Race([first.seconds], [], iterations)
    if iterations is None:
        return outcome
    for turn in range(plan.runs):
        if 0 < turn < (plan.peer_runs or plan.runs):
            outcome.theirs.append(scikit_learn(own, target).seconds)
        outcome.ours.append(ours(own, iterations, plan.threads).seconds)
    return outcome


def scikit_learn(case: Case, iterations: int) -> Timed:
    """Run so many iterations of scikit-learn from the case's own start.

    It is given what `librosa.decompose` would give it: a sample is a frame, and H is
    improved before W. No other layout was faster. With tol 0 it never looks at the
    objective.
    """
    loss, solver = PEERS[case.beta]
    HT, WT = case.start.H.T.copy(order="C"), case.start.W.T.copy(order="C")
    begin = time.perf_counter()
    HT, WT, _ = non_negative_factorization(
        case.V.T,
        HT,
        WT,
        n_components=len(WT),
        init="custom",
        solver=solver,
        beta_loss=loss,
        tol=0,
        max_iter=iterations,
    )
    return Timed(time.perf_counter() - begin, WT.T, HT.T)


def warm_up_peer(beta: str) -> None:
    """Have scikit-learn load what it needs."""
    V = np.asfortranarray(np.random.default_rng(0).random((64, 96), np.float32))
    scikit_learn(case(V, beta, 4), 2)


def row(size: str, rank: int, target: int, outcome: Race) -> list[str]:
    """Return a row of the table."""
    begin = [size, str(rank), str(target), spread(outcome.theirs)]
    if outcome.ratio is None:
        return [*begin, f"more than {PATIENCE * target}", "-", "-"]
    mine = [str(outcome.iterations), spread(outcome.ours)]
    return [*begin, *mine, brief(outcome.ratio)]


def verdict(beta: str, races: Sequence[Race]) -> str:
    """Say how much faster we are, and whether that is as much as was meant."""
    ratios = [outcome.ratio for outcome in races if outcome.ratio is not None]
    if not ratios:
        return f"Beta {BETAS[beta]:g}: no objective was reached."
    mean, least = geometric_mean(ratios), min(ratios)
    held = len(ratios) == len(races) and mean >= LEAST_MEAN[beta] and least >= LEAST
    return (
        f"Beta {BETAS[beta]:g}, {len(ratios)} of {len(races)} objectives reached: "
        f"{brief(mean)} times faster in the\ngeometric mean, {brief(least)} at least; "
        f"the target of {LEAST_MEAN[beta]:g} and {LEAST:g} "
        f"{'holds' if held else 'does not hold'}."
    )
