"""The model of a recording by its score: layers of notes, drums and noise, fitted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Float32, Grid
from specnmf.factor.iterate import Callback
from specnmf.factor.parametric.fitting import fit
from specnmf.factor.parametric.noise import Noise
from specnmf.factor.parametric.partials import Partials
from specnmf.factor.parametric.strikes import Strikes
from specnmf.methods.partials.factors import add_fading
from specnmf.methods.partials.notes import note_layer
from specnmf.methods.partials.schedule import Schedule
from specnmf.methods.partials.unpitched import drum_layer, hammer_layer, noise_layer
from specnmf.methods.score_options import ScoreOptions

#: The noise is shared in proportion to this power of the stems' loudness, and a
#: stem at rest counts as this much of the loudest moment of all.
SHARE_POWER, AT_REST = 0.25, 1e-3

#: The noise is so much weaker in the masks than it was found to be.
NOISE_WEIGHT = 0.1

RESIDUAL = "residual"


@dataclass(frozen=True, eq=False)
class PartialsModel:
    """A fitted model: what each stem contributes to V, for any frames.

    Attributes
    ----------
    losses : array, shape (n_iterations,)
        The cost after each iteration.
    rest : str or None
        The name of the noise as a stem of its own; None: it is shared by the stems.
    resting : bool
        Whether a stem has its share of the noise while it rests, as players do.
    tuning : float
        Cents by which A4 lies above 440 Hz.
    """

    grid: Grid
    schedule: Schedule
    partials: Partials
    drums: Strikes
    hammers: Strikes
    noise: Noise
    losses: NDArray[np.float64]
    rest: str | None
    resting: bool
    tuning: float

    @property
    def names(self) -> tuple[str, ...]:
        """The stems."""
        stems = self.schedule.stems
        if self.rest is None:
            return stems
        name = self.rest
        while name in stems:
            name += "_"
        return (*stems, name)

    def magnitudes(self, frames: slice) -> list[Float32 | None]:
        """Each stem's share of V, (n_channels, n_frames, n_bins); None if silent."""
        noise = self.noise.strengths[:, frames] @ self.noise.bands
        shares = self._noise_shares[:, frames]
        sounding = np.flatnonzero(shares.any(axis=1))
        models = np.zeros((len(sounding), *noise.shape), np.float32)
        place = np.zeros(len(self.schedule.stems), np.int64)
        place[sounding] = np.arange(len(sounding))
        if len(sounding):
            schedule = self.schedule
            self.partials.add_by_owner(frames, place[schedule.owner], models)
            self.drums.add_by_owner(frames, place[schedule.drums.owner], models)
            self.hammers.add_by_owner(frames, place[schedule.hammers.owner], models)
        out: list[Float32 | None] = [None] * len(self.schedule.stems)
        for stem, model in zip(sounding, models, strict=True):
            if self.rest is None:
                model += (NOISE_WEIGHT * shares[stem])[:, np.newaxis] * noise
            out[stem] = model
        return out if self.rest is None else [*out, noise]

    def total(self, frames: slice, models: list[Float32]) -> Float32:
        """The sum of the stems' magnitudes."""
        return np.asarray(np.sum(models, axis=0), np.float32)

    @cached_property
    def loudness(self) -> Float32:
        """Each stem's strength in each frame, shape (n_stems, n_frames)."""
        schedule, n_frames = self.schedule, self.grid.n_frames
        out = np.zeros((len(schedule.stems), n_frames), np.float32)
        strengths = self.partials.strengths.sum(axis=1)
        np.add.at(out, (schedule.owner, schedule.support.frame), strengths)
        for strikes, hits in (
            (self.drums, schedule.drums),
            (self.hammers, schedule.hammers),
        ):
            add_fading(out, strikes, hits, hits.owner)
        return out

    @cached_property
    def _noise_shares(self) -> Float32:
        """Each stem's share of the noise in each frame, (n_stems, n_frames)."""
        rest = AT_REST * self.loudness.max(initial=0) if self.resting else 0.0
        weights = (self.loudness + rest) ** SHARE_POWER
        total = np.maximum(weights.sum(axis=0), 1e-20)
        return np.asarray(weights / total, np.float32)

    @property
    def explained(self) -> float:
        """The share of the sound that the notes and drums make up, 0 to 1."""
        noise = self.noise.strengths.sum(axis=1).mean(axis=0) @ self.noise.sums
        played = float(self.loudness.sum())
        return played / max(played + float(noise), 1e-20)


def fit_model(
    V: Float32,
    grid: Grid,
    schedule: Schedule,
    options: ScoreOptions,
    *,
    tuning: float = 0.0,
    amplitudes: Float32 | None = None,
    rest: str = RESIDUAL,
    callback: Callback | None = None,
) -> PartialsModel:
    """Fit notes, drums and noise to a recording's magnitudes.

    Parameters
    ----------
    V : array, shape (n_channels, n_frames, n_bins), float32
        Magnitudes on the grid.
    tuning : float
        Cents by which A4 lies above 440 Hz.
    amplitudes : array, shape (n_templates, n_partials), optional
        Where the partials' amplitudes start; by default at 1/m.
    rest : str
        The name of what no note explains, if the options keep it.
    """
    partials = note_layer(
        V,
        grid,
        schedule.templates,
        schedule.support,
        struck=schedule.struck,
        tuning=tuning,
    )
    if amplitudes is not None:
        partials.amplitudes = amplitudes.copy()
    drums = drum_layer(V, schedule.drums, grid)
    hammers = hammer_layer(V, schedule.hammers, grid)
    noise = noise_layer(V, grid)
    losses = fit(
        V,
        [partials, drums, hammers, noise],
        max_iter=options.max_iter,
        tol=options.tol,
        threads=options.threads,
        callback=callback,
    )
    return PartialsModel(
        grid,
        schedule,
        partials,
        drums,
        hammers,
        noise,
        losses,
        rest=rest if options.residual else None,
        resting=options.by in ("part", "hand"),
        tuning=tuning,
    )
