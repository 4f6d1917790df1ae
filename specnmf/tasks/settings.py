"""The settings that every task has, and those of tasks that make stems."""

from __future__ import annotations

from specnmf.audio.options import ExcerptOptions, MaskOptions, SoundOptions
from specnmf.factor.options import FitOptions
from specnmf.options import changed
from specnmf.output.options import (
    FigureOptions,
    GridOptions,
    OutputOptions,
    ReportOptions,
)


class SongSettings(FigureOptions, GridOptions, ReportOptions, ExcerptOptions):
    """The settings that all tasks have: excerpt, threads, figures, page and beats.

    Examples
    --------
    >>> import specnmf
    >>> settings = specnmf.TranscribeSettings(start=10.0, duration=20.0)
    >>> isinstance(settings, specnmf.SongSettings)
    True
    """

    seed: int = changed(FitOptions, "seed")
    threads: int | None = changed(FitOptions, "threads")


class RunSettings(SongSettings, OutputOptions, MaskOptions, SoundOptions, FitOptions):
    """The settings of tasks that make stems: transform, fit, masks, sources."""
