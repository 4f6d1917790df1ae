"""The edits of a run since its fit, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from specnmf.output.page.facts import number, table, tables, text, texts


def sentences(edits: object) -> list[str]:
    """One line for each edit.

    Parameters
    ----------
    edits : object
        The edits in run.json: a list with one table for each call of `edit`.
    """
    return [line for edit in tables(edits) for line in _lines(edit)]


def _lines(edit: Mapping[str, Any]) -> Iterator[str]:
    for name, members in table(edit.get("merge")).items():
        yield f"{text(name)}: sum of {_listed(texts(members))}"
    for old, new in table(edit.get("rename")).items():
        yield f"{text(old)}: renamed to {text(new)}"
    dropped = texts(edit.get("drop"))
    if dropped:
        yield f"{_listed(dropped)}: added to the rest"
    for name, gain in table(edit.get("gain")).items():
        yield f"{text(name)}: gain {number(gain) or 0.0:+g} dB"
    for name, pan in table(edit.get("pan")).items():
        yield f"{text(name)}: panned {_place(number(pan) or 0.0)}"
    for name in texts(edit.get("without")):
        yield f"{name}: left out of a mix"
    for key, told in (("order", "first"), ("only", "the only stems written")):
        names = texts(edit.get(key))
        if names:
            yield f"{_listed(names)}: {told}"


def _listed(names: list[str]) -> str:
    """Names as people list them."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _place(pan: float) -> str:
    """The position of a stem between left and right."""
    if pan == 0:
        return "to the centre"
    return f"{100 * abs(pan):.0f}% to the {'left' if pan < 0 else 'right'}"
