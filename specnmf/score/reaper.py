"""The table of regions and markers that REAPER's manager of them exports.

Its times are in the unit that REAPER shows: seconds, minutes and seconds, measures and
beats, samples, or frames of video. Only the first two say when something is heard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from specnmf.errors import ScoreError
from specnmf.score import tables
from specnmf.score.tables import Cells, Form

_BEGINNING = re.compile(r"\ufeff?#[,;\t]\"?Name\"?[,;\t]\"?Start\"?[,;\t]", re.I)

#: The title of the first column, which is a sign.
_SIGN, _TITLE = "#", "ident"

_MARKER = re.compile(r"M\d+", re.ASCII)

_UNITS = (
    (re.compile(r"-?\d+\.\d+\.\d+", re.ASCII), "measures and beats"),
    (re.compile(r"-?\d+:\d+:\d+[:;]\d+", re.ASCII), "frames"),
)

_WHOLE = re.compile(r"-?\d+", re.ASCII)

_SET = "set REAPER's time unit to seconds or minutes:seconds and export again"


def is_one(first: str) -> bool:
    """Whether a line is the first of such a table."""
    return _BEGINNING.match(first) is not None


class Regions:
    """The regions of a table; markers have no end, and are left out.

    Attributes
    ----------
    remarks : list of str
        How many markers were left out, once all rows have been read.
    """

    def __init__(self, lines: Iterable[str], form: Form) -> None:
        self._lines = iter(lines)
        self._form = form._replace(titles={**form.titles, "ident": (_TITLE,)})
        self._n_markers = 0

    def __iter__(self) -> Iterator[tuple[int, Cells]]:
        """Yield line numbers and cells; ScoreError if times are in another unit."""
        kept, whole = [], True
        for number, cells in tables.rows(self._titled(), self._form)[1]:
            times = [cells["start"].strip(), cells.get("end", "").strip()]
            _check_unit(number, times)
            if _MARKER.fullmatch(cells.get("ident", "").strip()) and not times[1]:
                self._n_markers += 1
                continue
            whole = whole and all(map(_WHOLE.fullmatch, times))
            kept.append((number, cells))
        if kept and whole:
            raise ScoreError(f"times are in samples or frames; {_SET}")
        yield from kept

    @property
    def remarks(self) -> list[str]:
        """How many markers were left out, of the rows so far."""
        if not self._n_markers:
            return []
        count = self._n_markers
        what = "1 marker is" if count == 1 else f"{count} markers are"
        return [f"{what} ignored: only regions are labels"]

    def _titled(self) -> Iterator[str]:
        for line in self._lines:
            yield line.replace(_SIGN, _TITLE, 1)
            if line.strip():
                break
        yield from self._lines


def _check_unit(number: int, times: list[str]) -> None:
    for pattern, unit in _UNITS:
        if any(map(pattern.fullmatch, times)):
            raise ScoreError(f"line {number}: times are in {unit}; {_SET}")
