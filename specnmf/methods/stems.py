"""Stems: the result of every method, and the input of all later steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import masks, neighbours, stft, wiener
from specnmf.audio.hpss import part_masks
from specnmf.audio.models import Models
from specnmf.audio.options import HARMONIC, PERCUSSIVE, Mask, Wiener
from specnmf.audio.recording import Audio
from specnmf.audio.resynthesis import Stream
from specnmf.audio.stft import Grid
from specnmf.factor.factorization import Factorization
from specnmf.methods.weighting import weighted_models

#: Names of the stem for sound that no other stem explains.
RESTS = ("rest", "residual")


class Sharing(Protocol):
    """The options of masks."""

    @property
    def mask(self) -> Mask:
        """``ratio`` or ``binary``."""

    @property
    def power(self) -> float:
        """The exponent of the models."""

    @property
    def wiener(self) -> Wiener:
        """``auto``, ``never`` or ``always``."""

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of a split; none without one."""

    @property
    def threads(self) -> int | None:
        """None: one per core."""


@dataclass(frozen=True, eq=False)
class Stems:
    """A separated recording; the sound is made on request.

    Attributes
    ----------
    audio : Audio
        The recording.
    grid : Grid
        The grid of the analysis.
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

    def part_of(self, name: str) -> str | None:
        """The part of a split that a stem is of; None: of both, or of neither."""
        return None

    def _stream(
        self,
        grid: Grid,
        model: Models,
        options: Sharing,
        *,
        audio: Audio | None = None,
    ) -> Stream:
        """The stems of the recording, or of another in its place, by a model."""
        audio = self.audio if audio is None else audio
        if options.parts:
            V = stft.magnitude(self.audio, grid, threads=options.threads)
            found = part_masks(V, grid, threads=options.threads).by_name
            own = [found.get(self.part_of(name) or "") for name in self.names]
            model = weighted_models(model, own)
        spectra_of = masks.spectra_of(audio, grid)
        if audio.n_channels == 2 and options.mask == "ratio":
            return wiener.stream_sources(
                spectra_of,
                grid,
                model,
                power=options.power,
                wiener=options.wiener,
                threads=options.threads,
            )
        return stream_of(spectra_of, grid, model, audio.n_channels, options)


@dataclass(frozen=True, eq=False)
class ScoreStems(Stems):
    """A recording separated by its score.

    Attributes
    ----------
    notes : tuple of str
        The note or drum of each component.
    start : Factorization
        The same components before the updates: the constraints of the score.
    explained : float or None
        The share of the sound that the score explains, 0 to 1; None: unknown.
    """

    notes: tuple[str, ...]
    start: Factorization
    explained: float | None = None

    def part_of(self, name: str) -> str | None:
        """The part of a split that a stem is of; None: of both, or of neither."""
        labelled = zip(self.factors.labels, self.pitches, strict=True)
        pitched = {bool(np.isfinite(pitch)) for own, pitch in labelled if own == name}
        if len(pitched) != 1:
            return None
        return HARMONIC if pitched.pop() else PERCUSSIVE

    def envelopes(self) -> dict[str, NDArray[np.float64]]:
        """The loudness of each stem's model in each frame."""
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
    """Yield the stems of a recording by models, block by block."""
    if options.mask == "ratio":
        return neighbours.stream_sources(
            spectra_of,
            grid,
            models,
            n_channels=n_channels,
            power=options.power,
            threads=options.threads,
        )
    return masks.stream_sources(
        spectra_of,
        grid,
        models,
        n_channels=n_channels,
        mask=options.mask,
        power=options.power,
        threads=options.threads,
    )
