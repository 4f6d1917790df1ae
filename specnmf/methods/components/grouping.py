"""Components grouped into stems by the periods at which they repeat."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from specnmf.audio.stft import Grid
from specnmf.factor.factorization import Factorization
from specnmf.factor.periodicity import group_by_period
from specnmf.methods.components.options import ComponentOptions

#: The stem of components that do not repeat at a period.
REST = "rest"


@dataclass(frozen=True)
class Groups:
    """The stems that components are grouped into.

    Attributes
    ----------
    names : tuple of str
        ``group_1`` and so on by rising period, then ``rest``.
    periods : tuple of float or None
        The period of each in seconds; None without one.
    """

    names: tuple[str, ...]
    periods: tuple[float | None, ...]

    def remarks(self, labels: Sequence[str]) -> list[str]:
        """Warnings, if a group has no component, or no period."""
        found = []
        for name, period in zip(self.names[:-1], self.periods, strict=False):
            if name not in labels:
                found.append(f"{name} has no component; use fewer groups or more -k")
            elif period is None:
                found.append(f"{name}: no period found")
        return found


def group_names(n_groups: int) -> tuple[str, ...]:
    """The names of so many groups, and of the rest."""
    return (*(f"group_{number}" for number in range(1, n_groups + 1)), REST)


def stored_groups(n_groups: int) -> Groups | None:
    """The groups of a finished run, whose periods do not matter any more."""
    names = group_names(n_groups)
    return Groups(names, (None,) * len(names)) if n_groups else None


def grouped(
    factors: Factorization, grid: Grid, options: ComponentOptions
) -> tuple[Factorization, Groups]:
    """Components labelled by their groups, and the groups.

    Raises
    ------
    ParameterError
        If the recording is too short to tell a period.
    """
    names = group_names(options.n_groups)
    seconds = grid.hop_length / grid.sr
    found = group_by_period(factors.H, seconds, options.n_groups, rng=options.seed)
    labels = tuple(names[group] for group in found.groups)  # -1: the rest, the last
    periods = [None if math.isnan(p) else float(p) for p in found.periods]
    return replace(factors, labels=labels), Groups(names, (*periods, None))
