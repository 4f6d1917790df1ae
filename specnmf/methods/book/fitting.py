"""The book's model: a factorisation that starts from the score, divided into stems."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specnmf.audio import stft
from specnmf.audio.models import FactorModels
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Grid
from specnmf.errors import ParameterError
from specnmf.factor.factorization import Factorization
from specnmf.factor.iterate import Callback
from specnmf.factor.nmf import nmf
from specnmf.methods.book.layout import FmpLayout, fmp_layout
from specnmf.methods.score_options import ScoreOptions
from specnmf.methods.stems import ScoreStems
from specnmf.notation import hertz
from specnmf.score.notes import Score
from specnmf.subnormals import flush_to_zero


def fit_book(
    audio: Audio,
    score: Score,
    labels: Sequence[str],
    options: ScoreOptions,
    *,
    stems: Sequence[str],
    tuning: float = 0.0,
    callback: Callback | None = None,
) -> ScoreStems:
    """Fit the book's model, asked as `specnmf.methods.partials.fitting.fit_partials`.

    References
    ----------
    Müller, "Fundamentals of Music Processing", section 8.3; Ewert and Müller, "Using
    score-informed constraints for NMF-based source separation", ICASSP 2012.
    """
    grid = Grid.of(audio, options.n_fft, options.hop_length)
    layout = fmp_layout(
        score,
        grid,
        onsets=options.model == "fmp-onsets",
        tuning=float(hertz(69, cents=tuning)),
    )
    result = nmf(
        stft.magnitude(audio, grid, threads=options.threads),
        layout.start,
        beta=2,
        solver="mu",
        max_iter=options.max_iter,
        tol=options.tol,
        threads=options.threads,
        callback=callback,
    )
    factors = by_stem(result, layout, labels)
    rows = [row for _, row in _owners(layout, labels)]
    is_drum = np.array(layout.kinds)[rows] == "drum"
    return ScoreStems(
        audio,
        grid,
        FactorModels(factors, names=stems),
        result.losses,
        factors,
        pitches=np.where(is_drum, np.nan, layout.pitches[rows]),
        notes=tuple(layout.start.labels[row] for row in rows),
        start=by_stem(layout.start, layout, labels),
    )


@flush_to_zero()
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


def _owners(layout: FmpLayout, labels: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Each stem and component of the layout that it sounds in, as `by_stem` orders."""
    spans = layout.spans.tolist()
    return tuple(dict.fromkeys((labels[note], row) for note, row, _, _ in spans))
