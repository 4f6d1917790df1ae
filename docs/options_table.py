"""Sphinx: the options of a settings class, as the table of its page in the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from sphinx.application import Sphinx

from specnmf.options import GROUPS, Options, declaration, hints_of

#: The section of a docstring that the table stands for.
SECTION = ["Attributes", "-" * 10]


def setup(app: Sphinx) -> None:
    """Change the docstrings of settings before numpydoc reads them."""
    app.connect("autodoc-process-docstring", put_table, priority=400)


def put_table(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Put the table in place of the attributes."""
    if not isinstance(obj, type) or not issubclass(obj, Options):
        return
    end = next(n for n in range(len(lines)) if lines[n : n + 2] == SECTION)
    sections = [n - 1 for n, line in enumerate(lines[:end]) if {*line} == {"-"}]
    first = min(sections, default=end)
    lines[:] = [*lines[:first], *table(obj), "", *lines[first:end]]


def table(kind: type[Options]) -> Iterator[str]:
    """The options in reStructuredText, group by group as in ``--help``."""
    groups: dict[str, list[Field[Any]]] = {group: [] for group in GROUPS}
    for field in fields(kind):
        groups.setdefault(declaration(field).group, []).append(field)
    yield from (".. list-table::", "   :header-rows: 1", "   :class: options", "")
    yield from row("Option", "Values", "Default", "Meaning")
    hints = hints_of(kind)
    for field in (each for group in groups.values() for each in group):
        declared, name = declaration(field), field.name.replace("_", "-")
        is_switch = bool in (hints[field.name], *get_args(hints[field.name]))
        switch = f"--{name}/--no-{name}" if is_switch else f"--{name}"
        flags = " ".join(f"``{flag}``" for flag in declared.flags or (switch,))
        values = spell(hints[field.name]) + bounds(declared)
        default = {} if field.default is MISSING else field.default
        help = escaped(declared.help)
        yield from row(
            f"``{field.name}``", values, f"``{default!r}``", f"{help} {flags}"
        )


def row(*cells: str) -> Iterator[str]:
    """A row of the table."""
    for number, cell in enumerate(cells):
        yield f"   {'-' if number else '* -'} {cell}".replace("   - ", "     - ")


def spell(hint: Any) -> str:
    """The values that a type allows."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(map(spell, parts))
    if origin is Literal:
        return ", ".join(f"``{part!r}``" for part in parts)
    if origin is Sequence:
        return f"sequence of {spell(parts[0])}"
    if origin is Mapping:
        return f"mapping of {spell(parts[0])} to {spell(parts[1])}"
    return "None" if hint is NoneType else hint.__name__


def bounds(declared: Any) -> str:
    """What bounds the values, if anything does."""
    marks = {"≥": declared.least, ">": declared.above, "≤": declared.most}
    return "".join(
        f", {mark} {each:g}" for mark, each in marks.items() if each is not None
    )


def escaped(text: str) -> str:
    """Text without marks of reStructuredText."""
    return "".join(rf"\{mark}" if mark in "*`|_" else mark for mark in text)
