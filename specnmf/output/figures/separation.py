"""The figures of a separation by score, as files; and its stems as sound."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from specnmf.errors import ParameterError
from specnmf.output.figures import canvas, pictures, pooling, scales
from specnmf.output.figures.alignment import alignment_figure
from specnmf.output.figures.learned import (
    activations_figure,
    constraints_figure,
    templates_figure,
)
from specnmf.output.figures.score import score_figure
from specnmf.output.figures.score_data import ScoreFigureData
from specnmf.output.figures.sheets import NewSheet, page
from specnmf.output.figures.stems import Palette
from specnmf.output.options import FigureFormat

#: At most so many stems, the strongest, have their sound drawn.
MOST_SOURCES = 48

Envelopes = Mapping[str, NDArray[np.floating]]


class Sounding(Protocol):
    """What the figure of the sources shows: `ScoreFigureData`, or less."""

    @property
    def title(self) -> str:
        """The recording's name."""

    @property
    def span(self) -> tuple[float, float]:
        """Seconds at which the recording begins and ends."""

    @property
    def palette(self) -> Palette:
        """Which colour stands for whom."""

    @property
    def envelopes(self) -> Envelopes | None:
        """How loud each stem is, in pieces of equal length of the recording."""

    def colour_of(self, stem: str) -> str:
        """The colour of a stem."""


def draw_score_figures(
    folder: Path, data: ScoreFigureData, *, figure_format: FigureFormat = "png"
) -> None:
    """Write the figures of a separation; as `specnmf.output.figures.draw_figures`.

    They are ``score``, ``templates`` and ``activations``, and where the data has
    what they show ``constraints``, ``alignment`` and ``sources``.
    """
    figures: dict[str, Callable[[ScoreFigureData], Figure]] = {
        "score": score_figure,
        "templates": templates_figure,
        "activations": activations_figure,
    }
    if data.has("start"):
        figures["constraints"] = constraints_figure
    if data.has("path"):
        figures["alignment"] = alignment_figure
    if data.has("envelopes"):
        figures["sources"] = sources_figure
    canvas.write(folder, data, figures, figure_format)


def sources_figure(data: Sounding, new: NewSheet = page) -> Figure:
    """Draw how loud each stem is over time, one below the other on one scale."""
    every = _envelopes(data)
    shown = _ordered(data, _strongest(every))
    row = min(max(6 / len(shown), 0.28), 1.1)
    tall = row * len(shown)
    subtitle = (
        "Sources: the level of each stem, on one scale; at the right its peak relative "
        "to the loudest stem"
    )
    if len(shown) < len(every):
        subtitle += f"; the {len(shown)} strongest of {len(every)}"
    box = (1.7, 0.6, 8.6, tall)
    sheet = new(data.title, subtitle, tall, frame=box)
    axes = sheet.panel(box)
    peaks = [float(every[stem].max(initial=0)) for stem in shown]
    loudest = max(peaks)
    for place, stem in enumerate(shown):
        envelope = np.asarray(every[stem]) / (loudest or 1.0)
        _draw_envelope(axes, data, place, envelope, data.colour_of(stem))
    if loudest == 0:
        canvas.remark(axes, "silence")
    axes.set_ylim(len(shown) - 0.5, -0.5)
    scales.name_rows(axes, dict(enumerate(shown)), row * sheet.down)
    scales.time_axis(axes, data.span)
    scales.grid(axes)
    levels = [_level(peak, loudest) for peak in peaks]
    right = scales.right_axis(axes, range(len(shown)), levels)
    style = {"xycoords": "axes fraction", "color": canvas.GREY}
    canvas.note(right, "re loudest", (1, 1), (4, 4), **style)
    return sheet.figure


def _envelopes(data: Sounding) -> Envelopes:
    if not data.envelopes:
        raise ParameterError("expected envelopes for this figure, got none")
    return data.envelopes


def _strongest(envelopes: Envelopes) -> list[str]:
    """The stems with most energy, in their own order."""
    energies = {stem: float(np.square(e).sum()) for stem, e in envelopes.items()}
    strongest = sorted(energies, key=lambda stem: -energies[stem])[:MOST_SOURCES]
    return [stem for stem in envelopes if stem in set(strongest)]


def _ordered(data: Sounding, names: list[str]) -> list[str]:
    """Stems in the order of their colours."""
    colours = {colour: place for place, colour in enumerate(data.palette.colours)}
    return sorted(names, key=lambda name: colours.get(data.colour_of(name), math.inf))


def _draw_envelope(
    axes: Axes, data: Sounding, place: int, envelope: NDArray[np.floating], colour: str
) -> None:
    """Draw an envelope, at most 1, about its row."""
    starts = np.linspace(0, len(envelope), pooling.COLUMNS, endpoint=False)
    pooled = np.maximum.reduceat(envelope, np.unique(starts.astype(np.intp)))
    edges = np.linspace(*data.span, len(pooled) + 1)
    low, high = place - 0.46 * pooled, place + 0.46 * pooled
    pictures.draw_steps(axes, edges, low, high, color=colour)


def _level(peak: float, loudest: float) -> str:
    """A peak in dB below the loudest stem's."""
    if peak == 0:
        return "silent"
    below = 20 * math.log10(loudest / peak)
    text = f"{below:.1f}" if below < 0.95 else f"{below:.0f}"
    return "0 dB" if text == "0.0" else f"−{text} dB"
