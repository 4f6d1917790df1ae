"""Kernels are compiled once on each machine: how long that takes, and when."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Compilation:
    """Counts the seconds that kernels are being compiled.

    Numba compiles one kernel at a time, and those that it calls meanwhile.

    Attributes
    ----------
    seconds : float
        So far.
    """

    def __init__(self, tell: Callable[[bool], None]) -> None:
        self.tell, self.depth, self.seconds = tell, 0, 0.0

    def notify(self, event: Any) -> None:
        """Take note of a kernel that is begun or ended: numba calls this."""
        if event.is_start:
            self.depth += 1
            if self.depth == 1:
                self.began = time.perf_counter()
                self.tell(True)
        elif event.is_end:
            self.depth -= 1
            if self.depth == 0:
                self.seconds += time.perf_counter() - self.began
                self.tell(False)


@contextmanager
def watched(tell: Callable[[bool], None]) -> Iterator[Compilation]:
    """Yield what is known of the kernels that are compiled meanwhile.

    Parameters
    ----------
    tell : callable
        Called with true when compilation begins, with false when it ends.
    """
    from numba.core import event

    class Listener(event.Listener):
        def on_start(self, event: Any) -> None:
            compilation.notify(event)

        on_end = on_start

    compilation = Compilation(tell)
    with event.install_listener("numba:compile", Listener()):
        yield compilation
