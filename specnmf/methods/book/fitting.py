"""The book's model: a factorisation that starts from the score."""

from __future__ import annotations

from collections.abc import Sequence

from specnmf.audio import stft
from specnmf.audio.models import FactorModels
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Grid
from specnmf.factor.iterate import Callback
from specnmf.factor.nmf import nmf
from specnmf.methods.book.layout import fmp_layout
from specnmf.methods.book.stems import divided
from specnmf.methods.score_options import ScoreOptions
from specnmf.methods.stems import ScoreStems
from specnmf.notation import hertz
from specnmf.score.notes import Score


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
    """Fit the book's model of the score to a recording.

    Parameters
    ----------
    audio, score, labels, options, stems, tuning, callback
        As for `specnmf.methods.partials.fitting.fit_partials`.

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
    parts = divided(result, layout, labels)
    model = FactorModels(parts.factorization, names=stems)
    return ScoreStems(audio, grid, model, result.losses, *parts)
