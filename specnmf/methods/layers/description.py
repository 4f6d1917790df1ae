"""A description of layers: the notes, labels and activity of their components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Grid
from specnmf.factor.layers import tree
from specnmf.factor.layers.model import Layers
from specnmf.factor.layers.tree import Tree
from specnmf.methods.components.scope import OUTSIDE
from specnmf.methods.layers.stems import UNPITCHED, notes_of
from specnmf.score.marks import Marks

#: Notes with a smaller share of a component's energy are not listed.
LEAST_LISTED = 0.05

#: Seconds over which the activity of labels is averaged.
SMOOTHED = 1.0


def describe(
    V: NDArray[np.floating],
    layers: Layers,
    grown: Tree,
    pitches: NDArray[np.floating],
    marks: Marks | None,
) -> list[dict[str, Any]]:
    """The layers, finest first, with their components, for JSON.

    Each component has its name, share of the energy, parents, parts and notes; those of
    the last layer also have their labels, if there are labels.
    """
    components = grown.entries()
    for node, owner in zip(components[-1], owners(layers, marks), strict=False):
        node["label"], node["labels"] = label_of(owner), owner
    for layer, nodes in enumerate(components):
        for component, node in enumerate(nodes):
            shares = notes_of(grown, pitches, layer, component)
            node["notes"] = [
                {"note": note, "share": share}
                for note, share in shares.items()
                if share >= LEAST_LISTED
            ]
    return [
        {
            "layer": layer + 1,
            "n_components": len(nodes),
            "error": tree.error(V, layers, layer),
            "components": nodes,
        }
        for layer, nodes in enumerate(components)
    ]


def beside(layers: list[dict[str, Any]], share: float) -> None:
    """Add to each layer of `describe` the sound outside the band, by its share.

    It is the same in all layers, so it is its own parent, and its own part.
    """
    for number, layer in enumerate(layers, 1):
        for node in layer["components"]:
            node["energy_share"] *= 1 - share
        above = [number + 1] if number < len(layers) else []
        below = [number - 1] if number > 1 else []
        layer["components"].append(
            {
                "name": _outside(number),
                "energy_share": share,
                "parents": [{"name": _outside(n), "share": 1.0} for n in above],
                "parts": [{"name": _outside(n), "share": 1.0} for n in below],
                "notes": [{"note": UNPITCHED, "share": 1.0}],
            }
        )


def _outside(layer: int) -> str:
    return f"layer_{layer}/{OUTSIDE}"


def owners(layers: Layers, marks: Marks | None) -> list[dict[str, float]]:
    """The share of each label in each component of the last layer, if known."""
    if marks is None:
        return []
    shares = tree.label_shares(layers).T.tolist()
    return [dict(zip(marks.names, column, strict=True)) for column in shares]


def label_of(owner: Mapping[str, float]) -> str | None:
    """The label with the largest share of a component, if there is one."""
    return max(owner, key=owner.__getitem__) if any(owner.values()) else None


def most_heard(layers: Layers, grid: Grid) -> NDArray[np.bool_]:
    """Where each label is the strongest, shape (n_labels, n_frames)."""
    from scipy.ndimage import uniform_filter1d

    length = max(1, round(SMOOTHED * grid.sr / grid.hop_length))
    predictions = layers.predictions()
    heard = uniform_filter1d(predictions, length, axis=1, mode="constant")
    active: NDArray[np.bool_] = (heard > 0) & (heard == heard.max(axis=0))
    return active
