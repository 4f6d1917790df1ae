"""W and H of a separation by score: templates, activations, and the constraints."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from specnmf.factor.factorization import Factorization
from specnmf.output.figures import canvas, pictures, pooling, scales, stems
from specnmf.output.figures.canvas import INK, PLAIN
from specnmf.output.figures.score_data import ScoreFigureData
from specnmf.output.figures.sheets import NewSheet, Sheet, page

Shades = NDArray[np.floating]

_GAP = 0.36  # inches between two panels of templates
_MOST_ROWS = 44  # templates one below the other before there are two columns
_ALLOWED, _START = 0.08, 0.6  # shades of where there may be sound, and of a start


def templates_figure(data: ScoreFigureData, new: NewSheet = page) -> Figure:
    """Draw the templates as rows in order of pitch, a panel for each colour."""
    columns = _columns(data)
    n_rows = max(sum(map(len, parts)) for parts in columns)
    row = min(max(4 / n_rows, 0.155), 0.4)
    tall = max(sum(row * len(part) + _GAP for part in parts) for parts in columns)
    subtitle = (
        "Templates W: the spectrum of each note; a dot marks its fundamental, "
        "if it sounds"
    )
    sheet = new(data.title, subtitle, tall - 0.1)
    shades = data.templates(data.factorization, canvas.W_RANGE)
    width = 9.5 / len(columns)
    for number, parts in enumerate(columns):
        top = canvas.FOOT + tall
        for part in parts:
            inches = row * len(part)
            top -= inches + _GAP
            axes = sheet.panel((0.95 + number * width, top, width - 0.85, inches))
            _draw_templates(axes, data, part, shades[part])
            names = {k: data.voices[voice].name for k, voice in enumerate(part)}
            scales.name_rows(axes, names, row * sheet.down)
            scales.frequency_axis(axes.xaxis, data.rows)
            axes.tick_params(axis="x", labelbottom=part is parts[-1])
            if part is parts[-1]:
                axes.set_xlabel("frequency", fontsize=PLAIN)
    _bar(sheet, tall - _GAP, canvas.W_RANGE, of="each maximum")
    return sheet.figure


def activations_figure(data: ScoreFigureData, new: NewSheet = page) -> Figure:
    """Draw a piano roll of the activations, each in the colour of its stem."""
    pitches = [int(v.pitch) for v in data.voices if not np.isnan(v.pitch)]
    keys, lanes, rows = pictures.roll_rows(pitches, len(data.voices) - len(pitches))
    row = min(max(5 / len(rows), 0.12), 0.6)
    tall = len(rows) * row
    subtitle = "Activations H: the strength of each note over time, by stem"
    left = 1.5 if lanes else 0.85
    box = (left, 0.6, 9.9 - left, tall)
    sheet = new(data.title, subtitle, tall, data.palette.legend, frame=box)
    axes = sheet.panel(box)
    pictures.draw_keys(axes, keys, data.span)
    places = [*lanes, *pitches]
    _draw_roll(axes, data, places, rows)
    names = {p: v.name for p, v in zip(places, data.voices, strict=True)}
    scales.name_rows(axes, names, row * sheet.down)
    scales.time_axis(axes, data.span)
    _bar(sheet, tall, canvas.H_RANGE)
    return sheet.figure


def constraints_figure(data: ScoreFigureData, new: NewSheet = page) -> Figure:
    """Draw W and H before the updates, where the score allows sound, and after."""
    start: Factorization = data.needed("start")
    subtitle = (
        "Constraints: the score decides where W and H may be non-zero; zeros stay zero"
    )
    sheet = new(data.title, subtitle, 7.65, data.palette.legend)
    W = [data.templates(f, canvas.W_RANGE) for f in (start, data.factorization)]
    allowed = data.power(start) > 0
    H = pooling.shades(data.power(data.factorization), canvas.H_RANGE)
    shades = W[0], np.where(allowed, _START, 0.0)
    captions = "W at the start", "H at the start: the notes of the score"
    _draw_factors(sheet, 4.7, data, shades, captions)
    shades = _on(W[0] > 0, W[1]), _on(allowed, H)
    captions = "W learned", "H learned; pale: allowed"
    _draw_factors(sheet, 0.65, data, shades, captions)
    _bar(sheet, 7.4, canvas.H_RANGE)
    return sheet.figure


def _columns(data: ScoreFigureData) -> list[list[NDArray[np.intp]]]:
    """The voices of each colour, in one column of panels or two of like height."""
    parts = [np.flatnonzero(data.groups == group) for group in np.unique(data.groups)]
    sizes = np.cumsum([len(part) for part in parts])
    if sizes[-1] <= _MOST_ROWS or len(parts) == 1:
        return [parts]
    cut = 1 + int(np.argmin(np.abs(sizes[:-1] - sizes[-1] / 2)))
    return [parts[:cut], parts[cut:]]


def _draw_templates(
    axes: Axes, data: ScoreFigureData, part: NDArray[np.intp], shades: Shades
) -> None:
    """Draw templates of one colour, and mark their fundamentals."""
    group = data.groups[part[0]]
    low, high = data.rows.edges[[0, -1]]
    colours = stems.shaded(shades, data.groups[part][:, None], data.palette.colours)
    pictures.draw_pixels(axes, colours, (low, high, -0.5, len(part) - 0.5))
    pitches = np.array([data.voices[k].pitch for k in part])
    x = pooling.octaves(pitches)
    at = np.searchsorted(data.rows.edges, x) - 1
    levels = shades[np.arange(len(part)), np.clip(at, 0, shades.shape[1] - 1)]
    shown = np.flatnonzero((x >= low) & (x <= high) & (levels > 0))
    dots = axes.scatter(x[shown], shown, s=9, linewidth=0.8, zorder=3)
    dots.set(facecolor="white", edgecolor=INK)
    canvas.caption(axes, data.palette.names[group], data.palette.colours[group])


def _draw_factors(
    sheet: Sheet,
    bottom: float,
    data: ScoreFigureData,
    shades: tuple[Shades, Shades],
    captions: tuple[str, str],
) -> None:
    """Draw W, a template a column, and beside it H, an activation a row."""
    names = {k: voice.name for k, voice in enumerate(data.voices)}
    left = sheet.panel((0.85, bottom, 3.5, 3.3))
    margin = 5.0 if all(len(name) < 5 for name in names.values()) else 5.5
    right = sheet.panel((margin, bottom, 9.9 - margin, 3.3))
    W, H = (
        stems.shaded(part, data.groups[:, None], data.palette.colours)
        for part in shades
    )
    low, high = data.rows.edges[[0, -1]]
    extent = (-0.5, len(names) - 0.5, low, high)
    pictures.draw_pixels(left, W.transpose(1, 0, 2), extent)
    pictures.draw_bars(right, data, H, 0)
    scales.frequency_axis(left.yaxis, data.rows)
    scales.name_columns(left, names, 3.5 / len(names) * sheet.across)
    scales.name_rows(right, names, 3.3 / len(names) * sheet.down)
    scales.time_axis(right, data.span)
    for axes, text in zip((left, right), captions, strict=True):
        canvas.caption(axes, text)


def _on(allowed: NDArray[np.bool_], shades: Shades) -> Shades:
    """The shades on top of a tint of where there may be sound."""
    return np.where(allowed, np.maximum(shades, _ALLOWED), shades)


def _draw_roll(
    axes: Axes, data: ScoreFigureData, places: list[int], rows: range
) -> None:
    """Draw each voice in its row; where some share one, the strongest is seen."""
    strengths = pooling.shades(data.power(data.factorization), canvas.H_RANGE)
    if strengths.max() < 0:
        canvas.remark(axes, "silence")
    shades = np.zeros((len(rows), data.n_columns))
    groups = np.zeros(shades.shape, np.intp)
    places = [place - rows.start for place in places]
    for row, group, strength in zip(places, data.groups, strengths, strict=True):
        louder = strength > shades[row]
        shades[row, louder], groups[row, louder] = strength[louder], group
    colours = stems.shaded(shades, groups, data.palette.colours)
    pictures.draw_bars(axes, data, colours, rows.start)


def _bar(sheet: Sheet, inches: float, span: int, *, of: str = "maximum") -> None:
    """Explain how dark a colour is, at the right."""
    colours = ListedColormap(stems.ramp(stems.GREY) / 255)
    pictures.bar(sheet, (10.2, 0.6, 0.14, inches), colours, span, of=of)
