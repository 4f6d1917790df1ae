"""Separate: the stems of a recording, found by its score."""

from __future__ import annotations

from dataclasses import dataclass

from specnmf.methods.score_options import ScoreOptions
from specnmf.score.options import AlignOptions
from specnmf.tasks.settings import RunSettings


@dataclass(frozen=True, kw_only=True)
class ScoreSettings(AlignOptions, ScoreOptions, RunSettings):
    """The settings of `separate`."""
