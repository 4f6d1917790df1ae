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
from specnmf.methods.components.scope import OUTSIDE, Scope
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
    *,
    scope: Scope | None = None,
) -> Stems:
    """The components of a layer as stems; factors and pitches are the first layer's.

    ``scope`` says what was factorised; what is outside has no pitch. None: all.
    """
    scope = scope or Scope(slice(0, grid.n_bins), grid.n_bins)
    first = Factorization(layers.A[0], layers.S[0], losses=layers.losses)
    model = LayerModels(layers, layer, scope.outside)
    factors = scope.completed(first)
    known = np.pad(pitches, (0, len(scope.names)), constant_values=np.nan)
    return Stems(audio, grid, model, layers.losses, factors, known)


@dataclass(frozen=True, eq=False)
class LayerModels:
    """The models of the components of a layer, for `masks.stream_sources`.

    The spectra and activations are those of the first layer. A component of a higher
    layer gets its share of each, its own A S relative to the sum of all
    (`factor.layers.tree`). So all layers model the same sound, and a chord fades as its
    notes do. Layers are numbered from 0. ``outside``, shape (n_bins,), is the level of
    the sound outside the band that was factorised; None: the band is all.

    Raises
    ------
    ParameterError
        If there is no such layer.
    """

    layers: Layers
    layer: int
    outside: Float32 | None = None

    def __post_init__(self) -> None:
        n_layers = len(self.layers.ranks)
        if not 0 <= self.layer < n_layers:
            raise ParameterError(
                f"expected a layer from 0 to {n_layers - 1}, got {self.layer}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The components: ``component_01`` and so on; then ``outside``, if any is."""
        names = component_labels(self.layers.ranks[self.layer])
        return names if self.outside is None else (*names, OUTSIDE)

    def magnitudes(self, frames: slice) -> list[Float32 | None]:
        """The model of each component, (1, n_frames, n_bins)."""
        W, H = self.layers.A[0], self.layers.S[0][:, frames].T
        if self.layer == 0:
            models = (H[:, [k]] * W[:, k] for k in range(H.shape[1]))
        else:
            owned = ownership(self.layers, self.layer, frames)
            parts = np.moveaxis(owned * H[:, :, np.newaxis], 2, 0)
            models = (part.astype(W.dtype) @ W.T for part in parts)
        found: list[Float32 | None] = [
            np.ascontiguousarray(m, np.float32)[np.newaxis] for m in models
        ]
        if self.outside is not None:
            found.append(np.repeat(self.outside[np.newaxis, np.newaxis], len(H), 1))
        return found

    def total(self, frames: slice, models: list[Float32]) -> Float32:
        """The first layer's W H and what is outside: the sum of any layer's models."""
        product = self.layers.S[0][:, frames].T @ self.layers.A[0].T
        if self.outside is not None:
            product += self.outside
        return np.ascontiguousarray(product, np.float32)[np.newaxis]
