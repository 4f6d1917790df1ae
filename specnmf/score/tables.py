"""Tables: what readers of comma-separated files share."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from specnmf.errors import ScoreError

#: What the columns may be called, by what they hold; the first that a table has counts.
Titles = Mapping[str, tuple[str, ...]]


def lines(text: str, *, longest: int, most: int, things: str) -> Iterator[str]:
    """Yield the lines of a text.

    Raises
    ------
    ScoreError
        If a line is too long for what they are called, or there are too many.
    """
    for number, line in enumerate(io.StringIO(text, newline=""), 1):
        if len(line) > longest or number > most:
            raise ScoreError(f"line {number}: longer than {things} are")
        yield line


def delimiter(first_line: str) -> str:
    """What parts the columns: a comma, a semicolon or a tab."""
    return max(",;\t", key=first_line.count)


def titles(table: csv.DictReader[str], known: Titles) -> dict[str, str]:
    """What the columns are called in a table, those that it has, in lower case."""
    table.fieldnames = [title.strip().lower() for title in table.fieldnames or ()]
    found = {}
    for column, its_titles in known.items():
        present = [title for title in its_titles if title in table.fieldnames]
        if present:
            found[column] = present[0]
    return found
