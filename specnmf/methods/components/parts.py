"""Components of the parts of a split recording, each part factorised by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from specnmf.audio.options import HARMONIC, RESIDUAL
from specnmf.audio.stft import Float32
from specnmf.factor.factorization import Factorization, component_labels
from specnmf.factor.iterate import Callback
from specnmf.methods.components.fitting import ComponentStems, choose, factorise
from specnmf.methods.components.material import Material
from specnmf.methods.components.options import ComponentOptions
from specnmf.methods.progress import Stages, telling


def fit_parts(
    material: Material, options: ComponentOptions, stages: Stages
) -> ComponentStems:
    """Decompose the parts of a split recording, each into components of its own."""
    V = material.transform(stages)
    with stages.stage("split"):
        part_masks = material.parts.by_name

    def part(name: str) -> Float32:
        """V of a part; only one is held at a time."""
        return (V.T * part_masks[name]).T

    choice = choose(part(HARMONIC), options, stages)
    if choice is not None:
        options = dataclasses.replace(options, n_components=choice.chosen)
    with stages.stage("factorise", len(part_masks) * options.max_iter) as step:
        found = [
            _fit_part(name, part(name), options, telling(step, n * options.max_iter))
            for n, name in enumerate(part_masks)
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
    return factorise(V, none, own, options.seed, callback).by_energy()


def expected_parts(options: ComponentOptions) -> tuple[str, ...]:
    """The stems that there will be; none if that is not known before the fit."""
    if options.n_components == "auto":
        return ()
    return part_labels(options.part_sizes)


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
