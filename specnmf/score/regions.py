"""Regions: where in a recording which sound is heard, as a person marked it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from specnmf.errors import ScoreError
from specnmf.score import label_tracks, tables
from specnmf.score.loading import MAX_DURATION, PathLike, contents, label
from specnmf.score.tables import Cells

#: Marks where none of the sounds is heard; no sound is called so.
REST = "rest"

#: A region a second for a day, with names of 160 letters.
MAX_REGIONS, MAX_BYTES = 100_000, 16 << 20

#: Lines, blank ones as well.
MAX_LINES = 2 * MAX_REGIONS

#: Sounds told apart in one recording: each has templates and a file of its own.
MAX_NAMES = 64

_FORM = tables.Form(
    titles={**tables.TIMES, "name": ("name", "label", "annotation")},
    needed=("name",),
    expected=(
        "expected a label track (start, end and name, parted by tabs) or a table with "
        "columns start, end (or duration) and name"
    ),
    example="start,end,name",
)


class Region(NamedTuple):
    """Where a sound is heard.

    Attributes
    ----------
    start, end : float
        In seconds.
    name : str
        Of the sound, or `REST` where none is heard.
    """

    start: float
    end: float
    name: str


def read_regions(path: PathLike) -> tuple[Region, ...]:
    """The regions in a label track or a table, in order of time.

    A label track is what Audacity exports: start, end and name, parted by tabs, with
    decimal points or commas. Lines that begin with a backslash hold the frequencies of
    a selection, and are left out. Spaces may part the columns where times have decimal
    points, as in the label files of data sets. Sonic Visualiser's regions without
    titles (time, value, duration and name) are known by their nanoseconds.

    A table has the columns start (or onset, begin, time), end (or duration, length)
    and name (or label, annotation), in any order and case, others between them, parted
    by commas, semicolons or tabs; where all numbers have decimal commas, these are
    read. So are the tables of Sonic Visualiser, Raven and REAPER.

    Times are in seconds, or on a clock such as 1:02.5.

    Parameters
    ----------
    path : path
        The file, in UTF-8 or UTF-16, else in whatever fits best.

    Raises
    ------
    ScoreError
        If the file is missing, neither of the two or could be read in two ways, a
        region is a point, without a name or beyond a day, or there are more than
        100 000 of them or 64 names.
    """
    return load_regions(path)[0]


def load_regions(path: PathLike) -> tuple[tuple[Region, ...], tuple[str, ...]]:
    """The same, and what was assumed where the file is unclear, a line each."""
    path = Path(path)
    try:
        data = contents(path, MAX_BYTES, expected="labels")
        text, remarks = tables.text_of(data, _FORM.expected)
        return _regions(text), tuple(remarks)
    except ScoreError as error:
        raise ScoreError(f"{path}: {error}") from error


def write_regions(path: PathLike, regions: Iterable[Region]) -> None:
    """Write a label track, as Audacity imports it, in order of time.

    Seconds have six decimals; the file is UTF-8.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    with Path(path).open("w", newline="", encoding="utf-8", errors="replace") as file:
        for start, end, name in sorted(regions):
            file.write(f"{start:.6f}\t{end:.6f}\t{label(name)}\n")


def _regions(text: str) -> tuple[Region, ...]:
    found = tuple(islice(tables.parsed(_rows(text), _region), MAX_REGIONS + 1))
    if not found:
        raise ScoreError("holds no regions")
    if len(found) > MAX_REGIONS:
        raise ScoreError(f"holds more than {MAX_REGIONS} regions")
    n_names = len({region.name for region in found})
    if n_names > MAX_NAMES:
        raise ScoreError(f"names {n_names} sounds, expected at most {MAX_NAMES}")
    return tuple(sorted(found))


def _rows(text: str) -> Iterator[tuple[int, Cells]]:
    first = next(filter(_is_told, _lines(text)), "")
    split = label_tracks.splitter(first)
    if split is None:
        return tables.rows(_lines(text), _FORM)[1]
    told = [(k, line) for k, line in enumerate(_lines(text), 1) if _is_told(line)]
    return label_tracks.labels(told, split)


def _lines(text: str) -> Iterator[str]:
    return tables.lines(text, most=MAX_LINES, things="lists of regions")


def _is_told(line: str) -> bool:
    """Whether a line is neither blank nor the frequencies of the label before."""
    return bool(line.strip()) and not line.startswith("\\")


def _region(cells: Cells) -> Region:
    start = _seconds(cells, "start")
    if "end" in cells:
        tables.check_end(cells, start)
        end = _seconds(cells, "end")
    else:
        end = start + _seconds(cells, "duration")
    name = label(cells["name"])
    if end < start:
        raise ScoreError(f"ends at {end:g} s, before it starts at {start:g} s")
    if end == start:
        raise ScoreError(
            f"{name or 'the label'!r} at {start:g} s is a point; mark a region, from "
            "where to where the sound is heard"
        )
    if end > MAX_DURATION:
        raise ScoreError(f"ends at {end:g} s, expected a day at most")
    if not name:
        raise ScoreError(f"the region from {start:g} to {end:g} s needs a name")
    return Region(start, end, REST if name.casefold() == REST else name)


def _seconds(cells: Cells, column: str) -> float:
    seconds = tables.seconds(cells, column)
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ScoreError(f"{column} must be 0 s or more, got {seconds}")
    return seconds
