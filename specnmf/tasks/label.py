"""Label: sounds that a person marked here and there, found everywhere."""

from __future__ import annotations

from dataclasses import dataclass

from specnmf.audio.options import PowerOptions
from specnmf.methods.labels.options import LabelOptions
from specnmf.tasks.settings import RunSettings


@dataclass(frozen=True, kw_only=True)
class LabelSettings(PowerOptions, LabelOptions, RunSettings):
    """The settings of `label`."""
