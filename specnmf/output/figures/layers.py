"""The figures of a factorisation in layers: the tree, when each sounds, the cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Curve
from matplotlib.patheffects import withStroke

from specnmf.output.figures import canvas, pictures, pooling, scales
from specnmf.output.figures.canvas import INK, PLAIN
from specnmf.output.figures.cost import cost_figure
from specnmf.output.figures.layer_data import LayerFigureData
from specnmf.output.figures.stems import shaded
from specnmf.output.options import FigureFormat

#: A link of less than this share of a component's energy is not drawn.
LEAST_LINK = 0.1

_LEFT, _NAMES, _RIGHT, _WIDTH = 0.3, 4.5, 0.2, 11.0  # inches; _NAMES end at the rows
_TREE = 2.75  # inches of the tree's width
_GAP, _FOOT = 0.42, 0.6  # inches between panels, and below the last
_THICKEST, _SMALLEST, _LARGEST = 14, 8, 260  # points, and square points of discs
_LONGEST = 18, 60  # characters of a name in the first layer and in others
_USUAL, _TALLEST = 4.6, 9.0  # inches of all rows of the first layer
_HIGHEST_ROW, _LOWEST_ROW, _UPPER_ROW = 0.26, 0.13, 0.195  # inches


def draw_layer_figures(
    folder: Path, data: LayerFigureData, *, figure_format: FigureFormat = "png"
) -> None:
    """Write ``layers`` and ``loss``; as `specnmf.output.figures.draw_figures`."""
    figures = {"layers": layers_figure, "loss": loss_figure}
    canvas.write(folder, data, figures, figure_format)


def layers_figure(data: LayerFigureData) -> Figure:
    """Draw the tree, and when the components of each layer sound."""
    n_rows = [len(order) for order in data.order]
    n_rows[0] = 1 + round(max(data.places[0].values()))
    row = min(max(_USUAL / n_rows[0], _LOWEST_ROW), _TALLEST / n_rows[0], _HIGHEST_ROW)
    tall = [row * n_rows[0], *(n * _UPPER_ROW for n in n_rows[1:])]
    height = canvas.HEADER + 0.1 + sum(tall) + _GAP * (len(tall) - 1) + _FOOT
    subtitle = "Layers: when each component sounds, and how strongly"
    if data.n_layers > 1:
        subtitle = (
            "Layers: what sounds together, and when; discs and links are as large as "
            "their share of the energy"
        )
    figure = canvas.new_figure(_WIDTH, height, data.title, subtitle)
    left = _NAMES if data.n_layers > 1 else _NAMES - _TREE
    bottom = _FOOT
    for layer, inches in enumerate(tall):
        box = (left, bottom, _WIDTH - left - _RIGHT, inches)
        _draw_activations(figure, data, layer, box, n_rows[layer])
        bottom += inches + _GAP
    if data.n_layers > 1:
        _draw_tree(figure, data, tall[0], n_rows[0])
    return figure


def _draw_activations(
    figure: Figure,
    data: LayerFigureData,
    layer: int,
    box: canvas.Box,
    n_rows: int,
) -> None:
    """Draw a row for each component of a layer."""
    axes = canvas.panel(figure, box)
    places = {k: n_rows - 1 - place for place, k in enumerate(data.order[layer])}
    if layer == 0:
        places = {k: round(place) for k, place in data.places[0].items()}
    W, H = data.layers.templates(layer), data.layers.S[layer]
    power = np.zeros((n_rows, data.n_columns))
    power[list(places.values())] = pooling.template_power(W, H, data)[list(places)]
    hues = sorted({data.colour(layer, k) for k in places})
    groups = np.zeros((n_rows, 1), np.intp)
    for k, place in places.items():
        groups[place] = hues.index(data.colour(layer, k))
    shades = pooling.shades(power, canvas.H_RANGE)
    pictures.draw_bars(axes, data, shaded(shades, groups, hues), 0)
    if shades.max() < 0:
        canvas.remark(axes, "silence")
    canvas.caption(axes, f"layer {layer + 1}")
    axes.set_ylim(-0.5, n_rows - 0.5)
    scales.time_axis(axes, data.span, labelled=layer == 0)
    names = {place: data.name(layer, k) for k, place in places.items()}
    scales.name_rows(axes, names, box[3] / n_rows, most=_LONGEST[layer > 0])


def _draw_tree(
    figure: Figure, data: LayerFigureData, inches: float, n_rows: int
) -> None:
    """Draw the components as discs, a column a layer, and what links them."""
    axes = canvas.panel(figure, (_LEFT, _FOOT, _TREE, inches))
    axes.set(xlim=(0, data.n_layers - 1), ylim=(-0.5, n_rows - 0.5), xticks=[])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.patch.set_visible(False)
    for layer, component, parent, share in _links(data):
        _draw_link(axes, data, layer, component, parent, share)
    for layer in range(data.n_layers):
        _draw_discs(axes, data, layer)
        canvas.note(
            axes,
            f"layer {layer + 1}",
            (data.n_layers - 1 - layer, 1),
            (0, 18),  # clear of what the topmost discs are called
            xycoords=("data", "axes fraction"),
            fontsize=PLAIN,
            color=INK,
            ha="left" if layer == data.n_layers - 1 else "center",
        )


def _links(data: LayerFigureData) -> Iterator[tuple[int, int, int, float]]:
    """Yield layer, component, its parent and the energy that both share."""
    for layer, flow in enumerate(data.tree.flows):
        for component, energies in enumerate(flow):
            least = LEAST_LINK * energies.sum()
            for parent, energy in enumerate(energies):
                main = parent == data.tree.parents[layer][component]
                if main or energy > least:
                    yield layer, component, parent, float(energy)


def _draw_link(
    axes: Axes,
    data: LayerFigureData,
    layer: int,
    component: int,
    parent: int,
    energy: float,
) -> None:
    """Draw a curve as thick as there is energy; pale, if not to the parent."""
    end, start = (data.n_layers - 1 - k for k in (layer, layer + 1))
    low, high = data.places[layer][component], data.places[layer + 1][parent]
    points = [(start, high), (start + 0.5, high), (start + 0.5, low), (end, low)]
    codes = [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4]
    main = parent == data.tree.parents[layer][component]
    axes.add_patch(
        PathPatch(
            Curve(points, codes),
            facecolor="none",
            edgecolor=data.colour(layer + 1, parent),
            linewidth=0.6 + _THICKEST * energy,
            alpha=0.55 if main else 0.2,
            capstyle="round",
            zorder=2 if main else 1,
        )
    )


def _draw_discs(axes: Axes, data: LayerFigureData, layer: int) -> None:
    """Draw the components of a layer, as large as they have energy."""
    places, x = data.places[layer], data.n_layers - 1 - layer
    shares = data.tree.shares[layer]
    axes.scatter(
        [x] * len(places),
        list(places.values()),
        s=[_SMALLEST + _LARGEST * shares[k] for k in places],
        c=[data.colour(layer, k) for k in places],
        edgecolors="white",
        linewidths=0.6,
        clip_on=False,
        zorder=3,
    )
    if layer == 0:
        return
    for component, place in places.items():
        canvas.note(
            axes,
            f"{component + 1}: {canvas.percent(shares[component])}",
            (x, place),
            (0, 5 + 8 * np.sqrt(shares[component])),
            color=INK,
            ha="left" if x == 0 else "center",
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
            zorder=4,
        )


def loss_figure(data: LayerFigureData) -> Figure:
    """Draw the cost after each iteration: that of all layers, or of the last one."""
    of = f"layer {data.n_layers} from the activations below it"
    if data.n_layers == 1:
        of = "W H from V"
    elif data.together:
        of = "all layers' product from V"
    if data.layers.B is not None:
        of += ", labels included"
    return cost_figure(data.title, of, data.layers.losses, beta=data.beta)
