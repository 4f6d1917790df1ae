"""What was done to a run since its fit, in sentences for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from specnmf.output.page.facts import number, table, tables, text, texts


def sentences(edits: object) -> list[str]:
    """A sentence for each thing that was done.

    Parameters
    ----------
    edits : object
        What run.json says: a list with a table for each time that the run was edited.
    """
    return [line for edit in tables(edits) for line in _lines(edit)]


def _lines(edit: Mapping[str, Any]) -> Iterator[str]:
    for name, members in table(edit.get("merge")).items():
        yield f"{text(name)} is {_listed(texts(members))} together."
    for old, new in table(edit.get("rename")).items():
        yield f"{text(old)} is now called {text(new)}."
    dropped = texts(edit.get("drop"))
    if dropped:
        yield f"{_listed(dropped)} went to the rest."
    for name, gain in table(edit.get("gain")).items():
        yield f"{text(name)} has a gain of {_signed(gain)} dB."
    for name, pan in table(edit.get("pan")).items():
        yield f"{text(name)} is panned {_place(number(pan) or 0.0)}."
    for name in texts(edit.get("without")):
        yield f"There is a mix without {name}."
    for key, told in (("order", "Put first: {}."), ("only", "Only written: {}.")):
        names = texts(edit.get(key))
        if names:
            yield told.format(_listed(names))


def _listed(names: list[str]) -> str:
    """Names as people list them."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _signed(value: object) -> str:
    return f"{number(value) or 0.0:+g}".replace("-", "−")


def _place(pan: float) -> str:
    """Where a stem is between left and right."""
    if pan == 0:
        return "to the centre"
    return f"{100 * abs(pan):.0f}% to the {'left' if pan < 0 else 'right'}"
