"""What run.json and tree.json say of a recording in layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Audio
from specnmf.audio.stft import Float32, Grid
from specnmf.factor.factorization import Factorization
from specnmf.factor.layers import tree
from specnmf.factor.layers.model import Layers
from specnmf.factor.layers.tree import Tree
from specnmf.methods.layers.stems import notes_of
from specnmf.output import report
from specnmf.output.sources import Written
from specnmf.pipeline.run import (
    run_entries,
    sound_warnings,
)
from specnmf.score.marks import Marks
from specnmf.tasks.layers import LayerSettings

#: Notes of less of a component's energy are not listed.
LEAST_LISTED = 0.05


@dataclass(frozen=True, eq=False)
class Layered:
    """A recording taken apart in layers, in memory."""

    path: Path
    labels_path: Path | None
    settings: LayerSettings
    audio: Audio
    grid: Grid
    marks: Marks | None
    V: Float32
    layers: Layers
    tree: Tree
    pitches: NDArray[np.float64]
    iterations: int

    @property
    def first(self) -> Factorization:
        """The first layer."""
        return Factorization(
            self.layers.A[0], self.layers.S[0], losses=self.layers.losses
        )

    @property
    def written_layers(self) -> list[int]:
        """Those whose components are written as sound, from 0."""
        n_layers = len(self.layers.ranks)
        chosen = self.settings.stems or range(1, n_layers + 1)
        return sorted({layer - 1 for layer in chosen})


def content(
    done: Layered, written: Mapping[int, Written], called: Mapping[Path, str] | None
) -> dict[str, Any]:
    """Everything that run.json says but the command and the seconds."""
    paths = [done.path, *([] if done.labels_path is None else [done.labels_path])]
    whole = together(written) if written else None
    return {
        **run_entries(done.settings, done.grid, paths, called, done.audio),
        "iterations": done.iterations,
        "final_loss": float(done.layers.losses[-1]),
        "residual_db": None if whole is None else whole.residual_db,
        "labels": None if done.marks is None else list(done.marks.names),
        "layers": _layer_entries(done, written),
        "components": report.components(done.first, done.pitches),
        "warnings": [
            *sound_warnings(
                done.path,
                done.audio,
                whole,
                start=done.settings.start,
                duration=done.settings.duration,
            ),
            *(() if done.marks is None else done.marks.remarks),
        ],
    }


def together(written: Mapping[int, Written]) -> Written:
    """What became of the sources of all layers: the worst null test counts."""
    return Written(
        files={},
        rms={},
        residual_db=max(one.residual_db for one in written.values()),
        held=sum(one.held for one in written.values()),
    )


def top_labels(done: Layered) -> tuple[str, ...]:
    """What label each component of the last layer belongs to; empty without labels."""
    return tuple(_label_of(owner) or "" for owner in _owners(done))


def _layer_entries(
    done: Layered, written: Mapping[int, Written]
) -> list[dict[str, Any]]:
    """The layers from the finest up, each with its components."""
    entries = []
    components = done.tree.entries()
    for node, owner in zip(components[-1], _owners(done), strict=False):
        node["label"], node["labels"] = _label_of(owner), owner
    for layer, nodes in enumerate(components):
        for component, node in enumerate(nodes):
            node["notes"] = _notes(done, layer, component)
        entry: dict[str, Any] = {
            "layer": layer + 1,
            "n_components": len(nodes),
            "error": tree.error(done.V, done.layers, layer),
            "components": nodes,
        }
        if layer in written:
            _add_sources(entry, written[layer])
        entries.append(entry)
    return entries


def _notes(done: Layered, layer: int, component: int) -> list[dict[str, Any]]:
    """The notes that a component sounds, with shares of its energy."""
    shares = notes_of(done.tree, done.pitches, layer, component)
    return [
        {"note": name, "share": share}
        for name, share in shares.items()
        if share >= LEAST_LISTED
    ]


def _owners(done: Layered) -> list[dict[str, float]]:
    """How much of each label a component of the last layer is; empty without labels."""
    if done.marks is None:
        return []
    return [
        dict(zip(done.marks.names, column.tolist(), strict=True))
        for column in tree.label_shares(done.layers).T
    ]


def _label_of(owner: Mapping[str, float]) -> str | None:
    """The label that has most of a component, if any has."""
    return max(owner, key=owner.__getitem__) if any(owner.values()) else None


def _add_sources(entry: dict[str, Any], written: Written) -> None:
    """Say of a layer where its sources are."""
    entry["residual_db"] = written.residual_db
    for node in entry["components"]:
        layer, label = node["name"].split("/")
        node["source"] = f"sources/{layer}/{written.files[label]}"
        node["rms"] = written.rms[label]
