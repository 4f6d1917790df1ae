"""What of an iteration is unavoidable? The matrix products alone beside all of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from statistics import median
from time import perf_counter
from typing import NamedTuple

import numpy as np
from solver_cases import (
    Case,
    Float32,
    case,
    progress,
    seconds_an_iteration,
    spectrograms,
    warm_up,
)
from solver_plan import Plan, Results, brief, size_name, spread
from tables import table

#: Products with V's shape in an iteration: Wᵀ V and V Hᵀ; for the others WH, and Wᵀ and
#: Hᵀ each with V/WH, or with V/WH² and 1/WH.
PRODUCTS = {"euclidean": 2, "kl": 3, "is": 5}

#: Frames of a block whose model stays in the cache.
FRAMES = 512

#: Rows and columns of the matrices that show what the processor can do.
SQUARE = 2048

HEAD = ("V", "divergence", "components", "products", "alone, ms", "GFLOP/s")
HEAD = (*HEAD, "our iteration, ms", "iteration / products")


class Roof(NamedTuple):
    """Milliseconds of each run: the products, whole and in blocks, and an iteration."""

    whole: list[float]
    blocks: list[float]
    iteration: list[float]

    @property
    def products(self) -> list[float]:
        """The faster way of the two."""
        return min(self.whole, self.blocks, key=median)


def main(plan: Plan, results: Results) -> None:
    print("### Roofline\n")
    top = results.of("roofline, square", lambda: square(plan.runs))
    rows = []
    for size, V in spectrograms(plan, plan.sizes):
        for beta, rank in product(plan.betas, plan.ranks):
            what = f"{beta}, {rank}, {plan.iterations} iterations"
            key = f"roofline, {plan.song}, {size_name(size)}, {what}"
            progress(key)
            roof = Roof(*results.of(key, partial(measure, V, beta, rank, plan)))
            name = [size_name(size), beta, str(rank), str(PRODUCTS[beta])]
            rows.append([*name, *cells(roof, flops(V, rank, beta))])
    print(table(HEAD, rows), end="\n\n")
    print(
        f"Products of {SQUARE} x {SQUARE} matrices run at {top:.0f} GFLOP/s, float32.\n"
    )


def flops(V: Float32, rank: int, beta: str) -> float:
    """Return the operations of an iteration's products."""
    return 2.0 * V.size * rank * PRODUCTS[beta]


def cells(roof: Roof, operations: float) -> list[str]:
    """Return what was measured as text."""
    alone, all_of_it = median(roof.products), median(roof.iteration)
    rate = f"{1e-6 * operations / alone:.0f}"
    measured = [spread(roof.products), rate, spread(roof.iteration)]
    return [*measured, brief(all_of_it / alone)]


def measure(V: Float32, beta: str, rank: int, plan: Plan) -> Roof:
    """Time the products and our iteration in turn."""
    warm_up(beta, plan.threads)
    own, roof = case(V, beta, rank), Roof([], [], [])
    for _ in range(plan.runs):
        roof.whole.append(milliseconds(partial(products, own, V.shape[1])))
        roof.blocks.append(milliseconds(partial(products, own, FRAMES)))
        mean = seconds_an_iteration(own, plan.iterations, plan.threads)
        roof.iteration.append(1e3 * mean)
    return roof


def milliseconds(work: Callable[[], object]) -> float:
    """Return what the second of two runs takes: the first finds its memory."""
    work()
    begin = perf_counter()
    work()
    return 1e3 * (perf_counter() - begin)


def products(case: Case, length: int) -> None:
    """Compute the products of an iteration, so many frames at a time."""
    VT, W, HT = case.V.T, case.start.W, np.ascontiguousarray(case.start.H.T)
    blocks = [slice(i, i + length) for i in range(0, len(VT), length)]
    if case.beta == "euclidean":
        euclidean(VT, W, HT, blocks)
    else:
        joint(VT, W, HT, blocks, each=PRODUCTS[case.beta] // 2)


def euclidean(VT, W, HT, blocks):
    """Compute V Hᵀ and Wᵀ V, transposed."""
    for_H, for_W = np.empty_like(HT), np.zeros_like(W.T)
    for block in blocks:
        np.matmul(VT[block], W, out=for_H[block])
    for block in blocks:
        for_W += HT[block].T @ VT[block]


def joint(VT, W, HT, blocks, *, each):
    """Compute WH, and ``each`` products of its shape with Wᵀ, and as many with Hᵀ."""
    WT = np.ascontiguousarray(W.T)
    for_H, for_W = np.empty_like(HT), np.zeros_like(WT)
    P = np.empty_like(VT[blocks[0]])
    for block in blocks:
        model = np.matmul(HT[block], WT, out=P[: len(HT[block])])
        for _ in range(each):
            np.matmul(model, W, out=for_H[block])
            for_W += HT[block].T @ model


def square(runs: int) -> float:
    """Return the rate of products of large squares in GFLOP/s."""
    A = np.random.default_rng(0).random((SQUARE, SQUARE), np.float32)
    out = np.empty_like(A)
    times = [milliseconds(partial(np.matmul, A, A, out=out)) for _ in range(runs)]
    return 2e-6 * SQUARE**3 / median(times)
