"""Notes as arrays are in order, whichever are taken."""

import numpy as np

from specnmf.methods.transcription.heard import N_TIMBRE, Heard


def notes():
    return Heard.of([1, 0, 0], [2, 3, 0.5], [60, 72, 48], [0.3, 0.2, 0.1])


def test_notes_are_in_order_of_onset_then_pitch():
    heard = notes()
    assert heard.start.tolist() == [0, 0, 1]
    assert heard.pitch.tolist() == [48, 72, 60]
    assert heard.confidence.tolist() == [0.1, 0.2, 0.3]
    assert heard.duration.tolist() == [0.5, 3, 1]


def test_notes_are_taken_by_a_mask_or_by_places():
    heard = notes()
    for chosen in (heard.pitch > 50, np.array([1, 2])):
        some = heard[chosen]
        assert len(some) == 2
        assert some.pitch.tolist() == [72, 60]
        assert (some.timbre.shape, some.pan.shape) == ((2, N_TIMBRE), (2, 1))


def test_there_may_be_none():
    none = Heard.of([], [], [], [])
    assert len(none) == 0
    assert none.timbre.shape == (0, N_TIMBRE)
