"""The start of the second analysis from the first."""

import numpy as np
import pytest

from specnmf import Note, Score
from specnmf.audio.stft import Grid
from specnmf.factor.parametric.noise import Noise
from specnmf.methods.partials.notes import note_layer
from specnmf.methods.partials.refitting import begin_noise, begin_notes
from specnmf.methods.partials.schedule import make_schedule

SR, N = 22050, 44100
WIDE, GRID = Grid(SR, N, 2048, 512), Grid(SR, N, 1024, 256)
SCORE = Score((Note(0.2, 0.8, 60), Note(0.5, 1.0, 64), Note(1.2, 0.6, 60)))


def layer(grid, schedule):
    V = np.ones((2, grid.n_frames, grid.n_bins), np.float32)
    struck = schedule.struck
    return note_layer(
        V, grid, schedule.templates, schedule.support, struck=struck, tuning=0.0
    )


@pytest.fixture
def two():
    """Schedules and layers of both grids."""
    schedules = [make_schedule(SCORE, ["a", "b", "a"], grid) for grid in (GRID, WIDE)]
    layers = [
        layer(grid, each) for grid, each in zip((GRID, WIDE), schedules, strict=True)
    ]
    return schedules, layers


def test_an_entry_starts_at_what_was_found_for_it_then(two):
    (schedule, before), (partials, found) = two
    t = WIDE.times[before.support.frame]
    found.strengths[:] = (1 + t + 10 * before.support.template)[:, None]
    found.amplitudes[:, 0] = 0.7
    begin_notes(partials, schedule, GRID, found=found, found_by=(before, WIDE))
    np.testing.assert_array_equal(partials.amplitudes, found.amplitudes)
    t = GRID.times[schedule.support.frame]
    expected = 0.5 * (1 + t + 10 * schedule.support.template)
    hop = WIDE.hop_length / SR
    assert np.abs(partials.strengths[:, 3] - expected).max() < 0.5 * 1.5 * hop + 1e-6


def test_what_was_silent_keeps_its_own_start(two):
    (schedule, before), (partials, found) = two
    start = partials.strengths.copy()
    found.strengths[before.support.template == 0] = 0
    begin_notes(partials, schedule, GRID, found=found, found_by=(before, WIDE))
    silent = schedule.support.template == 0
    np.testing.assert_array_equal(partials.strengths[silent], start[silent])
    assert (partials.strengths[~silent] != start[~silent]).all()


def test_noise_starts_at_the_nearest_frames(rng):
    bands = rng.random((3, 5)).astype(np.float32)
    found = Noise(bands, strength=1.0, n_channels=1, n_frames=WIDE.n_frames)
    found.strengths[:] = np.arange(WIDE.n_frames)[:, None]
    noise = Noise(bands, strength=9.0, n_channels=1, n_frames=GRID.n_frames)
    begin_noise(noise, GRID, found=found, wide=WIDE)
    assert noise.strengths.shape == (1, GRID.n_frames, 3)
    assert noise.strengths.dtype == np.float32
    expected = np.sqrt(0.5) * np.minimum(np.arange(GRID.n_frames) / 2, WIDE.n_frames)
    assert np.abs(noise.strengths[0, :, 0] - expected).max() < 0.8
