"""Stems: what every method makes of a recording, and everything after takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import masks
from specnmf.audio.models import Models
from specnmf.audio.options import Mask
from specnmf.audio.recording import Audio
from specnmf.audio.resynthesis import Stream
from specnmf.audio.stft import Grid
from specnmf.factor.factorization import Factorization

#: What a run may call the stem of what no other explains.
RESTS = ("rest", "residual")


class Sharing(Protocol):
    """The options by which stems share a recording."""

    @property
    def mask(self) -> Mask:
        """Ratio or binary."""

    @property
    def power(self) -> float:
        """The exponent of the models."""

    @property
    def threads(self) -> int | None:
        """None: one a core."""


@dataclass(frozen=True, eq=False)
class Stems:
    """A recording taken apart; the sound is made when it is asked for.

    Attributes
    ----------
    audio : Audio
        The recording.
    grid : Grid
        Of the analysis.
    model : Models
        The magnitudes of each stem, for any frames.
    losses : array, shape (n_iterations,)
        The cost after each iteration.
    factors : Factorization
        The model as V ≈ W H, for factors.npz.
    pitches : array, shape (n_components,)
        MIDI numbers, for the piano roll; NaN without a pitch.
    """

    audio: Audio
    grid: Grid
    model: Models
    losses: NDArray[np.float64]
    factors: Factorization
    pitches: NDArray[np.float64]

    @property
    def names(self) -> tuple[str, ...]:
        """The stems, in order."""
        return self.model.names

    def stream(self, options: Sharing) -> Stream:
        """Yield the stems as sound, block by block; they add up to the recording."""
        return self._stream(self.grid, self.model, options)

    def _stream(self, grid: Grid, model: Models, options: Sharing) -> Stream:
        spectra_of = masks.spectra_of(self.audio, grid)
        return stream_of(spectra_of, grid, model, self.audio.n_channels, options)


@dataclass(frozen=True, eq=False)
class ScoreStems(Stems):
    """A recording taken apart by its score.

    Attributes
    ----------
    notes : tuple of str
        The note or drum of each component.
    start : Factorization
        The same components before the updates: what the score allows.
    explained : float or None
        The share of the sound that the score explains, 0 to 1; None: unknown.
    """

    notes: tuple[str, ...]
    start: Factorization
    explained: float | None = None

    def envelopes(self) -> dict[str, NDArray[np.float64]]:
        """How loud the model of each stem is in each frame."""
        factors = self.factors
        envelopes = {name: np.zeros(factors.H.shape[1]) for name in self.names}
        for label, template, activation in zip(
            factors.labels, factors.W.T, factors.H, strict=True
        ):
            envelopes[label] += np.linalg.norm(template) * activation
        return envelopes


def stream_of(
    spectra_of: masks.SpectraOf,
    grid: Grid,
    models: Models,
    n_channels: int,
    options: Sharing,
) -> Stream:
    """Yield the stems that models make of a recording, block by block."""
    return masks.stream_sources(
        spectra_of,
        grid,
        models,
        n_channels=n_channels,
        mask=options.mask,
        power=options.power,
        threads=options.threads,
    )
