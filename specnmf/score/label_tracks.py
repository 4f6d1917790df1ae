"""Label tracks: regions in a file without column titles, one per line.

Audacity writes start, end and name; other programs write other columns, and the file
does not tell which. Only unambiguous files are read, all others are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from specnmf.errors import ScoreError
from specnmf.score import tables
from specnmf.score.tables import Cells

Split = Callable[[str], list[str]]

_DECIMALS = re.compile(r"[.,](\d+)\s*$", re.ASCII)

#: The decimals of Audacity's times.
_AUDACITY = 6

#: Seconds by which a sum may be off, for programs round.
_ROUNDED = 0.002

_UNCLEAR = (
    "not a label track of start, end and name: its {} column holds {}; name the "
    "columns in a first line, such as start,end,name or time,value,duration,name"
)


def splitter(line: str) -> Split | None:
    """The function that splits the lines of a label track that begins with a line.

    Columns are separated by tabs; by spaces if times have decimal points, because whole
    numbers are HTK's units; or by commas, from Sonic Visualiser. None if it is not a
    label track.
    """
    if "\t" in line and _is_time(line.partition("\t")[0]):
        return lambda line: line.split("\t")
    cells = line.split(None, 2)
    if len(cells) == 3 and all(_is_time(c) and "." in c for c in cells[:2]):
        return lambda line: line.split(None, 2)
    if tables.nanoseconds(line.split(",")) == (True, False, True):
        return lambda line: [cell.strip('"') for cell in line.split(",", 3)]
    return None


def labels(
    lines: Sequence[tuple[int, str]], split: Split
) -> Iterator[tuple[int, Cells]]:
    """Yield line numbers and cells, by column, with decimal points.

    Raises ScoreError if the meaning of the columns is unclear.
    """
    rows = [split(line.rstrip("\r\n")) for _, line in lines]
    columns = _columns(rows)
    marks: set[str] = set()
    for (number, _), cells in zip(lines, rows, strict=True):
        last = len(columns) - 1
        padded = (*cells[:last], *[""] * (last - len(cells)), " ".join(cells[last:]))
        named = dict(zip(columns, padded, strict=True))
        yield number, tables.with_points(number, named, marks)


def _is_time(text: str) -> bool:
    return tables.is_number(text) or tables.is_clock(text)


def _columns(rows: Sequence[list[str]]) -> tuple[str, ...]:
    """The meaning of the columns."""
    kinds = set(map(tables.nanoseconds, rows))
    if kinds == {(True, False, True)}:
        return ("start", "value", "duration", "name")
    if kinds == {(True, False, False)}:
        raise ScoreError(_UNCLEAR.format("second", "no times"))
    if all(len(row) > 2 and tables.is_number(row[2]) for row in rows):
        if all(map(_is_sum, rows)):
            return ("start", "end", "duration", "name")
        if not all(map(_is_named_by_number, rows)):
            raise ScoreError(_UNCLEAR.format("third", "numbers"))
    return ("start", "end", "name")


def _is_sum(row: Sequence[str]) -> bool:
    """Whether the third of four cells is the time from the first to the second."""
    if len(row) != 4 or not all(map(tables.is_number, row[:2])):
        return False
    start, end, duration = (float(cell.replace(",", ".")) for cell in row[:3])
    return abs(start + duration - end) <= _ROUNDED


def _is_named_by_number(row: Sequence[str]) -> bool:
    """Whether a number in the third and last cell is a name that a person gave."""
    start, end, name = (_n_decimals(cell) for cell in row[:3])
    usual = start == _AUDACITY if name else True
    return len(row) == 3 and start == end and usual


def _n_decimals(text: str) -> int:
    found = _DECIMALS.search(text)
    return len(found[1]) if found else 0
