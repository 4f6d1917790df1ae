"""The parametric model: from a recording and a score on its clock to stems."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import masks
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Float32, Grid, spectra
from specnmf.errors import ScoreError
from specnmf.factor.iterate import Callback
from specnmf.methods.partials.layout import lay_out
from specnmf.methods.partials.model import ScoreModel, fit_model, struck_parts
from specnmf.methods.score_options import ScoreOptions
from specnmf.methods.stem_factors import Components
from specnmf.parallel import workers
from specnmf.score.notes import Score

#: The windows to choose from, in seconds: for tones that last, for what moves
#: faster, and for drums alone.
LONG, MEDIUM, SHORT = 16384 / 44100, 8192 / 44100, 2048 / 44100

#: The long window is taken if it leaves the spectrogram more concentrated than the
#: medium one by this factor.
GAIN = 1.03

#: A part strikes strings if a piano's partials explain this share of its sound.
STRUCK = 0.5

#: The second analysis, for onsets: its window is so many times shorter, and it
#: takes up the first one's amplitudes, so that fewer iterations do.
SHORTER, REFIT = 2, 0.5

#: What is heard of the second analysis: from so many seconds before each onset to
#: so many after, faded in and out over so many.
BEFORE, AFTER, FADE = 0.03, 0.05, 0.03


@dataclass(frozen=True, eq=False)
class PartialStems:
    """A recording taken apart by its score; sound is made when it is asked for.

    Attributes
    ----------
    audio : Audio
        The recording.
    models : tuple of ScoreModel
        One, or one for what lasts and one for onsets.
    onsets : array
        Of the notes, in seconds, rising.
    struck : dict of str to float
        How much of each part's sound a piano's partials explain, 0 to 1.
    """

    audio: Audio
    models: tuple[ScoreModel, ...]
    onsets: NDArray[np.float64]
    struck: dict[str, float]

    @property
    def names(self) -> tuple[str, ...]:
        """The stems."""
        return self.models[0].names

    @property
    def grid(self) -> Grid:
        """Of the analysis that `components` shows."""
        return self.models[0].grid

    @property
    def losses(self) -> NDArray[np.float64]:
        """The cost of that analysis after each iteration."""
        return self.models[0].losses

    @property
    def explained(self) -> float | None:
        """The share of the sound that the score explains, 0 to 1."""
        return self.models[0].explained

    def components(self) -> Components:
        """The model as V ≈ W H."""
        return self.models[0].components()

    def stream(self, settings: ScoreOptions) -> masks.Stream:
        """Yield the stems as sound, block by block; they add up to the recording."""
        streams = [
            masks.stream_of(
                self.audio,
                model.grid,
                model,
                mask=settings.mask,
                power=settings.power,
                threads=settings.threads,
            )
            for model in self.models
        ]
        if len(streams) == 1:
            return streams[0]
        times, weights = _onset_weights(self.onsets)

        def weigh(first: int, n: int) -> Float32:
            t = np.arange(first, first + n) / self.audio.sr
            return np.interp(t, times, weights).astype(np.float32)

        return masks.crossfade(streams[0], streams[1], weigh)


def fit_partials(
    audio: Audio,
    score: Score,
    labels: Sequence[str],
    settings: ScoreOptions,
    *,
    stems: Sequence[str] | None = None,
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
    settings : ScoreOptions
        max_iter, n_fft, hop_length, residual, by, threads.
    stems : sequence of str, optional
        All stems, in order; by default as they first appear.
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
    grid, struck = _choose(heard, score, labels, settings, tuning)
    onsets = np.unique([note.start for note in score.notes])
    fitted: list[ScoreModel] = []
    strings = [part for part, share in struck.items() if share > STRUCK]
    for each in _grids(grid, score):
        iterations = settings.max_iter
        layout = lay_out(score, labels, each, stems=stems, struck=strings)
        if fitted:
            iterations = max(1, round(REFIT * iterations))
        fitted.append(
            fit_model(
                magnitudes(heard, each, threads=settings.threads),
                each,
                layout,
                stretched=np.array([t.part in strings for t in layout.templates], bool),
                tuning=tuning,
                amplitudes=fitted[0].partials.amplitudes if fitted else None,
                max_iter=iterations,
                tol=settings.tol,
                threads=settings.threads,
                callback=None if fitted else callback,
                residual=settings.residual,
                resting=settings.by in ("part", "hand"),
            )
        )
    return PartialStems(audio, tuple(fitted), onsets, struck)


def magnitudes(audio: Audio, grid: Grid, *, threads: int | None = None) -> Float32:
    """|X| of each channel, shape (n_channels, n_frames, n_bins)."""
    V = np.empty((audio.n_channels, grid.n_frames, grid.n_bins), np.float32)

    def fill(frames: slice) -> None:
        np.abs(spectra(audio.samples, grid, frames), out=V[:, frames])

    with workers(threads) as mapper:
        mapper(fill, grid.blocks(64))
    return V


def _one_of_alike(audio: Audio) -> Audio:
    """A recording whose channels are all the same, as one channel."""
    if all(np.array_equal(audio.samples[0], other) for other in audio.samples[1:]):
        return Audio(audio.samples[:1], audio.sr)
    return audio


def _choose(
    audio: Audio,
    score: Score,
    labels: Sequence[str],
    settings: ScoreOptions,
    tuning: float,
) -> tuple[Grid, dict[str, float]]:
    """The window that suits the recording, and which parts are struck strings."""
    grid = _grid(audio, settings, LONG)
    layout = lay_out(score, labels, grid)
    if not len(layout.owner) + len(layout.drums.frame):
        raise ScoreError(
            f"no note of the score sounds within the {audio.duration:.1f} s of the "
            "recording; expected a score on its clock, or use --align always"
        )
    if not len(layout.owner):
        return _grid(audio, settings, SHORT), {}
    V = magnitudes(audio, grid, threads=settings.threads)
    struck = struck_parts(V, grid, layout, tuning=tuning, threads=settings.threads)
    if settings.n_fft is None:
        medium = _grid(audio, settings, MEDIUM)
        spread = _spread(magnitudes(audio, medium, threads=settings.threads))
        if _mostly_struck(score, struck) or spread < GAIN * _spread(V):
            grid = medium
    return grid, struck


def _grid(audio: Audio, settings: ScoreOptions, seconds: float) -> Grid:
    n_fft = settings.n_fft or 2 ** max(4, round(np.log2(seconds * audio.sr)))
    return Grid.of(audio, n_fft, settings.hop_length)


def _grids(grid: Grid, score: Score) -> list[Grid]:
    """The analysis, and where there are pitches a second one for onsets."""
    if all(note.percussion for note in score.notes) or grid.n_fft // SHORTER < 16:
        return [grid]
    n_fft, hop = grid.n_fft // SHORTER, max(1, grid.hop_length // SHORTER)
    return [grid, Grid(grid.sr, grid.n_samples, n_fft - n_fft % 2, hop)]


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


def _onset_weights(
    onsets: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners of a curve that is one around onsets and zero elsewhere."""
    starts, ends = onsets - BEFORE - FADE / 2, onsets + AFTER - FADE / 2
    apart = np.flatnonzero(starts[1:] > ends[:-1] + FADE)
    starts = starts[np.concatenate([[0], apart + 1])]
    ends = ends[np.concatenate([apart, [len(ends) - 1]])]
    times = np.stack([starts, starts + FADE, ends, ends + FADE], axis=1)
    return times.ravel(), np.tile([0.0, 1.0, 1.0, 0.0], len(starts))
