"""Windows: which suit a recording and its score."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from specnmf.audio.recording import Audio
from specnmf.audio.stft import Float32, Grid, channel_magnitudes
from specnmf.errors import ScoreError
from specnmf.methods.partials.schedule import make_schedule
from specnmf.methods.partials.struck import STRUCK, struck_parts
from specnmf.methods.score_options import ScoreOptions
from specnmf.score.notes import Score

#: The windows to choose from, in seconds: for tones that last, for what moves
#: faster, and for drums alone.
LONG, MEDIUM, SHORT = 16384 / 44100, 8192 / 44100, 2048 / 44100

#: The long window is taken if it leaves the spectrogram more concentrated than the
#: medium one by this factor.
GAIN = 1.03

#: The window of the second analysis, for onsets, is so many times shorter.
SHORTER = 2


def choose_window(
    audio: Audio,
    score: Score,
    labels: Sequence[str],
    options: ScoreOptions,
    tuning: float,
) -> tuple[Grid, dict[str, float]]:
    """The window that suits the recording, and which parts are struck strings.

    Parameters
    ----------
    audio, score, labels, options, tuning
        As for `specnmf.methods.partials.fitting.fit_partials`.

    Returns
    -------
    grid : Grid
        Of the analysis.
    struck : dict of str to float
        As of `specnmf.methods.partials.struck.struck_parts`.

    Raises
    ------
    ScoreError
        If no note sounds within the recording.
    """
    grid = _grid(audio, options, LONG)
    schedule = make_schedule(score, labels, grid)
    if not len(schedule.owner) + len(schedule.drums.frame):
        raise ScoreError(
            f"no note of the score sounds within the {audio.duration:.1f} s of the "
            "recording; expected a score on its clock, or use --align always"
        )
    if not len(schedule.owner):
        return _grid(audio, options, SHORT), {}
    V = channel_magnitudes(audio, grid, threads=options.threads)
    struck = struck_parts(V, grid, schedule, tuning=tuning, threads=options.threads)
    if options.n_fft is None:
        medium = _grid(audio, options, MEDIUM)
        spread = _spread(channel_magnitudes(audio, medium, threads=options.threads))
        if _mostly_struck(score, struck) or spread < GAIN * _spread(V):
            grid = medium
    return grid, struck


def analyses(grid: Grid, score: Score) -> list[Grid]:
    """The analysis, and where there are pitches a second one for onsets."""
    if all(note.percussion for note in score.notes) or grid.n_fft // SHORTER < 16:
        return [grid]
    n_fft, hop = grid.n_fft // SHORTER, max(1, grid.hop_length // SHORTER)
    return [grid, Grid(grid.sr, grid.n_samples, n_fft - n_fft % 2, hop)]


def _grid(audio: Audio, options: ScoreOptions, seconds: float) -> Grid:
    n_fft = options.n_fft or 2 ** max(4, round(np.log2(seconds * audio.sr)))
    return Grid.of(audio, n_fft, options.hop_length)


def _spread(V: Float32) -> float:
    """How widely the energy is spread over frames and bins, comparable by window.

    The sum of magnitudes over the root of their energy (Jaillet and Torrésani, "Time-
    frequency jigsaw puzzle", 2007, choose windows by such a measure), where frames
    overlap alike.
    """
    energy = max(float(np.vdot(V, V)), 1e-30)
    return float(V.sum(dtype=np.float64)) / math.sqrt(energy)


def _mostly_struck(score: Score, struck: dict[str, float]) -> bool:
    """Whether struck strings play most of the notes."""
    pitched = [note for note in score.notes if not note.percussion]
    on_strings = sum(struck.get(note.part, 0.0) > STRUCK for note in pitched)
    return 2 * on_strings > len(pitched)
