"""What the figures of layers show: components, their names, places and colours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from specnmf.errors import ParameterError
from specnmf.factor.layers.model import Layers
from specnmf.factor.layers.tree import Tree
from specnmf.methods.layers.stems import notes_of
from specnmf.output.figures import canvas
from specnmf.output.figures.canvas import BLUE
from specnmf.output.figures.pooling import Plane
from specnmf.output.figures.stems import GREY as OTHERS
from specnmf.output.figures.stems import HUES

#: Notes by which a component of a further layer is called, and the least share of
#: its energy that one has.
MOST_NOTES, LEAST_NOTE = 6, 0.04


@dataclass(frozen=True, eq=False)
class LayerFigureData(Plane):
    """What the figures show.

    Parameters
    ----------
    layers : Layers
        The factors of a magnitude spectrogram.
    tree : Tree
        Their energies.
    pitches : array, shape (r_0,)
        MIDI number of each component of the first layer; NaN for one without a pitch.
    labels : tuple of str
        What each component of the last layer is called, if it has a name.
    together : bool
        Whether the cost is that of all layers, not of the last one.
    beta : float
        The divergence that the cost is made of.
    frequencies, times, title
        As for `Plane`.

    Raises
    ------
    ParameterError
        If the shapes do not fit.
    """

    layers: Layers
    tree: Tree
    pitches: NDArray[np.floating]
    labels: tuple[str, ...] = ()
    together: bool = False
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
        label = dict(enumerate(self.labels)).get(component, "")
        if layer < self.n_layers - 1 or not label:
            label = ""
        share = canvas.percent(self.tree.shares[layer][component])
        number = f"{component + 1} {label}".rstrip()
        return f"{number}: {self._notes(layer, component)}, {share}"

    def colour(self, layer: int, component: int) -> str:
        """That of the component of the last layer that it belongs to."""
        if self.n_layers == 1:
            return BLUE
        top = self.tree.ancestor(component, layer)
        return HUES[top] if top < len(HUES) else OTHERS

    def _notes(self, layer: int, component: int) -> str:
        """The notes of a component, the strongest first."""
        names = notes_of(self.tree, self.pitches, layer, component)
        chosen = list(names)[:MOST_NOTES]
        chosen = [n for n in chosen if names[n] >= LEAST_NOTE] or chosen[:1]
        return " ".join(chosen) or "silent"

    def _descent(self) -> Iterator[tuple[int, int]]:
        """Yield each layer and component, a parent before its children."""

        def below(layer: int, component: int) -> Iterator[tuple[int, int]]:
            yield layer, component
            for child in self.tree.children(layer, component):
                yield from below(layer - 1, child)

        for component in range(self.layers.ranks[-1]):
            yield from below(self.n_layers - 1, component)
