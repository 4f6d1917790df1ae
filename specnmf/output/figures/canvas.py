"""Canvas: what all figures look like, and how they are written.

Matplotlib's object interface draws them, so that several threads may draw at once.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import Any, Literal, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import Colormap, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from specnmf.output.figures import pooling
from specnmf.output.figures.pooling import Float32, Float64, Plane, Rows
from specnmf.settings import FigureFormat

#: Dots per inch of a PNG, and of the images inside an SVG or PDF.
DPI = 130
#: So many decibels below the maximum still have a colour: of V, of W, of H.
V_RANGE, W_RANGE, H_RANGE = 80, 40, 40

INK, GREY, LINE, KEY = "#1a1a1a", "#595959", "#d9d9d9", "#f0f0f0"
BLUE, PALE, ORANGE = "#0868ac", "#b3d3ea", "#c44e00"
SMALL, PLAIN, LARGE = 8, 9, 13  # points
MARGIN = 0.12  # inches at the left of titles
HEADER = 0.72  # inches above the panels, for the title
IMAGE: dict[str, Any] = {"aspect": "auto", "origin": "lower"}

#: Pitch classes.
BLACK_KEYS = (1, 3, 6, 8, 10)

Data = TypeVar("Data")
#: Left, bottom, width and height in inches.
Box = tuple[float, float, float, float]
#: What each colour stands for.
Legend = Sequence[tuple[str, str]]

_BOLD = FontProperties(weight="bold", size=LARGE)
_HERTZ = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)
_SECONDS = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400),
)
_LEGEND_TOP, _LEGEND_ROW, _LEGEND_WIDTH = 0.66, 0.2, 10.7  # inches
_LONGEST_NAME, _LONGEST_ROW, _LONGEST_COLUMN = 28, 18, 7  # characters
_ROOMY = 1.2  # inches of a bar with room for its label
_WIDE = 0.95  # inches of a column with room for any name
_NAME = 0.115  # inches from a row's name to the next
_SAVING: dict[FigureFormat, dict[str, Any]] = {
    "png": {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": 4}},
    "svg": {"metadata": {"Date": None, "Creator": None}},
    "pdf": {"metadata": {"CreationDate": None, "Creator": None, "Producer": None}},
}
_SALT = Lock()


def new_figure(
    width: float, height: float, title: str, subtitle: str, legend: Legend = ()
) -> Figure:
    """An empty figure of so many inches: whose it is, and what it shows."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    bold = {"fontproperties": _BOLD, "color": INK, "va": "top"}
    text(figure, (MARGIN, 0.12), title, int(8 * width), **bold)
    left, below = MARGIN / width, 1 - 0.36 / height
    figure.text(left, below, subtitle, fontsize=PLAIN, color=GREY, va="top")
    _draw_legend(figure, legend)
    return figure


def text(
    figure: Figure, place: tuple[float, float], words: str, most: int, **style: Any
) -> None:
    """Write so many characters at so many inches from the left and below the top."""
    width, height = figure.get_size_inches()
    x, y = place[0] / width, 1 - place[1] / height
    figure.text(x, y, printable(words, most), parse_math=False, **style)


def panel(figure: Figure, box: Box) -> Axes:
    """Axes at (left, bottom, width, height) in inches."""
    width, height = figure.get_size_inches()
    left, bottom, wide, tall = box
    axes = figure.add_axes((left / width, bottom / height, wide / width, tall / height))
    axes.spines[:].set(color=GREY, linewidth=0.6)
    axes.tick_params(length=3, width=0.6, color=GREY, labelcolor=INK, labelsize=SMALL)
    return axes


def caption(axes: Axes, text: str, colour: str = INK) -> None:
    """Say above a panel what it shows."""
    axes.set_title(
        printable(text, 60),
        loc="left",
        fontsize=PLAIN,
        color=colour,
        pad=4,
        parse_math=False,
    )


