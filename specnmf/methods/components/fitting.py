"""Components of a recording: their number, their start, and the best of a few fits."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.models import FactorModels
from specnmf.audio.options import HARMONIC, RESIDUAL
from specnmf.audio.resynthesis import Stream
from specnmf.audio.stft import Float32, Grid
from specnmf.errors import ParameterError
from specnmf.factor import starts
from specnmf.factor.factorization import Factorization, component_labels
from specnmf.factor.iterate import Callback
from specnmf.factor.nmf import nmf
from specnmf.factor.rank import RankChoice, choose_rank
from specnmf.methods.components.material import Material
from specnmf.methods.components.options import ComponentOptions
from specnmf.methods.progress import Stages, telling
from specnmf.methods.splitting import split_models, stream_parts
from specnmf.methods.stems import Sharing, stream_of


@dataclass(frozen=True, eq=False)
class ComponentStems:
    """A recording as the sum of components: `specnmf.methods.stems.Stems`.

    Attributes
    ----------
    options : ComponentOptions
        The options, with the chosen number of components.
    choice : RankChoice or None
        The choice of the number, if it was ``auto``.
    factors : Factorization
        V ≈ W H, the most energetic component first; given templates keep their
        positions.
    """

    material: Material
    options: ComponentOptions
    choice: RankChoice | None
    factors: Factorization
    pitches: NDArray[np.float64]

    @property
    def names(self) -> tuple[str, ...]:
        """The components, in order."""
        return self.factors.labels

    @property
    def grid(self) -> Grid:
        """The grid of the analysis."""
        return self.material.grid

    @property
    def losses(self) -> NDArray[np.float64]:
        """The cost after each iteration, or after each pass over a long recording."""
        return self.factors.losses

    def stream(self, options: Sharing) -> Stream:
        """Yield the components as sound; they add up to the recording."""
        n_channels = self.material.sound.n_channels
        with self.material.spectra(len(self.names)) as spectra_of:
            if self.options.parts:
                split = split_models(
                    self.material.parts.by_name, self.factors, self._parts, options
                )
                yield from stream_parts(
                    spectra_of,
                    self.grid,
                    split,
                    n_channels=n_channels,
                    threads=options.threads,
                )
                return
            models = FactorModels(self.factors)
            yield from stream_of(spectra_of, self.grid, models, n_channels, options)

    @property
    def _parts(self) -> list[str]:
        """The part of each component, if the recording is split."""
        sizes = self.options.part_sizes.items()
        return [part for part, n_components in sizes for _ in range(n_components)]


def fit_components(
    material: Material,
    options: ComponentOptions,
    stages: Stages,
    *,
    templates: Float32 | None = None,
) -> ComponentStems:
    """Decompose a recording into components.

    Templates, shape (n_bins, n_templates), stay fixed; further components, up to
    ``n_components``, are learned.

    Raises
    ------
    ParameterError
        If the recording is too short for so many components.
    """
    if options.parts:
        return _fit_parts(material, options, stages)
    n_bins = material.grid.n_bins
    given = np.zeros((n_bins, 0), np.float32) if templates is None else templates
    V = material.transform(stages)
    choice = _choose(V, options, stages)
    if choice is not None:
        options = dataclasses.replace(options, n_components=choice.chosen)
    learned = _best(V, given, options, material.n_starts, stages)
    del V  # frees its memory
    fixed = np.arange(learned.n_components) < given.shape[1]
    factors = material.refine(learned, fixed, stages)
    if templates is None:
        factors = factors.by_energy()
    with stages.stage("pitches"):
        pitches = material.pitches(factors)
    return ComponentStems(material, options, choice, factors, pitches)


def _fit_parts(
    material: Material, options: ComponentOptions, stages: Stages
) -> ComponentStems:
    """Decompose the parts of a split recording, each into components of its own."""
    V = material.transform(stages)
    with stages.stage("split"):
        part_masks = material.parts.by_name
    parts = {name: (V.T * mask).T for name, mask in part_masks.items()}
    choice = _choose(parts[HARMONIC], options, stages)
    if choice is not None:
        options = dataclasses.replace(options, n_components=choice.chosen)
    with stages.stage("factorise", len(parts) * options.max_iter) as step:
        found = [
            _fit_part(name, parts[name], options, telling(step, n * options.max_iter))
            for n, name in enumerate(parts)
        ]
    factors = _joined(found, part_labels(options.part_sizes))
    with stages.stage("pitches"):
        pitches = material.pitches(factors)
    pitches[options.part_sizes[HARMONIC] :] = np.nan
    return ComponentStems(material, options, choice, factors, pitches)


def _fit_part(
    name: str, V: Float32, options: ComponentOptions, callback: Callback
) -> Factorization:
    """The components of a part of a split."""
    if name == RESIDUAL:
        return _in_one(V)
    own = dataclasses.replace(
        options,
        n_components=options.part_sizes[name],
        split="none",
        split_margin=1.0,
        percussive_components=None,
    )
    none = np.zeros((len(V), 0), np.float32)
    return _factorise(V, none, own, options.seed, callback).by_energy()


def part_labels(sizes: Mapping[str, int]) -> tuple[str, ...]:
    """``harmonic_01``, ..., ``percussive_01``, ...; ``residual`` has no number."""
    labels: list[str] = []
    for part, n in sizes.items():
        numbered = component_labels(n, part)
        labels += [part] if part == RESIDUAL else numbered
    return tuple(labels)


def _in_one(V: Float32) -> Factorization:
    """One component: the mean spectrum and the sum of each frame.

    For the Kullback-Leibler divergence that is the best one.
    """
    spectrum = V.sum(axis=1, dtype=np.float64)
    peak = spectrum.max() or 1.0
    sums = V.sum(axis=0, dtype=np.float64) / (spectrum.sum() or 1.0)
    W, H = spectrum[:, np.newaxis] / peak, (sums * peak)[np.newaxis]
    return Factorization(W.astype(np.float32), H.astype(np.float32))


def _joined(found: Sequence[Factorization], labels: Sequence[str]) -> Factorization:
    """Factorisations side by side; the losses are added, each held at its end."""
    losses = [own.losses for own in found if len(own.losses)]
    longest = max(map(len, losses))
    held = [np.pad(own, (0, longest - len(own)), mode="edge") for own in losses]
    return Factorization(
        np.concatenate([own.W for own in found], axis=1),
        np.concatenate([own.H for own in found]),
        tuple(labels),
        np.sum(held, axis=0),
    )


def check_room(n_components: int, V: Float32, *, instead: str) -> None:
    """Raise ParameterError if V is too small for the number of components."""
    if n_components > min(V.shape):
        raise ParameterError(
            f"at most {min(V.shape)} components fit a spectrogram of {V.shape[0]} bins "
            f"x {V.shape[1]} frames, got {n_components}; use {instead} or a longer "
            "excerpt"
        )


def _choose(V: Float32, options: ComponentOptions, stages: Stages) -> RankChoice | None:
    """The choice of the number of components, if it is ``auto``."""
    if options.n_components != "auto":
        return None
    with stages.stage("choose"):
        return choose_rank(
            V, beta=options.beta, rng=options.seed, threads=options.threads
        )


def _best(
    V: Float32,
    given: Float32,
    options: ComponentOptions,
    n_starts: int,
    stages: Stages,
) -> Factorization:
    """The factorisation with the lowest cost among a few seeds."""
    chance = options.init == "random" and given.shape[1] < options.most_components
    seeds = range(options.seed, options.seed + (n_starts if chance else 1))
    with stages.stage("factorise", len(seeds) * options.max_iter) as step:
        found = [
            _factorise(
                V, given, options, seed, telling(step, number * options.max_iter)
            )
            for number, seed in enumerate(seeds)
        ]
    return min(found, key=lambda result: float(result.losses[-1]))


def _factorise(
    V: Float32,
    given: Float32,
    options: ComponentOptions,
    seed: int,
    callback: Callback,
) -> Factorization:
    n_given = given.shape[1]
    n_components = max(options.most_components, n_given)
    check_room(n_components, V, instead="a smaller -k")
    start = starts.make(V, n_components, init=options.init, rng=seed)
    W = np.concatenate([given, start.W[:, n_given:]], axis=1)
    return nmf(
        V,
        dataclasses.replace(start, W=W),
        beta=options.beta,
        solver=options.solver,
        max_iter=options.max_iter,
        tol=options.tol,
        stop=options.stop,
        fixed=np.arange(n_components) < n_given,
        threads=options.threads,
        callback=callback,
    )
