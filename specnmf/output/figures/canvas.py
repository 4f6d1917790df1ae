"""Canvas: the common look of all figures, and how they are written.

They use matplotlib's object interface, so that any thread may draw.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from PIL import Image

from specnmf.output.figures import lettering
from specnmf.output.figures.plain import plain
from specnmf.output.options import FigureFormat

#: Dots per inch of a PNG, and of the images inside an SVG or PDF.
DPI = 130
#: The range of colours in decibels below the maximum: of V, of W, of H.
V_RANGE, W_RANGE, H_RANGE = 80, 40, 40

INK, GREY, LINE = "#1a1a1a", "#595959", "#d9d9d9"
BLUE, PALE, ORANGE = "#0868ac", "#b3d3ea", "#c44e00"
SMALL, PLAIN, LARGE = 8, 9, 13  # points
MARGIN = 0.12  # inches at the left of titles
HEADER, FOOT = 0.72, 0.6  # inches above the panels, for the title, and below them

Data = TypeVar("Data")
#: Left, bottom, width and height in inches.
Box = tuple[float, float, float, float]
#: The meaning of each colour.
Legend = Sequence[tuple[str, str]]

_BOLD = FontProperties(family="sans-serif", weight="bold", size=LARGE)
_LEGEND_TOP, LEGEND_ROW, _LEGEND_WIDTH = 0.66, 0.2, 10.7  # inches
LONGEST_NAME = 28  # characters
_WIDE = 7.5  # widths of an n in an inch of a title
_SAVING: dict[FigureFormat, dict[str, Any]] = {
    "svg": {"metadata": {"Date": None, "Creator": None}},
    "pdf": {"metadata": {"CreationDate": None, "Creator": None, "Producer": None}},
}


def new_figure(
    title: str,
    subtitle: str,
    tall: float,
    legend: Legend = (),
    *,
    width: float = 11,
    blank: Callable[[float, float], Figure] | None = None,
) -> Figure:
    """A figure with a title and a subtitle, and room for panels in inches.

    ``blank`` makes the empty figure of a width and a height; by default for a file.
    """
    height = FOOT + tall + header(legend)
    figure = (blank or _blank)(width, height)
    bold = {"fontproperties": _BOLD, "color": INK, "va": "top"}
    text(figure, (MARGIN, 0.12), title, int(8 * width), _WIDE * width, **bold)
    left, below = MARGIN / width, 1 - 0.36 / height
    figure.text(left, below, subtitle, fontsize=PLAIN, color=GREY, va="top")
    _draw_legend(figure, legend)
    return figure


def _blank(width: float, height: float) -> Figure:
    """An empty figure outside pyplot."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def text(
    figure: Figure,
    place: tuple[float, float],
    words: str,
    most: int,
    widest: float | None = None,
    **style: Any,
) -> None:
    """Write a text at a distance in inches from the left and the top."""
    width, height = figure.get_size_inches()
    x, y = place[0] / width, 1 - place[1] / height
    line = lettering.printable(words, most, widest=widest)
    lettering.letter(figure.text(x, y, line, **style))


def panel(figure: Figure, box: Box) -> Axes:
    """Axes at (left, bottom, width, height) in inches."""
    width, height = figure.get_size_inches()
    left, bottom, wide, tall = box
    axes = figure.add_axes((left / width, bottom / height, wide / width, tall / height))
    dress(axes)
    return axes


def dress(axes: Axes) -> None:
    """Set the common frame and ticks of a panel."""
    axes.spines[:].set(color=GREY, linewidth=0.6)
    axes.tick_params(length=3, width=0.6, color=GREY, labelcolor=INK, labelsize=SMALL)


def inches(axes: Axes) -> tuple[float, float]:
    """The approximate width and height of a panel before it is drawn."""
    box = axes.get_window_extent()
    return box.width / axes.figure.dpi, box.height / axes.figure.dpi


def caption(axes: Axes, text: str, colour: str = INK) -> None:
    """Write the caption of a panel above it."""
    words = lettering.printable(text, 60)
    title = axes.set_title(words, loc="left", fontsize=PLAIN, pad=4, color=colour)
    lettering.letter(title)


def header(legend: Legend) -> float:
    """Inches above the panels, for the title and a legend."""
    return HEADER + LEGEND_ROW * -(-len(legend) // _legend_columns(legend))


def _draw_legend(figure: Figure, legend: Legend) -> None:
    """Write the legend of the colours below the subtitle."""
    width, height = figure.get_size_inches()
    n_columns = _legend_columns(legend)
    for number, (name, colour) in enumerate(legend):
        row, column = divmod(number, n_columns)
        left = MARGIN + column * entry_width(legend)
        middle = _LEGEND_TOP + row * LEGEND_ROW
        swatch = left / width, 1 - (middle + 0.055) / height
        figure.add_artist(
            Rectangle(swatch, 0.2 / width, 0.11 / height, color=colour, linewidth=0)
        )
        place = left + 0.27, middle
        style: dict[str, Any] = {
            "fontsize": SMALL,
            "color": INK,
            "va": "center_baseline",
        }
        text(figure, place, name, LONGEST_NAME, **style)


def _legend_columns(legend: Legend) -> int:
    return max(1, min(len(legend), int(_LEGEND_WIDTH / entry_width(legend))))


def entry_width(legend: Legend) -> float:
    """The width of the longest entry in inches, with characters of average width."""
    longest = max((len(name) for name, _ in legend), default=0)
    return 0.5 + 0.075 * min(longest, LONGEST_NAME)


def remark(axes: Axes, text: str, colour: str = GREY) -> None:
    """Write in the middle of a panel why it is empty."""
    middle = axes.text(0.5, 0.5, text, fontsize=LARGE, color=colour, ha="center")
    middle.set(va="center", transform=axes.transAxes)


def note(
    axes: Axes,
    text: str,
    place: tuple[float, float],
    offset: tuple[float, float],
    **style: Any,
) -> None:
    """Write beside a position, at a distance in points to the right and above."""
    style = {"fontsize": SMALL, "textcoords": "offset points", **style}
    axes.annotate(text, place, offset, **style)


def write(
    folder: Path,
    data: Data,
    figures: Mapping[str, Callable[[Data], Figure]],
    figure_format: FigureFormat,
) -> None:
    """Draw figures one by one, each into a file with its name."""
    for name, draw in figures.items():
        with plain():
            save(draw(data), folder / f"{name}.{figure_format}", figure_format)


def save(figure: Figure, path: Path, figure_format: FigureFormat) -> None:
    """Write a figure without a date and with reproducible names inside."""
    if figure_format == "png":
        _save_pixels(figure, path)
    else:
        figure.savefig(path, format=figure_format, dpi=DPI, **_SAVING[figure_format])
    _free(figure)


def _free(figure: Figure) -> None:
    """Free the arrays of a figure at once: its axes live until garbage is collected.

    Clearing it would make all axes, ticks and labels anew.
    """
    for axes in figure.axes:
        for drawn in [*axes.images, *axes.collections]:
            drawn.remove()


def _save_pixels(figure: Figure, path: Path) -> None:
    """Write a PNG of a figure, which is opaque.

    Repeats of a byte are all that is looked for: in half of savefig's time, most files
    become smaller.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[:, :, :3]
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.save(path, "png", dpi=(DPI, DPI), compress_type=zlib.Z_RLE)
