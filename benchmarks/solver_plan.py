"""What the solvers are measured on, and what was measured. Nothing heavy is imported.

Numpy stays out of the process that starts others: what it holds counts in their peak.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from specnmf.factor.options import BETAS

#: Bins and frames of a spectrogram.
Size = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to measure, and how often.

    Attributes
    ----------
    sizes : tuple of Size
        The spectrograms, small to large; ``peers`` takes the first, ``memory`` the
        last, and ``growth`` the bins of the first.
    ranks : tuple of int
        Numbers of components.
    targets : tuple of int
        The peer's iterations whose objective is to be reached in ``race``.
    iterations : int
        Iterations of the same work in ``peers``; also the mean of so many is an
        iteration's time in ``growth`` and ``roofline``.
    many_frames, many_ranks : tuple of int
        What ``growth`` varies; it keeps the middle of the one and ``growth_rank``.
    memory_ranks : tuple of int
        Numbers of components in ``memory``.
    seconds : float
        Length of the song that is made where none is given.
    """

    sizes: tuple[Size, ...] = ((1025, 5000), (2049, 20000))
    ranks: tuple[int, ...] = (8, 16, 64, 128)
    betas: tuple[str, ...] = tuple(BETAS)
    targets: tuple[int, ...] = (50, 200)
    iterations: int = 20
    many_frames: tuple[int, ...] = (1250, 2500, 5000, 10000, 20000)
    many_ranks: tuple[int, ...] = (4, 8, 16, 32, 64, 128)
    growth_rank: int = 16
    memory_ranks: tuple[int, ...] = (16, 64)
    runs: int = 5
    peer_runs: int | None = None
    threads: int = 2
    songs: Sequence[Path] = ()
    seconds: float = 480.0
    results: Path | None = None
    svg: Path | None = None
    torch_python: Path | None = None

    @property
    def song(self) -> str:
        """What the songs are called together."""
        names = [f"{path.parent.name}/{path.name}" for path in self.songs]
        return " + ".join(names) or "audio_examples, looped"


#: Little of everything: shows that all of it runs.
QUICK = Plan(
    sizes=((257, 400), (513, 800)),
    ranks=(4, 8),
    targets=(5, 20),
    iterations=5,
    many_frames=(100, 200, 400, 800),
    many_ranks=(2, 4, 8, 16),
    growth_rank=4,
    memory_ranks=(4, 8),
    runs=2,
    seconds=20.0,
)


class Results:
    """What was measured by case, kept in a file where there is one.

    A run that is broken off goes on from there. Cases are known by their names, which
    do not tell the solver's version: for a changed solver, name another file.
    """

    def __init__(self, path: Path | None, machine: str) -> None:
        self.path, self.machine = path, machine
        self.cases: dict[str, Any] = {}
        if path is not None and path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["machine"] != machine:
                raise SystemExit(
                    f"{path} is of another machine or of other versions "
                    f"({kept['machine']}): name another file with --results"
                )
            self.cases = kept["cases"]

    def of(self, case: str, measure: Callable[[], Any]) -> Any:
        """Return what was measured of a case before, else measure and keep it."""
        if case not in self.cases:
            self.cases[case] = measure()
            self._keep()
        return self.cases[case]

    def _keep(self) -> None:
        if self.path is None:
            return
        kept = {"machine": self.machine, "cases": self.cases}
        partial = self.path.with_name(self.path.name + ".part")
        partial.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        partial.replace(self.path)


def size_name(size: Size) -> str:
    """Return ``1025 x 5000``."""
    return f"{size[0]} x {size[1]}"


def brief(value: float) -> str:
    """Format a positive number with three digits that count."""
    digits = sum(value < limit for limit in (0.1, 1, 10, 100))
    return f"{value:.{digits}f}"


def spread(values: Sequence[float]) -> str:
    """Format values as ``median (min-max)``, one value as itself."""
    if len(values) == 1:
        return brief(values[0])
    middle, low, high = median(values), min(values), max(values)
    return f"{brief(middle)} ({brief(low)}-{brief(high)})"
