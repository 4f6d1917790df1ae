"""Sheets: what a figure is drawn on, a page of its own or the place of given axes.

Every figure lays its panels out in inches on a sheet that it asks for by ``new``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import (
    ScaledTranslation,
    Transform,
    blended_transform_factory,
)

from specnmf.output.figures import canvas, lettering
from specnmf.output.figures.canvas import (
    FOOT,
    GREY,
    INK,
    LONGEST_NAME,
    PLAIN,
    SMALL,
    Box,
    Legend,
)

_POINTS = 72  # in an inch
_SWATCH = 0.2, 0.11  # inches
_GAP, _CAPTION = 0.06, 0.2  # inches below a title: without and with a panel's caption
_LETTERS = 15  # of a title in an inch


class Sheet(Protocol):
    """Where panels and words are placed, in inches of the whole figure."""

    @property
    def figure(self) -> Figure:
        """What it belongs to."""

    @property
    def across(self) -> float:
        """How many times as wide panels are as they are asked to be."""

    @property
    def down(self) -> float:
        """And how many times as high."""

    def panel(self, box: Box) -> Axes:
        """Axes at (left, bottom, width, height)."""

    def text(
        self, place: tuple[float, float], words: str, most: int, **style: Any
    ) -> None:
        """Write so many characters at a distance from the left and below the top."""

    def foot(self, place: tuple[float, float], words: str, **style: Any) -> None:
        """Write below the panels, at a distance from the left and the bottom."""


class NewSheet(Protocol):
    """Gives the sheet for a figure."""

    def __call__(
        self,
        title: str,
        subtitle: str,
        tall: float,
        legend: Legend = (),
        *,
        width: float = 11,
        frame: Box | None = None,
    ) -> Sheet:
        """The sheet for so many inches of panels.

        ``frame`` is the panel of a figure that has but one, beside bars and such.
        """


@dataclass(frozen=True, eq=False)
class Page:
    """A figure of its own."""

    figure: Figure
    across: float = 1.0
    down: float = 1.0

    def panel(self, box: Box) -> Axes:
        """Axes at (left, bottom, width, height)."""
        return canvas.panel(self.figure, box)

    def text(
        self, place: tuple[float, float], words: str, most: int, **style: Any
    ) -> None:
        """Write so many characters at a distance from the left and below the top."""
        canvas.text(self.figure, place, words, most, **style)

    def foot(self, place: tuple[float, float], words: str, **style: Any) -> None:
        """Write below the panels, at a distance from the left and the bottom."""
        width, height = self.figure.get_size_inches()
        self.figure.text(place[0] / width, place[1] / height, words, **style)


def page(
    title: str,
    subtitle: str,
    tall: float,
    legend: Legend = (),
    *,
    width: float = 11,
    frame: Box | None = None,
) -> Page:
    """A sheet for a file."""
    return Page(canvas.new_figure(title, subtitle, tall, legend, width=width))


def shown(
    title: str,
    subtitle: str,
    tall: float,
    legend: Legend = (),
    *,
    width: float = 11,
    frame: Box | None = None,
) -> Page:
    """A sheet that pyplot shows, in a notebook or a window."""
    from matplotlib import pyplot

    def blank(width: float, height: float) -> Figure:
        return pyplot.figure(figsize=(width, height), facecolor="white")

    figure = canvas.new_figure(title, subtitle, tall, legend, width=width, blank=blank)
    return Page(figure)


@dataclass(frozen=True, eq=False)
class Spot:
    """The place of given axes: these are the frame, or else hidden behind the panels.

    Panels within the frame grow and shrink with it; what lies beside it keeps its
    distance in inches.
    """

    axes: Axes
    frame: Box
    top: float  # inches of the whole figure
    hidden: bool

    @property
    def figure(self) -> Figure:
        """What the axes belong to."""
        return self.axes.get_figure(root=True)  # type: ignore[return-value]  # not None

    @property
    def across(self) -> float:
        """How many times as wide panels are as they are asked to be."""
        return canvas.inches(self.axes)[0] / self.frame[2]

    @property
    def down(self) -> float:
        """How many times as high panels are as they are asked to be."""
        return canvas.inches(self.axes)[1] / self.frame[3]

    def panel(self, box: Box) -> Axes:
        """The frame itself, or axes in the place of (left, bottom, width, height)."""
        if box == self.frame and not self.hidden:
            return self.axes
        left, bottom, width, height = self.frame
        x, y, wide = (box[0] - left) / width, (box[1] - bottom) / height, box[2] / width
        inside: Transform = self.axes.transAxes
        beside = inside
        if box[0] + box[2] <= left:
            beside, x, wide = self._inches(0, 0), box[0] - left, box[2]
        elif box[0] >= left + width:
            beside, x, wide = self._inches(1, 0), box[0] - left - width, box[2]
        where = blended_transform_factory(beside, inside)
        panel = self.axes.inset_axes((x, y, wide, box[3] / height), transform=where)
        canvas.dress(panel)
        return panel

    def text(
        self, place: tuple[float, float], words: str, most: int, **style: Any
    ) -> None:
        """Write so many characters at a distance from the left and below the top."""
        _, bottom, width, height = self.frame
        x = (place[0] - self.frame[0]) / width
        y = (self.top - place[1] - bottom) / height
        self._write((x, y), words, most, transform=self.axes.transAxes, **style)

    def foot(self, place: tuple[float, float], words: str, **style: Any) -> None:
        """Write below the panels, at a distance from the left and the bottom."""
        left, bottom, width, height = self.frame
        x, y = (place[0] - left) / width, (FOOT - bottom) / height
        where = self._inches(x, y)
        self._write((0, place[1] - FOOT), words, len(words), transform=where, **style)

    def head(self, subtitle: str, legend: Legend) -> None:
        """Say above the axes what they show, and what colours stand for."""
        wide, _ = canvas.inches(self.axes)
        entry = canvas.entry_width(legend)
        columns = max(1, min(len(legend), int(wide / entry)))
        n_rows = -(-len(legend) // columns)
        above = _CAPTION if self.hidden else _GAP
        for number, named in enumerate(legend):
            row, column = divmod(number, columns)
            middle = above + (n_rows - row - 0.5) * canvas.LEGEND_ROW
            self._explain(named, (column * entry, middle))
        pad = _POINTS * (above + n_rows * canvas.LEGEND_ROW)
        words = _fitting(subtitle, int(_LETTERS * wide))
        self.axes.set_title(words, loc="left", fontsize=PLAIN, color=GREY, pad=pad)

    def _explain(self, named: tuple[str, str], place: tuple[float, float]) -> None:
        """Say what a colour stands for, so many inches from the left and the top."""
        (name, colour), (x, y), where = named, place, self._inches(0, 1)
        wide, high = _SWATCH
        swatch = Rectangle((x, y - high / 2), wide, high, color=colour, linewidth=0)
        swatch.set(clip_on=False, transform=where)
        self.axes.add_artist(swatch)
        style = {"fontsize": SMALL, "color": INK, "va": "center_baseline"}
        self._write((x + 0.27, y), name, LONGEST_NAME, transform=where, **style)

    def _inches(self, x: float, y: float) -> Transform:
        """Inches from a point of the axes, whatever becomes of their size."""
        inside: Any = self.axes.transAxes  # affine, which its stub does not know
        return self.figure.dpi_scale_trans + ScaledTranslation(x, y, inside)

    def _write(
        self, place: tuple[float, float], words: str, most: int, **style: Any
    ) -> None:
        line = lettering.printable(words, most)
        lettering.letter(self.axes.text(*place, line, **style))


def _fitting(subtitle: str, most: int) -> str:
    """As much of a subtitle as makes sense and fits."""
    shorter = (subtitle, subtitle.split(";")[0], subtitle.split(":")[0])
    return next((words for words in shorter if len(words) <= most), shorter[-1])


def within(axes: Axes) -> NewSheet:
    """Gives sheets in the place of axes, with the figure's subtitle as their title."""

    def new(
        title: str,
        subtitle: str,
        tall: float,
        legend: Legend = (),
        *,
        width: float = 11,
        frame: Box | None = None,
    ) -> Spot:
        top = FOOT + tall + canvas.header(legend)
        spot = Spot(axes, frame or (0, 0, width, FOOT + tall), top, frame is None)
        if spot.hidden:
            axes.set_axis_off()
        canvas.dress(axes)
        axes.set_facecolor("white")
        spot.head(subtitle, legend)
        return spot

    return new
