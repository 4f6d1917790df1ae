"""The five figures of a factorisation: V, W, H, how well they fit, and the cost."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from specnmf.notation import note_name
from specnmf.output.figures import canvas, pictures, pooling, scales
from specnmf.output.figures.canvas import PLAIN
from specnmf.output.figures.components import activations_figure, templates_figure
from specnmf.output.figures.cost import cost_figure
from specnmf.output.figures.factor_data import FigureData
from specnmf.output.figures.pooling import Float32
from specnmf.output.options import FigureFormat

#: Their names.
FIGURES = ("spectrogram", "templates", "activations", "reconstruction", "loss")


def draw_figures(
    folder: Path,
    data: FigureData,
    *,
    figure_format: FigureFormat = "png",
    only: Collection[str] = FIGURES,
) -> None:
    """Write the figures of a factorisation; the same data give the same bytes.

    Parameters
    ----------
    folder : Path
        Where to; it exists.
    data : FigureData
        What to show.
    figure_format : {"png", "svg", "pdf"}
        Of the files, and their suffix.
    only : collection of str
        Which of the five: ``spectrogram``, ``templates``, ``activations``,
        ``reconstruction`` and ``loss``, each a file of that name.
    """
    figures = {
        "spectrogram": spectrogram_figure,
        "templates": templates_figure,
        "activations": activations_figure,
        "reconstruction": reconstruction_figure,
        "loss": loss_figure,
    }
    chosen = {name: draw for name, draw in figures.items() if name in only}
    canvas.write(folder, data, chosen, figure_format)


def spectrogram_figure(data: FigureData) -> Figure:
    """Draw V over time and logarithmic frequency, in dB below its maximum."""
    figure = canvas.new_figure(11, 6, data.title, "Spectrogram V: what was recorded")
    axes = canvas.panel(figure, (0.85, 0.6, 8.75, 4.68))
    _draw_power(axes, data, data.pictures.V)
    scales.time_axis(axes, data.span)
    _octave_axis(axes, data)
    pictures.bar(
        figure, (10.25, 0.6, 0.14, 4.68), mpl.colormaps["magma"], canvas.V_RANGE
    )
    return figure


def reconstruction_figure(data: FigureData) -> Figure:
    """Draw V, W H and what is left, one above the other on one scale."""
    pooled = data.pictures
    captions = ("V: the recording", "W H: the model", "|V − W H|: what is left")
    subtitle = "Reconstruction: V is silent"
    if not math.isnan(pooled.explained):
        share = canvas.percent(max(0.0, pooled.explained))
        subtitle = f"Reconstruction: W H explains {share} of the energy of V"
    figure = canvas.new_figure(11, 8.9, data.title, subtitle)
    panels = zip(captions, pooled[:3], strict=True)
    for number, (caption, picture) in enumerate(panels):
        axes = canvas.panel(figure, (0.85, 5.75 - 2.575 * number, 9.1, 2.2))
        canvas.caption(axes, caption)
        _draw_power(axes, data, picture)
        scales.time_axis(axes, data.span, labelled=number == 2)
    pictures.bar(
        figure, (10.25, 0.6, 0.14, 7.35), mpl.colormaps["magma"], canvas.V_RANGE
    )
    return figure


def loss_figure(data: FigureData) -> Figure:
    """Draw the cost after each iteration, and say by how much it fell."""
    losses, beta = data.factorization.losses, data.beta
    return cost_figure(data.title, "W H from V", losses, beta=beta, step=data.step)


def _draw_power(axes: Axes, data: FigureData, power: Float32) -> None:
    """Draw a picture in dB below the maximum of V."""
    peak = float(data.pictures.V.max())
    pictures.draw_power(axes, power, data, data.rows, peak=peak)
    axes.set_ylabel("frequency", fontsize=PLAIN)


def _octave_axis(axes: Axes, data: FigureData) -> None:
    """Name the Cs at the right, unless nothing has a pitch."""
    low, high = data.rows.edges[[0, -1]]
    cs = [m for m in range(24, 109, 12) if low <= pooling.octaves(m) <= high]
    if np.isfinite(data.pitches).any():
        names = [note_name(m) for m in cs]
        scales.right_axis(axes, pooling.octaves(cs), names, length=3)
