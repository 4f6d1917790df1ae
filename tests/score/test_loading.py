"""What readers share: seconds out of ticks or quarter notes."""

import numpy as np
import pytest

from specnmf.score.loading import clock


def test_time_is_the_sum_of_what_lies_before(rng):
    places = np.sort(rng.integers(0, 10_000, 200))
    tempi = rng.integers(1, 1000, 200)
    seconds = clock(7, zip(places, tempi, strict=True), per_second=1000)
    rates = np.full(11_000, 7)
    for place, tempo in zip(places, tempi, strict=True):
        rates[place:] = tempo
    for place in rng.integers(0, 11_000, 100):
        assert seconds(place) == pytest.approx(rates[:place].sum() / 1000)


def test_without_changes_time_is_even():
    seconds = clock(0.5, (), per_second=1)
    assert [seconds(place) for place in (0, 1, 2.5)] == [0, 0.5, 1.25]


def test_changes_are_taken_in_order_and_at_one_place_the_last():
    changes = [(4, 3), (2, 100), (2, 2)]
    seconds = clock(1, changes, per_second=1)
    assert [seconds(place) for place in (2, 3, 4, 5)] == [2, 4, 6, 9]


def test_whole_numbers_are_rounded_only_once():
    changes = [(3 * k, 333_333) for k in range(100_000)]
    place = 3 * 100_000
    assert clock(1, changes, per_second=1e6)(place) == 99_999_900_000 / 1e6
