"""Selection tables of Raven: marked sounds with their bounds in time and frequency.

A selection table has tab separated columns with titles. Raven lists a selection once
for each view (waveform, spectrogram) and channel, and times of a sequence of files run
on from one file to the next. BirdNET and other programs write such tables too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from specnmf.errors import ScoreError
from specnmf.score import tables
from specnmf.score.loading import PathLike, label
from specnmf.score.tables import Cells, Titles

#: The titles of the column that names a sound; the first that a table has counts.
NAMES = (
    *("name", "label", "annotation", "species", "commonname", "speciescode"),
    *("calltype", "soundtype", "tags", "tag", "class"),
)

#: The other columns that are looked at.
BESIDE: Titles = {
    "view": ("view",),
    "file": ("beginfile", "beginpath"),
    "offset": ("fileoffset",),
    "low": ("lowfreqhz", "lowfreq", "lowfrequencyhz"),
    "high": ("highfreqhz", "highfreq", "highfrequencyhz"),
}

#: The first line of the tables that are written.
TITLES = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\t"
    "High Freq (Hz)\tAnnotation"
)

#: Seconds by which a time within a file may differ from one of the table, for programs
#: round.
_ROUNDED = 0.02

#: The frequencies of a sound without bounds.
ALL = (0.0, math.inf)

#: Files that a message names.
_LISTED = 3


class Selection(NamedTuple):
    """A box in a spectrogram with the name of a sound.

    Attributes
    ----------
    start, end : float
        In seconds.
    low, high : float
        In Hz.
    name : str
        The name of the sound.
    """

    start: float
    end: float
    low: float
    high: float
    name: str


class Selected:
    """The rows of a table, each selection once, with times within its recording.

    Attributes
    ----------
    remarks : list of str
        What was done, once all rows have been read.
    bounds : dict of str to (float, float)
        The lowest and the highest frequency of the selections of each name, in Hz;
        without names of which a selection has none.
    """

    def __init__(self, rows: Iterable[tuple[int, Cells]]) -> None:
        self._rows = rows
        self._seen: set[tuple[str, ...]] = set()
        self._files: dict[str, None] = {}
        self._moved = False
        self._bounds: dict[str, tuple[float, float]] = {}

    def __iter__(self) -> Iterator[tuple[int, Cells]]:
        """Yield line numbers and cells; ScoreError if there are several recordings."""
        for number, cells in self._rows:
            if "view" in cells and self._is_known(cells):
                continue
            self._widen(label(cells["name"]), _bounds_of(cells))
            if cells.get("file"):
                self._files[label(cells["file"])] = None
                self._check_files()
            yield number, self._placed(cells)

    @property
    def remarks(self) -> list[str]:
        """What was done, of the rows so far."""
        moved = "times are those within the recording, its File Offset"
        return [moved] if self._moved else []

    @property
    def bounds(self) -> dict[str, tuple[float, float]]:
        """The bounds of each name, of the rows so far."""
        return {name: own for name, own in self._bounds.items() if own != ALL}

    def _widen(self, name: str, found: tuple[float, float]) -> None:
        low, high = self._bounds.get(name, found)
        self._bounds[name] = min(low, found[0]), max(high, found[1])

    def _is_known(self, cells: Cells) -> bool:
        """Whether the selection was read before, in another view or channel."""
        times = (cells.get(name, "") for name in ("start", "end", "duration"))
        key = (cells["name"].strip(), cells.get("file", ""), *times)
        is_known = key in self._seen
        self._seen.add(key)
        return is_known

    def _check_files(self) -> None:
        if len(self._files) > 1:
            names = [name.replace("\\", "/").split("/")[-1] for name in self._files]
            raise ScoreError(
                f"selections of several recordings ({', '.join(names[:_LISTED])}), "
                "expected those of one; save a table for each"
            )

    def _placed(self, cells: Cells) -> Cells:
        """A row whose times count from the beginning of its file."""
        if not (cells.get("offset") and tables.is_number(cells["offset"])):
            return cells
        start = tables.seconds(cells, "start")
        later = tables.number(cells, "offset") - start
        if abs(later) <= _ROUNDED:
            return cells
        self._moved = True
        moved = {"start": repr(start + later)}
        if "end" in cells:
            moved["end"] = repr(tables.seconds(cells, "end") + later)
        return {**cells, **moved}


def _bounds_of(cells: Cells) -> tuple[float, float]:
    """The frequencies of a selection, in Hz; all of them where it states none."""
    stated = ("low", ALL[0]), ("high", ALL[1])
    low, high = (_frequency(cells.get(name, ""), other) for name, other in stated)
    return (low, high) if 0 <= low < high else ALL


def _frequency(text: str, other: float) -> float:
    return float(text.replace(",", ".")) if tables.is_number(text) else other


def write_selections(path: PathLike, selections: Iterable[Selection]) -> None:
    """Write a selection table for Raven, in order of time; UTF-8.

    Seconds have six decimals and frequencies one. All are in the first spectrogram of
    the first channel.
    """
    with Path(path).open("w", newline="", encoding="utf-8", errors="replace") as file:
        file.write(f"{TITLES}\n")
        for number, (start, end, low, high, name) in enumerate(sorted(selections), 1):
            bounds = f"{start:.6f}\t{end:.6f}\t{low:.1f}\t{high:.1f}"
            file.write(f"{number}\tSpectrogram 1\t1\t{bounds}\t{label(name)}\n")
