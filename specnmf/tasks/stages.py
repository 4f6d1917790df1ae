"""The stages of a run: how long each takes, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from specnmf.methods.progress import Step
from specnmf.tasks.compiling import watched

#: ``progress(stage, done, total, note)``, as a stage goes on.
Progress = Callable[[str, int, int, str], None]


@dataclass
class Stages:
    """Times the stages of a run, and tells the caller where it is."""

    tell: Progress | None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, total: int = 1) -> Iterator[Step]:
        """Time a block; yield what it calls as ``step(done, total, note)``."""
        began = time.perf_counter()

        def step(done: int, total: int = total, note: str = "") -> None:
            if self.tell is not None:
                self.tell(name, done, total, note)

        step(0)
        yield step
        step(total)
        self.seconds[name] = round(time.perf_counter() - began, 3)

    @contextmanager
    def compiling(self) -> Iterator[None]:
        """Report kernels that are compiled in a block, and how long that took.

        That happens once on a machine; the stages in which it does take longer by it.
        """

        def tell(going_on: bool) -> None:
            if self.tell is not None:
                self.tell("compile", int(not going_on), 1, "once on this machine")

        with watched(tell) as compilation:
            yield
        if compilation.seconds:
            self.seconds["compile"] = round(compilation.seconds, 3)
