"""The choice of windows for a recording and its score, and of struck strings."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Audio
from specnmf.audio.stft import Float32, Grid, channel_magnitudes, spectra
from specnmf.errors import ScoreError
from specnmf.factor.parametric.fitting import fit
from specnmf.factor.parametric.lobes import Support
from specnmf.methods.partials.notes import note_layer
from specnmf.methods.partials.schedule import Schedule, make_schedule
from specnmf.methods.partials.unpitched import noise_layer
from specnmf.methods.score_options import ScoreOptions
from specnmf.score.notes import Score

#: The windows to choose from, in seconds: for sustained tones, for faster music, and
#: for drums alone.
LONG, MEDIUM, SHORT = 16384 / 44100, 8192 / 44100, 2048 / 44100

#: The long window is chosen if its spectrogram is more concentrated than that of the
#: medium window by this factor.
GAIN = 1.03

#: The window of the second analysis, for onsets, is shorter by this factor.
SHORTER = 2

#: Frames and iterations in which harmonic and stretched partials compete.
TRIAL_FRAMES, TRIAL_ITERATIONS = 120, 12

#: A part has struck strings if a piano's partials explain this share of its sound.
STRUCK = 0.5


def choose_window(
    audio: Audio,
    score: Score,
    labels: Sequence[str],
    options: ScoreOptions,
    tuning: float,
) -> tuple[Grid, dict[str, float]]:
    """The best window for the recording, and the degree to which parts are struck.

    Raises
    ------
    ScoreError
        If no note sounds within the recording.
    """
    grid = _grid(audio, options, LONG)
    schedule = make_schedule(score, labels, grid)
    if not len(schedule.owner) + len(schedule.drums.frame):
        raise ScoreError(
            f"no note of the score is within the {audio.duration:.1f} s of the "
            "recording; expected an aligned score: try --align always"
        )
    if not len(schedule.owner):
        return _grid(audio, options, SHORT), {}
    struck = _struck_parts(audio, grid, schedule, options, tuning=tuning)
    if options.n_fft is not None:
        return grid, struck
    medium = _grid(audio, options, MEDIUM)
    if _mostly_struck(score, struck):
        return medium, struck
    spreads = [
        _spread(channel_magnitudes(audio, each, threads=options.threads))
        for each in (medium, grid)
    ]
    return (medium if spreads[0] < GAIN * spreads[1] else grid), struck


def _struck_parts(
    audio: Audio,
    grid: Grid,
    schedule: Schedule,
    options: ScoreOptions,
    *,
    tuning: float = 0.0,
) -> dict[str, float]:
    """The share of each part's sound that a piano's partials explain, 0 to 1.

    Harmonic and stretched partials compete for some frames of each part; above 0.5 the
    part is a piano or similar.
    """
    frames, support = _trial(schedule)
    n = len(schedule.templates)
    twice = Support(2 * support.edges, _with_copies(support, n))
    chosen = _magnitudes_at(audio, grid, frames)
    struck = np.arange(2 * n) >= n
    notes = note_layer(
        chosen, grid, schedule.templates * 2, twice, struck=struck, tuning=tuning
    )
    noise = noise_layer(chosen, grid)
    layers = [notes, noise]
    fit(chosen, layers, max_iter=TRIAL_ITERATIONS, threads=options.threads)
    played = twice.totals(notes.strengths.sum(axis=1), 2 * n)
    shares = {}
    for part in dict.fromkeys(template.part for template in schedule.templates):
        own = np.array([template.part == part for template in schedule.templates])
        harmonic, stiff = played[:n][own].sum(), played[n:][own].sum()
        shares[part] = float(stiff / max(harmonic + stiff, 1e-20))
    return shares


def _magnitudes_at(audio: Audio, grid: Grid, frames: NDArray[np.int64]) -> Float32:
    """|X| of each channel in some frames, shape (n_channels, len(frames), n_bins)."""
    V = np.empty((audio.n_channels, len(frames), grid.n_bins), np.float32)
    for place, frame in enumerate(frames):
        here = slice(int(frame), int(frame) + 1)
        V[:, place] = np.abs(spectra(audio.samples, grid, here))[:, 0]
    return V


def _with_copies(support: Support, n: int) -> NDArray[np.int64]:
    """The templates of each frame, then the same ones shifted by n."""
    frames = np.split(support.template, support.edges[1:-1])
    both = [np.concatenate([entries, entries + n]) for entries in frames]
    return np.concatenate(both).astype(np.int64)


def _trial(schedule: Schedule) -> tuple[NDArray[np.int64], Support]:
    """A few frames in which each part plays, and the entries there."""
    frame, template = schedule.support.frame, schedule.support.template
    chosen: set[int] = set()
    parts = np.array([t.part for t in schedule.templates])
    for part in dict.fromkeys(parts):
        playing = np.unique(frame[parts[template] == part])
        chosen.update(playing[:: max(1, len(playing) // TRIAL_FRAMES)].tolist())
    frames = np.array(sorted(chosen), np.int64)
    counts = np.diff(schedule.support.edges)[frames]
    edges = np.concatenate([[0], np.cumsum(counts)])
    kept = np.isin(frame, frames)
    return frames, Support(edges, template[kept])


def analyses(grid: Grid, score: Score) -> list[Grid]:
    """The analysis, and if there are pitches a second one for onsets."""
    if all(note.percussion for note in score.notes) or grid.n_fft // SHORTER < 16:
        return [grid]
    n_fft, hop = grid.n_fft // SHORTER, max(1, grid.hop_length // SHORTER)
    return [grid, Grid(grid.sr, grid.n_samples, n_fft - n_fft % 2, hop)]


def _grid(audio: Audio, options: ScoreOptions, seconds: float) -> Grid:
    n_fft = options.n_fft or 2 ** max(4, round(np.log2(seconds * audio.sr)))
    return Grid.of(audio, n_fft, options.hop_length)


def _spread(V: Float32) -> float:
    """The spread of the energy over frames and bins, comparable between windows.

    The sum of magnitudes over the root of their energy, at equal overlap (Jaillet and
    Torrésani, "Time-frequency jigsaw puzzle", 2007, choose windows by a similar
    measure).
    """
    energy = max(float(np.vdot(V, V)), 1e-30)
    return float(V.sum(dtype=np.float64)) / math.sqrt(energy)


def _mostly_struck(score: Score, struck: dict[str, float]) -> bool:
    """Whether struck strings play most of the notes."""
    pitched = [note for note in score.notes if not note.percussion]
    on_strings = sum(struck.get(note.part, 0.0) > STRUCK for note in pitched)
    return 2 * on_strings > len(pitched)
