"""The figures of a factorisation in layers: the tree, the activations, the cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Curve
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from specnmf.errors import ParameterError
from specnmf.factor.layers.model import Layers
from specnmf.factor.layers.tree import Tree
from specnmf.methods.layers.stems import notes_of, spell_notes
from specnmf.notation import percent
from specnmf.output.figures import canvas, pictures, pooling, scales
from specnmf.output.figures.canvas import BLUE, INK, PLAIN
from specnmf.output.figures.factorization import cost_figure
from specnmf.output.figures.pooling import Plane
from specnmf.output.figures.sheets import NewSheet, Sheet, page
from specnmf.output.figures.stems import GREY, HUES, shaded
from specnmf.output.options import FigureFormat

#: Notes by which a component of a further layer is called, and the least share of
#: its energy that one has.
MOST_NOTES, LEAST_NOTE = 6, 0.04
#: A link of less than this share of a component's energy is not drawn.
LEAST_LINK = 0.1

_LEFT, _NAMES, _RIGHT = 0.3, 4.5, 10.8  # inches; _NAMES end at the rows
_TREE, _GAP = 2.75, 0.42  # inches of the tree's width, and between panels
_THICKEST, _SMALLEST, _LARGEST = 14, 8, 260  # points, and square points of discs
_LONGEST = 18, 60  # characters of a name in the first layer and in others
_USUAL, _TALLEST = 4.6, 9.0  # inches of all rows of the first layer
_HIGHEST_ROW, _LOWEST_ROW, _UPPER_ROW = 0.26, 0.13, 0.195  # inches


@dataclass(frozen=True, eq=False)
class LayerFigureData(Plane):
    """What the figures show; ParameterError if the shapes do not fit."""

    layers: Layers
    tree: Tree  # their energies
    pitches: NDArray[np.floating]  # of the first layer, MIDI numbers; NaN: unpitched
    labels: tuple[str, ...] = ()  # of the last layer's components; empty: none
    together: bool = False  # the cost is that of all layers, not of the last one
    beta: float = 2.0

    def __post_init__(self) -> None:
        A, S = self.layers.A, self.layers.S
        frames, components = S[0].shape[1:], S[0].shape[:1]
        self.check(frequencies=A[0].shape[:1], times=frames, pitches=components)
        if self.tree.ranks != self.layers.ranks:
            raise ParameterError(
                f"the tree has ranks {self.tree.ranks}, the layers {self.layers.ranks}"
            )

    @property
    def n_layers(self) -> int:
        """The number of layers."""
        return len(self.layers.ranks)

    @cached_property
    def order(self) -> list[list[int]]:
        """The components of each layer from the top, those of one parent together."""
        order: list[list[int]] = [[] for _ in range(self.n_layers)]
        for layer, component in self._descent():
            order[layer].append(component)
        return order

    @cached_property
    def places(self) -> list[dict[int, float]]:
        """Where each component stands in the tree, in rows of the first layer."""
        places: list[dict[int, float]] = [{} for _ in range(self.n_layers)]
        n_rows = 0
        for layer, component in reversed(list(self._descent())):
            own = [places[layer - 1][c] for c in self.tree.children(layer, component)]
            if not own:
                own = [n_rows]
                n_rows += 1
            places[layer][component] = (min(own) + max(own)) / 2
        return places

    def name(self, layer: int, component: int) -> str:
        """Number, label, notes and share, such as ``3: A4, 12%`` or ``1 verse: A4``."""
        named = self.labels if layer == self.n_layers - 1 else ()
        label = dict(enumerate(named)).get(component, "")
        share = percent(self.tree.shares[layer][component])
        number = f"{component + 1} {label}".rstrip()
        return f"{number}: {self._notes(layer, component)}, {share}"

    def colour(self, layer: int, component: int) -> str:
        """That of the component of the last layer that it belongs to."""
        if self.n_layers == 1:
            return BLUE
        top = self.tree.ancestor(component, layer)
        return HUES[top] if top < len(HUES) else GREY

    def _notes(self, layer: int, component: int) -> str:
        """The notes of a component, the lowest first."""
        shares = notes_of(self.tree, self.pitches, layer, component)
        return spell_notes(shares, most=MOST_NOTES, least=LEAST_NOTE)

    def _descent(self) -> Iterator[tuple[int, int]]:
        """Yield each layer and component, a parent before its children."""

        def below(layer: int, component: int) -> Iterator[tuple[int, int]]:
            yield layer, component
            for child in self.tree.children(layer, component):
                yield from below(layer - 1, child)

        for component in range(self.layers.ranks[-1]):
            yield from below(self.n_layers - 1, component)


def draw_layer_figures(
    folder: Path, data: LayerFigureData, *, figure_format: FigureFormat = "png"
) -> None:
    """Write ``layers`` and ``loss``; as `specnmf.output.figures.draw_figures`."""
    figures = {"layers": layers_figure, "loss": loss_figure}
    canvas.write(folder, data, figures, figure_format)


def layers_figure(data: LayerFigureData, new: NewSheet = page) -> Figure:
    """Draw the tree, and when the components of each layer sound."""
    n_rows = [len(order) for order in data.order]
    n_rows[0] = 1 + round(max(data.places[0].values()))
    row = min(max(_USUAL / n_rows[0], _LOWEST_ROW), _TALLEST / n_rows[0], _HIGHEST_ROW)
    tall = [row * n_rows[0], *(n * _UPPER_ROW for n in n_rows[1:])]
    height = 0.1 + sum(tall) + _GAP * (len(tall) - 1)
    subtitle = "Layers: the strength of each component over time"
    if data.n_layers > 1:
        subtitle = (
            "Layers: components that sound together, over time; the size of discs and "
            "links is the share of energy"
        )
    sheet = new(data.title, subtitle, height)
    left = _NAMES if data.n_layers > 1 else _NAMES - _TREE
    bottom = canvas.FOOT
    for layer, inches in enumerate(tall):
        box = (left, bottom, _RIGHT - left, inches)
        _draw_activations(sheet, data, layer, box, n_rows[layer])
        bottom += inches + _GAP
    if data.n_layers > 1:
        _draw_tree(sheet, data, tall[0], n_rows[0])
    return sheet.figure


def _draw_activations(
    sheet: Sheet, data: LayerFigureData, layer: int, box: canvas.Box, n_rows: int
) -> None:
    """Draw a row for each component of a layer."""
    axes = sheet.panel(box)
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
    scales.name_rows(
        axes, names, box[3] / n_rows * sheet.down, most=_LONGEST[layer > 0]
    )


def _draw_tree(sheet: Sheet, data: LayerFigureData, inches: float, n_rows: int) -> None:
    """Draw the components as discs, a column a layer, and what links them."""
    axes = sheet.panel((_LEFT, canvas.FOOT, _TREE, inches))
    axes.set(xlim=(0, data.n_layers - 1), ylim=(-0.5, n_rows - 0.5))
    axes.set(xticks=[], yticks=[])
    axes.set_axis_off()
    for link in _links(data):
        _draw_link(axes, data, *link)
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


def _links(data: LayerFigureData) -> Iterator[tuple[int, int, int]]:
    """Yield layer, component, and one above with which it shares energy."""
    for layer, flow in enumerate(data.tree.flows):
        for component, energies in enumerate(flow):
            drawn = energies > LEAST_LINK * energies.sum()
            drawn[data.tree.parents[layer][component]] = True
            for parent in np.flatnonzero(drawn):
                yield layer, component, int(parent)


def _draw_link(
    axes: Axes, data: LayerFigureData, layer: int, component: int, parent: int
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
            linewidth=0.6 + _THICKEST * data.tree.flows[layer][component][parent],
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
            f"{component + 1}: {percent(shares[component])}",
            (x, place),
            (0, 5 + 8 * np.sqrt(shares[component])),
            color=INK,
            ha="left" if x == 0 else "center",
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
            zorder=4,
        )


def loss_figure(data: LayerFigureData, new: NewSheet = page) -> Figure:
    """Draw the cost after each iteration: that of all layers, or of the last one."""
    of = f"layer {data.n_layers} from the activations below it"
    if data.n_layers == 1:
        of = "W H from V"
    elif data.together:
        of = "all layers' product from V"
    if data.layers.B is not None:
        of += ", labels included"
    return cost_figure(data.title, of, data.layers.losses, beta=data.beta, new=new)
