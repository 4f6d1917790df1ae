"""The cost after each iteration, of any factorisation."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from specnmf.output.figures import canvas
from specnmf.output.figures.canvas import BLUE, INK, PLAIN
from specnmf.output.figures.pooling import Float64

_FEW = 30  # iterations, each of which has a dot

_DIVERGENCES = {
    2.0: "Euclidean distance",
    1.0: "Kullback–Leibler divergence",
    0.0: "Itakura–Saito divergence",
}


def cost_figure(
    title: str, of: str, losses: Float64, *, beta: float, step: str = "iteration"
) -> Figure:
    """Draw the cost after each step, and say of what it is and by how much it fell."""
    name = _DIVERGENCES.get(beta, f"beta-divergence (β = {beta:g})")
    figure = canvas.new_figure(8, 4.6, title, f"Cost: the {name} of {of}")
    axes = canvas.panel(figure, (1.0, 0.6, 6.7, 3.28))
    axes.set_xlabel(step, fontsize=PLAIN)
    axes.set_ylabel("cost", fontsize=PLAIN)
    if len(losses):
        _draw_losses(axes, losses, step)
    else:
        axes.set(xticks=[], yticks=[])
        canvas.remark(axes, "no iterations")
    return figure


def _draw_losses(axes: Axes, losses: Float64, step: str) -> None:
    """Draw the cost, on a logarithmic axis if it falls by more than a decade."""
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
    if len(losses) > 1 and losses[0] > 0:
        fall = f"falls by {canvas.percent(1 - losses[-1] / losses[0])}"
        text = f"{fall} from {step} 1 to {len(losses)}"
        axes.set_title(text, loc="right", fontsize=PLAIN, color=INK, pad=4)
