"""The figure of learned templates: spectra as rows, or short spectrograms."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from specnmf.methods.learned.templates import Templates
from specnmf.notation import counted
from specnmf.output.figures import canvas, pictures, pooling, scales, stems
from specnmf.output.figures.canvas import GREY, PLAIN
from specnmf.output.figures.pooling import Rows
from specnmf.output.figures.sheets import NewSheet, Sheet, page
from specnmf.output.options import FigureFormat

#: Templates that are drawn, rows and pictures.
_MOST_ROWS, _MOST_PICTURES = 96, 48

_COLUMNS, _WIDEST = 6, 3.0  # pictures in a row, and inches from one to the next
_SHEET, _TALL, _GAP, _BETWEEN = 9.1, 1.5, 0.3, 0.5  # inches


def draw_known_figure(
    folder: Path,
    templates: Templates,
    *,
    name: str = "templates",
    title: str = "",
    figure_format: FigureFormat = "png",
) -> None:
    """Write the picture of templates; the same templates give the same bytes."""
    figures = {name: partial(known_figure, title=title or name)}
    canvas.write(folder, templates, figures, figure_format)


def known_figure(templates: Templates, title: str = "", new: NewSheet = page) -> Figure:
    """Draw templates in dB below their maxima, with a colour for each group."""
    if templates.n_template_frames == 1:
        return _spectra(templates, title, new)
    return _patterns(templates, title, new)


def _spectra(templates: Templates, title: str, new: NewSheet) -> Figure:
    """Spectra as rows, the first at the top."""
    shown = min(templates.n_templates, _MOST_ROWS)
    rows = pooling.log_axis(templates.frequencies)
    row = min(max(5 / shown, 0.155), 0.4)
    tall = row * shown
    sheet = new(title, _subtitle(templates, shown), tall)
    axes = sheet.panel((1.7, 0.6, 8.2, tall))
    shades = pooling.template_rows(templates.W[:, :shown, 0], rows, canvas.W_RANGE)
    places = _places(templates)[:shown]
    colours = stems.shaded(shades, places[:, np.newaxis], _hues(templates))
    low, high = rows.edges[[0, -1]]
    pictures.draw_pixels(axes, colours[::-1], (low, high, -0.5, shown - 0.5))
    bounds = shown - 0.5 - np.flatnonzero(np.diff(places)) - 1
    axes.hlines(bounds, low, high, color=GREY, linewidth=0.6, zorder=3)
    names = dict(enumerate(reversed(templates.names[:shown])))
    scales.name_rows(axes, names, row * sheet.down)
    scales.frequency_axis(axes.xaxis, rows)
    axes.set_xlabel("frequency", fontsize=PLAIN)
    _bar(sheet, tall)
    return sheet.figure


def _patterns(templates: Templates, title: str, new: NewSheet) -> Figure:
    """Short spectrograms, a panel each."""
    shown = min(templates.n_templates, _MOST_PICTURES)
    rows = pooling.log_axis(templates.frequencies)
    columns = min(shown, _COLUMNS)
    n_rows, across = -(-shown // columns), min(_SHEET / columns, _WIDEST)
    tall = n_rows * (_TALL + _BETWEEN) - _BETWEEN + 0.24
    sheet = new(title, _subtitle(templates, shown), tall)
    hues, places = _hues(templates), _places(templates)
    seconds = templates.n_template_frames * templates.hop_length / templates.sr
    for number in range(shown):
        line, column = divmod(number, columns)
        bottom = 0.6 + (n_rows - 1 - line) * (_TALL + _BETWEEN)
        box = (0.85 + column * across, bottom, across - _GAP, _TALL)
        axes = sheet.panel(box)
        hue = hues[places[number]]
        shades = _levels(templates.W[:, number], rows)
        group = np.zeros(shades.shape, np.intp)
        colours = stems.shaded(shades, group, [hue])
        edges = float(rows.edges[0]), float(rows.edges[-1])
        pictures.draw_pixels(axes, colours, (0, 1000 * seconds, *edges))
        scales.frequency_axis(axes.yaxis, rows)
        axes.tick_params(axis="y", labelleft=column == 0)
        axes.set_xticks([0, round(1000 * seconds)])
        canvas.caption(axes, templates.names[number], hue)
    sheet.foot((0.85, 0.2), "milliseconds from the onset", fontsize=PLAIN)
    _bar(sheet, tall)
    return sheet.figure


def _levels(W: NDArray[np.float32], rows: Rows) -> NDArray[np.floating]:
    """A template, (n_bins, n_frames), from 0 to 1 in dB below its maximum."""
    level = pooling.log_rows(np.square(W.T / W.max()), rows).T
    return np.asarray(np.maximum(1 + (level - level.max()) / canvas.W_RANGE, 0))


def _places(templates: Templates) -> NDArray[np.intp]:
    """The number of each template's group."""
    place = {stem: number for number, stem in enumerate(templates.stems)}
    return np.array([place[group] for group in templates.groups], np.intp)


def _hues(templates: Templates) -> Sequence[str]:
    """The colour of each group; where there are many, some have the same."""
    return [stems.HUES[k % len(stems.HUES)] for k in range(len(templates.stems))]


def _subtitle(templates: Templates, shown: int) -> str:
    """What is drawn."""
    n = templates.n_templates
    count = counted(n, "template") if shown == n else f"{shown} of {n} templates"
    return f"{count} in {counted(len(templates.stems), 'group')}, a colour each"


def _bar(sheet: Sheet, tall: float) -> None:
    """Explain how dark a colour is, at the right."""
    colours = ListedColormap(stems.ramp(stems.GREY) / 255)
    box = (10.2, 0.6, 0.14, tall)
    pictures.bar(sheet, box, colours, canvas.W_RANGE, of="each maximum")
