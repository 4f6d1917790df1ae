"""The memory of a run: what is held, what is left on disk, what is refused."""

import pytest

from specnmf import ParameterError, Settings
from specnmf.methods.components import budget
from specnmf.methods.components.budget import Budget
from specnmf.sizes import parse_size

HOUR = 3600 * 44_100


def for_song(memory="2G", n_components=8, n_channels=2, **options):
    settings = Settings(memory=parse_size(memory), **options)
    return Budget(settings, n_components, 44_100, n_channels)


def test_by_default_songs_are_held_and_concerts_are_not():
    assert 15 * 60 * 44_100 < for_song().most_samples() < HOUR


def test_ten_hours_fit_into_the_default():
    assert for_song(n_channels=1).sample_size(10 * HOUR) == budget.MOST_SAMPLE


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ({"n_channels": 2}, {"n_channels": 8}),
        ({"n_components": 8}, {"n_components": 256}),
        ({"hop_length": 512}, {"hop_length": 128}),
        ({"memory": "4G"}, {"memory": "2G"}),
    ],
)
def test_less_is_held_of_what_takes_more(more, less):
    assert for_song(**more).most_samples() > 1.2 * for_song(**less).most_samples()


def test_a_small_budget_learns_from_a_smaller_sample():
    sizes = [for_song(m).sample_size(HOUR) for m in ("600M", "700M", "4G")]
    assert budget.LEAST_SAMPLE < sizes[0] < sizes[1] < sizes[2] == budget.MOST_SAMPLE


@pytest.mark.parametrize(
    ("hours", "options"), [(0.1, {}), (10, {}), (10, {"n_components": 128})]
)
def test_too_small_a_budget_is_refused_with_the_least_that_works(hours, options):
    with pytest.raises(ParameterError, match=r"got 100M; use --memory \d+M$") as error:
        for_song("100M", **options).sample_size(int(hours * HOUR))
    least = str(error.value).rpartition(" ")[2]
    assert for_song(least, **options).sample_size(int(hours * HOUR)) >= 4096
