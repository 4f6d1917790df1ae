"""Descents that keep every number at zero or above."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.factor.iterate import Callback

Doubles = NDArray[np.float64]

#: The cost at a point, and its gradient there.
Function = Callable[[Doubles], tuple[float, Doubles]]

#: Iterations over which a descent's progress is judged: some bring little between
#: others that bring much.
WINDOW = 10

#: Corrections that L-BFGS-B remembers.
CORRECTIONS = 20

#: Armijo's share of the decrease that the slope promises, and the most halvings.
SHARE, MOST_HALVINGS = 1e-4, 40

#: Adam's decays of the gradient and of its square, and its guard.
DECAYS, GUARD = (0.9, 0.999), 1e-100


@dataclass
class Progress:
    """Records the costs, and says when there is no more to be had.

    Parameters
    ----------
    tol : float
        The relative decrease of an iteration, on average, that is worth going on for.
    callback : callable, optional
        Called with the iteration's number and cost.
    """

    tol: float
    callback: Callback | None = None

    def __post_init__(self) -> None:
        self.losses: list[float] = []
        self.recent: deque[float] = deque(maxlen=WINDOW + 1)

    def begin(self, cost: float) -> None:
        """Say what the cost is before the first iteration."""
        self.recent.append(cost)

    def end(self) -> None:
        """Record the cost that it began with if no step lowered it."""
        if not self.losses:
            self.goes_on(self.recent[-1])

    def goes_on(self, cost: float) -> bool:
        """Record an iteration's cost; return whether another one is worth it."""
        self.losses.append(cost)
        self.recent.append(cost)
        if self.callback is not None:
            self.callback(len(self.losses), cost)
        full = len(self.recent) > WINDOW
        return not (
            full and self.recent[0] - cost <= WINDOW * self.tol * self.recent[0]
        )


def l_bfgs_b(
    function: Function, start: Doubles, *, max_iter: int, progress: Progress
) -> Doubles:
    """Where L-BFGS-B comes to (Byrd, Lu, Nocedal and Zhu 1995), by SciPy.

    Parameters
    ----------
    function : callable
        The cost and its gradient.
    start : array, shape (n,)
        At least 0.
    max_iter : int
        The most iterations.
    progress : Progress
        Gets every iteration's cost.
    """
    from scipy.optimize import Bounds, minimize

    begun = function(start)[0]
    progress.begin(begun)
    unit = begun or 1.0  # its first step, and all that follow, depend on the scale

    def scaled(point: Doubles) -> tuple[float, Doubles]:
        cost, slope = function(point)
        return cost / unit, slope / unit

    best, least = start, begun

    def after(intermediate_result: Any) -> None:
        nonlocal best, least
        cost = unit * float(intermediate_result.fun)
        if cost < least:  # a line search that fails may end above where it began
            best, least = np.maximum(intermediate_result.x, 0), cost
        if not progress.goes_on(least):
            raise StopIteration

    minimize(
        scaled,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=Bounds(0, np.inf),
        callback=after,
        options={
            "maxiter": max_iter,
            "maxfun": 20 * max_iter,
            "maxcor": CORRECTIONS,
            "ftol": 0,
            "gtol": 0,
        },
    )
    return best


def projected_gradient(
    function: Function, start: Doubles, *, max_iter: int, progress: Progress
) -> Doubles:
    """Where steps down the gradient come to, each projected on x >= 0.

    Steps are as long as Barzilai and Borwein's, halved until the cost falls by
    Armijo's rule: the spectral projected gradient of Birgin, Martínez and Raydan
    (2000), without its rises.

    Parameters
    ----------
    function, start, max_iter, progress
        As in `l_bfgs_b`.
    """
    x = start
    cost, slope = function(x)
    progress.begin(cost)
    length = 1 / max(float(np.abs(slope).max()), 1e-30)
    for _ in range(max_iter):
        step = np.maximum(x - length * slope, 0) - x
        found = _armijo(function, x, cost, slope, step)
        if found is None:
            break
        moved, new_slope = found[0] - x, found[2] - slope
        x, cost, slope = found
        curvature = float(moved @ new_slope)
        square = float(moved @ moved)
        length = square / curvature if curvature > 0 else 10 * length
        if not progress.goes_on(cost):
            break
    return x


def _armijo(
    function: Function, x: Doubles, cost: float, slope: Doubles, step: Doubles
) -> tuple[Doubles, float, Doubles] | None:
    """The point, cost and slope after a step, or part of it, that lowers the cost."""
    promised = SHARE * float(slope @ step)
    part = 1.0
    for _ in range(MOST_HALVINGS):
        there, its_slope = function(x + part * step)
        if there <= cost + part * promised and there < cost:
            return x + part * step, there, its_slope
        part /= 2
    return None


def stochastic_gradient(
    function: Function,
    start: Doubles,
    *,
    batches: Callable[[], list[Function]],
    max_iter: int,
    progress: Progress,
    rate: float = 0.02,
) -> Doubles:
    """Where steps down the gradients of parts of the data come to.

    Each is Adam's (Kingma and Ba 2015), projected on x >= 0. An iteration is a pass
    over all parts, after which the whole cost is looked at: if it rose, the next pass
    begins at the best point again, with half the rate.

    Parameters
    ----------
    function, start, max_iter, progress
        As in `l_bfgs_b`.
    batches : callable
        Gives the costs of the parts, in the order of the next pass.
    rate : float
        The length of the first steps, relative to the mean of ``start``.
    """
    best, least = start, function(start)[0]
    progress.begin(least)
    length = rate * float(start.mean())
    adam = _Adam(start)
    for _ in range(max_iter):
        x = best
        for part in batches():
            x = np.maximum(x - length * adam.direction(part(x)[1]), 0)
        cost = function(x)[0]
        if cost < least:
            best, least = x, cost
        else:
            length /= 2
            adam = _Adam(start)
        if not progress.goes_on(least):
            break
    return best


class _Adam:
    """Running means of gradients and of their squares."""

    def __init__(self, like: Doubles) -> None:
        self.mean, self.square = np.zeros_like(like), np.zeros_like(like)
        self.count = 0

    def direction(self, slope: Doubles) -> Doubles:
        """Where to step, each number by about one."""
        first, second = DECAYS
        self.count += 1
        self.mean = first * self.mean + (1 - first) * slope
        self.square = second * self.square + (1 - second) * slope**2
        mean = self.mean / (1 - first**self.count)
        square = self.square / (1 - second**self.count)
        direction: Doubles = mean / (np.sqrt(square) + GUARD)
        return direction
