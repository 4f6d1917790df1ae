"""Templates of labelled sounds, learned in the annotated frames."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Float32
from specnmf.factor import starts
from specnmf.factor.factorization import Factorization
from specnmf.factor.nmf import nmf
from specnmf.methods.labels.options import LabelOptions

#: The least frames of a sound alone from which its templates are learned.
LEAST_ALONE = 8

#: Iterations of each factorisation that learns templates.
LEARNING = 100

#: The least loudness of frames to learn from, relative to the average.
AUDIBLE = 0.1

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Templates:
    """Spectra of sum 1, and their owners.

    Attributes
    ----------
    W : array, shape (n_bins, n_components), float32
        The spectra.
    owners : array, shape (n_components,)
        The index of each one's label; n_labels stands for the rest.
    """

    W: Float32
    owners: NDArray[np.int64]

    def __add__(self, other: Templates) -> Templates:
        """The concatenation of both."""
        return Templates(
            np.concatenate([self.W, other.W], axis=1),
            np.concatenate([self.owners, other.owners]),
        )

    def __getitem__(self, kept: NDArray[np.generic]) -> Templates:
        """A selection."""
        return Templates(np.ascontiguousarray(self.W[:, kept]), self.owners[kept])

    def allowed(self, heard: Mask) -> Mask:
        """Where each may sound, (n_components, n_frames); the rest everywhere."""
        everywhere = np.ones((1, heard.shape[1]), bool)
        return np.concatenate([heard, everywhere])[self.owners]


def learn_templates(
    V: Float32,
    heard: Mask,
    annotated: Mask,
    options: LabelOptions,
    support: Mask | None = None,
) -> Templates:
    """The templates of each label and of the rest, from the annotated frames.

    First the rest is learned where no label is heard, then each label where it is heard
    alone, beside the rest; last, labels that are never alone are learned together, each
    silent where it is not heard, beside the known templates. Templates of a label are
    zero where its ``support``, of shape (n_labels, n_bins), is false.
    """
    learned = partial(_learned, options=options, support=support)
    rng = np.random.default_rng(options.seed)
    n_labels = len(heard)
    known = Templates(np.zeros((len(V), 0), np.float32), np.zeros(0, np.int64))
    without = annotated & ~heard.any(axis=0)
    if options.n_rest and is_audible(V, without):
        owners = np.full(options.n_rest, n_labels)
        known = learned(V[:, without], heard[:, without], known, owners, rng=rng)
    rest, together = known, []
    for label, frames in enumerate(frames_alone(heard)):
        if np.count_nonzero(frames) < LEAST_ALONE:
            together.append(label)
            continue
        owners = np.full(options.n_components, label)
        known += learned(V[:, frames], heard[:, frames], rest, owners, rng=rng)
    if together:
        frames = heard[together].any(axis=0)
        owners = np.repeat(together, max(1, options.n_components // 2))
        known += learned(V[:, frames], heard[:, frames], known, owners, rng=rng)
    return known[np.argsort(known.owners, kind="stable")]


def frames_alone(heard: Mask) -> Mask:
    """Where each label is heard alone, shape (n_labels, n_frames)."""
    alone: Mask = heard & (heard.sum(axis=0) == 1)
    return alone


def is_audible(V: Float32, frames: Mask) -> bool:
    """Whether frames are numerous and loud enough to learn from."""
    if np.count_nonzero(frames) < LEAST_ALONE:
        return False
    return bool(V[:, frames].mean() > AUDIBLE * V.mean())


def transposed(
    templates: Templates, semitones: int, support: Mask | None = None
) -> Templates:
    """Copies transposed up and down by up to a number of semitones.

    A copy represents a note that is not marked: an instrument's spectra change little
    from one note to the next. Copies are zero outside the ``support`` of their label,
    and left out where nothing remains.
    """
    within = _within(support, templates.owners, len(templates.W))
    bins = np.arange(len(templates.W))
    copies = Templates(templates.W[:, :0], templates.owners[:0])
    for shift in (*range(-semitones, 0), *range(1, semitones + 1)):
        asked = bins / 2 ** (shift / 12)
        moved = [np.interp(asked, bins, w, right=0) for w in templates.W.T]
        W = np.stack(moved, axis=1) * within
        kept = np.flatnonzero(W.any(axis=0) | (support is None))
        copies += Templates(_of_sum_one(W, within), templates.owners)[kept]
    return copies


def noise_like(n_bins: int, n: int, owner: int, rng: np.random.Generator) -> Templates:
    """Random spectra to start from."""
    return Templates(_of_sum_one(1 + rng.random((n_bins, n))), np.full(n, owner))


def _learned(
    V: Float32,
    heard: Mask,
    known: Templates,
    owners: NDArray[np.int64],
    *,
    options: LabelOptions,
    support: Mask | None,
    rng: np.random.Generator,
) -> Templates:
    """New templates, one for each owner, learned beside the known ones."""
    start = starts.random(V, len(known.owners) + len(owners), rng=rng)
    W = np.concatenate([known.W, start.W[:, len(known.owners) :]], axis=1)
    both = Templates(W, np.concatenate([known.owners, owners]))
    is_known = np.arange(len(both.owners)) < len(known.owners)
    within = _within(support, both.owners, len(W))
    if support is not None:  # bins that no template can explain say nothing
        explained = np.any(within & ((W > 0) | ~is_known), axis=1)
        V = V * explained[:, np.newaxis]
    found = nmf(
        V,
        Factorization(W, start.H),
        beta=1,
        max_iter=LEARNING,
        fixed=is_known,
        support=(None if support is None else within, both.allowed(heard)),
        threads=options.threads,
    )
    return Templates(_of_sum_one(found.W[:, ~is_known], within[:, ~is_known]), owners)


def _within(support: Mask | None, owners: NDArray[np.int64], n_bins: int) -> Mask:
    """Where templates may be nonzero, (n_bins, n_components); the rest everywhere."""
    if support is None:
        return np.ones((n_bins, len(owners)), bool)
    within: Mask = np.concatenate([support, np.ones((1, n_bins), bool)])[owners].T
    return within


def _of_sum_one(W: NDArray[np.floating], within: Mask | None = None) -> Float32:
    """Columns scaled to sum 1; columns of zeros become flat, where they may be."""
    sums = W.sum(axis=0)
    flat = np.ones(W.shape, bool) if within is None else within
    scaled: Float32 = (flat / np.maximum(flat.sum(axis=0), 1)).astype(np.float32)
    np.divide(W, sums, out=scaled, where=sums > 0, casting="same_kind")
    return scaled
