"""Moments in which all voices sound tell which is which."""

import numpy as np
import pytest

from specnmf.methods.transcription.heard import Heard
from specnmf.methods.voices.anchors import anchors, spread, without_anchors


def heard(*notes):
    """Notes of (start, end, pitch), which must be in order."""
    start, end, pitch = np.array(notes, float).T
    return Heard.of(start, end, pitch, np.ones(len(start)))


def test_notes_stand_in_order_of_pitch_as_long_as_all_sound():
    both = heard((0, 2, 60), (1, 3, 72))
    np.testing.assert_allclose(anchors(both, np.ones(2), 2), [[0, 1], [1, 0]])


def test_the_strongest_notes_count_where_more_sound():
    three = heard((0, 1, 48), (0, 1, 60), (0, 1, 72))
    seconds = anchors(three, np.array([1.0, 0.1, 1.0]), 2)
    np.testing.assert_allclose(seconds, [[0, 1], [0, 0], [1, 0]])


def test_a_unison_tells_nothing():
    assert not anchors(heard((0, 1, 60), (0, 1, 60)), np.ones(2), 2).any()


def test_registers_are_filled_evenly():
    line = heard(*[(k, k + 1, 60 + k) for k in range(6)])
    member = spread(line, np.ones(6), 3)
    assert member.argmax(axis=1).tolist() == [2, 2, 1, 1, 0, 0]
    np.testing.assert_array_equal(member.sum(axis=1), 1)


@pytest.mark.parametrize(("n_voices", "n_starts"), [(2, 1), (3, 3)])
def test_one_voice_fewer_has_anchors_and_any_may_be_two(n_voices, n_starts):
    pair = [(0, 1, 60), (0, 1, 72)] if n_voices == 3 else [(0, 1, 60), (1, 2, 72)]
    starts = without_anchors(heard(*pair), np.ones(2), np.ones(2), n_voices)
    assert len(starts) == n_starts
    assert all(member.shape == (2, n_voices) for member in starts)
