"""Components of a recording: their number, their start, and the best of a few fits."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.models import FactorModels
from specnmf.audio.resynthesis import Stream
from specnmf.audio.stft import Float32, Grid
from specnmf.errors import ParameterError
from specnmf.factor import starts
from specnmf.factor.factorization import Factorization, component_labels
from specnmf.factor.iterate import Callback
from specnmf.factor.nmf import nmf
from specnmf.factor.rank import RankChoice, choose_rank
from specnmf.methods.components.grouping import Groups, group_names, grouped
from specnmf.methods.components.material import Material
from specnmf.methods.components.options import ComponentOptions
from specnmf.methods.components.scope import (
    Scope,
    components_of,
    left_out,
    names_left_out,
)
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
        positions. What is left out of the factorisation comes last.
    pitches : array, shape (n_components,)
        MIDI numbers; NaN without one.
    groups : Groups or None
        The stems, where components are grouped.
    """

    material: Material
    options: ComponentOptions
    choice: RankChoice | None
    factors: Factorization
    pitches: NDArray[np.float64]
    groups: Groups | None = None

    #: The components have no templates with names.
    templates = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The components in order, or the groups; then what is left out."""
        if self.groups is None:
            return self.factors.labels
        return (*self.groups.names, *left_out(self.factors.labels))

    @property
    def remarks(self) -> list[str]:
        """Warnings about groups without a component or a period."""
        return [] if self.groups is None else self.groups.remarks(self.factors.labels)

    @property
    def components(self) -> Factorization:
        """The components, without what is left out of the factorisation."""
        return components_of(self.factors)

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
            models = FactorModels(self.factors, names=self.names)
            yield from stream_of(spectra_of, self.grid, models, n_channels, options)

    @property
    def _parts(self) -> list[str]:
        """The part of each component, if the recording is split."""
        sizes = self.options.part_sizes.items()
        return [part for part, n_components in sizes for _ in range(n_components)]


def expected_names(
    options: ComponentOptions, grid: Grid, n_given: int
) -> tuple[str, ...]:
    """The stems that there will be; none if that is not known before the fit."""
    if options.n_groups:
        names = group_names(options.n_groups)
    elif options.n_components == "auto":
        return ()
    else:
        names = component_labels(max(options.n_components, n_given))
    return (*names, *names_left_out(grid, options, whiten=options.whiten))


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
    V = material.transform(stages)
    scope = Scope.of(V, material.grid, options, whiten=options.whiten)
    V = scope.seen(V)
    given = _given(templates, scope)
    choice = choose(V, options, stages)
    if choice is not None:
        options = dataclasses.replace(options, n_components=choice.chosen)
    learned = _best(V, given, options, material.n_starts, stages)
    del V  # frees its memory
    fixed = np.arange(learned.n_components) < given.shape[1]
    factors = material.refine(learned, fixed, scope, stages)
    if templates is None:
        factors = factors.by_energy()
    groups = None
    if options.n_groups:
        factors, groups = grouped(factors, material.grid, options)
    factors = scope.completed(factors)
    with stages.stage("pitches"):
        pitches = material.pitches(factors)
    pitches[learned.n_components :] = np.nan
    return ComponentStems(material, options, choice, factors, pitches, groups)


def _given(templates: Float32 | None, scope: Scope) -> Float32:
    """The part of given templates that is in the band, (n_band, n_templates)."""
    if templates is None:
        return np.zeros((scope.band.stop - scope.band.start, 0), np.float32)
    return templates[scope.band]


def check_room(n_components: int, V: Float32, *, instead: str) -> None:
    """Raise ParameterError if V is too small for the number of components."""
    if n_components > min(V.shape):
        raise ParameterError(
            f"at most {min(V.shape)} components fit a spectrogram of {V.shape[0]} bins "
            f"x {V.shape[1]} frames, got {n_components}; use {instead} or a longer "
            "excerpt"
        )


def choose(V: Float32, options: ComponentOptions, stages: Stages) -> RankChoice | None:
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
            factorise(V, given, options, seed, telling(step, number * options.max_iter))
            for number, seed in enumerate(seeds)
        ]
    return min(found, key=lambda result: float(result.losses[-1]))


def factorise(
    V: Float32,
    given: Float32,
    options: ComponentOptions,
    seed: int,
    callback: Callback,
) -> Factorization:
    """The factorisation from one start; given templates come first and stay."""
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
