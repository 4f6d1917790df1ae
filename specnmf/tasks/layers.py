"""Layers: the notes of a recording, and which of them sound together."""

from __future__ import annotations

from dataclasses import dataclass

from specnmf.audio.options import PowerOptions
from specnmf.methods.layers.options import LayerOptions
from specnmf.tasks.settings import RunSettings


@dataclass(frozen=True, kw_only=True)
class LayerSettings(PowerOptions, LayerOptions, RunSettings):
    """The settings of `layers`."""
