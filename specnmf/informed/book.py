"""The book's model: a factorisation that starts from the score, and its stems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import masks, stft
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Grid
from specnmf.factor.factorization import Factorization
from specnmf.factor.iterate import Callback
from specnmf.factor.nmf import nmf
from specnmf.informed.components import Components
from specnmf.informed.constraints import Layout, by_stem, fmp_layout, owners
from specnmf.notation import hertz
from specnmf.score.notes import Score
from specnmf.settings import ScoreSettings


@dataclass(frozen=True, eq=False)
class BookStems:
    """A recording taken apart as in FMP, section 8.3.

    Attributes
    ----------
    audio : Audio
        The recording.
    grid : Grid
        Of the analysis.
    layout : Layout
        The score as W and H to start from.
    result : Factorization
        What became of them.
    parts : Components
        The same, divided among the stems.
    order : tuple of str
        The stems, in order.
    """

    audio: Audio
    grid: Grid
    layout: Layout
    result: Factorization
    parts: Components
    order: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The stems, in order."""
        return self.order

    @property
    def losses(self) -> NDArray[np.float64]:
        """The cost after each iteration."""
        return self.result.losses

    @property
    def explained(self) -> float | None:
        """Unknown: this model has nothing but the score's notes."""
        return None

    def components(self) -> Components:
        """The factors, divided among the stems."""
        return self.parts

    def stream(self, settings: ScoreSettings) -> masks.Stream:
        """Yield the stems as sound, block by block; they add up to the recording."""
        models = masks.FactorModels(self.parts.factorization, names=self.names)
        return masks.stream_of(
            self.audio, self.grid, models, settings, power=settings.power
        )


def fit_book(
    audio: Audio,
    score: Score,
    labels: Sequence[str],
    settings: ScoreSettings,
    *,
    stems: Sequence[str] | None = None,
    tuning: float = 0.0,
    callback: Callback | None = None,
) -> BookStems:
    """Fit the book's model of the score to a recording.

    Parameters
    ----------
    audio, score, labels, settings, stems, tuning, callback
        As for `fit_partials`.

    References
    ----------
    Müller, "Fundamentals of Music Processing", section 8.3; Ewert and Müller, "Using
    score-informed constraints for NMF-based source separation", ICASSP 2012.
    """
    grid = Grid.of(audio, settings.n_fft, settings.hop_length)
    layout = fmp_layout(
        score,
        grid,
        onsets=settings.model == "fmp-onsets",
        tuning=float(hertz(69, cents=tuning)),
    )
    result = nmf(
        stft.magnitude(audio, grid, threads=settings.threads),
        layout.start,
        beta=2,
        solver="mu",
        max_iter=settings.max_iter,
        tol=settings.tol,
        threads=settings.threads,
        callback=callback,
    )
    parts = _by_stem(result, layout, labels)
    order = tuple(dict.fromkeys(labels)) if stems is None else tuple(stems)
    return BookStems(audio, grid, layout, result, parts, order)


def _by_stem(
    result: Factorization, layout: Layout, labels: Sequence[str]
) -> Components:
    rows = [row for _, row in owners(layout, labels)]
    is_drum = np.array(layout.kinds)[rows] == "drum"
    return Components(
        by_stem(result, layout, labels),
        np.where(is_drum, np.nan, layout.pitches[rows]),
        tuple(layout.start.labels[row] for row in rows),
        by_stem(layout.start, layout, labels),
    )
