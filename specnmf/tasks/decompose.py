"""Decompose: a recording as the sum of components."""

from __future__ import annotations

from dataclasses import dataclass

from specnmf.audio.options import PowerOptions
from specnmf.methods.components.options import ComponentOptions
from specnmf.tasks.settings import RunSettings


@dataclass(frozen=True, kw_only=True)
class Settings(PowerOptions, RunSettings, ComponentOptions):
    """The settings of `decompose`."""
