"""Tables: what readers of comma-separated files share."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from specnmf.errors import ScoreError
from specnmf.score.loading import label

#: What the columns may be called, by what they hold; the first that a table has counts.
Titles = Mapping[str, tuple[str, ...]]

#: What a row holds, by column.
Cells = Mapping[str, str]

#: Columns that hold words; in others a comma may stand for a decimal point.
WORDS = frozenset(("label", "name", "percussion"))

_ENDS = {"end", "duration"}

#: How long a line may be.
MAX_LINE = 10_000

T = TypeVar("T")


def lines(text: str, *, most: int, things: str) -> Iterator[str]:
    """Yield lines; ScoreError if one is too long for the things, or there are more."""
    for number, line in enumerate(io.StringIO(text, newline=""), 1):
        if len(line) > MAX_LINE or number > most:
            raise ScoreError(f"line {number}: longer than {things} are")
        yield line


def delimiter(first_line: str) -> str:
    """What parts the columns: a comma, a semicolon or a tab."""
    return max(",;\t", key=first_line.count)


def rows(
    lines: Iterable[str], delimiter: str, known: Titles, *, needed: str, expected: str
) -> Iterator[tuple[int, Cells]]:
    """Yield the line and the cells of each row that is not blank.

    Decimal commas become points. A table needs columns for start, for end or duration,
    and for what is ``needed``; where one is missing, ScoreError says what is
    ``expected``.
    """
    table = csv.DictReader(lines, delimiter=delimiter)
    try:
        titles = _titles(table, known)
        if not ({"start", needed} <= titles.keys() and titles.keys() & _ENDS):
            names = label(", ".join(table.fieldnames or ())) or "none"
            raise ScoreError(f"{expected}, found {names}")
        for row in table:
            cells = {column: row[title] or "" for column, title in titles.items()}
            if delimiter != ",":
                for column in cells.keys() - WORDS:
                    cells[column] = cells[column].replace(",", ".")
            if any(cells.values()):
                yield table.line_num, cells
    except csv.Error as error:
        raise ScoreError(f"line {table.line_num}: not a table ({error})") from error


def _titles(table: csv.DictReader[str], known: Titles) -> dict[str, str]:
    """What the columns are called in a table, those that it has, in lower case."""
    table.fieldnames = [title.strip().lower() for title in table.fieldnames or ()]
    found = {}
    for column, its_titles in known.items():
        present = [title for title in its_titles if title in table.fieldnames]
        if present:
            found[column] = present[0]
    return found


def parsed(
    rows: Iterable[tuple[int, Cells]], parse: Callable[[Cells], T]
) -> Iterator[T]:
    """Yield what is read from each row; an error names its line."""
    for number, cells in rows:
        try:
            found = parse(cells)
        except ScoreError as error:
            raise ScoreError(f"line {number}: {error}") from error
        yield found


def number(cells: Cells, column: str) -> float:
    """The number in a cell; raises ScoreError if there is none."""
    try:
        return float(cells[column])
    except ValueError as error:
        text = label(cells[column])
        raise ScoreError(f"{column} must be a number, got {text!r}") from error
