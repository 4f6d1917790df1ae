"""The start of the second analysis: what the first found, on another grid."""

from __future__ import annotations

import numpy as np

from specnmf.audio.stft import Float32, Grid
from specnmf.factor.parametric.noise import Noise
from specnmf.factor.parametric.partials import Partials
from specnmf.methods.partials.schedule import Integers, Schedule, entry_keys

#: The share of each strength that is spread evenly over the detunings: those that the
#: first analysis gave up may come back.
SPREAD = 0.2


def begin_notes(
    partials: Partials,
    schedule: Schedule,
    grid: Grid,
    *,
    found: Partials,
    found_by: tuple[Schedule, Grid],
) -> None:
    """Start notes from those that were found with another window.

    Amplitudes and pans are theirs. The strengths of an entry are those of its template
    and stem in the nearest frame; where there was no such entry, or it was silent, they
    stay as they are. A tone's magnitudes grow with the window.
    """
    before, wide = found_by
    partials.amplitudes, partials.pans = found.amplitudes.copy(), found.pans.copy()
    frame = _nearest(grid, wide)[schedule.support.frame]
    shape = len(before.templates), len(before.stems)
    theirs = entry_keys(
        (before.support.frame, before.support.template, before.owner), shape
    )
    scale = np.float32(grid.n_fft / wide.n_fft)
    for offset in (1, -1, 0):  # the nearest last, so that it counts
        wanted = entry_keys(
            (frame + offset, schedule.support.template, schedule.owner), shape
        )
        place = np.searchsorted(theirs, wanted)
        place[place == len(theirs)] = 0
        heard = (theirs[place] == wanted) & found.strengths[place].any(axis=1)
        partials.strengths[heard] = scale * _spread_out(found.strengths[place[heard]])


def begin_noise(noise: Noise, grid: Grid, *, found: Noise, wide: Grid) -> None:
    """Start noise from the nearest frames; it grows with the window's root."""
    scale = np.float32(np.sqrt(grid.n_fft / wide.n_fft))
    noise.strengths = scale * found.strengths[:, _nearest(grid, wide)]


def _spread_out(strengths: Float32) -> Float32:
    """The same sums, a little nearer to equal detunings."""
    even = strengths.mean(axis=1, keepdims=True)
    spread: Float32 = strengths + np.float32(SPREAD) * (even - strengths)
    return spread


def _nearest(grid: Grid, wide: Grid) -> Integers:
    """The frame of the other grid that is nearest to each frame."""
    nearest = np.rint(grid.times * wide.sr / wide.hop_length).astype(np.int64)
    return np.minimum(nearest, wide.n_frames - 1)
