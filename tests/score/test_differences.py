"""Differences: stuck notes, and what either side has."""

import numpy as np
import pytest
from playing import errors, numbered, piece, played, rubato, warped

from specnmf.score.align import align
from specnmf.score.differences import named, stuck_notes, told
from specnmf.score.notes import Note, Score
from specnmf.score.passages import Leap


def held(score, *notes):
    """The score with more notes, which have no number of their own."""
    return Score((*score.notes, *(note._replace(staff=9999) for note in notes)))


def own(alignment):
    """The alignment's notes less those that were added."""
    return [note for note in alignment.score.notes if note.staff != 9999]


@pytest.mark.parametrize("seconds", [20.0, 60.0, 300.0, 3600.0, 36000.0])
@pytest.mark.parametrize("begins", [0.0, 0.5, 1.0])
def test_a_stuck_note_is_named_and_cut(rng, seconds, begins):
    truth = piece(rng)
    slow = warped(truth, lambda second: second * 1.2)
    start = begins * (slow.duration - 0.1)
    stuck = Note(start, seconds + slow.duration - start, 70, 80, "flute")
    recording = played(truth, rng)
    alignment = align(held(slow, stuck), recording)
    assert alignment.confidence > 0.9
    (remark,) = alignment.remarks
    assert remark == (
        "a note seems stuck and ends where the recording does: A#4 of flute "
        f"({start:.1f} s to {start + stuck.duration:.1f} s)"
    )
    last = max(note.start + note.duration for note in alignment.score.notes)
    assert last < recording.duration + 0.5
    plain = align(slow, recording)
    np.testing.assert_allclose(
        [note.start for note in own(alignment)],
        [note.start for note in plain.score.notes],
        atol=0.05,
    )


def test_several_stuck_notes_are_counted(rng):
    truth = piece(rng)
    stuck = [Note(2.0 + k, 30.0 + 10 * k, 60 + k, 80, "x") for k in range(5)]
    alignment = align(held(truth, *stuck), played(truth, rng))
    (remark,) = alignment.remarks
    assert remark.startswith("notes seem stuck and end where the recording does")
    assert remark.endswith(", 2 more")


def test_a_score_in_time_keeps_its_other_notes(rng):
    truth = piece(rng)
    recording = played(truth, rng)
    alignment = align(held(truth, Note(3.0, 300.0, 70)), recording)
    assert not alignment.warped
    assert tuple(own(alignment)) == truth.notes
    (cut,) = set(alignment.score.notes) - set(truth.notes)
    assert cut.start + cut.duration == pytest.approx(recording.duration)


def test_mode_never_leaves_a_stuck_note_and_names_it(rng):
    truth = piece(rng)
    score = held(truth, Note(3.0, 300.0, 70))
    alignment = align(score, played(truth, rng), mode="never")
    assert alignment.score is score
    assert "stuck" in alignment.remarks[0]


def test_a_drone_and_a_long_last_chord_are_not_stuck(rng):
    truth = piece(rng)
    drone = Note(0.0, truth.duration, 38, 80, "drone")
    chord = [Note(truth.duration, 9.0, pitch, 80, "organ") for pitch in (48, 52, 55)]
    score = numbered([*truth.notes, drone, *chord])
    alignment = align(warped(score, rubato), played(score, rng))
    assert alignment.remarks == ()
    assert len(alignment.score.notes) == len(score.notes)
    assert np.quantile(errors(alignment, score)[0], 0.9) < 0.03


@pytest.mark.parametrize("seconds", [600.0, 36000.0])
def test_a_note_that_comes_long_after_the_rest_is_left_out(rng, seconds):
    truth = piece(rng)
    late = Note(seconds, 1.0, 70, 80, "flute")
    alignment = align(held(warped(truth, rubato), late), played(truth, rng))
    (remark,) = alignment.remarks
    assert "is missing from the recording" in remark
    assert f"to {late.start + 1:.1f} s" in remark
    assert np.quantile(errors(alignment, truth)[0], 0.9) < 0.03


def leap(begin, end, silent=(False, False)):
    return Leap(begin, end, silent)


AROUND = leap((0.0, 0.0), (0.0, 0.0)), leap((50.0, 60.0), (50.0, 60.0))


def words(middle, *notes, lost=()):
    score = Score((*notes, *lost))
    return list(told([AROUND[0], middle, AROUND[1]], score, set(notes)))


def test_pauses_are_told_from_what_is_missing():
    paused = leap((9.0, 10.0), (9.0, 14.0), (False, True))
    assert words(paused) == [
        "the recording pauses from 10.0 s to 14.0 s, but not the score "
        "(there, at 9.0 s)"
    ]
    resting = leap((9.0, 10.0), (13.0, 10.2), (True, False))
    assert words(resting) == [
        "the score pauses from 9.0 s to 13.0 s, but not the recording "
        "(there, at 10.0 s)"
    ]
    assert words(leap((9.0, 10.0), (9.0, 14.0))) == [
        "the recording from 10.0 s to 14.0 s is missing from the score "
        "(there, at 9.0 s)"
    ]


def test_a_pause_of_both_is_not_worth_a_word():
    assert words(leap((9.0, 10.0), (11.0, 30.0), (True, True))) == []


def test_a_note_held_over_a_leap_of_the_score_is_not_worth_a_word():
    held = leap((9.0, 10.0), (15.0, 10.0), (True, False))
    assert words(held, Note(4.0, 11.0, 60)) == []
    assert len(words(held, Note(4.0, 6.0, 60))) == 1


def test_a_note_in_a_pause_of_the_score_is_missing():
    pause = leap((9.0, 10.0), (30.0, 10.0), (True, False))
    (remark,) = words(pause, lost=[Note(20.0, 1.0, 60)])
    assert "the score from 9.0 s to 30.0 s is missing from" in remark


def test_silence_before_and_after_is_no_matter():
    silent = [
        leap((0.0, 0.0), (0.0, 9.0), (False, True)),
        leap((50.0, 60.0), (50.0, 90.0), (False, True)),
    ]
    assert list(told(silent, Score(()), set())) == []


def test_what_goes_on_in_the_score_is_not_stuck():
    end = leap((50.0, 60.0), (90.0, 60.0))
    pedal, other = Note(40.0, 30.0, 36), Note(40.0, 19.0, 48)
    next_bar = Note(52.0, 1.0, 60)
    assert stuck_notes([AROUND[0], end], Score((pedal, other))) == [pedal]
    assert stuck_notes([AROUND[0], end], Score((pedal, next_bar))) == []


def test_no_stuck_note_no_word():
    assert list(named([])) == []
