"""Notes and scores: order, parts, and what MIDI cannot express."""

import math

import numpy as np
import pytest

from specnmf import ScoreError
from specnmf.score.notes import Note, Score, numbered


def test_notes_are_sorted_by_start_pitch_and_part():
    a, b = Note(1.0, 1, 60, part="b"), Note(0.5, 1, 70)
    c, d = Note(1.0, 1, 60, part="a"), Note(1.0, 1, 48)
    assert Score([a, b, c, d]).notes == (b, d, c, a)


def test_any_iterable_of_notes_makes_a_score():
    assert Score(Note(t, 1, 60) for t in (2, 1)).notes[0].start == 1
    assert Score(()).notes == ()


def test_parts_come_in_order_of_first_appearance():
    notes = [Note(2, 1, 60, part="voice"), Note(1, 1, 60, part="piano")]
    notes += [Note(3, 1, 60, part="piano"), Note(0, 1, 60)]
    assert Score(notes).parts == ("", "piano", "voice")


def test_scores_of_the_same_notes_are_equal():
    notes = [Note(1, 1, 60), Note(0, 1, 62)]
    assert Score(notes) == Score(notes[::-1])


def test_a_score_lasts_until_its_last_note_ends():
    assert Score([Note(0, 9, 60), Note(1, 2, 60)]).duration == 9
    assert Score(()).duration == 0


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("abc", "a b c"),
        ("aba", "a b a2"),
        ("aaa", "a a2 a3"),
        (["a", "a", "a 2"], "a a3 a2"),
        (["a", "a 2", "a", "a 2"], "a a2 a3 a22"),
        ("", ""),
    ],
)
def test_names_that_come_again_are_numbered(names, expected):
    different = numbered(names)
    assert [name.replace(" ", "") for name in different] == expected.split()
    assert len(set(different)) == len(names)


def test_a_score_cannot_be_changed():
    with pytest.raises(AttributeError):
        Score(()).notes = (Note(0, 1, 60),)


@pytest.mark.parametrize(
    ("note", "message"),
    [
        (Note(-0.1, 1, 60), "start must be 0 s or more, got -0.1"),
        (Note(math.nan, 1, 60), "start must be 0 s or more, got nan"),
        (Note(0, -1, 60), "duration must be 0 s or more, got -1"),
        (Note(0, math.inf, 60), "duration must be 0 s or more, got inf"),
        (Note(0, 1, 128), "pitch lies between 0 and 127, got 128"),
        (Note(0, 1, -1), "pitch lies between 0 and 127, got -1"),
        (Note(0, 1, 60, velocity=0), "velocity lies between 1 and 127, got 0"),
        (Note(0, 1, 60, velocity=128), "velocity lies between 1 and 127, got 128"),
        (Note(0, 1, 60, staff=-1), "a staff is 0 or more, got -1"),
    ],
)
def test_a_note_beyond_midi_is_refused(note, message):
    with pytest.raises(ScoreError, match=message):
        Score([Note(0, 1, 60), note])


def test_the_edges_of_midi_s_ranges_are_allowed():
    notes = [Note(0, 0, 0, velocity=1), Note(0, 0, 127, velocity=127)]
    assert Score(notes).notes == tuple(notes)


def test_intervals_and_frequencies_come_back_as_they_were():
    intervals = np.array([[0.0, 1.0], [0.5, 0.75]])
    pitches_hz = np.array([440.0, 452.5])
    score = Score.from_intervals(intervals, pitches_hz, part="flute")
    assert [note.pitch for note in score.notes] == [69, 69]
    assert score.parts == ("flute",)
    found, found_hz = score.intervals()
    np.testing.assert_array_equal(found, intervals)
    np.testing.assert_allclose(found_hz, pitches_hz, rtol=1e-12)


def test_percussion_has_no_frequency():
    score = Score([Note(0, 1, 38, percussion=True), Note(1, 1, 69)])
    intervals, pitches_hz = score.intervals()
    assert intervals.tolist() == [[1, 2]]
    assert pitches_hz.tolist() == [440]


def test_a_score_without_notes_has_no_intervals():
    intervals, pitches_hz = Score(()).intervals()
    assert (intervals.shape, pitches_hz.shape) == ((0, 2), (0,))
    assert Score.from_intervals(intervals, pitches_hz) == Score(())


@pytest.mark.parametrize(
    ("intervals", "pitches_hz", "message"),
    [
        ([[0, 1]], [440, 880], r"got shapes \(1, 2\) and \(2,\)"),
        ([0, 1], [440], r"got shapes \(2,\) and \(1,\)"),
        ([[0, 1]], [0], "must be finite and above 0 Hz"),
        ([[1, 0]], [440], "duration must be 0 s or more, got -1"),
    ],
)
def test_intervals_that_are_no_notes_are_refused(intervals, pitches_hz, message):
    with pytest.raises(ScoreError, match=message):
        Score.from_intervals(intervals, pitches_hz)
