"""The parametric model: from a recording and an aligned score to stems."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Audio, one_of_alike
from specnmf.audio.resynthesis import Stream, crossfade
from specnmf.audio.stft import Float32, channel_magnitudes
from specnmf.factor.iterate import Callback
from specnmf.methods.partials.factors import factors_of
from specnmf.methods.partials.model import RESIDUAL, PartialsModel, fit_model
from specnmf.methods.partials.schedule import make_schedule
from specnmf.methods.partials.windows import STRUCK, analyses, choose_window
from specnmf.methods.score_options import ScoreOptions
from specnmf.methods.stems import ScoreStems, Sharing
from specnmf.score.notes import Score
from specnmf.subnormals import flush_to_zero

#: The share of the iterations for the second analysis, which starts from what the first
#: found.
REFIT = 0.3

#: The use of the second analysis: seconds before each onset, seconds after it, and the
#: length of the fades.
BEFORE, AFTER, FADE = 0.03, 0.05, 0.03


@dataclass(frozen=True, eq=False, kw_only=True)
class PartialStems(ScoreStems):
    """A recording separated by the parametric model, with a second model for onsets.

    Attributes
    ----------
    onsets : array
        Onsets of the notes, in seconds, rising.
    onset_model : PartialsModel or None
        The model that is used around onsets, if it differs from ``model``.
    struck : dict of str to float
        The share of each part's sound that a piano's partials explain, 0 to 1.
    """

    model: PartialsModel
    onsets: NDArray[np.float64]
    onset_model: PartialsModel | None
    struck: dict[str, float]

    def envelopes(self) -> dict[str, NDArray[np.float64]]:
        """As in `ScoreStems`; the stem of the rest is as loud as its noise."""
        envelopes = super().envelopes()
        if self.model.rest is not None:
            envelopes[self.names[-1]] += self.model.noise.loudness()
        return envelopes

    def stream(self, options: Sharing) -> Stream:
        """As in `ScoreStems`."""
        stream, onset = super().stream(options), self.onset_model
        if onset is None:
            return stream
        times, weights = _onset_weights(self.onsets)

        def weigh(first: int, n: int) -> Float32:
            t = np.arange(first, first + n) / self.audio.sr
            return np.interp(t, times, weights).astype(np.float32)

        short = self._stream(onset.grid, onset, options)
        return crossfade(stream, short, weigh)


@flush_to_zero()
def fit_partials(
    audio: Audio,
    score: Score,
    labels: Sequence[str],
    options: ScoreOptions,
    *,
    stems: Sequence[str],
    tuning: float = 0.0,
    rest: str = RESIDUAL,
    callback: Callback | None = None,
) -> PartialStems:
    """Fit a model of the score to a recording.

    Parameters
    ----------
    score : Score
        In the recording's time.
    labels : sequence of str
        The stem of each note.
    stems : sequence of str
        All stems, in order.
    tuning : float
        Tuning of A4 in cents above 440 Hz.
    rest : str
        The name of the stem for sound that no note explains, if it is kept.
    callback : callable, optional
        Called as ``callback(iteration, loss)``.

    Raises
    ------
    ScoreError
        If no note sounds within the recording.
    """
    heard = one_of_alike(audio)
    grid, struck = choose_window(heard, score, labels, options, tuning)
    strings = [part for part, share in struck.items() if share > STRUCK]
    models: list[PartialsModel] = []
    for each in analyses(grid, score):
        model = fit_model(
            channel_magnitudes(heard, each, threads=options.threads),
            each,
            make_schedule(
                score, labels, each, stems=stems, struck=strings, ringing=True
            ),
            _shorter(options) if models else options,
            tuning=tuning,
            first=models[0] if models else None,
            rest=rest,
            callback=None if models else callback,
        )
        models.append(model)
    onsets = np.unique([note.start for note in score.notes])
    return stems_of(audio, models, onsets=onsets, struck=struck)


def stems_of(
    audio: Audio,
    models: Sequence[PartialsModel],
    *,
    onsets: NDArray[np.float64],
    struck: dict[str, float],
) -> PartialStems:
    """The stems of a recording by one or two models."""
    model = models[0]
    return PartialStems(
        audio,
        model.grid,
        model.losses,
        *factors_of(
            model.schedule,
            model.partials,
            model.drums,
            model.grid.n_bins,
            model.losses,
        ),
        model=model,
        explained=model.explained,
        onsets=onsets,
        onset_model=models[1] if len(models) > 1 else None,
        struck=struck,
    )


def _onset_weights(
    onsets: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corner points of a curve that is 1 around onsets and 0 elsewhere."""
    starts, ends = onsets - BEFORE - FADE / 2, onsets + AFTER - FADE / 2
    apart = np.flatnonzero(starts[1:] > ends[:-1] + FADE)
    starts = starts[np.concatenate([[0], apart + 1])]
    ends = ends[np.concatenate([apart, [len(ends) - 1]])]
    times = np.stack([starts, starts + FADE, ends, ends + FADE], axis=1)
    return times.ravel(), np.tile([0.0, 1.0, 1.0, 0.0], len(starts))


def _shorter(options: ScoreOptions) -> ScoreOptions:
    """The same options with the iterations of the second analysis."""
    max_iter = max(1, round(REFIT * options.max_iter))
    return dataclasses.replace(options, max_iter=max_iter)
