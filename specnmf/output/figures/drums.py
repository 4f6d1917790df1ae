"""The figure of drums: their templates, and their strokes over the spectrogram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from specnmf.notation import counted
from specnmf.output.figures import canvas, pictures, pooling, scales
from specnmf.output.figures.canvas import BLUE, GREY, ORANGE, PALE, PLAIN, SMALL
from specnmf.output.figures.pooling import Magnitudes, Plane
from specnmf.output.figures.sheets import NewSheet, Sheet, page
from specnmf.output.options import FigureFormat
from specnmf.score.notes import Score

_LEGEND = (("activation", PALE), ("stroke, velocity", ORANGE))

#: Inches: the lanes and the sound, the templates at the left, and gaps.
_LEFT, _WIDE, _SOUND, _GAP = 3.2, 6.9, 2.4, 0.12
_TEMPLATE_LEFT, _TEMPLATE_WIDE = 1.2, 1.7

#: Activations in decibels below their maximum that are shown.
_RANGE = 40.0


@dataclass(frozen=True, eq=False)
class DrumFigureData(Plane):
    """The data of the figure of drums; ParameterError if the shapes do not fit."""

    V: Magnitudes
    names: Sequence[str]
    templates: NDArray[np.float32]  # (n_drums, n_bins, n_lags)
    envelopes: NDArray[np.float32]  # (n_drums, n_frames): how loud each drum is
    strokes: Score  # the part of each note is its drum

    def __post_init__(self) -> None:
        n_drums, n_bins, n_frames = (
            len(self.names),
            len(self.frequencies),
            len(self.times),
        )
        self.check(
            V=(n_bins, n_frames),
            envelopes=(n_drums, n_frames),
            templates=(n_drums, n_bins, np.shape(self.templates)[-1]),
        )


def draw_drum_figure(
    folder: Path, data: DrumFigureData, *, figure_format: FigureFormat = "png"
) -> None:
    """Write ``drums``; as `specnmf.output.figures.draw_figures`."""
    canvas.write(folder, data, {"drums": drum_figure}, figure_format)


def drum_figure(data: DrumFigureData, new: NewSheet = page) -> Figure:
    """Draw the spectrogram, and below it each drum: template, activation, strokes."""
    n_drums = len(data.names)
    lane = min(max(5 / n_drums, 0.7), 1.1)
    tall = lane * n_drums
    subtitle = (
        "Drums: the template of each (frequency over time), its activation and strokes"
    )
    sheet = new(data.title, subtitle, tall + _GAP + _SOUND, _LEGEND)
    sound = sheet.panel((_LEFT, 0.6 + tall + _GAP, _WIDE, _SOUND))
    power = pooling.picture(data.V, data, data.rows)
    pictures.draw_power(sound, power, data, data.rows)
    scales.time_axis(sound, data.span, labelled=False)
    lanes = sheet.panel((_LEFT, 0.6, _WIDE, tall))
    _draw_lanes(lanes, data)
    for number in range(n_drums):
        bottom = 0.6 + tall - (number + 1) * lane
        _draw_template(sheet, data, number, (bottom, lane))
    return sheet.figure


def _draw_lanes(axes: Axes, data: DrumFigureData) -> None:
    """Draw the activations and strokes, the first drum at the top."""
    n_drums = len(data.names)
    edges = np.linspace(*data.extent(), data.n_columns + 1)
    counts = []
    for place, number in enumerate(reversed(range(n_drums))):
        own = data.highest(data.envelopes[number])
        level = 20 * np.log10(np.maximum(own / max(own.max(), 1e-20), 1e-9))
        height = 0.84 * np.clip(1 + level / _RANGE, 0, 1)
        foot = np.full(len(height), place - 0.46)
        pictures.draw_steps(
            axes, edges, foot, foot + height, facecolor=PALE, edgecolor=BLUE
        )
        notes = [n for n in data.strokes.notes if n.part == data.names[number]]
        times = [note.start for note in notes]
        tops = [place - 0.46 + 0.9 * note.velocity / 127 for note in notes]
        axes.vlines(times, place - 0.46, tops, color=ORANGE, linewidth=1.2, zorder=3)
        counts.append(counted(len(notes), "stroke"))
    axes.hlines(np.arange(n_drums - 1) + 0.5, *data.span, color=GREY, linewidth=0.5)
    axes.set_ylim(-0.5, n_drums - 0.5)
    axes.set_yticks([])
    scales.time_axis(axes, data.span)
    scales.grid(axes)
    scales.right_axis(axes, range(n_drums), counts)


def _draw_template(
    sheet: Sheet, data: DrumFigureData, number: int, place: tuple[float, float]
) -> None:
    """Draw the template of a drum beside its lane: frequency over time."""
    bottom, lane = place
    axes = sheet.panel((_TEMPLATE_LEFT, bottom + 0.05, _TEMPLATE_WIDE, lane - 0.1))
    template = data.templates[number]
    power = pooling.log_rows(np.square(template.T), data.rows)
    rows = np.maximum(power - power.max(), -float(canvas.V_RANGE))
    duration = template.shape[1] * data.hop
    edges = data.rows.edges
    axes.imshow(
        rows.T,
        extent=(0, duration, float(edges[0]), float(edges[-1])),
        cmap="magma",
        interpolation="antialiased",
        **pictures.IMAGE,
    )
    axes.set_xticks([])
    scales.frequency_axis(axes.yaxis, data.rows, sparse=True)
    middle = sheet.figure.get_size_inches()[1] - bottom - lane / 2 - 0.06
    name = data.names[number]
    sheet.text((canvas.MARGIN, middle), name, 12, fontsize=PLAIN)
    if number == len(data.names) - 1:
        told = f"0 to {duration:.1f} s"
        centre = _TEMPLATE_LEFT + _TEMPLATE_WIDE / 2
        sheet.foot((centre, 0.4), told, fontsize=SMALL, color=GREY, ha="center")
