"""A descent that keeps every number at zero or above."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from specnmf.factor.iterate import Callback
from specnmf.factor.matrices import Doubles
from specnmf.subnormals import flush_to_zero

#: The cost at a point, and its gradient there.
Function = Callable[[Doubles], tuple[float, Doubles]]

#: Iterations over which a descent's progress is judged: some bring little between
#: others that bring much.
WINDOW = 10

#: SciPy's: the corrections that are remembered; what ends a descent is ours.
OPTIONS = {"maxcor": 20, "ftol": 0, "gtol": 0}


def l_bfgs_b(
    function: Function,
    start: Doubles,
    *,
    max_iter: int,
    tol: float,
    callback: Callback | None = None,
) -> tuple[Doubles, list[float]]:
    """Where L-BFGS-B comes to (Byrd, Lu, Nocedal and Zhu 1995), by SciPy.

    ``tol`` is the relative decrease of an iteration, on average, that is worth going on
    for. Beside the best point comes the cost after each iteration, which never rises;
    that of the start alone if no step lowers it.
    """
    from scipy.optimize import Bounds, minimize

    costs = [function(start)[0]]
    unit = costs[0] or 1.0  # its first step, and all that follow, depend on the scale
    best = start

    def scaled(point: Doubles) -> tuple[float, Doubles]:
        cost, slope = function(point)
        return cost / unit, slope / unit

    def note(cost: float) -> None:
        costs.append(cost)
        if callback is not None:
            with flush_to_zero(on=False):
                callback(len(costs) - 1, cost)

    def after(intermediate_result: Any) -> None:
        nonlocal best
        cost = unit * float(intermediate_result.fun)
        if cost < costs[-1]:  # a line search that fails may end above where it began
            best = np.maximum(intermediate_result.x, 0)
            note(cost)
        else:
            note(costs[-1])
        if not is_worthwhile(costs, tol):
            raise StopIteration

    minimize(
        scaled,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=Bounds(0, np.inf),
        callback=after,
        options={**OPTIONS, "maxiter": max_iter, "maxfun": 20 * max_iter},
    )
    if len(costs) == 1:
        note(costs[0])
    return best, costs[1:]


def is_worthwhile(costs: Sequence[float], tol: float) -> bool:
    """Whether costs fell by more than ``tol`` an iteration, over the last WINDOW."""
    if len(costs) <= WINDOW:
        return True
    before = costs[-1 - WINDOW]
    return before - costs[-1] > WINDOW * tol * before
