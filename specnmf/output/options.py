"""The options of the output of a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from specnmf.audio.options import FileOptions
from specnmf.errors import ParameterError
from specnmf.options import OUTPUT, Options, option
from specnmf.output.naming import parse_pattern

FigureFormat = Literal["png", "svg", "pdf"]
ReportAudio = Literal["ogg", "mp3", "link", "none"]


def parse_names(texts: str | Iterable[str]) -> tuple[str, ...]:
    """The names in strings such as ``drums,bass``; ParameterError if one is empty."""
    parts = [texts] if isinstance(texts, str) else texts
    names = tuple(name.strip() for text in parts for name in text.split(","))
    if not all(names):
        raise ParameterError(
            "expected only as names of sources, such as drums or 1,3, got an empty name"
        )
    return names


class FigureOptions(Options, group=OUTPUT):
    """The options of figures."""

    figures: bool = option(True, "Draw the figures.")
    figure_format: FigureFormat = option("png", "File format of the figures.")


class ReportOptions(Options, group=OUTPUT):
    """The options of report.html."""

    report: bool = option(
        True, "Write report.html, a page with players and pictures.", added=True
    )
    report_audio: ReportAudio = option(
        "ogg",
        "Audio of report.html. ogg, mp3: embed, unless it is too large; link: play the "
        "files in sources/; none: no audio.",
        added=True,
    )


class GridOptions(Options, group=OUTPUT):
    """The beats of MIDI files."""

    grid: bool = option(
        True,
        "Use the beats of the recording in MIDI files, if they are found, or a fixed "
        "tempo of 120 bpm.",
        added=True,
    )


class SelectionOptions(Options, group=OUTPUT):
    """The selection table of Raven."""

    selections: bool = option(
        False,
        "Write selections.txt, a selection table of Raven: when and at which "
        "frequencies each stem sounds.",
        added=True,
    )


class OutputOptions(FileOptions, FigureOptions, group=OUTPUT):
    """The options of sources."""

    sources: bool = option(True, "Write the sources.")
    only: Sequence[str] = option(
        (),
        "Write only these sources, by name, pattern or number, such as violin*,3; "
        "repeatable.",
        parse=parse_names,
        metavar="NAME,...",
        added=True,
    )
    name: str = option(
        "{stem}",
        "Names of the files of the sources, of {song}, {stem}, {number} and {folder}, "
        "such as {song}_{stem}.",
        metavar="PATTERN",
        added=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        parse_pattern(self.name)
