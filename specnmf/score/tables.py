"""Tables: the part that readers of files with columns share.

A table names its columns in its first line. Names are known in the spelling of many
programs, in any case, with or without seconds as their unit: ``Begin Time (s)`` is a
start. Ambiguous tables are refused.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple, TypeVar

from specnmf.errors import ScoreError
from specnmf.score.encodings import decoded
from specnmf.score.loading import label

#: What the columns may be called, in small letters and digits alone, by what they
#: hold; the first that a table has counts.
Titles = Mapping[str, tuple[str, ...]]

#: The cells of a row, by column.
Cells = Mapping[str, str]

#: When something begins and ends, as Audacity, Sonic Visualiser, Raven, REAPER, Basic
#: Pitch and data sets call it.
TIMES: Titles = {
    "start": ("start", "onset", "begin", "starttime", "onsettime", "begintime", "time"),
    "duration": ("duration", "length", "deltatime"),
    "end": ("end", "offset", "endtime", "offsettime"),
}

#: Columns that hold words; in others a comma may stand for a decimal point.
WORDS = frozenset(("label", "name", "percussion", "view", "file"))

#: The longest line.
MAX_LINE = 10_000

#: Seconds by which a start and a duration may miss an end, for programs round.
_ROUNDED = 0.02

#: The unit that titles may end with.
_SECONDS = re.compile(r"[\s_]*[(\[]?\b(s|secs?|seconds?)[)\]]?$|_(s|secs?|seconds?)$")

#: Hours, minutes and seconds.
_CLOCK = re.compile(r"(?:(\d+):(?=\d\d:))?(\d{1,2}):([0-5]\d(?:\.\d*)?)", re.ASCII)

#: A time as Sonic Visualiser writes it: in nanoseconds, unlike all others.
_NANOSECONDS = re.compile(r"\s*\d+[.,]\d{9}\s*", re.ASCII)

#: The line with which spreadsheets state the separator.
_SEPARATOR = re.compile(r"sep=([,;\t])\s*", re.IGNORECASE)

_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x19]")

T = TypeVar("T")


class Form(NamedTuple):
    """The expected contents of a table."""

    #: The names of its columns.
    titles: Titles
    #: The column that it must have beside those of time; one of these.
    needed: tuple[str, ...]
    #: The message for a table that lacks a column.
    expected: str
    #: A line of titles.
    example: str


def text_of(data: bytes, expected: str) -> tuple[str, list[str]]:
    """The text of a file, and a remark if its encoding had to be guessed."""
    (text,), encoding = decoded([data])
    if encoding is None:
        return text.removeprefix("\ufeff"), []
    if _CONTROLS.search(text):
        raise ScoreError(f"{expected}, found no text")
    return text, [f"not UTF-8, read as {encoding}"]


def lines(text: str, *, most: int, things: str) -> Iterator[str]:
    """Yield lines; ScoreError if one is too long for ``things``, or one too many."""
    for number, line in enumerate(io.StringIO(text, newline=""), 1):
        if len(line) > MAX_LINE or number > most:
            raise ScoreError(f"line {number}: too long for {things}")
        yield line


def rows(
    lines: Iterable[str], form: Form, *, untitled: str = ""
) -> tuple[str, Iterator[tuple[int, Cells]]]:
    """The separator of the columns, and the line and the cells of each row not blank.

    A table without column names has those of ``untitled``, separated like its cells.
    Decimal commas become points, if there are no decimal points. Raises ScoreError if a
    column is missing or there twice, or if the cells cannot be assigned to columns.
    """
    lines = iter(lines)
    if untitled:
        skipped, first, delimiter = -1, untitled, "\t" if "\t" in untitled else ","
    else:
        skipped, first, delimiter = _head(lines, form)
    return delimiter, _rows(skipped, first, lines, delimiter, form)


def _rows(
    skipped: int, first: str, lines: Iterator[str], delimiter: str, form: Form
) -> Iterator[tuple[int, Cells]]:
    table = csv.DictReader(chain([first], lines), delimiter=delimiter)
    marks: set[str] = set()
    try:
        titles = _titles(table.fieldnames or (), form)
        table.fieldnames = [str(k) for k in range(len(table.fieldnames or ()))]
        for row in table:
            number = skipped + table.line_num
            cells = {column: row[title] or "" for column, title in titles.items()}
            if None in row and any(cells.values()):
                _check_surplus(number, cells, titles, len(row) - 1, delimiter)
            if any(cells.values()):
                yield number, with_points(number, cells, marks)
    except csv.Error as error:
        number = skipped + table.line_num
        raise ScoreError(f"line {number}: not a table ({error})") from error


def _head(lines: Iterator[str], form: Form) -> tuple[int, str, str]:
    """The number of lines before the column names, these names, and the separator."""
    parts = None
    number = 0
    for number, line in enumerate(lines, 1):
        if separator := _SEPARATOR.fullmatch(line):
            parts = separator[1]
            continue
        bare = line.lstrip("#")
        delimiter = parts or max(",;\t", key=line.count)
        found = _found(bare.split(delimiter), form)
        if line.strip() and (bare == line or "start" in found):
            return number - 1, bare, delimiter
    return number, "", ","


def _bare(title: str) -> str:
    """A column name without its case, its unit if that is seconds, spaces and signs."""
    title = title.strip().strip("\"'").lower()
    return re.sub(r"[^\w]|_", "", _SECONDS.sub("", title))


def _found(names: Sequence[str], form: Form) -> dict[str, list[int]]:
    """The positions of the columns that a line names."""
    bare = [_bare(name) for name in names]
    found = {}
    for column, its_titles in form.titles.items():
        title = next((title for title in its_titles if title in bare), None)
        if title is not None:
            found[column] = [k for k, name in enumerate(bare) if name == title]
    return found


def _titles(names: Sequence[str], form: Form) -> dict[str, str]:
    """The positions of the columns in a table, for those that it has."""
    found = _found(names, form)
    is_whole = "start" in found and ("end" in found or "duration" in found)
    if not (is_whole and any(column in found for column in form.needed)):
        if any(is_number(name) for name in names):
            raise ScoreError(
                f"{form.expected}, found no column names but {_listed(names)}; name "
                f"the columns in a first line, such as {form.example}"
            )
        raise ScoreError(f"{form.expected}, found {_listed(names)}")
    for places in found.values():
        if len(places) > 1:
            title = label(names[places[0]])
            raise ScoreError(f"{len(places)} columns are named {title!r}; rename one")
    return {column: str(places[0]) for column, places in found.items()}


def _listed(names: Sequence[str]) -> str:
    return label(", ".join(name.strip().lower() for name in names)) or "none"


def _check_surplus(
    number: int, cells: Cells, titles: Mapping[str, str], n_titles: int, delimiter: str
) -> None:
    """Raise ScoreError if a comma in a name or a number may have split a row."""
    last = max(titles, key=lambda column: int(titles[column]))
    is_name = last in WORDS and int(titles[last]) == n_titles - 1
    numbers = [text for column, text in cells.items() if column not in WORDS]
    is_whole = delimiter == "," and not any("." in text for text in numbers)
    if is_name or is_whole:
        raise ScoreError(
            f"line {number}: has more cells than the table has columns; put names and "
            "numbers that contain commas in quotes"
        )


def with_points(number: int, cells: dict[str, str], marks: set[str]) -> Cells:
    """A row with decimal points; ``marks`` are those of the table so far."""
    numbers = "".join([text for name, text in cells.items() if name not in WORDS])
    marks.update(mark for mark in ",." if mark in numbers)
    if "," not in marks:
        return cells
    for column in cells.keys() - WORDS:
        cells[column] = cells[column].replace(",", ".")
    if len(marks) > 1:
        raise ScoreError(
            f"line {number}: some numbers have commas and others points; use one of "
            "them for decimals, and no separator for thousands"
        )
    return cells


def parsed(
    rows: Iterable[tuple[int, Cells]], parse: Callable[[Cells], T]
) -> Iterator[T]:
    """Yield the result for each row; an error names its line."""
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


def seconds(cells: Cells, column: str) -> float:
    """The seconds in a cell, which may be on a clock: 1:02.5 is 62.5."""
    text = cells[column]
    clock = _CLOCK.fullmatch(text.strip()) if ":" in text else None
    if clock is None:
        return number(cells, column)
    hours, minutes, rest = clock.groups(default="0")
    return 3600 * int(hours) + 60 * int(minutes) + float(rest)


def check_end(cells: Cells, start: float) -> None:
    """Raise ScoreError if a row has a duration and an end, and they disagree."""
    if cells.keys() >= {"duration", "end"}:
        length, end = seconds(cells, "duration"), seconds(cells, "end")
        if not abs(start + length - end) <= _ROUNDED:
            raise ScoreError(
                f"starts at {start:g} s and lasts {length:g} s, but ends at {end:g} s"
            )


def is_clock(text: str) -> bool:
    """Whether a cell contains a time on a clock."""
    return _CLOCK.fullmatch(text.strip().replace(",", ".")) is not None


def nanoseconds(row: Sequence[str]) -> tuple[bool, ...]:
    """Which of the first three cells are times of Sonic Visualiser."""
    is_time = [bool(_NANOSECONDS.fullmatch(cell)) for cell in row[:3]]
    return (*is_time, False, False, False)[:3]


def is_number(text: str) -> bool:
    """Whether a cell contains a number, with a point or a comma."""
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
