"""Messages of the browser, read and checked: every value may be anything."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from specnmf.errors import ParameterError
from specnmf.score.loading import MAX_DURATION, label
from specnmf.score.notes import Note
from specnmf.score.regions import MAX_NAMES, MAX_REGIONS, REST, Region

#: The most notes; more cannot be a manual correction.
MOST_NOTES = 100_000

#: The largest deviation: beyond a semitone it is another pitch.
MOST_CENTS = 100.0

#: Columns of notes, and their defaults; None: the column is required.
COLUMNS = {
    "start": None,
    "end": None,
    "pitch": None,
    "stem": None,
    "velocity": 80,
    "confidence": 1.0,
    "cents": 0.0,
    "percussion": 0,
}

#: A note as numbers.
Row = tuple[float, ...]


def read_message(body: bytes) -> dict[str, Any]:
    """The object that a body holds.

    Raises
    ------
    ParameterError
        If it is not an object, or not valid JSON, such as NaN.
    """
    try:
        content = json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ParameterError(f"expected JSON: {error}") from None
    if not isinstance(content, dict):
        raise ParameterError("expected a JSON object")
    return content


def revision_of(content: Mapping[str, Any]) -> int:
    """The revision on which a message is based."""
    revision = content.get("revision")
    if type(revision) is not int:
        raise ParameterError(
            "expected revision, the number of the revision on which the change is based"
        )
    return revision


def flag_of(content: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """A value that is true or false."""
    value = content.get(name, default)
    if not isinstance(value, bool):
        raise ParameterError(f"expected {name} to be true or false")
    return value


def text_of(content: Mapping[str, Any], name: str) -> str | None:
    """A string, or None."""
    value = content.get(name)
    if value is not None and not isinstance(value, str):
        raise ParameterError(f"expected {name} to be a string")
    return value


def rows_of(content: Mapping[str, Any], n_stems: int) -> list[Row]:
    """The notes of a message, one row each, in the order of `COLUMNS`.

    Parameters
    ----------
    content : mapping
        With ``notes``, an object of columns.
    n_stems : int
        The number of stems; the column ``stem`` has their indices, or -1.

    Raises
    ------
    ParameterError
        If a column is missing or of another length, or a value is out of range.
    """
    columns = content.get("notes")
    if not isinstance(columns, dict):
        raise ParameterError("expected notes, an object of columns")
    starts = columns.get("start")
    n_notes = len(starts) if isinstance(starts, list) else 0
    if n_notes > MOST_NOTES:
        raise ParameterError(f"expected at most {MOST_NOTES} notes, got {n_notes}")
    read = (_column(columns, name, n_notes) for name in COLUMNS)
    rows = list(zip(*read, strict=True))
    for row in rows:
        _check_row(row, n_stems)
    return rows


def note_of(row: Row, part: str) -> Note:
    """The note of a row."""
    start, end, pitch, _, velocity, confidence, cents, percussion = row
    return Note(
        start=float(start),
        duration=float(end) - float(start),
        pitch=int(pitch),
        velocity=round(velocity),
        part=part,
        percussion=bool(percussion),
        cents=float(cents),
        confidence=float(confidence),
    )


def regions_of(content: Mapping[str, Any]) -> tuple[Region, ...]:
    """The regions of a message, in order of time, in the excerpt's time.

    Raises
    ------
    ParameterError
        If a region has no name or ends before it starts, or there are too many.
    """
    regions = content.get("regions")
    if not isinstance(regions, list):
        raise ParameterError("expected a list of regions")
    if len(regions) > MAX_REGIONS:
        raise ParameterError(f"expected at most {MAX_REGIONS} regions")
    found = tuple(sorted(map(_region, regions)))
    if len({region.name for region in found}) > MAX_NAMES:
        raise ParameterError(f"expected at most {MAX_NAMES} different names of regions")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _column(columns: Mapping[str, Any], name: str, n_notes: int) -> list[float]:
    """The values of a column, finite numbers, one per note."""
    default = COLUMNS[name]
    column = columns.get(name, None if default is None else [default] * n_notes)
    if not isinstance(column, list) or len(column) != n_notes:
        raise ParameterError(f"notes: expected {name}, a list with one number per note")
    for value in column:
        if not _is_number(value):
            raise ParameterError(f"notes: {name} has a value that is not a number")
    return column


def _is_number(value: object) -> bool:
    """Whether a value is a finite number within the range of floats."""
    if isinstance(value, float):
        return math.isfinite(value)
    return type(value) is int and abs(value) < 1 << 53


def _check_row(row: Row, n_stems: int) -> None:
    """Raise ParameterError unless a row is a valid note."""
    start, end, pitch, stem, velocity, confidence, cents, _ = row
    if not 0 <= start < end <= MAX_DURATION:
        raise ParameterError(
            f"expected notes to end after they start, got {start:g} to {end:g} s"
        )
    if stem not in range(-1, n_stems):
        raise ParameterError(f"expected a stem of the run or -1, got {stem:g}")
    if pitch not in range(128):
        raise ParameterError(
            f"expected a whole number from 0 to 127 as pitch, got {pitch:g}"
        )
    if not 1 <= velocity <= 127:
        raise ParameterError(f"expected a velocity from 1 to 127, got {velocity:g}")
    if not (-MOST_CENTS <= cents <= MOST_CENTS and 0 <= confidence <= 1):
        raise ParameterError(
            "expected cents from -100 to 100 and confidence from 0 to 1"
        )


def _region(entry: object) -> Region:
    """A region of a message; ``rest`` is in lower case, as in files of labels."""
    if not isinstance(entry, dict):
        raise ParameterError("expected a region as an object with name, start and end")
    start, end, name = (entry.get(key) for key in ("start", "end", "name"))
    if not (_is_number(start) and _is_number(end) and isinstance(name, str)):
        raise ParameterError(
            "expected a region with a name, and start and end in seconds"
        )
    name = label(name)
    if not name:
        raise ParameterError("expected a name for each region")
    if not 0 <= float(start) < float(end) <= MAX_DURATION:  # type: ignore[arg-type]
        raise ParameterError(
            f"region {name}: expected start before end, got {start} to {end} s"
        )
    name = REST if name.casefold() == REST else name
    return Region(float(start), float(end), name)  # type: ignore[arg-type]
