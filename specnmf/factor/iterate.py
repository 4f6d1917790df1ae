"""The loop that all solvers share: step, loss, stop, callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from specnmf.subnormals import flush_to_zero

#: ``callback(iteration, loss)`` after each iteration, counted from 1.
Callback = Callable[[int, float], None]

#: W transposed (n_components, n_bins) and H (n_components, n_frames).
Factors = tuple[NDArray[np.floating], NDArray[np.floating]]


class Stepping(Protocol):
    """What goes step by step."""

    def step(self) -> float:
        """Update both factors; return a cost."""


class Steps(Protocol):
    """The steps that the loop needs; they never raise the cost."""

    @property
    def cost(self) -> float:
        """The cost of the current factors."""

    def step(self) -> float:
        """Update both factors; return the new cost, the old one if no step helps."""

    def factors(self) -> Factors:
        """The current factors, never changed in place by later steps."""


class Solver(Steps, Protocol):
    """A solver of V ≈ WH; another one can continue from its result.

    It is made from VT, (n_frames, n_bins), and a start: WT, (n_components, n_bins), and
    H, (n_components, n_frames). ``learned``, bool of shape (n_components,), selects the
    templates to update; for HALS ``free``, a pair of bool arrays like WT and H, marks
    the entries that may be nonzero. ``mapper`` is from `specnmf.parallel.workers`.
    """

    @property
    def inertia(self) -> float:
        """How far the momentum has built up; 1 if none can be passed on."""


def iterate(
    solver: Steps,
    *,
    max_iter: int,
    tol: float,
    stop: str = "cost",
    callback: Callback | None = None,
) -> list[float]:
    """Run a solver; return the cost after each iteration, which never rises.

    With ``stop="cost"`` the run ends once an iteration lowers the cost by no more than
    ``tol`` of itself; with ``"factors"``, FMP's criterion, once both factors change by
    less than ``tol`` in spectral norm. 0: never.
    """
    losses: list[float] = []
    for iteration in range(1, max_iter + 1):
        before = solver.cost
        old = solver.factors() if stop == "factors" else None
        cost = solver.step()
        losses.append(cost)
        if callback is not None:
            with flush_to_zero(on=False):
                callback(iteration, cost)
        if cost == 0 or cost >= before:
            break
        if old is not None:
            if _largest_change(old, solver.factors()) < tol:
                break
        elif before - cost <= tol * before:
            break
    return losses


def repeat(
    solver: Stepping, *, max_iter: int, callback: Callback | None = None
) -> list[float]:
    """Run steps that may raise the cost; return what each returned."""
    losses: list[float] = []
    for iteration in range(1, max_iter + 1):
        losses.append(solver.step())
        if callback is not None:
            with flush_to_zero(on=False):
                callback(iteration, losses[-1])
    return losses


def _largest_change(old: Factors, new: Factors) -> float:
    """The larger of ||H - H'|| and ||W - W'||, spectral norms (FMP 8.3)."""
    return max(
        float(np.linalg.norm(b - a, ord=2)) for a, b in zip(old, new, strict=True)
    )


class Counted:
    """A callback that counts the iterations of several runs as one."""

    def __init__(self, callback: Callback | None) -> None:
        self.callback, self.count = callback, 0

    def __call__(self, iteration: int, loss: float) -> None:
        """Report an iteration, numbered over all runs."""
        self.count += 1
        if self.callback is not None:
            self.callback(self.count, loss)
