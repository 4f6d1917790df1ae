"""The options of what a run leaves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from specnmf.audio.options import FileOptions
from specnmf.errors import ParameterError
from specnmf.options import OUTPUT, Options, option

FigureFormat = Literal["png", "svg", "pdf"]
ReportAudio = Literal["ogg", "mp3", "link", "none"]


def parse_names(texts: str | Iterable[str]) -> tuple[str, ...]:
    """The names in texts such as ``drums,bass``; an empty one is a ParameterError."""
    parts = [texts] if isinstance(texts, str) else texts
    names = tuple(name.strip() for text in parts for name in text.split(","))
    if not all(names):
        raise ParameterError("only names sources, such as drums or 1,3; one is empty")
    return names


class FigureOptions(Options, group=OUTPUT):
    """Which figures to draw."""

    figures: bool = option(True, "Draw the figures or not.")
    figure_format: FigureFormat = option("png", "File format of the figures.")


class ReportOptions(Options, group=OUTPUT):
    """The page to hear and see a run."""

    report: bool = option(
        True, "Write report.html, the run to hear and see, or not.", added=True
    )
    report_audio: ReportAudio = option(
        "ogg",
        "The sound of report.html. ogg, mp3: in the page, unless it would become too "
        "large; link: the files in sources/; none.",
        added=True,
    )


class GridOptions(Options, group=OUTPUT):
    """What the beats of MIDI files are."""

    grid: bool = option(
        True,
        "Lay MIDI files on the beats of the recording, where they are found, or on 120 "
        "beats a minute.",
        added=True,
    )


class OutputOptions(FileOptions, FigureOptions, group=OUTPUT):
    """What to write."""

    sources: bool = option(True, "Write the sources or not.")
    only: Sequence[str] = option(
        (),
        "Write only these sources, by name or number, such as violin*,3; repeatable.",
        parse=parse_names,
        metavar="NAME,...",
        added=True,
    )
