"""Note tables without column names, and of MusicNet: what their columns hold.

The columns of a table without names are determined by its numbers, as far as these
allow only one reading; otherwise the table is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from specnmf.score.tables import is_number

#: Samples per second of MusicNet's recordings, in which it counts the time.
MUSICNET_RATE = 44100

_MUSICNET = {"start_time", "end_time", "instrument", "note", "start_beat"}

#: Rows that must agree, and the seconds from which on they count: no note begins after
#: a while and lasts longer than the piece before it, again and again.
_ENOUGH, _LATE = 3, 1.0

#: What a frequency of a note may be, in Hz, and a MIDI pitch that is one: C0 and up.
_LOWEST, _HIGHEST, _LEAST_PITCH, _MOST_PITCH = 20.0, 20_000.0, 12, 127

_NAME = re.compile(r"\s*([A-Ga-g])(#{1,2}|b{1,2}|♯|♭|x|s)?(-?\d)\s*")

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

_SIGNS = {"#": 1, "##": 2, "x": 2, "s": 1, "♯": 1, "b": -1, "bb": -2, "♭": -1}


class Columns(NamedTuple):
    """The columns of a table without names."""

    #: The titles and the rows, separated by tabs.
    titles: str
    text: str
    #: What they were taken for.
    remark: str


def note_pitch(name: str) -> int | None:
    """The MIDI number of a note's name, such as C#4 or Bb3; None if it is none.

    C4 is the middle C, 60, as in scientific pitch notation.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    return (
        12 * (int(found[3]) + 1)
        + _STEPS[found[1].upper()]
        + _SIGNS.get(found[2] or "", 0)
    )


def counts_samples(titles: str) -> bool:
    """Whether a line of titles is that of MusicNet, whose times are in samples."""
    return {title.strip().lower() for title in titles.split(",")} >= _MUSICNET


def guessed(text: str) -> Columns | None:
    """The columns of a table without names; None if it has some, or is not clear.

    They are start, end or duration, pitch, and velocity or label, in this order or, as
    madmom writes them, start, pitch, duration and velocity.
    """
    rows = _rows(text)
    width = len(rows[0]) if rows else 0
    if not 3 <= width <= 5 or any(len(row) != width for row in rows):
        return None
    columns = [_numbers([row[k] for row in rows]) for k in range(width)]
    starts, second, third = columns[:3]
    if starts is None or second is None or starts != sorted(starts):
        return None
    if third is not None and _is_madmom(second, third):
        order = ["start", "pitch", "duration", "velocity", "channel"][:width]
    else:
        length, pitch = _length(starts, second), _pitch([row[2] for row in rows], third)
        if not length or not pitch or width == 5:
            return None
        order = ["start", length, pitch]
        order += [_last(columns[3])] if width == 4 else []
    if any(
        value is None
        for value, name in zip(columns, order, strict=True)
        if name in ("velocity", "duration")
    ):
        return None  # fmt: skip
    remark = f"has no column names, read as {', '.join(order)}"
    lines = ["\t".join(cell.replace("\t", " ") for cell in row) for row in rows]
    return Columns("\t".join(order), "\n".join(lines) + "\n", remark)


def _rows(text: str) -> list[list[str]]:
    """The cells of the rows, if the first is of numbers; otherwise none."""
    lines = [line for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if not line.lstrip().startswith("#")]
    if not lines:
        return []
    delimiter = next((d for d in "\t;," if d in lines[0]), None)
    if not all(is_number(cell) for cell in lines[0].split(delimiter)[:2]):
        return []
    rows = [line.split(delimiter) for line in lines]
    if delimiter != ",":
        rows = [[_with_point(cell) for cell in row] for row in rows]
    return [[cell.strip() for cell in row] for row in rows]


def _with_point(cell: str) -> str:
    return cell.replace(",", ".") if is_number(cell) else cell


def _numbers(cells: Sequence[str]) -> list[float] | None:
    """The numbers of a column; None if it holds something else."""
    try:
        found = [float(cell) for cell in cells]
    except ValueError:
        return None
    return found if all(math.isfinite(value) for value in found) else None


def _is_madmom(second: Sequence[float], third: Sequence[float]) -> bool:
    """Whether pitches come before durations: whole numbers before what are none."""
    are_pitches = all(_is_pitch(value) for value in second)
    are_lengths = any(not v.is_integer() for v in third) and max(third) < _LOWEST
    return are_pitches and are_lengths


def _is_pitch(value: float) -> bool:
    return value.is_integer() and _LEAST_PITCH <= value <= _MOST_PITCH


def _length(starts: Sequence[float], second: Sequence[float]) -> str:
    """Whether the second column holds ends or durations; empty if either may be."""
    pairs = list(zip(starts, second, strict=True))
    if any(value < start for start, value in pairs):
        return "duration"
    late = [value for start, value in pairs if start >= _LATE]
    return "end" if len(late) >= _ENOUGH else ""


def _pitch(cells: Sequence[str], values: Sequence[float] | None) -> str:
    """What the third column holds: pitches or frequencies; empty if not clear."""
    if values is None:
        return "pitch" if all(note_pitch(c) is not None for c in cells) else ""
    if all(_is_pitch(value) for value in values):
        return "pitch"
    are_hertz = all(_LOWEST <= v <= _HIGHEST for v in values)
    return "frequency" if are_hertz and max(values) > _MOST_PITCH else ""


def _last(values: Sequence[float] | None) -> str:
    """What the fourth column holds: velocities up to 1 or 127, or names."""
    if values is not None and all(0 <= v <= _MOST_PITCH for v in values):
        return "velocity"
    return "label"
