"""The figure of labels: the marked regions, and the regions that were found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from numpy.typing import NDArray

from specnmf.notation import spell_seconds
from specnmf.output.figures import canvas, pictures, pooling, scales
from specnmf.output.figures.canvas import BLUE, GREY, INK, PALE
from specnmf.output.figures.pooling import Magnitudes, Plane
from specnmf.output.figures.sheets import NewSheet, Sheet, page
from specnmf.output.options import FigureFormat

Bools = NDArray[np.bool_]

#: Marked as absent; paler than what is heard, and darker than nothing.
ABSENT = "#c4c4c4"

_LEGEND = (
    ("marked as heard", INK),
    ("marked as not heard", ABSENT),
    ("confidence of the result", PALE),
    ("found as heard", BLUE),
)
#: Where things lie in a lane, from its foot at 0 to its top at 1.
_FOUND, _SURE, _MARKED = (0.08, 0.2), (0.24, 0.68), (0.74, 0.9)
_LINES = 50  # of a lane's picture
_LEFT, _WIDE, _SOUND, _GAP = 1.7, 8.4, 2.0, 0.12  # inches


@dataclass(frozen=True, eq=False)
class LabelFigureData(Plane):
    """The data of the figure of labels; ParameterError if the shapes do not fit."""

    V: Magnitudes
    names: Sequence[str]
    heard: Bools  # (n_names, n_frames): what was marked
    annotated: Bools  # (n_frames,): where what is not marked as heard is absent
    activity: NDArray[np.floating]  # (n_names, n_frames): how sure, 0 to 1
    active: Bools  # (n_names, n_frames): what was decided

    def __post_init__(self) -> None:
        lanes = len(self.names), len(self.times)
        self.check(
            V=(len(self.frequencies), lanes[1]),
            heard=lanes,
            annotated=lanes[1:],
            activity=lanes,
            active=lanes,
        )


def draw_label_figure(
    folder: Path, data: LabelFigureData, *, figure_format: FigureFormat = "png"
) -> None:
    """Write ``labels``; as `specnmf.output.figures.draw_figures`."""
    canvas.write(folder, data, {"labels": label_figure}, figure_format)


def label_figure(data: LabelFigureData, new: NewSheet = page) -> Figure:
    """Draw the spectrogram, and below it a lane for each sound."""
    n_lanes = len(data.names)
    lane = min(max(5 / n_lanes, 0.42), 0.85)
    tall = lane * n_lanes
    subtitle = (
        "Labels: marked regions above (blank: not marked), found regions below, with "
        "their total time"
    )
    sheet = new(data.title, subtitle, tall + _GAP + _SOUND, _LEGEND)
    _draw_sound(sheet, data, 0.6 + tall + _GAP)
    axes = sheet.panel((_LEFT, 0.6, _WIDE, tall))
    _draw_lanes(axes, data)
    # The first name is the highest lane's.
    scales.name_rows(axes, dict(enumerate(reversed(data.names))), lane * sheet.down)
    scales.time_axis(axes, data.span)
    scales.grid(axes)
    seconds = data.hop * np.count_nonzero(data.active, axis=1)[::-1]
    found = [spell_seconds(each) for each in seconds]
    scales.right_axis(axes, range(n_lanes), found)
    return sheet.figure


def _draw_sound(sheet: Sheet, data: LabelFigureData, bottom: float) -> None:
    """Draw the spectrogram, as context of the labels."""
    axes = sheet.panel((_LEFT, bottom, _WIDE, _SOUND))
    power = pooling.picture(data.V, data, data.rows)
    pictures.draw_power(axes, power, data, data.rows)
    scales.time_axis(axes, data.span, labelled=False)


def _draw_lanes(axes: Axes, data: LabelFigureData) -> None:
    """Draw the lanes, one apart, the first at the top."""
    n_lanes, first = len(data.names), data.extent()
    pictures.draw_pixels(axes, _bars(data), (*first, -0.5, n_lanes - 0.5))
    edges = np.linspace(*first, data.n_columns + 1)
    low, high = _SURE
    for place, activity in enumerate(data.highest(data.activity)[::-1]):
        foot = np.full(len(activity), place - 0.5 + low)
        top = foot + (high - low) * activity
        pictures.draw_steps(axes, edges, foot, top, facecolor=PALE, edgecolor=BLUE)
    between = np.arange(n_lanes - 1) + 0.5
    axes.hlines(between, *data.span, color=GREY, linewidth=0.5, zorder=3)
    axes.set_ylim(-0.5, n_lanes - 0.5)


def _bars(data: LabelFigureData) -> NDArray[np.uint8]:
    """The marked and the found regions, coloured, from the lowest line up.

    A picture, as there may be thousands of regions.
    """
    heard, active = data.highest(data.heard), data.highest(data.active)
    marked = np.where(heard, 2, data.highest(data.annotated))
    lines = np.zeros((len(data.names), _LINES, data.n_columns), np.intp)
    lines[:, _lines_of(_MARKED)] = marked[:, None]
    lines[:, _lines_of(_FOUND)] = np.where(active, 3, 0)[:, None]
    colours = np.rint(255 * to_rgba_array(["none", ABSENT, INK, BLUE]))
    return np.asarray(colours.astype(np.uint8)[np.concatenate(lines[::-1])])


def _lines_of(band: tuple[float, float]) -> slice:
    """The lines of a lane's picture that a band takes."""
    low, high = band
    return slice(round(low * _LINES), round(high * _LINES))
