"""Sounds that a person marked here and there, found in the whole recording.

Each label has templates of its own, learned where it is heard alone. Notes that were
not marked are borrowed: copies of the templates, transposed, that a frame may take at
a price. Components of the rest are learned where no label is heard; where nothing
says what the rest is like, they are free, at a higher price. All are fitted to the
recording twice: to find out which label is heard where, and then with each label silent
where it surely is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.audio.models import FactorModels
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Float32, Grid
from specnmf.factor.factorization import Factorization
from specnmf.factor.iterate import Callback, iterate
from specnmf.methods import low_notes
from specnmf.methods.labels.activity import decide, predict
from specnmf.methods.labels.options import LabelOptions
from specnmf.methods.labels.problem import Problem, checked, remarks_of
from specnmf.methods.labels.templates import (
    Templates,
    learn_templates,
    noise_like,
    transposed,
)
from specnmf.methods.labels.updates import PricedUpdates
from specnmf.methods.stems import Stems
from specnmf.parallel import Mapper, workers
from specnmf.score.regions import REST
from specnmf.subnormals import flush_to_zero

#: What a transposed template costs above one that was learned, and a free one.
BORROWED, FREE = 0.4, 2.0

#: Transposed templates that are kept, for each that was learned.
KEPT = 1.5

#: Iterations to choose them, on so many frames at most, and to find the activity.
CHOOSING, CHOICE_FRAMES, FINDING = 15, 2000, 30

#: With less activity a label is kept silent: where it is heard after all, that costs
#: more than it gains where it is not.
SILENT = 0.1

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Labelled:
    """A recording as the sum of labelled sounds, and where each is heard.

    Attributes
    ----------
    factorization : Factorization
        V ≈ W H; components of one label have its name, those of the rest are called
        rest. ``losses`` are of the last fit and never rise.
    names : tuple of str
        The labels in order, then rest if it has components.
    activity : array, shape (n_labels, n_frames), 0 to 1
        How sure each label is heard, by the sound alone; a half is the border.
    active : array of bool, shape (n_labels, n_frames)
        Whether it is: what was said where something was, elsewhere what is likely.
    remarks : tuple of str
        What a user should know of the labels.
    """

    factorization: Factorization
    names: tuple[str, ...]
    activity: NDArray[np.float64]
    active: Mask
    remarks: tuple[str, ...] = ()

    def stems(self, audio: Audio, grid: Grid, *, threads: int | None = None) -> Stems:
        """The labels, and the rest, as stems of the recording on the grid of V."""
        factors = self.factorization
        models = FactorModels(factors, names=self.names)
        pitches = low_notes.pitches_in(audio, grid, factors, threads=threads)
        return Stems(audio, grid, models, factors.losses, factors, pitches)


@dataclass(frozen=True, eq=False)
class _Model:
    """Templates, what they cost, and which are still to be learned."""

    templates: Templates
    prices: NDArray[np.float64]
    free: Mask

    def __getitem__(self, kept: NDArray[np.generic]) -> _Model:
        return _Model(self.templates[kept], self.prices[kept], self.free[kept])


def fit_labelled(
    V: ArrayLike,
    heard: ArrayLike,
    annotated: ArrayLike,
    names: Sequence[str],
    options: LabelOptions,
    *,
    frame_seconds: float | None = None,
    callback: Callback | None = None,
) -> Labelled:
    """Find labelled sounds in a recording of which a part is annotated.

    Parameters
    ----------
    V : array, shape (n_bins, n_frames)
        Magnitudes, non-negative and finite; computed in float32.
    heard : array of bool, shape (n_labels, n_frames)
        Where each label is heard; false where nothing is known.
    annotated : array of bool, shape (n_frames,)
        Where it is known which labels are heard. Where that is none, there is the
        rest alone, or silence.
    names : sequence of str
        Of the labels. A row of the name rest is that of no label.
    frame_seconds : float, optional
        From a frame to the next, to speak of seconds in remarks.
    callback : callable, optional
        Called as ``callback(iteration, loss)`` in the last fit.

    Returns
    -------
    Labelled
        Where annotated, a label that is not heard has activations of exactly zero.

    Raises
    ------
    ParameterError
        If the arrays do not fit, there is no label, one is heard nowhere, or two are
        heard in the same annotated frames.

    References
    ----------
    Templates learned from isolated sounds, beside free ones: Smaragdis, Raj and
    Shashanka, "Supervised and semi-supervised separation of sounds from single-channel
    mixtures", ICA 2007. Zeros where a user marked absence: Bryan and Mysore, "An
    efficient posterior regularized latent variable model for interactive sound source
    separation", ICML 2013. Labels beside unlabelled columns: Lee, Yoo and Choi,
    "Semi-supervised nonnegative matrix factorization", IEEE SPL 2010; the benchmark
    compares them.
    """
    problem = checked(V, heard, annotated, names, options)
    said = problem.heard, problem.annotated
    learned = learn_templates(problem.V, *said, options)
    with workers(options.threads) as mapper, flush_to_zero():
        model = _chosen(problem, _offered(problem, learned), mapper)
        fit = partial(_fit, problem.V, mapper=mapper)
        everywhere = np.ones_like(problem.heard)
        found = fit(model, _allowed(problem, model, everywhere), max_iter=FINDING)
        activity = predict(_loudness(model, found.H, len(problem.names)), *said)
        audible = decide(activity, *said, border=SILENT)
        found = fit(
            model,
            _allowed(problem, model, audible),
            max_iter=options.max_iter,
            tol=options.tol,
            callback=callback,
        )
    labels = [*problem.names, REST]
    own = tuple(labels[owner] for owner in model.templates.owners)
    return Labelled(
        Factorization(found.W, found.H, own, found.losses),
        tuple(label for label in labels if label != REST or REST in own),
        activity,
        decide(activity, *said),
        remarks_of(problem, frame_seconds),
    )


def _offered(problem: Problem, learned: Templates) -> _Model:
    """The templates with their transposed copies, and free ones if nothing is known."""
    options, n_labels = problem.options, len(problem.names)
    copies = transposed(learned, options.transpose)
    rng = np.random.default_rng(options.seed)
    unknown = 0 if (learned.owners == n_labels).any() else options.n_rest
    free = noise_like(len(problem.V), unknown, n_labels, rng)
    prices = np.repeat(
        [0, BORROWED, FREE], [len(part.owners) for part in (learned, copies, free)]
    )
    return _Model(learned + copies + free, prices, prices == FREE)


def _chosen(problem: Problem, model: _Model, mapper: Mapper) -> _Model:
    """The model with those transposed templates alone that take part."""
    borrowed = model.prices == BORROWED
    if not borrowed.any():
        return model
    unknown = np.flatnonzero(~problem.annotated)
    frames = unknown if len(unknown) else np.arange(problem.V.shape[1])
    frames = frames[:: -(-len(frames) // CHOICE_FRAMES)]
    offered = model[~model.free]
    V = np.asfortranarray(problem.V[:, frames])
    everywhere = np.ones((len(offered.prices), len(frames)), bool)
    loudness = _fit(V, offered, everywhere, mapper=mapper, max_iter=CHOOSING).H.sum(1)
    owners, kept = offered.templates.owners, offered.prices == 0
    for owner in np.unique(owners):
        own = owners == owner
        n_kept = round(KEPT * np.count_nonzero(own & (offered.prices == 0)))
        own = np.flatnonzero(own & (offered.prices > 0))
        kept[own[np.argsort(-loudness[own], kind="stable")[:n_kept]]] = True
    both = np.concatenate([kept, np.ones(np.count_nonzero(model.free), bool)])
    return model[np.flatnonzero(both)]


def _allowed(problem: Problem, model: _Model, active: Mask) -> Mask:
    """Where each component may sound: free ones where nothing was said.

    Where there is nothing else for what is heard, any label may be it.
    """
    allowed = model.templates.allowed(active)
    allowed[model.free] &= ~problem.annotated
    allowed[:, ~problem.annotated & ~allowed.any(axis=0)] = True
    return allowed


def _fit(
    V: Float32,
    model: _Model,
    allowed: Mask,
    *,
    mapper: Mapper,
    max_iter: int,
    tol: float = 0.0,
    callback: Callback | None = None,
) -> Factorization:
    """The activations of a model, and its free templates."""
    even = V.sum(axis=0) / np.maximum(allowed.sum(axis=0), 1)
    updates = PricedUpdates(
        V,
        model.templates.W,
        allowed * even.astype(np.float32),
        prices=model.prices,
        learned=model.free,
        mapper=mapper,
    )
    losses = iterate(
        updates, max_iter=max_iter, tol=tol, stop="cost", callback=callback
    )
    # A component's price made it that much too quiet for what it explains alone.
    H = updates.H * (1 + model.prices[:, np.newaxis])
    return Factorization(updates.W, H.astype(np.float32), losses=np.array(losses))


def _loudness(model: _Model, H: Float32, n_labels: int) -> NDArray[np.float64]:
    """What the model has of each label, and of the rest, in each frame."""
    loudness = np.zeros((n_labels + 1, H.shape[1]))
    np.add.at(loudness, model.templates.owners, H)
    return loudness
