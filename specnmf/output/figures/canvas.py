"""Canvas: what all figures look like, and how they are written.

Matplotlib's object interface draws them, so that any thread may.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle

from specnmf.output.figures import lettering
from specnmf.output.figures.plain import plain
from specnmf.output.options import FigureFormat

#: Dots per inch of a PNG, and of the images inside an SVG or PDF.
DPI = 130
#: So many decibels below the maximum still have a colour: of V, of W, of H.
V_RANGE, W_RANGE, H_RANGE = 80, 40, 40

INK, GREY, LINE = "#1a1a1a", "#595959", "#d9d9d9"
BLUE, PALE, ORANGE = "#0868ac", "#b3d3ea", "#c44e00"
SMALL, PLAIN, LARGE = 8, 9, 13  # points
MARGIN = 0.12  # inches at the left of titles
HEADER, FOOT = 0.72, 0.6  # inches above the panels, for the title, and below them

Data = TypeVar("Data")
#: Left, bottom, width and height in inches.
Box = tuple[float, float, float, float]
#: What each colour stands for.
Legend = Sequence[tuple[str, str]]

_BOLD = FontProperties(family="sans-serif", weight="bold", size=LARGE)
_LEGEND_TOP, LEGEND_ROW, _LEGEND_WIDTH = 0.66, 0.2, 10.7  # inches
LONGEST_NAME = 28  # characters
_WIDE = 7.5  # widths of an n in an inch of a title
_SAVING: dict[FigureFormat, dict[str, Any]] = {
    "png": {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": 4}},
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
    """A figure, with so many inches for panels: whose it is, what it shows.

    ``blank`` makes the empty one, of a width and a height; by default for a file.
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
    """An empty figure that pyplot does not know."""
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
    """Write so many characters at so many inches from the left and below the top."""
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
    """Make the frame and ticks of a panel what they are in all figures."""
    axes.spines[:].set(color=GREY, linewidth=0.6)
    axes.tick_params(length=3, width=0.6, color=GREY, labelcolor=INK, labelsize=SMALL)


def inches(axes: Axes) -> tuple[float, float]:
    """How wide and how high a panel is, as far as is known before it is drawn."""
    box = axes.get_window_extent()
    return box.width / axes.figure.dpi, box.height / axes.figure.dpi


def caption(axes: Axes, text: str, colour: str = INK) -> None:
    """Say above a panel what it shows."""
    words = lettering.printable(text, 60)
    title = axes.set_title(words, loc="left", fontsize=PLAIN, pad=4, color=colour)
    lettering.letter(title)


def header(legend: Legend) -> float:
    """Inches above the panels, for the title and a legend."""
    return HEADER + LEGEND_ROW * -(-len(legend) // _legend_columns(legend))


def _draw_legend(figure: Figure, legend: Legend) -> None:
    """Say below the subtitle what the colours stand for."""
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
    """Inches of the longest entry, if its characters are as wide as most."""
    longest = max((len(name) for name, _ in legend), default=0)
    return 0.5 + 0.075 * min(longest, LONGEST_NAME)


def remark(axes: Axes, text: str, colour: str = GREY) -> None:
    """Say in the middle of a panel why it is empty."""
    middle = axes.text(0.5, 0.5, text, fontsize=LARGE, color=colour, ha="center")
    middle.set(va="center", transform=axes.transAxes)


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


def write(
    folder: Path,
    data: Data,
    figures: Mapping[str, Callable[[Data], Figure]],
    figure_format: FigureFormat,
) -> None:
    """Draw figures one by one, each into a file of its name."""
    for name, draw in figures.items():
        with plain():
            save(draw(data), folder / f"{name}.{figure_format}", figure_format)


def save(figure: Figure, path: Path, figure_format: FigureFormat) -> None:
    """Write a figure, without a date and with the same names inside each time."""
    figure.savefig(path, format=figure_format, dpi=DPI, **_SAVING[figure_format])
    figure.clear()  # or its arrays would wait for the garbage collector
