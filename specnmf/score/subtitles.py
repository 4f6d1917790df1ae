"""Subtitles as labels: SubRip (.srt) and WebVTT (.vtt).

A cue is a line ``00:00:01,500 --> 00:00:04,000`` and the lines of text up to the next
blank line; the text names a sound. WebVTT: W3C, "WebVTT: The Web Video Text Tracks
Format", 2019. SubRip has no specification.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from specnmf.errors import ScoreError
from specnmf.score.tables import Cells

#: Hours, of any number of digits, may be missing; SubRip has a comma, WebVTT a point.
_TIME = r"((?:\d{1,6}:)?\d{1,2}:\d\d[.,]\d{1,3})"

_TIMES = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?", re.ASCII | re.DOTALL)

#: Italics, colours, voices and, in braces, places on the screen.
_MARKUP = re.compile(r"<[^<>]*>|\{\\[^{}]*\}")

_BEGINNING = re.compile(r"\s*(?:WEBVTT\b|(?:\d+\s+)?[\d:.,]{1,20}[ \t]*-->)", re.ASCII)

_ARROW = "-->"


def is_one(text: str) -> bool:
    """Whether a text begins as subtitles do."""
    return _BEGINNING.match(text) is not None


def rows(lines: Iterable[str]) -> Iterator[tuple[int, Cells]]:
    """Yield the line and the cells of each cue that has a text.

    Raises ScoreError if the times of a cue are damaged.
    """
    cue: tuple[int, str, str] | None = None
    said: list[str] = []
    for number, line in enumerate(lines, 1):
        found = _TIMES.fullmatch(line) if _ARROW in line else None
        if found is None and _ARROW in line and cue is None:
            raise ScoreError(
                f"line {number}: expected times such as 00:00:01,500 --> 00:00:04,000"
            )
        if found is not None and said and said[-1].isdigit():
            said.pop()  # the number of the next cue, without a blank line before it
        if found is not None or not line.strip():
            yield from _row(cue, said)
            cue, said = None, []
        if found is not None:
            cue = number, found[1], found[2]
        elif cue is not None:
            said.append(line.strip())
    yield from _row(cue, said)


def _row(
    cue: tuple[int, str, str] | None, said: list[str]
) -> Iterator[tuple[int, Cells]]:
    name = html.unescape(_MARKUP.sub("", " ".join(said))).strip()
    if cue is not None and name:
        number, *times = cue
        start, end = (repr(_seconds(time)) for time in times)
        yield number, {"start": start, "end": end, "name": name}


def _seconds(time: str) -> float:
    *hours, minutes, seconds = time.replace(",", ".").split(":")
    whole, _, fraction = seconds.partition(".")
    count = 3600 * sum(map(int, hours)) + 60 * int(minutes) + int(whole)
    return float(f"{count}.{fraction}")
