"""What is known of players, and how unlike them notes are."""

import dataclasses

import numpy as np
import pytest

from specnmf.methods.transcription.heard import N_TIMBRE, Heard
from specnmf.methods.voices.players import PAN, PITCH, TIMBRE, Players, learn

BRIGHT, DULL = np.eye(N_TIMBRE)[:2]


def notes():
    """A high bright note at the left, and a low dull one at the right."""
    heard = Heard.of([0, 1], [1, 2], [72, 48], [1, 1])
    return dataclasses.replace(
        heard, timbre=np.array([BRIGHT, DULL]), pan=np.array([[2.0, 0], [0, 2.0]])
    )


def test_players_are_the_means_of_their_notes():
    players = learn(notes(), np.array([[3.0, 1.0], [1.0, 1.0]]))
    np.testing.assert_allclose(players.centre, [66, 60])
    np.testing.assert_allclose(players.pan, [[1.5, 0.5], [1, 1]])
    np.testing.assert_allclose(np.linalg.norm(players.timbre, axis=1), 1)


def test_a_player_without_notes_stays_as_before():
    before = Players(np.array([70.0, 50.0]), np.array([BRIGHT, DULL]), np.ones((2, 2)))
    players = learn(notes(), np.array([[1.0, 0.0], [1.0, 0.0]]), before)
    assert players.centre.tolist() == [60, 50]
    np.testing.assert_array_equal(players.timbre[1], DULL)


def test_a_player_of_whom_nothing_is_known_is_like_the_mean_of_all():
    players = learn(notes(), np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert players.centre[1] == 60


def test_own_notes_cost_nothing_and_others_by_what_is_unlike():
    heard = notes()
    costs = learn(heard, np.eye(2)).costs(heard)
    np.testing.assert_allclose(np.diag(costs), 0, atol=1e-12)
    assert costs[0, 1] == pytest.approx(24 * PITCH + TIMBRE + 2 * PAN)


def test_timbre_counts_only_where_it_is_known():
    heard = dataclasses.replace(notes(), timbre=np.zeros((2, N_TIMBRE)))
    players = learn(notes(), np.eye(2))
    assert players.costs(heard)[0, 1] == pytest.approx(24 * PITCH + 2 * PAN)
    assert players.costs(heard, register=0, sound=0).max() == 0
