"""The beats of a score: loud and sure notes tell them."""

import numpy as np
import pytest

from specnmf.score.notes import Note, Score
from specnmf.score.rhythm import beats_of


def test_the_beat_lies_on_the_notes():
    score = Score([Note(0.25 + 0.6 * k, 0.5, 60 + k % 5) for k in range(40)])
    beats = beats_of(score, score.duration)
    assert beats.bpm == pytest.approx(100, rel=0.01)
    places = beats.positions([note.start for note in score.notes])
    assert abs(places - np.round(places)).max() < 0.05


@pytest.mark.parametrize("weak", [{"velocity": 5}, {"confidence": 0.05}])
def test_the_beat_lies_on_loud_and_sure_notes(weak):
    notes = [Note(1 + 0.6 * k, 0.3, 60) for k in range(60)]
    notes += [Note(1.3 + 0.6 * k, 0.3, 62, **weak) for k in range(60)]
    beats = beats_of(Score(notes), 40.0)
    places = beats.positions([note.start for note in notes[:60]])
    assert abs(places - np.round(places)).max() < 0.1


def test_no_notes_have_no_beat():
    assert beats_of(Score(()), 10.0) is None
