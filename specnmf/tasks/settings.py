"""The settings that every task has."""

from __future__ import annotations

from dataclasses import dataclass

from specnmf.audio.options import MaskOptions, SoundOptions
from specnmf.factor.options import FitOptions
from specnmf.output.options import OutputOptions


@dataclass(frozen=True, kw_only=True)
class RunSettings(OutputOptions, MaskOptions, SoundOptions, FitOptions):
    """An excerpt, its transform, a fit, masks, and what is written."""
