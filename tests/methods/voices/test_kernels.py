"""The search for voices finds the cheapest of all."""

import itertools

import numpy as np
import pytest
import reference

from specnmf.methods.voices.kernels import search

WEIGHTS = np.array([0.35, 1.5, 10.0, 0.08, 2.0])


def problem(rng, n, n_voices):
    """Random notes in order of onset, and what each costs in each voice."""
    start = np.sort(rng.uniform(0, 3, n))
    end = start + rng.uniform(0.2, 1.0, n)
    cost_of = rng.uniform(0, 4, (n, n_voices + 1))
    cost_of[:, -1] += 2
    return start, end, rng.integers(50, 70, n), cost_of


@pytest.mark.kernels
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_voices", [2, 3])
def test_search_finds_the_cheapest_of_all_voices(seed, n_voices):
    notes = problem(np.random.default_rng(seed), 6, n_voices)
    said = np.zeros(6, np.int64)
    total = search(*notes, WEIGHTS, 100, said)
    every = itertools.product(range(n_voices + 1), repeat=6)
    least = min(reference.voices_cost(each, *notes, WEIGHTS) for each in every)
    assert total == pytest.approx(least)
    assert total == pytest.approx(reference.voices_cost(said, *notes, WEIGHTS))


def test_search_gives_what_its_voices_cost(rng):
    notes = problem(rng, 30, 4)
    said = np.zeros(30, np.int64)
    total = search(*notes, WEIGHTS, 100, said)
    assert total == pytest.approx(reference.voices_cost(said, *notes, WEIGHTS))


def test_a_wider_search_is_no_dearer(rng):
    notes = problem(rng, 30, 4)
    said = np.zeros(30, np.int64)
    narrow, wide = (search(*notes, WEIGHTS, width, said) for width in (5, 200))
    assert wide <= narrow + 1e-9


@pytest.mark.kernels
def test_equally_cheap_voices_go_to_the_first():
    said = np.zeros(1, np.int64)
    start, end, pitch = np.zeros(1), np.ones(1), np.array([60])
    search(start, end, pitch, np.ones((1, 3)), WEIGHTS, 10, said)
    assert said[0] == 0
