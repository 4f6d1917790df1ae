"""Struck strings: the parts whose partials are stretched like a piano's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Float32, Grid
from specnmf.factor.parametric.fitting import fit
from specnmf.factor.parametric.lobes import Support
from specnmf.methods.partials.noise import noise_layer
from specnmf.methods.partials.notes import note_layer
from specnmf.methods.partials.schedule import Schedule

#: Frames and iterations in which harmonic and stretched partials compete.
TRIAL_FRAMES, TRIAL_ITERATIONS = 120, 12

#: A part strikes strings if a piano's partials explain this share of its sound.
STRUCK = 0.5


def struck_parts(
    V: Float32,
    grid: Grid,
    schedule: Schedule,
    *,
    tuning: float = 0.0,
    threads: int | None = None,
) -> dict[str, float]:
    """The share of each part's sound that a piano's partials explain, 0 to 1.

    Harmonic and stretched partials compete for some frames of each part; above a
    half the part is a piano's or the like.

    Parameters
    ----------
    V, grid, schedule, tuning, threads
        As for `specnmf.methods.partials.model.fit_model`.
    """
    frames, support = _trial(schedule)
    n = len(schedule.templates)
    twice = Support(2 * support.edges, _with_copies(support, n))
    chosen = np.ascontiguousarray(V[:, frames])
    struck = np.arange(2 * n) >= n
    notes = note_layer(
        chosen, grid, schedule.templates * 2, twice, struck=struck, tuning=tuning
    )
    noise = noise_layer(chosen, grid)
    fit(chosen, [notes, noise], max_iter=TRIAL_ITERATIONS, threads=threads)
    played = twice.totals(notes.strengths.sum(axis=1), 2 * n)
    shares = {}
    for part in dict.fromkeys(template.part for template in schedule.templates):
        own = np.array([template.part == part for template in schedule.templates])
        harmonic, stiff = played[:n][own].sum(), played[n:][own].sum()
        shares[part] = float(stiff / max(harmonic + stiff, 1e-20))
    return shares


def _with_copies(support: Support, n: int) -> NDArray[np.int64]:
    """The templates of each frame, then the same n further on."""
    frames = np.split(support.template, support.edges[1:-1])
    both = [np.concatenate([entries, entries + n]) for entries in frames]
    return np.concatenate(both).astype(np.int64)


def _trial(schedule: Schedule) -> tuple[NDArray[np.int64], Support]:
    """Some frames in which each part plays, and the entries there."""
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
