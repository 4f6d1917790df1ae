"""What would the model of a score reach if it knew more? Bounds on separation."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from separation_songs import Song, Sounds

import specnmf
from specnmf.audio.resynthesis import gather
from specnmf.audio.stft import Grid, channel_magnitudes
from specnmf.evaluation.oracle import ideal_ratio_masks
from specnmf.factor.parametric.partials import Partials
from specnmf.methods.partials import fitting
from specnmf.methods.partials.fitting import PartialStems, fit_partials
from specnmf.methods.partials.model import NOISE_WEIGHT, PartialsModel, fit_model
from specnmf.methods.partials.schedule import make_schedule
from specnmf.methods.partials.windows import STRUCK, analyses
from specnmf.methods.score_options import ScoreOptions

Float32 = NDArray[np.float32]

#: The windows of the ideal masks.
WINDOWS = (8192, 16384)


def ideal(song: Song, n_fft: int) -> Sounds:
    """Return the recording through ideal ratio masks of a window."""
    stems = ideal_ratio_masks(song.audio, [*song.references.values()], n_fft=n_fft)
    return dict(zip(song.references, stems, strict=True))


def fitted(song: Song, options: ScoreOptions) -> PartialStems:
    """Return the models that specnmf fits to the recording by the score."""
    return fit_partials(
        song.audio, song.score, song.labels, options, stems=tuple(song.references)
    )


def sounds(stems: PartialStems, options: ScoreOptions) -> dict[str, Float32]:
    """Return the recording through the masks of models."""
    stream = stems.stream(options)
    found = gather(stream, stems.names, stems.audio.n_channels, stems.grid)
    return {name: stem.samples for name, stem in found.items()}


# --- models of the parts alone ----------------------------------------------------


@dataclass(frozen=True)
class Ensemble:
    """Models of parts, each fitted to its part alone; ``noise`` as `PartialsModel`'s.

    ``own_noise`` is the weight of each part's own noise in its model.
    """

    models: Sequence[PartialsModel]
    own_noise: float = NOISE_WEIGHT

    @property
    def grid(self) -> Grid:
        """The analysis that all have."""
        return self.models[0].grid

    @property
    def names(self) -> tuple[str, ...]:
        """The parts."""
        return tuple(name for model in self.models for name in model.names)

    def magnitudes(self, frames: slice) -> list[Float32 | None]:
        """Each part's model, (n_channels, n_frames, n_bins)."""
        return [self._magnitudes(model, frames) for model in self.models]

    def _magnitudes(self, model: PartialsModel, frames: slice) -> Float32 | None:
        (own,) = model.magnitudes(frames)
        noise = model.noise.strengths[:, frames] @ model.noise.bands
        more = np.float32(self.own_noise - NOISE_WEIGHT)
        return own if own is None else own + more * noise

    def total(self, frames: slice, models: list[Float32]) -> Float32:
        """The sum of the models."""
        return np.asarray(np.sum(models, axis=0), np.float32)


def alone(
    song: Song, joint: PartialStems, options: ScoreOptions
) -> tuple[Ensemble, Ensemble]:
    """Fit each part's model to its own sound, as `fit_partials` fits all to the sum.

    The windows and the struck parts are those of the joint fit. Returns the models on
    the long window and on the short one.
    """
    long: list[PartialsModel] = []
    short: list[PartialsModel] = []
    strings = [part for part, share in joint.struck.items() if share > STRUCK]
    for name, y in song.references.items():
        part = specnmf.Audio(y, song.audio.sr)
        own = [note for note in song.score.notes if note.part == name]
        score, before = specnmf.Score(tuple(own)), None
        for grid, models in zip(
            analyses(joint.grid, song.score), (long, short), strict=True
        ):
            schedule = make_schedule(
                score, [name] * len(own), grid, stems=[name], struck=strings
            )
            model = fit_model(
                channel_magnitudes(part, grid, threads=options.threads),
                grid,
                schedule,
                options if before is None else fitting._shorter(options),
                amplitudes=before,
            )
            before = model.partials.amplitudes
            models.append(model)
    return Ensemble(long), Ensemble(short)


def by_ensemble(
    joint: PartialStems, models: tuple[Ensemble, Ensemble], own_noise: float
) -> PartialStems:
    """Return the stems of the recording by the models of the parts alone."""
    long, short = (dataclasses.replace(each, own_noise=own_noise) for each in models)
    return dataclasses.replace(joint, model=long, onset_model=short)


def with_known_timbres(
    song: Song,
    joint: PartialStems,
    models: tuple[Ensemble, Ensemble],
    options: ScoreOptions,
) -> PartialStems:
    """Fit all parts jointly, the amplitudes of their partials those of `alone`."""
    strings = [part for part, share in joint.struck.items() if share > STRUCK]
    found = []
    for ensemble, settings in zip(
        models, (options, fitting._shorter(options)), strict=True
    ):
        grid = ensemble.grid
        schedule = make_schedule(
            song.score,
            song.labels,
            grid,
            stems=tuple(song.references),
            struck=strings,
        )
        known = {
            template: amplitudes
            for model in ensemble.models
            for template, amplitudes in zip(
                model.schedule.templates, model.partials.amplitudes, strict=True
            )
        }
        amplitudes = np.stack([known[template] for template in schedule.templates])
        with amplitudes_kept():
            model = fit_model(
                channel_magnitudes(song.audio, grid, threads=options.threads),
                grid,
                schedule,
                settings,
                amplitudes=amplitudes,
            )
        found.append(model)
    return dataclasses.replace(joint, model=found[0], onset_model=found[1])


@contextmanager
def amplitudes_kept() -> Iterator[None]:
    """Fit strengths, pans and noise, but not the amplitudes of the partials."""
    learn = Partials.learn

    def learn_the_rest(layer: Partials, numerators: Float32, iteration: int) -> None:
        amplitudes = layer.amplitudes
        learn(layer, numerators, iteration)
        layer.amplitudes = amplitudes

    Partials.learn = learn_the_rest
    try:
        yield
    finally:
        Partials.learn = learn
