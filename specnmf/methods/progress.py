"""Progress: how a method reports its stages."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class Stages(Protocol):
    """Receives the start, progress and end of each stage of a run."""

    def stage(self, name: str, total: int = 1) -> AbstractContextManager[Step]:
        """The context of a stage; it yields a function ``step(done, total, note)``."""


#: ``step(done, total=..., note="")``, called during a stage.
Step = Callable[..., None]


def part_of(step: Step | None, number: int, n_parts: int) -> Step | None:
    """A ``step`` for one of several equal parts of a stage, numbered from 0."""
    if step is None:
        return None
    return lambda done, total: step(number * total + done, n_parts * total)


def telling(step: Step, before: int = 0) -> Callable[[int, float], None]:
    """A solver's callback that reports its iterations after earlier ones."""
    return lambda i, loss: step(before + i, note=f"loss {loss:.5g}")
