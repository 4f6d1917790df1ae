"""Markdown tables of what was measured. Nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

#: Songs whose names begin so are averaged.
GROUPS = ("P4", "P2")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def with_means(values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return values by song, each group followed by its mean."""
    rest = dict(values)
    out: dict[str, float | None] = {}
    for group in GROUPS:
        own = {name: rest.pop(name) for name in list(rest) if name.startswith(group)}
        if own:
            known = [value for value in own.values() if value is not None]
            mean = fmean(known) if len(known) == len(own) else None
            out |= {**own, f"{group} mean": mean}
    return out | rest


def decibels(value: float | None) -> str:
    """Format a value to a tenth of a dB, without a minus before zero."""
    return "-" if value is None else f"{value:z.1f}"
