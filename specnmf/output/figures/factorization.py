"""The five figures of a factorisation: V, W, H, the reconstruction and the cost."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from specnmf.notation import note_name, percent
from specnmf.output.figures import canvas, pictures, pooling, scales
from specnmf.output.figures.canvas import BLUE, INK, PLAIN
from specnmf.output.figures.components import activations_figure, templates_figure
from specnmf.output.figures.factor_data import FigureData
from specnmf.output.figures.pooling import Float32, Float64
from specnmf.output.figures.sheets import NewSheet, page
from specnmf.output.options import FigureFormat

_FEW = 30  # losses, each of which has a dot
_HEADROOM = 1.05  # of the axis, by the highest cost
_DIVERGENCES = {
    2.0: "Euclidean distance",
    1.0: "Kullback–Leibler divergence",
    0.0: "Itakura–Saito divergence",
}


def spectrogram_figure(data: FigureData, new: NewSheet = page) -> Figure:
    """Draw V over time and logarithmic frequency, in dB below its maximum."""
    box = (0.85, 0.6, 8.75, 4.68)
    sheet = new(data.title, "Spectrogram V of the recording", 4.68, frame=box)
    axes = sheet.panel(box)
    _draw_power(axes, data, data.pictures.V)
    scales.time_axis(axes, data.span)
    _octave_axis(axes, data)
    pictures.bar(sheet, (10.25, 0.6, 0.14, 4.68), "magma", canvas.V_RANGE)
    return sheet.figure


def reconstruction_figure(data: FigureData, new: NewSheet = page) -> Figure:
    """Draw V, W H and the residual, one above the other on one scale."""
    pooled = data.pictures
    captions = ("V: the recording", "W H: the model", "|V − W H|: the residual")
    subtitle = "Reconstruction: V is silent"
    if not math.isnan(pooled.explained):
        share = percent(max(0.0, pooled.explained))
        subtitle = f"Reconstruction: W H explains {share} of the energy of V"
    sheet = new(data.title, subtitle, 7.58)
    panels = zip(captions, pooled[:3], strict=True)
    for number, (caption, picture) in enumerate(panels):
        axes = sheet.panel((0.85, 5.75 - 2.575 * number, 9.1, 2.2))
        canvas.caption(axes, caption)
        _draw_power(axes, data, picture)
        scales.time_axis(axes, data.span, labelled=number == 2)
    pictures.bar(sheet, (10.25, 0.6, 0.14, 7.35), "magma", canvas.V_RANGE)
    return sheet.figure


def loss_figure(data: FigureData, new: NewSheet = page) -> Figure:
    """Draw the cost after each iteration, with its total change."""
    return cost_figure(
        data.title,
        "W H from V",
        data.factorization.losses,
        beta=data.beta,
        step=data.step,
        new=new,
    )


def cost_figure(
    title: str,
    of: str,
    losses: Float64,
    *,
    beta: float,
    step: str = "iteration",
    new: NewSheet = page,
) -> Figure:
    """Draw the cost after each step, with its definition and total change."""
    name = _DIVERGENCES.get(beta, f"beta-divergence (β = {beta:g})")
    box = (1.0, 0.6, 6.7, 3.28)
    sheet = new(title, f"Cost: the {name} of {of}", 3.28, width=8, frame=box)
    axes = sheet.panel(box)
    axes.set_xlabel(step, fontsize=PLAIN)
    axes.set_ylabel("cost", fontsize=PLAIN)
    if len(losses):
        _draw_losses(axes, losses, step)
    else:
        axes.set(xticks=[], yticks=[])
        canvas.remark(axes, "no iterations")
    return sheet.figure


def _draw_losses(axes: Axes, losses: Float64, step: str) -> None:
    """Draw the cost from zero, or in decades if it falls by more than one."""
    marker = "o" if len(losses) <= _FEW else ""
    iterations = np.arange(1, len(losses) + 1)
    axes.plot(iterations, losses, color=BLUE, linewidth=2, marker=marker, markersize=4)
    axes.grid(color=canvas.LINE, linewidth=0.6)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
    if len(losses) == 1:
        axes.set_xlim(0, 2)
    if losses.min() > 0 and losses.max() > 10 * losses.min():
        axes.set_yscale("log")
        axes.set_ylabel("cost, in decades", fontsize=PLAIN)
    else:  # a truncated axis would exaggerate a small fall
        axes.set_ylim(0, _HEADROOM * (losses.max() or 1))
    if len(losses) > 1 and losses[0] > 0:
        fall = 1 - losses[-1] / losses[0]
        turn = "rises" if fall < 0 else "falls"
        text = f"{turn} by {percent(abs(fall))} from {step} 1 to {len(losses)}"
        if axes.get_title(loc="left"):  # there is no room beside it
            place = {"xycoords": "axes fraction", "ha": "right", "va": "top"}
            canvas.note(axes, text, (1, 1), (-4, -4), color=INK, **place)
        else:
            axes.set_title(text, loc="right", fontsize=PLAIN, color=INK, pad=4)


def _draw_power(axes: Axes, data: FigureData, power: Float32) -> None:
    """Draw a picture in dB below the maximum of V."""
    peak = float(data.pictures.V.max())
    pictures.draw_power(axes, power, data, data.rows, peak=peak)
    axes.set_ylabel("frequency", fontsize=PLAIN)


def _octave_axis(axes: Axes, data: FigureData) -> None:
    """Label the Cs at the right, if anything has a pitch."""
    low, high = data.rows.edges[[0, -1]]
    cs = [m for m in range(24, 109, 12) if low <= pooling.octaves(m) <= high]
    if np.isfinite(data.pitches).any():
        names = [note_name(m) for m in cs]
        scales.right_axis(axes, pooling.octaves(cs), names, length=3)


#: The figures by name.
FIGURES = {
    "spectrogram": spectrogram_figure,
    "templates": templates_figure,
    "activations": activations_figure,
    "reconstruction": reconstruction_figure,
    "loss": loss_figure,
}


def draw_figures(
    folder: Path,
    data: FigureData,
    *,
    figure_format: FigureFormat = "png",
    only: Collection[str] = FIGURES,
) -> None:
    """Write figures into files of their names; the same data give the same bytes."""
    chosen = {name: draw for name, draw in FIGURES.items() if name in only}
    canvas.write(folder, data, chosen, figure_format)
