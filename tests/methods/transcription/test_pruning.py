"""Unlikely notes go; their time may belong to the note before."""

import numpy as np
import pytest

from specnmf.methods.transcription.heard import Heard
from specnmf.methods.transcription.pruning import GAP, KEPT, prune

LIKELY, UNLIKELY = KEPT + 0.1, KEPT - 0.1


def test_likely_notes_stay_as_they_are():
    heard = Heard.of([0, 1], [1, 2], [60, 60], [LIKELY, KEPT])
    kept, places = prune(heard)
    assert places.tolist() == [0, 1]
    np.testing.assert_array_equal(kept.end, heard.end)


@pytest.mark.parametrize(("gap", "end"), [(0.5 * GAP, 2), (2 * GAP, 1)])
def test_an_unlikely_onset_that_follows_at_once_is_the_rest_of_a_note(gap, end):
    heard = Heard.of([0, 1 + gap], [1, 2], [60, 60], [LIKELY, UNLIKELY])
    kept, places = prune(heard)
    assert (kept.end.tolist(), places.tolist()) == ([end], [0])


def test_several_unlikely_onsets_in_a_row_are_the_rest_of_one_note():
    heard = Heard.of([0, 1, 2], [1, 2, 3], [60] * 3, [LIKELY, UNLIKELY, UNLIKELY])
    assert prune(heard)[0].end.tolist() == [3]


def test_a_note_of_another_pitch_grows_by_none():
    heard = Heard.of([0, 1], [1, 2], [60, 62], [LIKELY, UNLIKELY])
    assert prune(heard)[0].end.tolist() == [1]


def test_the_notes_given_are_not_changed():
    heard = Heard.of([0, 1], [1, 2], [60, 60], [LIKELY, UNLIKELY])
    prune(heard)
    assert heard.end.tolist() == [1, 2]
