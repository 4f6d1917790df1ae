"""Notes that may only fade: after their end, and where their instrument decays."""

import numpy as np
import pytest

from specnmf.factor.parametric import fading, kernels
from specnmf.factor.parametric.fading import ENDED, FREE, HELD, RELEASED, Fading

#: Seconds between frames.
HOP = 0.05

#: What is left in the next frame after the end of a note.
FADED = 10 ** (-fading.RATE / 20 * HOP)


def one_note(*states, instrument=0):
    """A note of these states, a frame each."""
    n = len(states)
    return Fading(np.arange(-1, n - 1), np.array(states), np.full(n, instrument), HOP)


def limited(notes, totals, iteration=fading.ENDED_FROM):
    """The totals of strengths of three detunings after the limit."""
    shares = np.array([0.2, 0.5, 0.3], np.float32)
    strengths = np.outer(totals, shares).astype(np.float32)
    notes.limit(strengths, iteration)
    sums = strengths.sum(axis=1)
    np.testing.assert_allclose(strengths, np.outer(sums, shares), rtol=1e-5)
    return sums


def dense_fade(strengths, previous, most, least):
    """What the kernel does, in plain NumPy."""
    out = strengths.astype(float)
    peaks = np.zeros(len(out))
    for entry, before in enumerate(previous):
        total = out[entry].sum()
        if most[entry] > 1:
            joined = before >= 0 and most[before] > 1
            peaks[entry] = max(total, peaks[before] if joined else 0)
        elif before >= 0:
            peaks[entry] = peaks[before]
            limit = most[entry] * out[before].sum()
            out[entry] *= min(1, limit / total) if total else 0
            out[entry] *= out[entry].sum() > least * peaks[entry]
    return out


@pytest.mark.kernels
def test_the_kernel_does_what_its_twin_does(rng):
    n = 300
    strengths = (rng.random((n, 3)) ** 3).astype(np.float32)
    previous = np.array([-1, *(rng.integers(-1, entry) for entry in range(1, n))])
    most = rng.choice([0.2, 0.9, 1.0, 2.0], n).astype(np.float32)
    expected = dense_fade(strengths, previous, most, 0.1)
    kernels.fade(strengths, previous, most, np.float32(0.1))
    np.testing.assert_allclose(strengths, expected, rtol=1e-4, atol=1e-7)
    assert (strengths.sum(axis=1) == 0).any()


@pytest.mark.kernels
def test_a_note_fades_after_its_end():
    notes = one_note(FREE, HELD, RELEASED, ENDED, ENDED, ENDED)
    sums = limited(notes, [1, 2, 2, 3, 0.5, 3])
    first = 2 * FADED
    np.testing.assert_allclose(sums, [1, 2, 2, first, 0.5, 0.5 * FADED], rtol=1e-5)


@pytest.mark.kernels
def test_what_rings_far_below_its_note_is_given_up():
    quiet = 0.9 * fading.LEAST_SHARE
    sums = limited(one_note(FREE, ENDED, ENDED, ENDED), [1, 0.5, quiet, 1])
    np.testing.assert_allclose(sums, [1, 0.5, 0, 0], rtol=1e-5)


@pytest.mark.kernels
def test_a_soft_note_after_a_loud_one_is_measured_by_itself():
    soft = fading.LEAST_SHARE / 2
    notes = one_note(FREE, ENDED, FREE, ENDED)
    sums = limited(notes, [1, 0.5, soft, 0.5 * soft])
    np.testing.assert_allclose(sums, [1, 0.5, soft, 0.5 * soft], rtol=1e-5)


def pair(rate, n=12):
    """Two notes that begin together, one of ``rate`` dB a second, one steady."""
    previous = np.array([-1, -1, *range(2 * n - 2)])
    state = np.repeat([FREE, HELD, RELEASED], [4, 2 * n - 6, 2])
    notes = Fading(previous, state, np.tile([0, 1], n), HOP)
    totals = np.ones((n, 2))
    totals[:, 0] = 10 ** (rate / 20 * HOP * np.arange(n))
    return notes, totals


@pytest.mark.kernels
@pytest.mark.parametrize("rate", [-30.0, -3.0, 10.0])
def test_held_notes_may_only_fade_where_their_instrument_decays(rate):
    notes, totals = pair(rate)
    totals[6] *= 2
    early = limited(notes, totals.ravel(), fading.DECAYING_FROM - 1)
    np.testing.assert_allclose(early, totals.ravel(), rtol=1e-5)
    sums = limited(notes, totals.ravel(), fading.DECAYING_FROM).reshape(-1, 2)
    decays = rate < -fading.DECAYING
    assert (sums[6, 0] <= 1.001 * sums[5, 0]) == decays
    np.testing.assert_allclose(np.delete(sums, 6, 0), np.delete(totals, 6, 0), 1e-5)
    np.testing.assert_allclose(sums[6, 1], totals[6, 1], rtol=1e-5)


@pytest.mark.kernels
def test_where_all_instruments_decay_their_held_notes_are_free():
    totals = 10 ** (-30 / 20 * HOP * np.arange(12))
    totals[6] *= 2
    notes = one_note(FREE, FREE, *[HELD] * 9, RELEASED)
    sums = limited(notes, totals, fading.DECAYING_FROM)
    np.testing.assert_allclose(sums, totals, rtol=1e-5)


def test_each_instrument_decays_for_itself():
    plucked = 0.5 ** np.arange(6)
    blown = np.ones(6)
    previous = np.array([-1, -1, *range(10)])
    state = np.repeat([FREE, HELD], [2, 10])
    notes = Fading(previous, state, np.tile([0, 1], 6), HOP)
    slopes = notes.slopes(np.stack([plucked, blown], axis=1).ravel())
    np.testing.assert_allclose(slopes, [20 * np.log10(0.5) / HOP, 0], rtol=1e-5)


def test_instruments_whose_notes_are_too_short_do_not_decay():
    assert (one_note(FREE, RELEASED, ENDED).slopes(np.ones(3)) == 0).all()
    nothing = Fading(*np.zeros((3, 0), np.int64), HOP)
    assert len(nothing.slopes(np.zeros(0))) == 0


def test_nothing_is_limited_in_the_first_iterations():
    totals = [1, 2, 3]
    sums = limited(one_note(FREE, ENDED, ENDED), totals, fading.ENDED_FROM - 1)
    np.testing.assert_allclose(sums, totals, rtol=1e-6)
