"""The one loop that all solvers share: step, loss, stop, callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

#: ``callback(iteration, loss)`` after each iteration, counted from 1.
Callback = Callable[[int, float], None]

#: A solver's own copy of its factors: whatever `Solver.restore` takes back.
State = tuple[NDArray[np.floating], NDArray[np.floating]]


class Solver(Protocol):
    """What the loop needs: a look at where we are, and a step from there."""

    def look(self) -> float:
        """The cost of the current factors; prepares the next step on the way."""

    def advance(self) -> None:
        """Take the step: first H, then W with the new H."""

    def state(self) -> State:
        """A copy of the current factors."""

    def restore(self, state: State) -> None:
        """Put back a copy."""


def iterate(
    solver: Solver,
    *,
    max_iter: int,
    tol: float,
    stop: str,
    callback: Callback | None = None,
) -> list[float]:
    """Run a solver; return the cost after each iteration, which never rises.

    Parameters
    ----------
    solver : Solver
        Holds the factors and changes them in place.
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
    before = solver.look()
    for iteration in range(1, max_iter + 1):
        state = solver.state()
        solver.advance()
        cost = solver.look()
        risen = cost > before
        if risen:  # by rounding, or the eps of a denominator: no step helps further
            solver.restore(state)
            cost = before
        losses.append(cost)
        if callback is not None:
            callback(iteration, cost)
        if risen or cost == 0:
            break
        if stop == "factors":
            if _largest_change(state, solver.state()) < tol:
                break
        elif tol > 0 and before - cost <= tol * before:
            break
        before = cost
    return losses


def _largest_change(old: State, new: State) -> float:
    """The larger of ||H - H'|| and ||W - W'||, spectral norms (FMP 8.3)."""
    return max(
        float(np.linalg.norm(b - a, ord=2)) for a, b in zip(old, new, strict=True)
    )
