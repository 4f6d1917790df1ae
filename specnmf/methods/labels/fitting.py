"""Separation by labels: marked sounds, found in the whole recording.

Each label has templates of its own, learned where it is heard alone. For notes that are
not marked there are transposed copies of the templates, which cost a penalty. Templates
of the rest are learned where no label is heard; if there is no such frame, they are
free, at a higher penalty. The model is fitted to the recording twice: first to find
where each label is heard, then with each label silent where it is surely absent.
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

#: The penalties of transposed templates and of free templates.
BORROWED, FREE = 0.4, 2.0

#: Transposed templates that are kept, for each learned one.
KEPT = 1.5

#: Iterations to choose them, the most frames for that, and iterations for the activity.
CHOOSING, CHOICE_FRAMES, FINDING = 15, 2000, 30

#: Below this activity a label is kept silent. A higher value would lose more where the
#: label is heard than it gains where it is not.
SILENT = 0.1

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Labelled:
    """A recording as the sum of labelled sounds, with their activity.

    Attributes
    ----------
    factorization : Factorization
        V ≈ W H; the components of a label have its name, those of the rest the name
        rest. ``losses`` are those of the last fit and never rise.
    names : tuple of str
        The labels in order, then rest if it has components.
    activity : array, shape (n_labels, n_frames), 0 to 1
        The confidence that each label is heard, from the sound alone; border at 0.5.
    active : array of bool, shape (n_labels, n_frames)
        Whether it is heard: as annotated, elsewhere by the activity.
    remarks : tuple of str
        Warnings about the labels.
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
    """Templates, their penalties, and which of them are still to be learned."""

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
    support: ArrayLike | None = None,
    frame_seconds: float | None = None,
    callback: Callback | None = None,
) -> Labelled:
    """Find labelled sounds in a partly annotated recording.

    Parameters
    ----------
    V : array, shape (n_bins, n_frames)
        Magnitudes, non-negative and finite; computed in float32.
    heard : array of bool, shape (n_labels, n_frames)
        Where each label is heard; false in frames that are not annotated.
    annotated : array of bool, shape (n_frames,)
        Frames in which all heard labels are known. Annotated frames without a label
        hold the rest alone, or silence.
    names : sequence of str
        The labels. A row with the name rest stands for the rest.
    support : array of bool, shape (n_labels, n_bins), optional
        The bins in which each label may sound. The rest may sound in all of them, and
        has templates in every frame then.
    frame_seconds : float, optional
        Seconds from one frame to the next, for the remarks.
    callback : callable, optional
        Called as ``callback(iteration, loss)`` in the last fit.

    Returns
    -------
    Labelled
        In annotated frames, labels that are not heard have activations of exactly zero.

    Raises
    ------
    ParameterError
        If the shapes do not fit, there is no label, a label is heard nowhere, or two
        labels are heard in the same annotated frames.

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
    problem = checked(V, heard, annotated, names, options, support)
    said = problem.heard, problem.annotated
    learned = learn_templates(problem.V, *said, options, problem.support)
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
    """The templates with transposed copies, and free ones if the rest is unknown."""
    options, n_labels = problem.options, len(problem.names)
    copies = transposed(learned, options.transpose, problem.support)
    rng = np.random.default_rng(options.seed)
    unknown = 0 if (learned.owners == n_labels).any() else options.n_rest
    free = noise_like(len(problem.V), unknown, n_labels, rng)
    prices = np.repeat(
        [0, BORROWED, FREE], [len(part.owners) for part in (learned, copies, free)]
    )
    return _Model(learned + copies + free, prices, prices == FREE)


def _chosen(problem: Problem, model: _Model, mapper: Mapper) -> _Model:
    """The model with only those transposed templates that are active."""
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
    """Where each component may sound: free ones in frames that are not annotated.

    Where labels have bounds, free ones are everywhere: what is beyond the bounds is
    theirs. In frames that no component could explain otherwise, any label may sound.
    """
    allowed = model.templates.allowed(active)
    if problem.support is None:
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
    # The penalty has lowered components that explain a frame alone by this factor.
    H = updates.H * (1 + model.prices[:, np.newaxis])
    return Factorization(updates.W, H.astype(np.float32), losses=np.array(losses))


def _loudness(model: _Model, H: Float32, n_labels: int) -> NDArray[np.float64]:
    """The loudness of each label, and of the rest, in each frame of the model."""
    loudness = np.zeros((n_labels + 1, H.shape[1]))
    np.add.at(loudness, model.templates.owners, H)
    return loudness
