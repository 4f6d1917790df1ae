"""Onsets move halfway to where a fit says that a note rises."""

from types import SimpleNamespace

import numpy as np
import pytest

from specnmf.methods.transcription.edges import EARLIER, MOVED, SHORTEST, refine_onsets
from specnmf.methods.transcription.heard import Heard

TIMES = np.arange(0, 2, 0.01)


def moved(heard, *strengths):
    """The notes after a fit that gives them these strengths."""
    fit = SimpleNamespace(courses=lambda: iter([(TIMES, s) for s in strengths]))
    return refine_onsets(heard, fit)


def rise(at):
    """A strength that is all there from a moment on."""
    return (at <= TIMES).astype(float)


def one(start, end=1.5):
    return Heard.of([start], [end], [60], [0.9])


@pytest.mark.parametrize("wrong_by", [-0.06, 0.06])
def test_an_onset_moves_by_its_share_of_the_way(wrong_by):
    found = moved(one(0.5 + wrong_by), rise(0.5))
    expected = 0.5 + (1 - MOVED) * wrong_by
    assert found.start[0] == pytest.approx(expected, abs=0.006)


def test_a_rise_too_far_away_is_not_the_notes():
    assert moved(one(0.5), rise(0.5 - 2 * EARLIER)).start[0] == 0.5


@pytest.mark.parametrize("strength", [np.zeros_like(TIMES), np.ones_like(TIMES)])
def test_an_onset_stays_where_nothing_rises(strength):
    assert moved(one(0.5), strength).start[0] == 0.5


def test_a_note_keeps_a_least_length():
    found = moved(one(0.45, end=0.46), rise(0.46))
    assert found.duration[0] >= SHORTEST - 1e-9


def test_notes_are_put_in_order_again():
    heard = Heard.of([0.50, 0.51], [1.5, 1.5], [60, 48], [0.9, 0.9])
    found = moved(heard, rise(0.58), rise(0.45))
    assert found.pitch.tolist() == [48, 60]
    assert (np.diff(found.start) > 0).all()
