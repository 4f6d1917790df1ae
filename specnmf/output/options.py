"""The options of what a run leaves."""

from __future__ import annotations

from typing import Literal

from specnmf.audio.options import FileOptions
from specnmf.options import OUTPUT, option

FigureFormat = Literal["png", "svg", "pdf"]


class OutputOptions(FileOptions, group=OUTPUT):
    """What to write."""

    sources: bool = option(True, "Write the sources or not.")
    figures: bool = option(True, "Draw the figures or not.")
    figure_format: FigureFormat = option("png", "File format of the figures.")
