"""Tightening: scores less what is too long."""

import numpy as np

from specnmf.score.notes import Note
from specnmf.score.tightening import tightened


def times(notes):
    return [(note.start, note.duration) for note in notes]


def test_a_score_without_long_gaps_only_begins_at_0():
    notes = [Note(1.25, 0.5, 60), Note(2.0, 9.5, 62), Note(11.0, 10.0, 64)]
    tight = tightened(notes, 10.0)
    assert times(tight.notes) == [(0.0, 0.5), (0.75, 9.5), (9.75, 10.0)]
    seconds = np.array([-1.0, 0.0, 5.0, 99.0])
    np.testing.assert_array_equal(tight.written(seconds), seconds + 1.25)


def test_an_hour_without_a_beginning_is_cut_short():
    notes = [Note(1.0, 1.0, 60), Note(3601.0, 1.0, 62), Note(3602.0, 1.0, 64)]
    tight = tightened(notes, 10.0)
    assert times(tight.notes) == [(0.0, 1.0), (10.0, 1.0), (11.0, 1.0)]
    written = tight.written(np.array([0.0, 1.0, 9.9, 10.0, 12.0]))
    np.testing.assert_allclose(written, [1.0, 2.0, 10.9, 3601.0, 3603.0])


def test_notes_held_over_a_gap_and_after_the_last_are_cut_short():
    held = [Note(0.0, 100.0, 60), Note(50.0, 0.5, 62), Note(50.0, 7200.0, 64)]
    tight = tightened(held, 10.0)
    assert times(tight.notes) == [(0.0, 20.0), (10.0, 0.5), (10.0, 10.0)]
