"""The stems of the book's model: its components, divided among labels of notes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specnmf.errors import ParameterError
from specnmf.factor.factorization import Factorization
from specnmf.methods.book.layout import FmpLayout
from specnmf.methods.stems import StemFactors


def by_stem(
    result: Factorization, layout: FmpLayout, labels: Sequence[str]
) -> Factorization:
    """The components of a result divided among stems, which `separate` makes sound.

    Each component is given to the stems that have notes in it, its activation to
    those whose notes may sound in a frame: where there is one, the book's masks
    follow, and where there are more they share alike, so that all add up to W H.

    Parameters
    ----------
    result : Factorization
        What `specnmf.nmf` made of ``layout.start``.
    layout : FmpLayout
        The score's.
    labels : sequence of str
        One for each of its notes, as `specnmf.score.grouping.stem_labels` has them.

    Returns
    -------
    Factorization
        A component for each stem and component of the result that it sounds in,
        labelled with the stem. Stems come in the order of their first notes; one
        whose notes all lie after the end is missing.

    Raises
    ------
    ParameterError
        If there are not as many labels as notes, or the shapes do not fit.

    References
    ----------
    FMP notebook C8S3_NMFAudioDecomp.
    """
    if len(labels) != layout.n_notes:
        raise ParameterError(
            f"{layout.n_notes} notes need as many labels, got {len(labels)}"
        )
    if result.H.shape != layout.start.H.shape:
        raise ParameterError(
            f"the layout's H has shape {layout.start.H.shape}, the result's "
            f"{result.H.shape}; give what nmf made of layout.start"
        )
    n_frames = result.H.shape[1]
    owned = {owner: np.zeros(n_frames, bool) for owner in _owners(layout, labels)}
    for note, row, first, end in layout.spans.tolist():
        owned[labels[note], row][first:end] = True
    n_owners = np.zeros(result.H.shape, result.H.dtype)
    for (_, row), mask in owned.items():
        n_owners[row] += mask
    rows = [row for _, row in owned]
    H = (result.H / np.maximum(n_owners, 1))[rows]
    H *= np.array(list(owned.values()))
    return Factorization(result.W[:, rows], H, tuple(label for label, _ in owned))


def divided(
    result: Factorization, layout: FmpLayout, labels: Sequence[str]
) -> StemFactors:
    """The components of a result divided among stems, with their notes.

    Parameters
    ----------
    result, layout, labels
        As for `by_stem`.
    """
    rows = [row for _, row in _owners(layout, labels)]
    is_drum = np.array(layout.kinds)[rows] == "drum"
    return StemFactors(
        by_stem(result, layout, labels),
        np.where(is_drum, np.nan, layout.pitches[rows]),
        tuple(layout.start.labels[row] for row in rows),
        by_stem(layout.start, layout, labels),
    )


def _owners(layout: FmpLayout, labels: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Each stem and component of the layout that it sounds in, as `by_stem` orders."""
    spans = layout.spans.tolist()
    return tuple(dict.fromkeys((labels[note], row) for note, row, _, _ in spans))
