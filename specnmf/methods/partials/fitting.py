"""The parametric model: from a recording and a score on its clock to stems."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from specnmf.audio.recording import Audio
from specnmf.audio.stft import channel_magnitudes
from specnmf.factor.iterate import Callback
from specnmf.methods.partials.model import PartialsModel, fit_model
from specnmf.methods.partials.schedule import make_schedule
from specnmf.methods.partials.stems import PartialStems
from specnmf.methods.partials.struck import STRUCK
from specnmf.methods.partials.windows import analyses, choose_window
from specnmf.methods.score_options import ScoreOptions
from specnmf.score.notes import Score

#: The share of the iterations that the second analysis takes, since it starts from the
#: first one's amplitudes.
REFIT = 0.5


def fit_partials(
    audio: Audio,
    score: Score,
    labels: Sequence[str],
    options: ScoreOptions,
    *,
    stems: Sequence[str],
    tuning: float = 0.0,
    callback: Callback | None = None,
) -> PartialStems:
    """Fit a model of the score to a recording.

    Parameters
    ----------
    audio : Audio
        The recording.
    score : Score
        On the recording's clock.
    labels : sequence of str
        The stem of each note.
    options : ScoreOptions
        max_iter, tol, n_fft, hop_length, residual, by, threads.
    stems : sequence of str
        All stems, in order.
    tuning : float
        Cents by which A4 lies above 440 Hz.
    callback : callable, optional
        Called as ``callback(iteration, loss)``.

    Raises
    ------
    ScoreError
        If no note sounds within the recording.
    """
    heard = _one_of_alike(audio)
    grid, struck = choose_window(heard, score, labels, options, tuning)
    strings = [part for part, share in struck.items() if share > STRUCK]
    models: list[PartialsModel] = []
    for each in analyses(grid, score):
        model = fit_model(
            channel_magnitudes(heard, each, threads=options.threads),
            each,
            make_schedule(score, labels, each, stems=stems, struck=strings),
            _shorter(options) if models else options,
            tuning=tuning,
            amplitudes=models[0].partials.amplitudes if models else None,
            callback=None if models else callback,
        )
        models.append(model)
    model = models[0]
    return PartialStems(
        audio,
        grid,
        model,
        model.losses,
        *model.factors(),
        explained=model.explained,
        onsets=np.unique([note.start for note in score.notes]),
        onset_model=models[1] if len(models) > 1 else None,
        struck=struck,
    )


def _shorter(options: ScoreOptions) -> ScoreOptions:
    """The same with the iterations of the second analysis."""
    max_iter = max(1, round(REFIT * options.max_iter))
    return dataclasses.replace(options, max_iter=max_iter)


def _one_of_alike(audio: Audio) -> Audio:
    """A recording whose channels are all the same, as one channel."""
    if all(np.array_equal(audio.samples[0], other) for other in audio.samples[1:]):
        return Audio(audio.samples[:1], audio.sr)
    return audio
