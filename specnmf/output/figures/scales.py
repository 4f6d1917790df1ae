"""Scales: axes of time and frequency, and the names of rows and columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from numpy.typing import ArrayLike, NDArray

from specnmf.output.figures import lettering
from specnmf.output.figures.canvas import GREY, LINE, PLAIN, SMALL, inches
from specnmf.output.figures.pooling import Rows

_HERTZ = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)
_SECONDS = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400),
)
_LONGEST_ROW, _LONGEST_COLUMN = 18, 7  # characters
_WIDE = 0.95  # inches of a column with room for any name
_NAME = 0.115  # inches from a row's name to the next
_TIME = 0.43  # inches from a time to the next
_HERTZ_ROW, _HERTZ_COLUMN = 0.13, 0.36  # inches from a frequency to the next


def grid(axes: Axes, axis: Literal["both", "x", "y"] = "x") -> None:
    """Draw a line at each tick, of time unless told otherwise, behind everything."""
    axes.set_axisbelow(True)
    axes.grid(axis=axis, color=LINE, linewidth=0.6)


def time_axis(axes: Axes, span: tuple[float, float], *, labelled: bool = True) -> None:
    """Seconds up to a minute and a half, minutes and seconds beyond."""
    most = int(inches(axes)[0] / _TIME)
    ticks, labels, unit = clock_ticks(span, most=min(max(most, 2), 10))
    axes.set_xlim(span)
    axes.set_xticks(
        ticks, labels=labels if labelled else [""] * len(ticks), fontsize=SMALL
    )
    if labelled:
        axes.set_xlabel(f"time ({unit})", fontsize=PLAIN)


def clock_ticks(
    span: tuple[float, float], *, most: int
) -> tuple[NDArray[np.float64], list[str], str]:
    """At most so many round times, in seconds, with their labels and their unit."""
    start, stop = span
    steps = (step for step in _SECONDS if (stop - start) / step <= most)
    step = next(steps, _SECONDS[-1])
    first, last = np.ceil(start / step), np.floor(stop / step)
    ticks = step * np.arange(first + 0.0, last + 1)  # adding 0 makes -0 a 0
    if stop > 90 and step >= 1:
        labels = [f"{t // 60:.0f}:{t % 60:02.0f}" for t in ticks]
        return ticks, labels, "minutes:seconds"
    return ticks, [f"{t:g}" for t in ticks], "seconds"


def name_rows(
    axes: Axes, names: Mapping[int, str], row: float, *, most: int = _LONGEST_ROW
) -> None:
    """Name rows, so many inches high, at the left: all, or as many as have room."""
    _name(axes.yaxis, names, row, most)


def name_columns(axes: Axes, names: Mapping[int, str], column: float) -> None:
    """Name columns below, upright where they are wide enough for any name."""
    upright = column > _WIDE
    most = _LONGEST_ROW if upright else _LONGEST_COLUMN
    _name(axes.xaxis, names, column, most, rotation=0 if upright else 90)


def _name(
    axis: Axis, names: Mapping[int, str], apart: float, most: int, rotation: float = 0
) -> None:
    """Name places that lie so far apart that their names do not touch."""
    chosen: list[int] = []
    for place in sorted(names):
        if not chosen or (place - chosen[-1]) * apart > _NAME - 1e-9:
            chosen.append(place)
    labels = [lettering.printable(names[place], most) for place in chosen]
    axis.set_ticks(chosen, labels=labels, fontsize=SMALL, rotation=rotation)
    for label in axis.get_ticklabels():
        lettering.letter(label)
    axis.set_tick_params(length=0)


def frequency_axis(axis: Axis, rows: Rows, *, sparse: bool = False) -> None:
    """Ticks at round frequencies: all that fit, or the powers of ten."""
    low, high = 2 ** rows.edges[[0, -1]]
    hertz = [f for f in _HERTZ if low <= f <= high]
    if sparse or _is_narrow(axis, len(hertz)):
        hertz = [f for f in hertz if f in (100, 1000, 10000)]
    labels = [f"{f} Hz" if f < 1000 else f"{f // 1000} kHz" for f in hertz]
    axis.set_ticks(np.log2(hertz), labels=labels, fontsize=SMALL)


def _is_narrow(axis: Axis, n_ticks: int) -> bool:
    """Whether so many frequencies would touch."""
    width, height = inches(axis.axes)
    if axis is axis.axes.xaxis:
        return width < _HERTZ_COLUMN * n_ticks
    return height < _HERTZ_ROW * n_ticks


def right_axis(
    axes: Axes, ticks: ArrayLike, labels: list[str], *, length: float = 0
) -> Axes:
    """Put a second scale at the right, over the same range."""
    right = axes.twinx()
    right.set_ylim(axes.get_ylim())
    right.set_yticks(ticks, labels=labels, fontsize=SMALL)
    right.tick_params(length=length, width=0.6, color=GREY, labelcolor=GREY)
    right.spines[:].set_visible(False)
    axes.patch.set_visible(True)  # within other axes, matplotlib takes the twin
    right.patch.set_visible(False)  # for the lower one
    return right
