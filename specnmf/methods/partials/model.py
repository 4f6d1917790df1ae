"""The parametric model of a recording: layers of notes, drums and noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import neighbours
from specnmf.audio.stft import Float32, Grid
from specnmf.factor.iterate import Callback
from specnmf.factor.parametric.fitting import fit
from specnmf.factor.parametric.noise import Noise
from specnmf.factor.parametric.partials import Partials
from specnmf.factor.parametric.strikes import Strikes
from specnmf.methods.partials.factors import add_fading
from specnmf.methods.partials.notes import note_layer, note_steps
from specnmf.methods.partials.refitting import begin_noise, begin_notes
from specnmf.methods.partials.schedule import Schedule
from specnmf.methods.partials.unpitched import drum_layer, hammer_layer, noise_layer
from specnmf.methods.score_options import ScoreOptions

#: The noise is divided in proportion to this power of the stems' loudness; a resting
#: stem counts with this share of the loudest moment of all.
SHARE_POWER, AT_REST = 0.25, 1e-3

#: The same where instruments are told apart that are not all struck: the power of the
#: loudness as a whole, and that of the loudness near each band.
WHOLE_POWER, BAND_POWER = 0.5, 0.25

#: The noise is weaker in the masks by this factor than in the fit.
NOISE_WEIGHT = 0.1

RESIDUAL = "residual"


@dataclass(frozen=True, eq=False)
class PartialsModel:
    """A fitted model: the contribution of each stem to V, for any frames.

    Attributes
    ----------
    losses : array, shape (n_iterations,)
        The cost after each iteration.
    rest : str or None
        The name of the noise as a stem of its own; None: the stems share it.
    resting : bool
        Whether a stem gets a share of the noise while it rests.
    tuning : float
        Tuning of A4 in cents above 440 Hz.
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
        sounding = np.flatnonzero(self._shares_as_a_whole[:, frames].any(axis=1))
        models = self._silence(len(sounding), frames, self.grid.n_bins)
        if len(sounding):
            place = self._places(sounding)[self.schedule.owner]
            self.partials.add_by_owner(frames, place, models)
            self._add_unpitched(frames, sounding, models)
        out: list[Float32 | None] = [None] * len(self.schedule.stems)
        for stem, model in zip(sounding, models, strict=True):
            out[stem] = model
        if self.rest is None:
            return out
        noise = self._silence(1, frames, self.grid.n_bins)[0]
        self.noise.add(frames, noise)
        return [*out, noise]

    def densities(self, frames: slice, n_bins: int) -> Float32:
        """As in `specnmf.audio.neighbours.FineModels`."""
        models = self._silence(len(self.names), frames, n_bins)
        self._add_unpitched(frames, np.arange(len(self.schedule.stems)), models)
        if self.rest is not None:
            self.noise.add_share(frames, np.ones((1, 1, 1), np.float32), models[-1])
        flat = models[..., np.newaxis, :] ** 2 / neighbours.taps()[0].sum()
        out = np.repeat(flat, neighbours.FINE, axis=3)
        self.partials.add_densities(frames, self._steps, self.schedule.owner, out)
        return out

    @cached_property
    def _steps(self) -> Float32:
        """Where each partial may lie, in bins; see `note_steps`."""
        schedule = self.schedule
        pitches = [template.pitch for template in schedule.templates]
        return note_steps(
            pitches, self.grid, struck=schedule.struck, tuning=self.tuning
        )

    def _silence(self, n: int, frames: slice, n_bins: int) -> Float32:
        """Models of n stems to add to, (n, n_channels, n_frames, n_bins)."""
        shape = n, len(self.noise.strengths), frames.stop - frames.start, n_bins
        return np.zeros(shape, np.float32)

    def _places(self, stems: NDArray[np.intp]) -> NDArray[np.int64]:
        """The place of each stem among some of them, shape (n_stems,)."""
        place = np.zeros(len(self.schedule.stems), np.int64)
        place[stems] = np.arange(len(stems))
        return place

    def _add_unpitched(
        self, frames: slice, stems: NDArray[np.intp], models: Float32
    ) -> None:
        """Add drums and hammers to the models of some stems, and their noise."""
        place, schedule = self._places(stems), self.schedule
        self.drums.add_by_owner(frames, place[schedule.drums.owner], models)
        self.hammers.add_by_owner(frames, place[schedule.hammers.owner], models)
        if self.rest is None:
            shares = np.float32(NOISE_WEIGHT) * self._noise_shares(frames)[stems]
            for share, model in zip(shares, models, strict=True):
                self.noise.add_share(frames, share, model)

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

    def _noise_shares(self, frames: slice) -> Float32:
        """Each stem's share of the noise, (n_stems, n_channels, n_frames, n_bands).

        In hands, pitches or notes of one instrument, and where all strings are struck,
        it is the same in all channels and bands.
        """
        whole = self._shares_as_a_whole[:, np.newaxis, frames, np.newaxis]
        if not self.resting or self.schedule.struck.all():
            return whole
        weights = whole ** (WHOLE_POWER / SHARE_POWER)
        bands = self._loudness_near_bands(frames)
        rest = self._at_rest / len(self.noise.bands)
        weights = weights * (bands + rest) ** BAND_POWER
        total = np.maximum(weights.sum(axis=0), 1e-20)
        return np.asarray(weights / total, np.float32)

    @cached_property
    def _shares_as_a_whole(self) -> Float32:
        """The shares by loudness alone, (n_stems, n_frames)."""
        weights = (self.loudness + self._at_rest) ** SHARE_POWER
        total = np.maximum(weights.sum(axis=0), 1e-20)
        return np.asarray(weights / total, np.float32)

    @cached_property
    def _at_rest(self) -> float:
        """How loud a stem counts while it rests."""
        return AT_REST * float(self.loudness.max(initial=0)) if self.resting else 0.0

    def _loudness_near_bands(self, frames: slice) -> Float32:
        """The strength of each stem's notes in each band and those beside it.

        Of shape (n_stems, n_channels, n_frames, n_bands).
        """
        partials, support = self.partials, self.schedule.support
        n_frames, n_channels = frames.stop - frames.start, partials.pans.shape[1]
        shape = len(self.schedule.stems), n_frames, n_channels, len(self.noise.bands)
        edges = support.edges[frames.start : frames.stop + 1]
        entries = slice(edges[0], edges[-1])
        place = (
            self.schedule.owner[entries],
            np.repeat(np.arange(n_frames), np.diff(edges)),
        )
        template = support.template[entries]
        totals = partials.strengths[entries].sum(axis=1)
        heard = totals[:, np.newaxis] * partials.pans[template]
        out = np.zeros(shape, np.float32)
        near = self._timbres[template][:, np.newaxis]
        np.add.at(out, place, heard[:, :, np.newaxis] * near)
        return out.transpose(0, 2, 1, 3)

    @cached_property
    def _timbres(self) -> Float32:
        """How strong a note of each template is near each band, (n_templates, n_bands).

        Three bands are averaged.
        """
        templates = np.arange(len(self.schedule.templates))
        even = np.ones((len(templates), self.partials.strengths.shape[1]))
        spectra = self.partials.spectra(templates, even, self.grid.n_bins)
        # Not by the BLAS, whose sums depend on its threads.
        inside = np.einsum("bf,fc->cb", self.noise.bands, spectra)
        inside = np.pad(inside, ((0, 0), (1, 1)))
        near = (inside[:, :-2] + inside[:, 1:-1] + inside[:, 2:]) / 3
        return np.asarray(near, np.float32)

    @property
    def explained(self) -> float:
        """The share of the sound that notes and drums explain, 0 to 1."""
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
    first: PartialsModel | None = None,
    rest: str = RESIDUAL,
    callback: Callback | None = None,
) -> PartialsModel:
    """Fit notes, drums and noise to a recording's magnitudes.

    Parameters
    ----------
    V : array, shape (n_channels, n_frames, n_bins), float32
        Magnitudes on the grid.
    tuning : float
        Tuning of A4 in cents above 440 Hz.
    first : PartialsModel, optional
        The model of another window, for the same score, to start from.
    rest : str
        The name of the stem for sound that no note explains, if it is kept.
    """
    partials = note_layer(
        V,
        grid,
        schedule.templates,
        schedule.support,
        struck=schedule.struck,
        tuning=tuning,
    )
    partials.fading = schedule.fading
    drums = drum_layer(V, schedule.drums, grid)
    hammers = hammer_layer(V, schedule.hammers, grid)
    noise = noise_layer(V, grid)
    if first is not None:
        found_by = first.schedule, first.grid
        begin_notes(partials, schedule, grid, found=first.partials, found_by=found_by)
        begin_noise(noise, grid, found=first.noise, wide=first.grid)
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
