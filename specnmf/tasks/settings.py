"""The settings that every task has."""

from __future__ import annotations

from specnmf.audio.options import MaskOptions, SoundOptions
from specnmf.factor.options import FitOptions
from specnmf.output.options import OutputOptions


class RunSettings(OutputOptions, MaskOptions, SoundOptions, FitOptions):
    """An excerpt, its transform, a fit, masks, and what is written."""
