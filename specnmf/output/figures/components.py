"""Components: their templates, and a piano roll of their activations."""

from __future__ import annotations

from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from specnmf.notation import nearest, note_name
from specnmf.output.figures import canvas, pictures, pooling, scales
from specnmf.output.figures.canvas import BLUE, GREY, INK, LINE, ORANGE, PLAIN, SMALL
from specnmf.output.figures.factor_data import MOST_COMPONENTS, FigureData
from specnmf.output.figures.pooling import Float32, Float64
from specnmf.output.figures.sheets import NewSheet, page

_GRIDS = ((1, 3), (2, 8), (4, 32), (6, 66), (8, MOST_COMPONENTS))  # columns, up to
_LEAST_MARKED = 20  # dB below a template's maximum: less is hardly sound
_LABEL, _FOOT = 0.24, 0.06  # inches above and below a template, in its row


class _Roll(NamedTuple):
    """Activations as rows, from the bottom: lanes, an empty row, semitones."""

    power: Float64  # (n_rows, n_columns)
    bottom: int  # the lowest row's number, where a semitone's is its MIDI number
    keys: range  # the semitones
    lanes: NDArray[np.intp]  # the components without a pitch, from the top


def templates_figure(data: FigureData, new: NewSheet = page) -> Figure:
    """Draw each template in dB below its own maximum, with its pitch and share."""
    components = data.strongest(np.arange(len(data.pitches)))
    n_columns = next(c for c, most in _GRIDS if len(components) <= most)
    n_rows = -(-len(components) // n_columns)
    row = min(max(6 / n_rows, 0.62), 1.9)
    width = 10.25 / n_columns
    subtitle = "Templates W: spectrum, pitch and share of energy of each component"
    sheet = new(data.title, subtitle, n_rows * row)
    for column in range(n_columns):
        box = (0.7 + column * width, 0.6, width - 0.15, n_rows * row)
        axes = sheet.panel(box)
        axes.set_xlim(data.rows.edges[0], data.rows.edges[-1])
        axes.set_ylim(n_rows * row, 0)
        scales.frequency_axis(axes.xaxis, data.rows, sparse=n_columns > 2)
        _level_axis(axes, n_rows, row, labelled=column == 0)
        own = components[column::n_columns]
        W = data.factorization.W[:, own]
        spectra = pooling.template_rows(W, data.rows, canvas.W_RANGE)
        _draw_templates(axes, data, own, spectra, row)
        _mark_fundamentals(axes, data, own, spectra, row)
    sheet.foot((0.7 + 5.05, 0.2), "frequency", fontsize=PLAIN, ha="center")
    return sheet.figure


def activations_figure(data: FigureData, new: NewSheet = page) -> Figure:
    """Draw a piano roll of the pitched components, and a lane for each other one."""
    roll = _roll(data)
    n_rows = len(roll.power)
    height = max(1.4, n_rows * min(max(4.6 / n_rows, 0.12), 0.6))
    subtitle = "Activations H: the strength of each component over time"
    left = 1.5 if len(roll.lanes) else 0.85
    box = (left, 0.6, 9.3 - left, height)
    sheet = new(data.title, subtitle, height, frame=box)
    axes = sheet.panel(box)
    _draw_roll(axes, data, roll)
    _pitch_axes(axes, data, roll)
    scales.time_axis(axes, data.span)
    pictures.bar(sheet, (10.25, 0.6, 0.14, height), _roll_colours(), canvas.H_RANGE)
    return sheet.figure


def _roll(data: FigureData) -> _Roll:
    """Sort the activations into rows."""
    power = pooling.template_power(data.factorization.W, data.factorization.H, data)
    pitched = np.isfinite(data.pitches)
    notes = [nearest(pitch) for pitch in data.pitches[pitched]]
    others = data.strongest(np.flatnonzero(~pitched))
    keys, _, rows = pictures.roll_rows(notes, len(others))
    strengths = np.zeros((len(rows), data.n_columns))
    np.add.at(strengths, np.array(notes, np.intp) - rows.start, power[pitched])
    strengths[: len(others)] = power[others[::-1]]
    return _Roll(strengths, rows.start, keys, others)


def _draw_templates(
    axes: Axes,
    data: FigureData,
    components: NDArray[np.intp],
    spectra: Float32,
    row: float,
) -> None:
    """Stack the templates of a column, each in a row of so many inches."""
    edges = data.rows.edges
    x = np.concatenate([edges[:1], (edges[1:] + edges[:-1]) / 2, edges[-1:]])
    heights = np.pad(spectra, ((0, 0), (1, 1))) * (row - _LABEL - _FOOT)
    feet = row * np.arange(1, len(components) + 1) - _FOOT
    curves = [
        np.column_stack([x, foot - height])
        for foot, height in zip(feet, heights, strict=True)
    ]
    axes.add_collection(
        PolyCollection(curves, facecolor=canvas.PALE, edgecolor=BLUE, linewidth=0.7)
    )
    for number, component in enumerate(components):
        top = number * row + _LABEL - 0.05
        text = data.label(component)
        axes.text(edges[-1], top, text, fontsize=SMALL, color=INK, ha="right")


def _mark_fundamentals(
    axes: Axes,
    data: FigureData,
    components: NDArray[np.intp],
    spectra: Float32,
    row: float,
) -> None:
    """Mark each fundamental that is heard by a line as high as the template is there.

    Above it stands its note's name, where there is room.
    """
    edges = data.rows.edges
    low, high = edges[[0, -1]]
    x = pooling.octaves(data.pitches[components])
    levels = _levels_at(x, edges, spectra)
    shown = np.flatnonzero(levels >= 1 - _LEAST_MARKED / canvas.W_RANGE)
    feet = (shown + 1) * row - _FOOT
    tops = feet - levels[shown] * (row - _LABEL - _FOOT)
    axes.vlines(x[shown], tops, feet, color=ORANGE, linewidth=1.4, zorder=3)
    wide, _ = canvas.inches(axes)
    free = high - (high - low) * 1.1 / wide  # the label takes the rest
    for number in shown[x[shown] < free] if wide > 2 else ():
        name = note_name(data.pitches[components[number]])
        top = number * row + _LABEL - 0.05
        axes.text(x[number], top, name, fontsize=SMALL, color=ORANGE, ha="center")


def _levels_at(x: Float64, edges: Float64, spectra: Float32) -> Float64:
    """How high each template is, 0 to 1, where it is asked for; 0 outside the edges."""
    middles = (edges[1:] + edges[:-1]) / 2
    levels = [
        np.interp(at, middles, spectrum) if edges[0] <= at <= edges[-1] else 0.0
        for at, spectrum in zip(x, spectra, strict=True)
    ]
    return np.array(levels)


def _draw_roll(axes: Axes, data: FigureData, roll: _Roll) -> None:
    """Draw the activations in dB below their maximum, on a keyboard and in lanes."""
    pictures.draw_keys(axes, roll.keys, data.span)
    lanes = [roll.bottom - 0.5 + lane for lane in range(len(roll.lanes) + 1)]
    axes.hlines(lanes, *data.span, color=LINE, linewidth=0.6, zorder=0.5)
    shades = pooling.shades(roll.power, canvas.H_RANGE)
    pictures.draw_bars(axes, data, _roll_colours()(shades, bytes=True), roll.bottom)
    if shades.max() < 0:
        canvas.remark(axes, "silence")


def _roll_colours() -> ListedColormap:
    """From transparent, where the keyboard shows through, to nearly black."""
    colours = mpl.colormaps["magma_r"](np.linspace(0.1, 0.95, 256))
    colours[:, 3] = np.minimum(1, np.linspace(0, 2, 256))
    return ListedColormap(colours)


def _level_axis(axes: Axes, n_rows: int, row: float, *, labelled: bool) -> None:
    """A scale in dB for each row of templates."""
    ends = (_LABEL, row - _FOOT)
    axes.set_yticks(np.add.outer(row * np.arange(n_rows), ends).ravel())
    labels = ["0", f"−{canvas.W_RANGE}"] * n_rows if labelled else []
    axes.set_yticklabels(labels or [""] * 2 * n_rows, fontsize=SMALL)
    axes.tick_params(axis="y", length=3 if labelled else 0)
    scales.grid(axes)
    axes.spines[["top", "right", "left"]].set_visible(False)
    if labelled:
        axes.set_ylabel("dB re each template's maximum", fontsize=PLAIN)


def _pitch_axes(axes: Axes, data: FigureData, roll: _Roll) -> None:
    """Name the rows at the left; at the right, the components that share them."""
    sharing: dict[int, list[str]] = {}
    for component in np.flatnonzero(np.isfinite(data.pitches)):
        key = nearest(data.pitches[component])
        sharing.setdefault(key, []).append(f"{component + 1}")
    names = {key: note_name(key) for key in sharing}
    for row, component in enumerate(roll.lanes[::-1], roll.bottom):
        names[row] = data.label(component)
    axes.set_yticks(list(names), labels=list(names.values()), fontsize=SMALL)
    cs = [key for key in roll.keys if key % 12 == 0 and key not in sharing]
    axes.set_yticks(cs, labels=[note_name(c) for c in cs], fontsize=SMALL, minor=True)
    axes.tick_params(axis="y", which="both", length=0)
    axes.tick_params(axis="y", which="minor", labelcolor="#8c8c8c")
    if sharing:
        numbers = [
            ", ".join(group[:3]) + " …" * (len(group) > 3) for group in sharing.values()
        ]
        right = scales.right_axis(axes, list(sharing), numbers)
        style = {"xycoords": "axes fraction", "color": GREY}
        canvas.note(right, "component", (1, 1), (4, 4), **style)
