"""Periodicity: components that repeat at one period are one group."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specnmf import ParameterError
from specnmf.factor import periodicity
from specnmf.factor.periodicity import group_by_period, rhythms

SECONDS = 0.02


def calls(rng, period, n_frames=1500, jitter=0.02, length=0.1):
    """The activation of a call that is repeated, not quite in time."""
    times = np.arange(n_frames) * SECONDS
    starts = np.cumsum(period * (1 + jitter * rng.standard_normal(n_frames)))
    h = sum((times >= s) & (times < s + length) for s in starts if s < times[-1])
    return h * rng.uniform(0.5, 1.5, n_frames)


def noise(rng, n_frames=1500):
    return np.abs(rng.standard_normal(n_frames))


def gusts(rng, n_frames=1500):
    return np.abs(np.cumsum(rng.standard_normal(n_frames)))


@pytest.mark.parametrize("seed", range(6))
def test_components_are_grouped_by_their_periods(seed):
    rng = np.random.default_rng(seed)
    rows = [calls(rng, 0.5), calls(rng, 0.83), noise(rng), gusts(rng), noise(rng)]
    H = np.array([rows[0], 3 * rows[0] ** 2, rows[1], rows[1] ** 2, *rows[2:]])
    found = group_by_period(H, SECONDS, 2, rng=0)
    assert found.groups.tolist() == [0, 0, 1, 1, -1, -1, -1]
    np.testing.assert_allclose(found.periods, (0.5, 0.83), rtol=0.02)


def test_the_spectra_are_those_of_the_fft_of_the_windowed_activation(rng):
    h = rng.uniform(size=200)
    spectra, frequencies = rhythms(h[np.newaxis], SECONDS)
    window = np.sin(np.pi * (np.arange(200) + 0.5) / 200) ** 2
    expected = [
        abs(
            ((h - np.average(h, weights=window)) * window)
            @ np.exp(-2j * np.pi * k * np.arange(200) / 200)
        )
        for k in range(periodicity.LEAST_REPEATS, 81)
    ]
    np.testing.assert_allclose(spectra[:, 0], expected / np.sum(expected), rtol=1e-9)
    np.testing.assert_allclose(
        frequencies, np.arange(periodicity.LEAST_REPEATS, 81) / (200 * SECONDS)
    )
    assert frequencies[-1] <= periodicity.HIGHEST


@settings(max_examples=5, deadline=None)
@given(
    gain=st.floats(1e-6, 1e6),
    order=st.permutations(range(4)),
    seed=st.integers(0, 99),
)
def test_neither_level_nor_order_matters(gain, order, seed):
    rng = np.random.default_rng(seed)
    one, two = calls(rng, 0.4), calls(rng, 0.9)
    H = np.array([one, two, one**2, two**2])
    gains = np.array([[gain], [1.0], [1.0], [1.0]])
    groups = group_by_period((gains * H)[list(order)], SECONDS, 2, rng=0).groups
    assert groups.tolist() == [[0, 1, 0, 1][k] for k in order]


def test_the_same_seed_gives_the_same_groups(rng):
    H = np.array([calls(rng, p) for p in (0.4, 0.5, 0.6, 0.7, 0.8)])
    one, two = (group_by_period(H, SECONDS, 3, rng=5) for _ in range(2))
    assert (one.groups == two.groups).all()
    np.testing.assert_array_equal(one.periods, two.periods)


def test_silence_and_constants_are_in_no_group(rng):
    H = np.array([calls(rng, 0.5), np.zeros(1500), np.full(1500, 0.3), calls(rng, 0.8)])
    found = group_by_period(H, SECONDS, 2, rng=0)
    assert found.groups.tolist() == [0, -1, -1, 1]


def test_a_group_without_components_is_the_last_and_has_no_period(rng):
    h = calls(rng, 0.5)
    found = group_by_period(np.array([h, h, h]), SECONDS, 3, rng=0)
    used = sorted(set(found.groups.tolist()))
    assert used == list(range(len(used)))
    assert np.isnan(found.periods[len(used) :]).all()


def test_of_a_period_and_its_multiples_the_period_is_told(rng):
    h = calls(rng, 0.3, jitter=0.0)
    (period,) = group_by_period(h[np.newaxis], SECONDS, 1, rng=0).periods
    assert period == pytest.approx(0.3, rel=0.01)


def test_the_period_is_that_of_the_calls_and_not_of_their_pulses(rng):
    times = np.arange(3000) * SECONDS / 4
    h = (times % 0.7 < 0.2) * (times % 0.05 < 0.02) * rng.uniform(0.5, 1.5, 3000)
    (period,) = group_by_period(h[np.newaxis], SECONDS / 4, 1, rng=0).periods
    assert period == pytest.approx(0.7, rel=0.02)


def test_a_steady_trill_has_the_period_of_its_pulses(rng):
    times = np.arange(3000) * SECONDS / 4
    h = (times % 0.08 < 0.03) * rng.uniform(0.9, 1.1, 3000)
    (period,) = group_by_period(h[np.newaxis], SECONDS / 4, 1, rng=0).periods
    assert period == pytest.approx(0.08, rel=0.02)


@pytest.mark.parametrize("n_groups", [0, 4])
def test_more_groups_than_components_are_refused(rng, n_groups):
    with pytest.raises(ParameterError, match=f"3 components make 1 to 3.*{n_groups}"):
        group_by_period(rng.uniform(size=(3, 100)), SECONDS, n_groups, rng=0)


@pytest.mark.parametrize("n_frames", [1, 2, 2 * periodicity.LEAST_REPEATS - 1])
def test_too_short_a_recording_is_refused(rng, n_frames):
    with pytest.raises(ParameterError, match="too short to group by periodicity"):
        group_by_period(rng.uniform(size=(3, n_frames)), SECONDS, 2, rng=0)
