"""Loading: the part that all readers of scores share, and the limits of size."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, islice, pairwise
from pathlib import Path

from specnmf.errors import ScoreError
from specnmf.score.notes import Note, Score

PathLike = str | os.PathLike[str]

#: Ten hours of twenty notes a second are 720 000.
MAX_NOTES = 1_000_000

#: In seconds: a wait of 2**28 ticks, the longest that MIDI has, can last for years.
MAX_DURATION = 24 * 3600.0


def contents(path: Path, max_bytes: int, *, expected: str = "a score") -> bytes:
    """The contents of a file that should be ``expected``.

    Raises ScoreError if there is none, or it is empty or larger than ``max_bytes``.
    """
    try:
        if path.exists() and not path.is_file():
            raise ScoreError(f"not a file, expected {expected}")
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except FileNotFoundError as error:
        raise ScoreError("no such file") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ScoreError(f"cannot be opened ({reason})") from error
    if not data:
        raise ScoreError(f"empty, expected {expected}")
    if len(data) > max_bytes:
        raise ScoreError(f"larger than {max_bytes >> 20} MB, the limit for {expected}")
    return data


def load(
    path: PathLike,
    notes: Callable[[bytes], Iterable[Note]],
    *,
    max_bytes: int,
    remarks: Sequence[str] = (),
) -> Score:
    """The score that ``notes`` finds in the contents of a file.

    Its ``remarks`` are those that exist when all notes are read.

    Raises ScoreError with the name of the file if ``notes`` raises one, or if there are
    no notes, more than a million of them, or any that end after more than a day.
    """
    path = Path(path)
    try:
        found = tuple(islice(notes(contents(path, max_bytes)), MAX_NOTES + 1))
        return _within_bounds(found, remarks)
    except ScoreError as error:
        raise ScoreError(f"{path}: {error}") from error


def _within_bounds(notes: tuple[Note, ...], remarks: Sequence[str]) -> Score:
    if not notes:
        raise ScoreError("holds no notes")
    if len(notes) > MAX_NOTES:
        raise ScoreError(f"holds more than {MAX_NOTES} notes")
    score = Score(notes, tuple(remarks))
    if score.duration > MAX_DURATION:
        hours = score.duration / 3600
        raise ScoreError(f"lasts {hours:.0f} hours, expected at most a day")
    return score


def clock(
    tempo: float, changes: Iterable[tuple[float, float]], per_second: float
) -> Callable[[float], float]:
    """The function from a place in a score to its time in seconds.

    A tick or quarter note lasts ``tempo`` units of time at first; ``changes`` are the
    places where that changes, with the new tempo; the last of several at one place
    counts. Whole numbers of ticks and units stay whole until the end, so nothing is
    rounded before, however many changes of tempo there are.
    """
    marks = [(0, tempo), *sorted(changes, key=lambda change: change[0])]
    places = [place for place, _ in marks]
    units = [(after - place) * tempo for (place, tempo), (after, _) in pairwise(marks)]
    elapsed = list(accumulate(units, initial=0))

    def seconds(place: float) -> float:
        k = bisect_right(places, place) - 1
        return (elapsed[k] + (place - places[k]) * marks[k][1]) / per_second

    return seconds


def label(text: str, *, longest: int = 200) -> str:
    """A name from a file, fit for one line: printable, single spaces, not too long."""
    words = "".join(c if c.isprintable() else " " for c in text[: 2 * longest]).split()
    return " ".join(words)[:longest].rstrip()
