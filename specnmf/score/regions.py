"""Regions of a recording in which a sound is heard, as a person marked them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from specnmf.errors import ScoreError, writing
from specnmf.score import (
    elan,
    label_tracks,
    reaper,
    selections,
    subtitles,
    tables,
    textgrids,
)
from specnmf.score.loading import MAX_DURATION, PathLike, contents, label
from specnmf.score.tables import Cells
from specnmf.score.tiers import Tiers

#: Marks where none of the sounds is heard; not the name of a sound.
REST = "rest"

#: One region per second for a day, with names of 160 letters.
MAX_REGIONS, MAX_BYTES = 100_000, 16 << 20

#: Lines, blank ones as well.
MAX_LINES = 2 * MAX_REGIONS

#: Sounds told apart in one recording: each has templates and a file of its own.
MAX_NAMES = 64

_FORM = tables.Form(
    titles={**tables.TIMES, "name": selections.NAMES, **selections.BESIDE},
    needed=("name",),
    expected=(
        "expected a label track (start, end and name, separated by tabs) or a table "
        "with columns start, end (or duration) and name"
    ),
    example="start,end,name",
)


class Region(NamedTuple):
    """A region of a recording in which a sound is heard.

    Attributes
    ----------
    start, end : float
        In seconds.
    name : str
        The name of the sound; ``rest`` marks that none of the sounds is heard.

    Examples
    --------
    >>> import specnmf
    >>> specnmf.Region(1.5, 4.0, "flute")
    Region(start=1.5, end=4.0, name='flute')
    """

    start: float
    end: float
    name: str


class Loaded(NamedTuple):
    """What a file of labels holds."""

    regions: tuple[Region, ...]
    remarks: tuple[str, ...]  #: What was assumed or left out.
    #: The lowest and highest frequency of each name, in Hz, where all its regions have
    #: bounds.
    bounds: dict[str, tuple[float, float]]


#: What becomes of bounds where nothing uses them.
UNBOUNDED = "low and high frequencies of the selections are ignored"


def read_regions(path: PathLike, *, tier: str | None = None) -> tuple[Region, ...]:
    """The regions in a file of labels, in order of time.

    The format is told by the content, not by the name of the file.

    A label track is the format that Audacity exports: start, end and name, separated by
    tabs, with decimal points or commas. Lines that begin with a backslash hold the
    frequencies of a selection and are ignored. Spaces may separate the columns if times
    have decimal points, as in the .lab files of data sets; whole numbers are read as
    HTK's units of 100 ns if they can be nothing else. Regions of Sonic Visualiser
    without column names (time, value, duration and name) are recognised by their
    nanoseconds.

    A table has the columns start (or onset, begin, time), end (or duration, length) and
    name (or label, annotation, species, common name, species code, call type, sound
    type, tags, class: the first of these that there is), in any order and case, with
    other columns between them, separated by commas, semicolons or tabs. Decimal commas
    are read if all numbers have them. The tables of Sonic Visualiser, Raven and REAPER
    are such tables. Of a selection table of Raven, each selection counts once, though
    it is listed for every view and channel; its frequencies are ignored. Markers of
    REAPER are left out.

    A TextGrid of Praat, in the long or the short text format, and annotations of ELAN
    (.eaf) have tiers. Intervals with a text are regions; empty ones and points are left
    out.

    Subtitles, SubRip (.srt) or WebVTT (.vtt), are regions that have their texts as
    names, without markup.

    Times are in seconds, or on a clock such as 1:02.5.

    Parameters
    ----------
    path : path
        The file, in UTF-8 or UTF-16; otherwise the encoding is guessed.
    tier : str, optional
        Take only the tier of this name, in any case; by default all tiers.

    Returns
    -------
    tuple of Region
        The regions, sorted by start.

    Raises
    ------
    ScoreError
        If the file is missing, in none of these formats or ambiguous; if a region is a
        point, has no name or ends after more than a day; if the selections are those of
        several recordings; if there is no such tier; or if there are more than 100 000
        regions or 64 names.

    Examples
    --------
    >>> import specnmf
    >>> regions = specnmf.read_regions("audio_examples/greensleeves/labels.txt")
    >>> regions[0]
    Region(start=0.25, end=3.0, name='guitar')
    >>> sorted({region.name for region in regions})
    ['guitar', 'recorder']
    """
    return load_regions(path, tier=tier)[0]


def load_regions(
    path: PathLike, *, tier: str | None = None
) -> tuple[tuple[Region, ...], tuple[str, ...]]:
    """The regions of a file, and remarks on what was assumed or left out."""
    regions, remarks, bounds = load_labels(path, tier=tier)
    return regions, (*remarks, UNBOUNDED) if bounds else remarks


def load_labels(path: PathLike, *, tier: str | None = None) -> Loaded:
    """The regions of a file, with remarks and bounds; errors as `read_regions`."""
    path = Path(path)
    try:
        data = contents(path, MAX_BYTES, expected="labels")
        textgrids.check_text(data)
        text, remarks = tables.text_of(data, _FORM.expected)
        found = _loaded(text, Tiers(tier))
        return found._replace(remarks=(*remarks, *found.remarks))
    except ScoreError as error:
        raise ScoreError(f"{path}: {error}") from error


def write_regions(path: PathLike, regions: Iterable[Region]) -> None:
    """Write regions as a label track for Audacity, in order of time.

    Parameters
    ----------
    path : path
        The file. Seconds have six decimals; the encoding is UTF-8.
    regions : iterable of Region
        The regions.

    Raises
    ------
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import specnmf
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "labels.txt")
    ...     specnmf.write_regions(path, [specnmf.Region(1.5, 4.0, "flute")])
    ...     specnmf.read_regions(path)
    (Region(start=1.5, end=4.0, name='flute'),)
    """
    with writing(path):
        write_label_track(path, regions)


def write_label_track(path: PathLike, regions: Iterable[Region]) -> None:
    """Write regions as `write_regions`, but let an OSError pass."""
    with Path(path).open("w", newline="", encoding="utf-8", errors="replace") as file:
        for start, end, name in sorted(regions):
            file.write(f"{start:.6f}\t{end:.6f}\t{label(name)}\n")


def _loaded(text: str, tiers: Tiers) -> Loaded:
    """What a text holds."""
    remarks: list[str] = []
    bounds: dict[str, tuple[float, float]] = {}
    rows = _rows(text, tiers, remarks, bounds)
    found = tuple(islice(tables.parsed(rows, _region), MAX_REGIONS + 1))
    if len(found) > MAX_REGIONS:
        raise ScoreError(f"holds more than {MAX_REGIONS} regions")
    tiers.check()
    remarks += tiers.remarks
    if not found:
        raise ScoreError(f"holds no regions{''.join(f'; {each}' for each in remarks)}")
    n_names = len({region.name for region in found})
    if n_names > MAX_NAMES:
        raise ScoreError(f"names {n_names} sounds, expected at most {MAX_NAMES}")
    return Loaded(tuple(sorted(found)), tuple(remarks), bounds)


def _rows(
    text: str,
    tiers: Tiers,
    remarks: list[str],
    bounds: dict[str, tuple[float, float]],
) -> Iterator[tuple[int, Cells]]:
    """Yield line numbers and cells; remarks and bounds are complete at the end."""
    if textgrids.is_one(text):
        yield from textgrids.rows(text, tiers)
    elif elan.is_one(text):
        yield from elan.rows(text, tiers)
    elif subtitles.is_one(text):
        yield from subtitles.rows(_lines(text))
    else:
        yield from _lined(text, remarks, bounds)


def _lined(
    text: str, remarks: list[str], bounds: dict[str, tuple[float, float]]
) -> Iterator[tuple[int, Cells]]:
    """The same of a format that has a line for each region."""
    first = next(filter(_is_told, _lines(text)), "")
    split = label_tracks.splitter(first)
    if split is not None:
        told = [(k, line) for k, line in enumerate(_lines(text), 1) if _is_told(line)]
        yield from label_tracks.labels(told, split, remarks)
    elif reaper.is_one(first):
        regions = reaper.Regions(_lines(text), _FORM)
        yield from regions
        remarks += regions.remarks
    else:
        selected = selections.Selected(tables.rows(_lines(text), _FORM)[1])
        yield from selected
        remarks += selected.remarks
        bounds |= selected.bounds


def _lines(text: str) -> Iterator[str]:
    return tables.lines(text, most=MAX_LINES, things="lists of regions")


def _is_told(line: str) -> bool:
    """Whether a line is not blank, and does not hold the frequencies of a label."""
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
            f"{name or 'the label'!r} at {start:g} s is a point; mark a region with a "
            "start and an end"
        )
    if end > MAX_DURATION:
        raise ScoreError(f"ends at {end:g} s, expected at most a day")
    if not name:
        raise ScoreError(f"the region from {start:g} to {end:g} s needs a name")
    return Region(start, end, REST if name.casefold() == REST else name)


def _seconds(cells: Cells, column: str) -> float:
    seconds = tables.seconds(cells, column)
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ScoreError(f"{column} must be 0 s or more, got {seconds}")
    return seconds
