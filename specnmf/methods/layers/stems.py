"""The notes of components of layers, and their models for the masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Audio
from specnmf.audio.stft import Float32, Grid
from specnmf.errors import ParameterError
from specnmf.factor.factorization import Factorization, component_labels
from specnmf.factor.layers.model import Layers
from specnmf.factor.layers.tree import Tree, ownership
from specnmf.methods.stems import Stems
from specnmf.notation import note_name, note_number

#: The name of a component without a pitch.
UNPITCHED = "unpitched"


def notes_of(
    tree: Tree, pitches: NDArray[np.floating], layer: int, component: int
) -> dict[str, float]:
    """The notes of a component with their shares of its energy, largest first.

    Pitches are the MIDI numbers of the first layer's components, NaN without a pitch;
    layers and components are numbered from 0.
    """
    shares: dict[str, float] = {}
    for first, share in tree.strongest(layer, component):
        midi = pitches[first]
        name = note_name(midi) if np.isfinite(midi) else UNPITCHED
        shares[name] = shares.get(name, 0.0) + share
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def spell_notes(shares: Mapping[str, float], *, most: int, least: float = 0.0) -> str:
    """The main notes of `notes_of`, lowest first, such as ``C4 E4 + unpitched``.

    At least one note, and at most the given number of notes with at least the given
    share of the energy. ``unpitched`` comes last. ``silent`` if there is no energy.
    """
    strongest = sorted(shares, key=lambda name: -shares[name])
    chosen = [name for name in strongest if shares[name] >= least] or strongest[:1]
    notes = [name for name in chosen if name != UNPITCHED][:most]
    spelled = " ".join(sorted(notes, key=note_number))
    parts = [spelled, UNPITCHED if UNPITCHED in chosen else ""]
    return " + ".join(part for part in parts if part) or "silent"


def layer_stems(
    audio: Audio,
    grid: Grid,
    layers: Layers,
    layer: int,
    pitches: NDArray[np.float64],
) -> Stems:
    """The components of a layer as stems; factors and pitches are the first layer's."""
    first = Factorization(layers.A[0], layers.S[0], losses=layers.losses)
    model = LayerModels(layers, layer)
    return Stems(audio, grid, model, layers.losses, first, pitches)


@dataclass(frozen=True, eq=False)
class LayerModels:
    """The models of the components of a layer, for `masks.stream_sources`.

    The spectra and activations are those of the first layer. A component of a higher
    layer gets its share of each, its own A S relative to the sum of all
    (`factor.layers.tree`). So all layers model the same sound, and a chord fades as its
    notes do. Layers are numbered from 0.

    Raises
    ------
    ParameterError
        If there is no such layer.
    """

    layers: Layers
    layer: int

    def __post_init__(self) -> None:
        n_layers = len(self.layers.ranks)
        if not 0 <= self.layer < n_layers:
            raise ParameterError(
                f"expected a layer from 0 to {n_layers - 1}, got {self.layer}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The components: ``component_01`` and so on."""
        return component_labels(self.layers.ranks[self.layer])

    def magnitudes(self, frames: slice) -> list[Float32 | None]:
        """The model of each component, (1, n_frames, n_bins)."""
        W, H = self.layers.A[0], self.layers.S[0][:, frames].T
        if self.layer == 0:
            models = (H[:, [k]] * W[:, k] for k in range(H.shape[1]))
        else:
            owned = ownership(self.layers, self.layer, frames)
            parts = np.moveaxis(owned * H[:, :, np.newaxis], 2, 0)
            models = (part.astype(W.dtype) @ W.T for part in parts)
        return [np.ascontiguousarray(m, np.float32)[np.newaxis] for m in models]

    def total(self, frames: slice, models: list[Float32]) -> Float32:
        """The first layer's W H, the sum of the models of any layer."""
        product = self.layers.S[0][:, frames].T @ self.layers.A[0].T
        return np.ascontiguousarray(product, np.float32)[np.newaxis]
