"""Stems of a decomposition that are sums of components: in run.json and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from specnmf.notation import counted, percent

if TYPE_CHECKING:
    from specnmf.methods.components.fitting import ComponentStems
    from specnmf.methods.learned.fitting import KnownStems

#: Stems or components listed after a run; run.json has them all.
MOST_LISTED = 16

Entry = dict[str, Any]


def entries(stems: ComponentStems | KnownStems, components: list[Entry]) -> list[Entry]:
    """What run.json says of each stem; empty if each component is a stem of its own.

    With templates that have names, each of the ``components`` is told which it is.
    """
    if stems.templates:
        for entry, template in zip(components, stems.templates, strict=True):
            entry["template"] = template
        return [
            {"label": name, "templates": n, "energy_share": share}
            for name, n, share in _summed(stems.names, components)
        ]
    if stems.groups is None:
        return []
    periods = dict(zip(stems.groups.names, stems.groups.periods, strict=True))
    return [
        {
            "label": name,
            "components": n,
            "period": None if (p := periods.get(name)) is None else round(p, 4),
            "energy_share": share,
        }
        for name, n, share in _summed(stems.names, components)
    ]


def lines(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Lines for people: ``group_1  every 0.8 s  3 components  12%``."""
    shown = entries[:MOST_LISTED]
    table = [
        (entry["label"], *_period(entry), _size(entry), percent(entry["energy_share"]))
        for entry in shown
    ]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for label, *middle, size, share in table:
        cells = [f"{label:{widths[0]}}"]
        cells += [f"{text:{widths[1]}}" for text in middle]
        yield "  ".join([*cells, f"{size:>{widths[-2]}}", f"{share:>4}"])
    yield from unlisted(entries)


def unlisted(entries: Sequence[object]) -> Iterator[str]:
    """How many entries are not listed, if there are such."""
    if len(entries) > MOST_LISTED:
        yield f"and {len(entries) - MOST_LISTED} more in run.json"


def _summed(
    names: Sequence[str], components: Sequence[Entry]
) -> Iterator[tuple[str, int, float]]:
    """Each stem, how many components it is the sum of, and its share of the energy."""
    for name in names:
        own = [entry["energy_share"] for entry in components if entry["label"] == name]
        yield name, len(own), sum(own)


def _period(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """How often a group repeats; nothing for stems that are no such groups."""
    if "period" not in entry:
        return ()
    period = entry["period"]
    return ("no period" if period is None else f"every {period:.3g} s",)


def _size(entry: Mapping[str, Any]) -> str:
    if "templates" in entry:
        return counted(entry["templates"], "template")
    return counted(entry["components"], "component")
