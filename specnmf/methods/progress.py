"""Progress: how a method tells of its stages."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class Stages(Protocol):
    """Told of each stage of a run as it begins, goes on and ends."""

    def stage(self, name: str, total: int = 1) -> AbstractContextManager[Step]:
        """A block of work; what it gets is called as ``step(done, total, note)``."""


#: ``step(done, total=..., note="")``, as a stage goes on.
Step = Callable[..., None]


def part_of(step: Step | None, number: int, n_parts: int) -> Step | None:
    """What tells of one of so many parts of a stage, counted from 0."""
    if step is None:
        return None
    return lambda done, total: step(number * total + done, n_parts * total)


def telling(step: Step, before: int = 0) -> Callable[[int, float], None]:
    """A solver's callback that tells of its iterations, and of those before."""
    return lambda i, loss: step(before + i, note=f"loss {loss:.5g}")