def header(legend: Legend) -> float:
    """Inches above the panels, for the title and a legend."""
    return HEADER + _LEGEND_ROW * -(-len(legend) // _legend_columns(legend))


def _draw_legend(figure: Figure, legend: Legend) -> None:
    """Say below the subtitle what the colours stand for."""
    width, height = figure.get_size_inches()
    n_columns = _legend_columns(legend)
    for number, (name, colour) in enumerate(legend):
        row, column = divmod(number, n_columns)
        left = MARGIN + column * _entry_width(legend)
        middle = _LEGEND_TOP + row * _LEGEND_ROW
        swatch = left / width, 1 - (middle + 0.055) / height
        figure.add_artist(
            Rectangle(swatch, 0.2 / width, 0.11 / height, color=colour, linewidth=0)
        )
        place = left + 0.27, middle
        style = {"fontsize": SMALL, "color": INK, "va": "center_baseline"}
        text(figure, place, name, _LONGEST_NAME, **style)


def _legend_columns(legend: Legend) -> int:
    return max(1, min(len(legend), int(_LEGEND_WIDTH / _entry_width(legend))))


def _entry_width(legend: Legend) -> float:
    """Inches of the longest entry, if its characters are as wide as most."""
    longest = max((len(name) for name, _ in legend), default=0)
    return 0.5 + 0.075 * min(longest, _LONGEST_NAME)


def remark(axes: Axes, text: str, colour: str = GREY) -> None:
    """Say in the middle of a panel why it is empty."""
    middle: dict[str, Any] = {"ha": "center", "va": "center"}
    middle["transform"] = axes.transAxes
    axes.text(0.5, 0.5, text, fontsize=LARGE, color=colour, **middle)


def note(
    axes: Axes,
    text: str,
    place: tuple[float, float],
    offset: tuple[float, float],
    **style: Any,
) -> None:
    """Write beside a place, so many points to its right and above it."""
    style = {"fontsize": SMALL, "textcoords": "offset points", **style}
    axes.annotate(text, place, offset, **style)


def bar(figure: Figure, box: Box, colours: Colormap, span: int) -> None:
    """Explain the colours: dB below the maximum."""
    axes = panel(figure, box)
    ramp = np.linspace(0, 1, 256)[:, None]
    extent = (0, 1, -span, 0)
    axes.imshow(ramp, extent=extent, cmap=colours, interpolation="nearest", **IMAGE)
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    roomy = box[3] > _ROOMY
    levels = range(-span, 1, (20 if span > 40 else 10) if roomy else span)
    labels = [f"{level}".replace("-", "−") for level in levels]
    axes.set_xticks([])
    axes.set_yticks(levels, labels=labels, fontsize=SMALL)
    axes.set_ylabel("dB re maximum" if roomy else "dB", fontsize=PLAIN)


def draw_power(
    axes: Axes,
    power: Float32,
    plane: Plane,
    rows: Rows,
    *,
    peak: float | None = None,
    colours: Colormap | str = "magma",
    span: int = V_RANGE,
) -> None:
    """Draw a picture in dB below ``peak``, by default its own, over log frequency."""
    peak = float(power.max()) if peak is None else peak
    axes.imshow(
        power - max(peak, pooling.SILENCE),
        extent=(*plane.extent(), float(rows.edges[0]), float(rows.edges[-1])),
        cmap=colours,
        vmin=-span,
        vmax=0,
        interpolation="antialiased",
        **IMAGE,
    )
    frequency_axis(axes.yaxis, rows)
    if peak < pooling.SILENCE:
        remark(axes, "silence", "white" if colours == "magma" else GREY)


def draw_bars(
    axes: Axes, plane: Plane, colours: NDArray[np.uint8], bottom: float
) -> None:
    """Draw rows of activations as bars with a gap between them.

    Parameters
    ----------
    colours : array of bytes, shape (n_rows, n_columns, 4)
        Coloured already: imshow would take ten times the memory for it.
    bottom : float
        Where the middle of the lowest row lies; the next lie one apart.
    """
    low = bottom - 0.5
    lines = np.repeat(colours, 10, axis=0)  # two of ten lines are a gap
    lines[0::10] = lines[9::10] = 0
    draw_pixels(axes, lines, (*plane.extent(), low, low + len(colours)))
    grid(axes)


def draw_steps(
    axes: Axes, edges: Float64, low: Float64, high: Float64, **style: Any
) -> None:
    """Fill what lies between two staircases that are constant from edge to edge."""
    low, high = (np.append(side, side[-1:]) for side in (low, high))
    style = {"step": "post", "linewidth": 0.4, "zorder": 2, **style}
    axes.fill_between(edges, low, high, **style)


def draw_pixels(
    axes: Axes, colours: NDArray[np.uint8], extent: tuple[float, float, float, float]
) -> None:
    """Draw an image as it is, from its lowest line up."""
    axes.imshow(colours, extent=extent, interpolation="nearest", zorder=1, **IMAGE)


def draw_boxes(
    axes: Axes,
    boxes: NDArray[np.float64],
    colours: Sequence[str],
    *,
    fill: float,
    linewidth: float,
) -> None:
    """Draw notes as boxes.

    Parameters
    ----------
    boxes : array, shape (n_boxes, 4)
        Left, right, bottom and top of each.
    colours : sequence of str
        Of each.
    fill : float
        How much of what lies behind a box is covered, 0 to 1.
    linewidth : float
        Of the outlines, in points.
    """
    corners = boxes[:, [[0, 2], [1, 2], [1, 3], [0, 3]]]
    axes.add_collection(
        PolyCollection(
            list(corners),
            facecolor=to_rgba_array(colours, fill),
            edgecolor=to_rgba_array(colours),
            linewidth=linewidth,
            zorder=2,
        ),
        autolim=False,
    )


def draw_keys(axes: Axes, keys: range, span: tuple[float, float]) -> None:
    """Shade the black keys, a semitone a row; draw lines between octaves."""
    for key in keys:
        if key % 12 in BLACK_KEYS:
            axes.axhspan(key - 0.5, key + 0.5, color=KEY, linewidth=0, zorder=0)
    octaves = [key - 0.5 for key in keys[1:] if key % 12 == 0]
    axes.hlines(octaves, *span, color="#a6a6a6", linewidth=0.7, zorder=0.5)


def key_range(notes: NDArray[np.intp]) -> range:
    """The semitones to draw: those used, a margin, and at least an octave."""
    if not len(notes):
        return range(0)
    low, high = int(notes.min()) - 2, int(notes.max()) + 2
    more = max(0, 12 - (high - low))
    return range(low - more // 2, high + more - more // 2 + 1)


def grid(axes: Axes, axis: Literal["both", "x", "y"] = "x") -> None:
    """Draw a line at each tick, of time unless told otherwise, behind everything."""
    axes.set_axisbelow(True)
    axes.grid(axis=axis, color=LINE, linewidth=0.6)


def time_axis(axes: Axes, span: tuple[float, float], *, labelled: bool = True) -> None:
    """Seconds up to a minute and a half, minutes and seconds beyond."""
    ticks, labels, unit = clock_ticks(span, most=10)
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
    axes: Axes, names: Mapping[int, str], inches: float, *, most: int = _LONGEST_ROW
) -> None:
    """Name rows at the left: all, or as many as there is room for.

    Parameters
    ----------
    names : mapping of int to str
        By the row's place.
    inches : float
        From a row to the next.
    most : int
        Characters of a name.
    """
    _name(axes.yaxis, names, inches, most, rotation=0)


def name_columns(axes: Axes, names: Mapping[int, str], inches: float) -> None:
    """Name columns below, upright where they are wide enough for any name."""
    if inches > _WIDE:
        _name(axes.xaxis, names, inches, _LONGEST_ROW, rotation=0)
    else:
        _name(axes.xaxis, names, inches, _LONGEST_COLUMN, rotation=90)


def _name(
    axis: Axis, names: Mapping[int, str], inches: float, most: int, *, rotation: float
) -> None:
    chosen = _spread(names, inches)
    labels = [printable(names[place], most) for place in chosen]
    axis.set_ticks(chosen, labels=labels, fontsize=SMALL, rotation=rotation)
    for label in axis.get_ticklabels():
        label.set_parse_math(False)
    axis.set_tick_params(length=0)


def _spread(names: Mapping[int, str], inches: float) -> list[int]:
    """Places that lie so far apart that their names do not touch."""
    chosen: list[int] = []
    for place in sorted(names):
        if not chosen or (place - chosen[-1]) * inches > _NAME - 1e-9:
            chosen.append(place)
    return chosen


def frequency_axis(axis: Axis, rows: Rows, *, sparse: bool = False) -> None:
    """Ticks at round frequencies: all that fit, or the powers of ten."""
    low, high = 2 ** rows.edges[[0, -1]]
    hertz = [f for f in _HERTZ if low <= f <= high]
    if sparse:
        hertz = [f for f in hertz if f in (100, 1000, 10000)]
    labels = [f"{f} Hz" if f < 1000 else f"{f // 1000} kHz" for f in hertz]
    axis.set_ticks(np.log2(hertz), labels=labels, fontsize=SMALL)


def right_axis(
    axes: Axes, ticks: ArrayLike, labels: list[str], *, length: float = 0
) -> Axes:
    """Put a second scale at the right, over the same range."""
    right = axes.twinx()
    right.set_ylim(axes.get_ylim())
    right.set_yticks(ticks, labels=labels, fontsize=SMALL)
    right.tick_params(length=length, width=0.6, color=GREY, labelcolor=GREY)
    right.spines[:].set_visible(False)
    return right


def percent(share: float) -> str:
    """A share in percent, such as ``12%``; never 0% of what there is."""
    if 0 < share < 0.005:
        return "<1%"
    if 0.995 <= share < 1:
        return ">99%"
    return f"{100 * share:.0f}%"


def printable(text: str, most: int) -> str:
    """The text, cut to a length, with a box for each character the font lacks."""
    # Accents that macOS stores apart from their letters are joined to them.
    text = unicodedata.normalize("NFC", text)
    text = text if len(text) <= most else text[: most - 1] + "…"
    font = get_font(findfont(_BOLD))
    return "".join(c if font.get_char_index(ord(c)) else "□" for c in text)


def write(
    folder: Path,
    data: Data,
    figures: Mapping[str, Callable[[Data], Figure]],
    figure_format: FigureFormat,
) -> None:
    """Draw figures one by one, each into a file of its name."""
    for name, draw in figures.items():
        save(draw(data), folder / f"{name}.{figure_format}", figure_format)


def save(figure: Figure, path: Path, figure_format: FigureFormat) -> None:
    """Write a figure, without a date and with the same names inside each time."""
    # Names inside an SVG are salted by matplotlib's settings, which threads share.
    salted = mpl.rc_context({"svg.hashsalt": "specnmf"})
    with _SALT, salted if figure_format == "svg" else nullcontext():
        figure.savefig(path, format=figure_format, dpi=DPI, **_SAVING[figure_format])
    figure.clear()  # or its arrays would wait for the garbage collector
