"""The factors of the parametric model: notes and drums as V ≈ W H."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Float32
from specnmf.factor.factorization import Factorization
from specnmf.factor.parametric.partials import Partials
from specnmf.factor.parametric.strikes import Strikes
from specnmf.methods.partials.schedule import Hits, Schedule
from specnmf.notation import drum_name, note_name


def factors_of(
    schedule: Schedule,
    partials: Partials,
    drums: Strikes,
    n_bins: int,
    losses: NDArray[np.float64],
) -> tuple[Factorization, NDArray[np.float64], tuple[str, ...], Factorization]:
    """The factors, pitches, notes and start of `specnmf.methods.stems.ScoreStems`.

    There is one component for each template of each stem. Noise and hammers are not
    notes and are left out.
    """
    notes = _note_components(schedule, partials, n_bins)
    before = _note_components(schedule, partials.untouched(), n_bins)
    struck = _drum_components(schedule, drums)
    names = [note_name(pitch) for pitch in notes.pitches]
    names += [drum_name(int(pitch)) for pitch in struck.pitches]
    unpitched = np.full(len(struck.pitches), np.nan)
    return (
        _joined(notes, struck, schedule.stems, losses),
        np.concatenate([notes.pitches, unpitched]),
        tuple(names),
        _joined(before, struck, schedule.stems),
    )


def add_fading(
    out: Float32, strikes: Strikes, hits: Hits, row: NDArray[np.int64]
) -> None:
    """Add the decaying loudness of each hit to its row of (n_rows, n_frames)."""
    loudness = strikes.loudness()
    for lag in range(loudness.shape[1]):
        frame = hits.frame + lag
        inside = frame < out.shape[1]
        values = strikes.strengths * loudness[hits.template, lag]
        np.add.at(out, (row[inside], frame[inside]), values[inside])


class _Part(NamedTuple):
    """Some components, with the stem and the pitch or drum of each."""

    W: Float32
    H: Float32
    stems: NDArray[np.int64]
    pitches: NDArray[np.float64]


def _joined(
    notes: _Part,
    drums: _Part,
    stems: tuple[str, ...],
    losses: NDArray[np.float64] | None = None,
) -> Factorization:
    return Factorization(
        np.concatenate([notes.W, drums.W], axis=1),
        np.concatenate([notes.H, drums.H]),
        tuple(stems[stem] for stem in (*notes.stems, *drums.stems)),
        np.zeros(0) if losses is None else losses,
    )


def _note_components(schedule: Schedule, partials: Partials, n_bins: int) -> _Part:
    entries = np.stack([schedule.support.template, schedule.owner])
    pairs, number = np.unique(entries, axis=1, return_inverse=True)
    template, stem = pairs
    H = np.zeros((len(template), schedule.support.n_frames), np.float32)
    np.add.at(H, (number, schedule.support.frame), partials.strengths.sum(axis=1))
    spread = np.zeros((len(template), partials.strengths.shape[1]))
    np.add.at(spread, number, partials.strengths)
    pitches = np.array([schedule.templates[c].pitch for c in template], float)
    return _Part(partials.spectra(template, spread, n_bins), H, stem, pitches)


def _drum_components(schedule: Schedule, drums: Strikes) -> _Part:
    """Each drum's mean spectrum and its strength over time."""
    hits = schedule.drums
    entries = np.stack([hits.template, hits.owner])
    pairs, number = np.unique(entries, axis=1, return_inverse=True)
    spectra = drums.spectra.mean(axis=2)
    fading = np.maximum(drums.loudness().sum(axis=1, keepdims=True), 1e-20)
    W = spectra.sum(axis=1) / fading
    H = np.zeros((pairs.shape[1], schedule.support.n_frames), np.float32)
    add_fading(H, drums, hits, number)
    pitches = np.array([hits.templates[drum].pitch for drum in pairs[0]], float)
    return _Part(W[pairs[0]].T, H, pairs[1], pitches)
