"""The FMP book's model: a factorisation that starts from the score, then stems."""

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
    """Fit the book's model; arguments as in `methods.partials.fitting.fit_partials`.

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
    """The components of a factorisation, divided among stems for `separate`.

    Each component is divided among the stems that have notes in it. In each frame its
    activation goes to the stems whose notes may sound there: to one stem, as with the
    book's masks, or in equal shares to several, so that all stems add up to W H.

    Parameters
    ----------
    result : Factorization
        The result of `nmf` from ``layout.start``.
    layout : FmpLayout
        The layout of the score.
    labels : sequence of str
        The stem of each note of the score, as from `stem_labels`.

    Returns
    -------
    Factorization
        One component for each stem and each component in which it has notes, labelled
        with the stem: W (n_bins, n), H (n, n_frames). Stems are in the order of their
        first notes; a stem whose notes all start after the end is missing.

    Raises
    ------
    ParameterError
        If the number of labels differs from the number of notes, or ``result`` does
        not have the shapes of ``layout.start``.

    References
    ----------
    M. Müller, "Fundamentals of Music Processing", 2nd edition, Springer 2021; FMP
    notebook C8S3_NMFAudioDecomp.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> score = specnmf.Score(
    ...     [
    ...         specnmf.Note(0.0, 0.5, 60, part="cello"),
    ...         specnmf.Note(0.0, 0.5, 72, part="flute"),
    ...     ]
    ... )
    >>> sr, seconds = 8000, 0.5
    >>> t = np.arange(int(seconds * sr)) / sr
    >>> y = np.sin(2 * np.pi * 261.6 * t) + np.sin(2 * np.pi * 523.3 * t)
    >>> audio = specnmf.Audio(0.25 * y[np.newaxis].astype(np.float32), sr)
    >>> spectrogram = specnmf.stft(audio)
    >>> layout = specnmf.fmp_layout(score, spectrogram.grid)
    >>> result = specnmf.nmf(
    ...     spectrogram.magnitude(), layout.start, support=layout.support, max_iter=10
    ... )
    >>> stems = specnmf.by_stem(result, layout, specnmf.stem_labels(score, by="part"))
    >>> stems.labels
    ('cello', 'flute')
    >>> sorted(specnmf.separate(spectrogram, stems))
    ['cello', 'flute']
    """
    if len(labels) != layout.n_notes:
        raise ParameterError(
            f"expected one label for each of {layout.n_notes} notes, got {len(labels)}"
        )
    if result.H.shape != layout.start.H.shape:
        raise ParameterError(
            f"expected H of the layout's shape {layout.start.H.shape}, got "
            f"{result.H.shape}; pass the result of nmf from layout.start"
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
    """Each pair of a stem and a component in which it has notes, ordered by stem."""
    spans = layout.spans.tolist()
    return tuple(dict.fromkeys((labels[note], row) for note, row, _, _ in spans))
