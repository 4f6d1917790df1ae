"""The one loop that all solvers share: step, loss, stop, callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

#: ``callback(iteration, loss)`` after each iteration, counted from 1.
Callback = Callable[[int, float], None]

#: W transposed (n_components, n_bins) and H (n_components, n_frames).
Factors = tuple[NDArray[np.floating], NDArray[np.floating]]


class Steps(Protocol):
    """What the loop needs: steps that never raise the cost."""

    @property
    def cost(self) -> float:
        """The cost of the current factors."""

    def step(self) -> float:
        """Update both factors; return the new cost, the old one if no step helps."""

    def factors(self) -> Factors:
        """The current factors, never changed in place by later steps."""


class Solver(Steps, Protocol):
    """Steps that another solver may go on with."""

    @property
    def inertia(self) -> float:
        """How far its momentum has built up; 1 if it has none."""


def iterate(
    solver: Steps,
    *,
    max_iter: int,
    tol: float,
    stop: str = "cost",
    callback: Callback | None = None,
) -> list[float]:
    """Run a solver; return the cost after each iteration, which never rises.

    Parameters
    ----------
    solver : Steps
        Holds the factors.
    max_iter : int
        The most iterations.
    tol : float
        With ``stop="cost"`` the run ends once an iteration lowers the cost by no
        more than this fraction of it; with ``"factors"``, FMP's criterion, once
        both factors change by less than this in spectral norm. 0: never.
    callback : callable, optional
        Called with the iteration's number and cost.
    """
    losses: list[float] = []
    for iteration in range(1, max_iter + 1):
        before = solver.cost
        old = solver.factors() if stop == "factors" else None
        cost = solver.step()
        losses.append(cost)
        if callback is not None:
            callback(iteration, cost)
        if cost == 0 or cost >= before:
            break
        if old is not None:
            if _largest_change(old, solver.factors()) < tol:
                break
        elif before - cost <= tol * before:
            break
    return losses


def _largest_change(old: Factors, new: Factors) -> float:
    """The larger of ||H - H'|| and ||W - W'||, spectral norms (FMP 8.3)."""
    return max(
        float(np.linalg.norm(b - a, ord=2)) for a, b in zip(old, new, strict=True)
    )


class Counted:
    """Tells a callback of several runs as if they were one.

    Parameters
    ----------
    callback : callable, optional
        Called with the number of iterations so far and the cost.
    """

    def __init__(self, callback: Callback | None) -> None:
        self.callback, self.count = callback, 0

    def __call__(self, iteration: int, loss: float) -> None:
        """Tell of an iteration, whatever its number in its own run."""
        self.count += 1
        if self.callback is not None:
            self.callback(self.count, loss)
