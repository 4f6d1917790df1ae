"""The factors of a recording, from random starts or with templates that are given."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from specnmf.errors import ParameterError
from specnmf.factor import starts
from specnmf.factor.factorization import Factorization
from specnmf.factor.nmf import nmf
from specnmf.factor.rank import RankChoice, choose_rank
from specnmf.methods.components.options import ComponentOptions


@dataclass(frozen=True, eq=False)
class Fitted:
    options: ComponentOptions
    choice: RankChoice | None
    result: Factorization


def fit_components(material, options, *, templates=None, stages):
    given = np.zeros((material.grid.n_bins, 0), np.float32)
    if templates is not None:
        given = templates.astype(np.float32)
    V = material.transform(stages)
    choice = None
    if options.n_components == "auto":
        with stages.stage("choose"):
            choice = choose_rank(
                V, beta=options.beta, rng=options.seed, threads=options.threads
            )
        options = dataclasses.replace(options, n_components=choice.chosen)
    learned = _best(V, given, options, material.n_starts, stages)
    del V  # its room is needed
    fixed = np.arange(learned.n_components) < given.shape[1]
    result = material.refine(learned, fixed, stages)
    result = result.by_energy() if templates is None else result
    return Fitted(options, choice, result)


def check_room(n_components: int, V, *, instead: str) -> None:
    if n_components > min(V.shape):
        raise ParameterError(
            f"at most {min(V.shape)} components fit a spectrogram of {V.shape[0]} bins "
            f"x {V.shape[1]} frames, got {n_components}; use {instead} or a longer "
            "excerpt"
        )


def _best(V, given, settings, n_starts, stages):
    chance = settings.init == "random" and given.shape[1] < settings.most_components
    seeds = range(settings.seed, settings.seed + (n_starts if chance else 1))
    with stages.stage("factorise", len(seeds) * settings.max_iter) as step:
        found = [
            _factorise(
                V,
                given,
                dataclasses.replace(settings, seed=seed),
                _telling(step, number * settings.max_iter),
            )
            for number, seed in enumerate(seeds)
        ]
    return min(found, key=lambda result: float(result.losses[-1]))


def _telling(step, before):
    return lambda i, loss: step(before + i, note=f"loss {loss:.5g}")


def _factorise(V, given, settings, callback):
    n_given = given.shape[1]
    n_components = max(settings.most_components, n_given)
    check_room(n_components, V, instead="a smaller -k")
    start = starts.make(V, n_components, init=settings.init, rng=settings.seed)
    W = np.concatenate([given, start.W[:, n_given:]], axis=1)
    return nmf(
        V,
        dataclasses.replace(start, W=W),
        beta=settings.beta,
        solver=settings.solver,
        max_iter=settings.max_iter,
        tol=settings.tol,
        stop=settings.stop,
        fixed=np.arange(n_components) < n_given,
        threads=settings.threads,
        callback=callback,
    )
