"""The model of a recording by its score: layers of notes, drums and noise, fitted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Float32, Grid
from specnmf.factor.iterate import Callback
from specnmf.factor.parametric.fitting import Layer, fit
from specnmf.factor.parametric.lobes import Lobes, Support
from specnmf.factor.parametric.noise import Noise
from specnmf.factor.parametric.partials import Partials
from specnmf.factor.parametric.strikes import Strikes
from specnmf.methods.partials.drums import drum_spectra, hammer_spectra
from specnmf.methods.partials.layout import Hits, Layout, Template
from specnmf.methods.partials.noise import noise_bands
from specnmf.methods.partials.spectra import detunings, note_lobes, piano_inharmonicity
from specnmf.methods.stem_factors import Components, add_fading, components_of

#: What the noise starts from, relative to the mean of V.
NOISE_START = 0.002

#: The noise is shared in proportion to this power of the stems' loudness, and a
#: stem at rest counts as this much of the loudest moment of all.
SHARE_POWER, AT_REST = 0.25, 1e-3

#: The noise is so much weaker in the masks than it was found to be.
NOISE_WEIGHT = 0.1

#: Frames and iterations in which harmonic and stretched partials compete.
TRIAL_FRAMES, TRIAL_ITERATIONS = 120, 12

RESIDUAL = "residual"


@dataclass(frozen=True, eq=False)
class ScoreModel:
    """A fitted model: what each stem contributes to V, for any frames.

    Attributes
    ----------
    grid : Grid
        Of the analysis.
    layout : Layout
        The score on its frames.
    partials, drums, hammers, noise : Partials, Strikes, Strikes, Noise
        The layers.
    losses : array, shape (n_iterations,)
        The cost after each iteration.
    residual : bool
        Whether the noise is a stem of its own, else it is shared by the stems.
    resting : bool
        Whether a stem has its share of the noise while it rests, as players do.
    """

    grid: Grid
    layout: Layout
    partials: Partials
    drums: Strikes
    hammers: Strikes
    noise: Noise
    losses: NDArray[np.float64]
    residual: bool = False
    resting: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The stems."""
        stems = self.layout.stems
        if not self.residual:
            return stems
        name = RESIDUAL
        while name in stems:
            name += "_"
        return (*stems, name)

    def magnitudes(self, frames: slice) -> list[Float32 | None]:
        """Each stem's share of V, (n_channels, n_frames, n_bins); None if silent."""
        noise = self.noise.strengths[:, frames] @ self.noise.bands
        shares = self._noise_shares[:, frames]
        sounding = np.flatnonzero(shares.any(axis=1))
        models = np.zeros((len(sounding), *noise.shape), np.float32)
        place = np.zeros(len(self.layout.stems), np.int64)
        place[sounding] = np.arange(len(sounding))
        if len(sounding):
            layout = self.layout
            self.partials.add_by_owner(frames, place[layout.owner], models)
            self.drums.add_by_owner(frames, place[layout.drums.owner], models)
            self.hammers.add_by_owner(frames, place[layout.hammers.owner], models)
        out: list[Float32 | None] = [None] * len(self.layout.stems)
        for stem, model in zip(sounding, models, strict=True):
            if not self.residual:
                model += (NOISE_WEIGHT * shares[stem])[:, np.newaxis] * noise
            out[stem] = model
        return [*out, noise] if self.residual else out

    def total(self, frames: slice, models: list[Float32]) -> Float32:
        """The sum of the stems' magnitudes."""
        return np.asarray(np.sum(models, axis=0), np.float32)

    @cached_property
    def loudness(self) -> Float32:
        """Each stem's strength in each frame, shape (n_stems, n_frames)."""
        layout, n_frames = self.layout, self.grid.n_frames
        out = np.zeros((len(layout.stems), n_frames), np.float32)
        strengths = self.partials.strengths.sum(axis=1)
        np.add.at(out, (layout.owner, layout.support.frame), strengths)
        for strikes, hits in (
            (self.drums, layout.drums),
            (self.hammers, layout.hammers),
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

    def components(self) -> Components:
        """The model as V ≈ W H: a component for each template of each stem.

        Noise and hammers, which are no notes, are left out.
        """
        layers = self.partials, self.drums
        return components_of(self.layout, *layers, self.grid.n_bins, self.losses)


def fit_model(
    V: Float32,
    grid: Grid,
    layout: Layout,
    *,
    stretched: NDArray[np.bool_],
    tuning: float = 0.0,
    amplitudes: Float32 | None = None,
    max_iter: int,
    tol: float = 0.0,
    threads: int | None = None,
    callback: Callback | None = None,
    residual: bool = False,
    resting: bool = True,
) -> ScoreModel:
    """Fit notes, drums and noise to a recording's magnitudes.

    Parameters
    ----------
    V : array, shape (n_channels, n_frames, n_bins), float32
        Magnitudes on the grid.
    layout : Layout
        The score on the same frames.
    stretched : array of bool, shape (n_templates,)
        Templates whose partials are a piano's.
    tuning : float
        Cents by which A4 lies above 440 Hz.
    amplitudes : array, shape (n_templates, n_partials), optional
        Where the partials' amplitudes start; by default at 1/m.

    Returns
    -------
    ScoreModel
    """
    lobes = _lobes(layout.templates, grid, stretched, tuning)
    partials = _partials(V, lobes, layout.support, layout.templates)
    if amplitudes is not None:
        partials.amplitudes = amplitudes.copy()
    n_channels, pitches = len(V), [drum.pitch for drum in layout.drums.templates]
    drums = _strikes(
        V, layout.drums, drum_spectra(pitches, grid, n_channels=n_channels)
    )
    n_hammers = len(layout.hammers.templates)
    attacks = hammer_spectra(n_hammers, grid, n_channels=n_channels)
    hammers = _strikes(V, layout.hammers, attacks)
    noise = _noise(V, grid)
    layers: list[Layer] = [partials, drums, hammers, noise]
    losses = fit(
        V, layers, max_iter=max_iter, tol=tol, threads=threads, callback=callback
    )
    return ScoreModel(
        grid, layout, partials, drums, hammers, noise, losses, residual, resting
    )


def struck_parts(
    V: Float32,
    grid: Grid,
    layout: Layout,
    *,
    tuning: float = 0.0,
    threads: int | None = None,
) -> dict[str, float]:
    """The share of each part's sound that a piano's partials explain, 0 to 1.

    Harmonic and stretched partials compete for some frames of each part; above a
    half the part is a piano's or the like.

    Parameters
    ----------
    V, grid, layout
        As in `fit_model`.
    """
    frames, support = _trial(layout)
    n = len(layout.templates)
    templates = layout.templates * 2
    twice = Support(
        2 * support.edges,
        np.concatenate([
            np.concatenate([entries, entries + n])
            for entries in np.split(support.template, support.edges[1:-1])
        ]).astype(np.int64),
    )  # fmt: skip
    stretched = np.arange(2 * n) >= n
    chosen = np.ascontiguousarray(V[:, frames])
    lobes = _lobes(templates, grid, stretched, tuning)
    partials = _partials(chosen, lobes, twice, templates)
    noise = _noise(chosen, grid)
    fit(chosen, [partials, noise], max_iter=TRIAL_ITERATIONS, threads=threads)
    played = twice.totals(partials.strengths.sum(axis=1), 2 * n)
    shares = {}
    for part in dict.fromkeys(template.part for template in layout.templates):
        own = np.array([template.part == part for template in layout.templates])
        harmonic, stiff = played[:n][own].sum(), played[n:][own].sum()
        shares[part] = float(stiff / max(harmonic + stiff, 1e-20))
    return shares


def _trial(layout: Layout) -> tuple[NDArray[np.int64], Support]:
    """Some frames in which each part plays, and the entries there."""
    frame, template = layout.support.frame, layout.support.template
    chosen: set[int] = set()
    parts = np.array([t.part for t in layout.templates])
    for part in dict.fromkeys(parts):
        playing = np.unique(frame[parts[template] == part])
        chosen.update(playing[:: max(1, len(playing) // TRIAL_FRAMES)].tolist())
    frames = np.array(sorted(chosen), np.int64)
    counts = np.diff(layout.support.edges)[frames]
    edges = np.concatenate([[0], np.cumsum(counts)])
    kept = np.isin(frame, frames)
    return frames, Support(edges, template[kept])


def _lobes(
    templates: tuple[Template, ...],
    grid: Grid,
    stretched: NDArray[np.bool_],
    tuning: float,
) -> Lobes:
    pitches = np.array([template.pitch for template in templates], float)
    inharmonicity = np.where(stretched, piano_inharmonicity(pitches), 0.0)
    return note_lobes(pitches, grid, tuning=tuning, inharmonicity=inharmonicity)


def _partials(
    V: Float32, lobes: Lobes, support: Support, templates: tuple[Template, ...]
) -> Partials:
    """Notes that start with as much sound as there is, all alike."""
    per_frame = max(1.0, len(support.template) / max(1, support.n_frames))
    level = float(V.sum(axis=2).mean()) / per_frame / len(detunings())
    names = [template.part for template in templates]
    _, instruments = np.unique(names, return_inverse=True)
    return Partials(
        lobes, support, strength=level, n_channels=len(V), instruments=instruments
    )


def _strikes(V: Float32, hits: Hits, spectra: Float32) -> Strikes:
    level = float(V.sum(axis=2).mean())
    strengths = np.full(len(hits.frame), level, np.float32)
    place = hits.frame, hits.template
    return Strikes(*place, spectra, strengths, n_frames=V.shape[1])


def _noise(V: Float32, grid: Grid) -> Noise:
    level = NOISE_START * float(V.mean())
    n_channels, n_frames, _ = V.shape
    bands = noise_bands(grid)
    return Noise(bands, strength=level, n_channels=n_channels, n_frames=n_frames)
