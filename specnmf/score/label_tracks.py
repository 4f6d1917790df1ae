"""Label tracks: regions in a file without column titles, one per line.

Audacity writes start, end and name; other programs write other columns, and the file
does not tell which. Only unambiguous files are read, all others are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from specnmf.errors import ScoreError
from specnmf.score import tables
from specnmf.score.tables import Cells

Split = Callable[[str], list[str]]

_DECIMALS = re.compile(r"[.,](\d+)\s*$", re.ASCII)

#: What times in whole numbers lack.
_DECIMAL = re.compile(r"[.,:]")

#: The decimals of Audacity's times.
_AUDACITY = 6

#: Seconds by which a sum may be off, for programs round.
_ROUNDED = 0.002

#: What HTK counts times in, seconds; its times are multiples of its frames, which
#: last a millisecond at least, here of a tenth of that; less than a second in all is
#: no evidence.
_UNIT, _FRAME, _LEAST = 1e-7, 1000, 10_000_000

#: Whole seconds in samples are multiples of a rate, and of these.
_RATES = (16_000, 44_100)

#: What follows from whole numbers that are HTK's.
HTK = "times are whole numbers, read as units of 100 ns, as HTK writes them"

_UNCLEAR = (
    "not a label track of start, end and name: its {} column holds {}; name the "
    "columns in a first line, such as start,end,name or time,value,duration,name"
)


def splitter(line: str) -> Split | None:
    """The function that splits the lines of a label track that begins with a line.

    Columns are separated by tabs; by spaces; or by commas, from Sonic Visualiser. None
    if it is not a label track.
    """
    if "\t" in line and _is_time(line.partition("\t")[0]):
        return lambda line: line.split("\t")
    cells = line.split(None, 2)
    if len(cells) == 3 and all(map(_is_time, cells[:2])):
        return _spaced
    if tables.nanoseconds(line.split(",")) == (True, False, True):
        return lambda line: [cell.strip('"') for cell in line.split(",", 3)]
    return None


def labels(
    lines: Sequence[tuple[int, str]], split: Split, remarks: list[str]
) -> Iterator[tuple[int, Cells]]:
    """Yield line numbers and cells, by column, with decimal points.

    ``remarks`` gets what was assumed. Raises ScoreError if the meaning of the columns
    is unclear, or the unit of times that are separated by spaces.
    """
    rows = [split(line.rstrip("\r\n")) for _, line in lines]
    if split is _spaced and not any(map(_DECIMAL.search, _times(rows))):
        rows = _of_htk(rows)
        remarks.append(HTK)
    columns = _columns(rows)
    marks: set[str] = set()
    for (number, _), cells in zip(lines, rows, strict=True):
        last = len(columns) - 1
        padded = (*cells[:last], *[""] * (last - len(cells)), " ".join(cells[last:]))
        named = dict(zip(columns, padded, strict=True))
        yield number, tables.with_points(number, named, marks)


def _spaced(line: str) -> list[str]:
    return line.split(None, 2)


def _times(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The first two cells of each row."""
    for row in rows:
        yield from row[:2]


def _of_htk(rows: list[list[str]]) -> list[list[str]]:
    """Rows with seconds for HTK's units; ScoreError if they may be something else.

    A number in the last column of all rows is the likelihood of a label.
    """
    rows = [[*row, "", ""][:3] for row in rows]
    whole = [_whole(time) for time in _times(rows)]
    later = [time for time in whole if time != 0]
    is_htk = all(t >= 0 and t % _FRAME == 0 for t in whole) and (
        max(later, default=0) >= _LEAST
    )
    if not is_htk or any(all(t % rate == 0 for t in later) for rate in _RATES):
        raise ScoreError(
            "expected a label track (start, end and name, separated by tabs), found "
            "times in whole numbers, which may be samples or seconds; write seconds "
            "with decimals, such as 0.50 1.25 kick"
        )
    names = [row[2] for row in rows]
    scored = [name.rsplit(None, 1) for name in names]
    if all(len(each) == 2 and tables.is_number(each[1]) for each in scored):
        names = [name for name, _ in scored]
    times = [f"{time * _UNIT:.7f}" for time in whole]
    pairs = zip(times[::2], times[1::2], names, strict=True)
    return [[start, end, name] for start, end, name in pairs]


def _whole(text: str) -> int:
    """The whole number in a cell; -1 if there is none."""
    is_whole = text.isascii() and text.isdigit() and len(text) < 16
    return int(text) if is_whole else -1


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
