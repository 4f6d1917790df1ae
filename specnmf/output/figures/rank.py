"""The figure of a number of components that was found: what each number would cost."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from specnmf.factor.rank import SHARE, RankChoice
from specnmf.notation import percent
from specnmf.output.figures import canvas, scales
from specnmf.output.figures.canvas import BLUE, GREY, INK, ORANGE, PLAIN, SMALL
from specnmf.output.figures.sheets import NewSheet, page
from specnmf.output.options import FigureFormat

#: Numbers that stand below the axis if they were tried, besides the choice.
_TICKS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
_CROWDED = 0.2  # octaves from a tick to the choice's own
_LEAST_FALL = 3  # dB of the axis, that what is flat may look flat


def draw_rank_figure(
    folder: Path,
    choice: RankChoice,
    *,
    figure_format: FigureFormat = "png",
    title: str = "",
) -> None:
    """Write ``rank``: the held-out cost of each number of components."""
    figures = {"rank": partial(rank_figure, title=title)}
    canvas.write(folder, choice, figures, figure_format)


def rank_figure(choice: RankChoice, title: str = "", new: NewSheet = page) -> Figure:
    """Draw the error of each number of components on held-out entries."""
    subtitle = f"Number of components: {choice.chosen}, by cross-validation"
    box = (0.8, 0.6, 6.9, 3.28)
    sheet = new(title, subtitle, 3.28, width=8, frame=box)
    axes = sheet.panel(box)
    canvas.caption(axes, "Error on held-out parts of the recording")
    scales.grid(axes, "both")
    _draw_levels(axes, choice)
    _mark_enough(axes, choice)
    _mark_choice(axes, choice)
    _rank_axis(axes, choice)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -_LEAST_FALL), max(high, _LEAST_FALL / 2))
    axes.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(lambda level, _: f"{level:g}".replace("-", "−"))
    axes.set_ylabel("dB re one component", fontsize=PLAIN)
    return sheet.figure


def _draw_levels(axes: Axes, choice: RankChoice) -> None:
    """Draw the mean of the folds, and its standard error as bars."""
    axes.errorbar(
        np.log2(choice.ranks),
        choice.means,
        yerr=choice.errors,
        color=BLUE,
        linewidth=2,
        marker="o",
        markersize=4,
        elinewidth=1,
        capsize=2.5,
    )


def _mark_enough(axes: Axes, choice: RankChoice) -> None:
    """Draw the level that is enough, unless more components gain nothing."""
    if choice.chosen == 1:
        return
    enough = SHARE * choice.means.min()
    axes.axhline(enough, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    text = f"{percent(SHARE)} of the fall"
    style = {"xycoords": ("axes fraction", "data"), "color": GREY, "va": "top"}
    canvas.note(axes, text, (0, enough), (4, -4), **style)


def _mark_choice(axes: Axes, choice: RankChoice) -> None:
    """Mark the number that is chosen."""
    x = np.log2(choice.chosen)
    (level,) = choice.means[choice.ranks == choice.chosen]
    axes.axvline(x, color=ORANGE, linewidth=1)
    axes.plot(x, level, "o", markersize=9, markerfacecolor="none", color=ORANGE)
    style = {"xycoords": ("data", "axes fraction"), "color": ORANGE, "va": "top"}
    bold = {"fontsize": canvas.LARGE, "fontweight": "bold"}
    canvas.note(axes, f"{choice.chosen}", (x, 1), (5, -4), **style, **bold)


def _rank_axis(axes: Axes, choice: RankChoice) -> None:
    """Name the numbers tried, an octave as far as the next."""
    far = [
        rank
        for rank in choice.ranks
        if rank in _TICKS and abs(np.log2(rank / choice.chosen)) > _CROWDED
    ]
    ticks = sorted([*far, choice.chosen])
    axes.set_xticks(np.log2(ticks), labels=[f"{k}" for k in ticks], fontsize=SMALL)
    axes.set_xlim(-0.2, np.log2(choice.ranks[-1]) + 0.2)
    axes.set_xlabel("number of components", fontsize=PLAIN, color=INK)
