"""Stems: what every method makes of a recording, and everything after takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import masks
from specnmf.audio.models import Models
from specnmf.audio.options import Mask
from specnmf.audio.recording import Audio
from specnmf.audio.resynthesis import Stream
from specnmf.audio.stft import Grid
from specnmf.factor.factorization import Factorization


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


class Stems(Protocol):
    """A recording taken apart; the sound is made when it is asked for."""

    @property
    def names(self) -> tuple[str, ...]:
        """The stems, in order."""

    @property
    def grid(self) -> Grid:
        """Of the analysis."""

    @property
    def factors(self) -> Factorization:
        """The model as V ≈ W H, for factors.npz."""

    @property
    def pitches(self) -> NDArray[np.float64]:
        """MIDI number of each component, for the piano roll; NaN without a pitch."""

    @property
    def losses(self) -> NDArray[np.float64]:
        """The cost after each iteration."""

    def stream(self, options: Sharing) -> Stream:
        """Yield the stems as sound, block by block; they add up to the recording."""


@dataclass(frozen=True, eq=False)
class ModelStems:
    """Stems that have a model each, for masks on one analysis.

    Attributes
    ----------
    audio : Audio
        The recording.
    grid : Grid
        Of the analysis.
    models : Models
        The magnitudes of each stem.
    factors : Factorization
        The model as V ≈ W H.
    pitches : array, shape (n_components,)
        MIDI numbers; NaN without a pitch.
    """

    audio: Audio
    grid: Grid
    models: Models
    factors: Factorization
    pitches: NDArray[np.float64]

    @property
    def names(self) -> tuple[str, ...]:
        """The stems, in order."""
        return self.models.names

    @property
    def losses(self) -> NDArray[np.float64]:
        """The cost after each iteration."""
        return self.factors.losses

    def stream(self, options: Sharing) -> Stream:
        """As of `Stems`."""
        return stream_of(self.audio, self.grid, self.models, options)


class StemFactors(NamedTuple):
    """A score's model as V ≈ W H, divided among stems.

    Attributes
    ----------
    factorization : Factorization
        A component for each template of each stem, labelled by stem.
    pitches : array, shape (n_components,)
        MIDI numbers; NaN for drums.
    names : tuple of str
        Of the notes and drums.
    start : Factorization
        The same components before the updates: what the score allows.
    """

    factorization: Factorization
    pitches: NDArray[np.float64]
    names: tuple[str, ...]
    start: Factorization


def stream_of(audio: Audio, grid: Grid, models: Models, options: Sharing) -> Stream:
    """Yield the stems that models make of a recording, block by block."""
    return masks.stream_of(
        audio,
        grid,
        models,
        mask=options.mask,
        power=options.power,
        threads=options.threads,
    )
