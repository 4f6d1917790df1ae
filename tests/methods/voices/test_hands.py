import numpy as np
import pytest

from specnmf.methods.transcription.heard import Heard
from specnmf.methods.voices.hands import LEFT, RIGHT, hands
from specnmf.methods.voices.hands.searching import chords


def heard(notes):
    """Notes of (start, duration, pitch), in order of time and pitch."""
    start, duration, pitch = np.array(notes, float).reshape(-1, 3).T
    return Heard.of(start, start + duration, pitch, np.ones(len(start)))


def played(right, left):
    """The notes of two hands, and whose each is."""
    notes = heard([*right, *left])
    whose = {(s, p): RIGHT for s, _, p in right} | {(s, p): LEFT for s, _, p in left}
    keys = zip(notes.start.tolist(), notes.pitch.tolist(), strict=True)
    return notes, [whose[key] for key in keys]


def line(pitches, step=0.5, start=0.0, length=0.45):
    return [(start + step * k, length, pitch) for k, pitch in enumerate(pitches)]


def struck(chords_, step=0.5, length=0.4, start=0.0):
    return [(start + step * k, length, p) for k, c in enumerate(chords_) for p in c]


def assert_played(right, left):
    notes, expected = played(right, left)
    assert hands(notes).tolist() == expected


def test_a_held_melody_is_apart_from_the_chords_repeated_below():
    triads = [(55, 59, 64)] * 6 + [(54, 57, 64)] * 6 + [(54, 57, 63)] * 6
    melody = [(3.0 * k, 2.4, 71) for k in range(3)]
    melody += [(3.0 * k + 2.5, 0.5, 72) for k in range(3)]
    assert_played(melody, struck(triads))


def test_a_melody_may_cross_middle_c():
    bass = struck([(36, 43), (34, 41), (36, 43), (31, 38)] * 2, step=2, length=1.9)
    descent = [72, 71, 69, 67, 65, 64, 62, 60, 59, 57, 55, 57, 59, 60, 62, 64] * 2
    assert_played(line(descent), bass)


def test_both_hands_may_lie_above_middle_c():
    left = struck([(65, 69), (65, 72), (67, 70), (65, 69)] * 3, step=1, length=0.9)
    assert_played(line([84, 86, 88, 89, 91, 89, 88, 86] * 3), left)


def test_the_left_hand_leaps_from_bass_to_chord():
    stride = [(36,), (55, 60, 64), (31,), (53, 59, 62)] * 4
    melody = line([76, 79, 84, 83, 81, 79, 77, 74] * 4, step=0.25, length=0.22)
    assert_played(melody, struck(stride))


def test_full_chords_are_split_between_the_hands():
    both = [((36, 43, 48, 52), (64, 67, 72, 76)), ((38, 45, 50, 53), (65, 69, 74, 77))]
    left, right = (struck([each[k] for each in both * 3]) for k in (0, 1))
    assert_played(right, left)


def test_five_notes_of_one_chord_may_be_one_hands():
    left = struck([(36,), (43,)] * 4)
    assert_played(struck([(60, 64, 67, 70, 72), (62, 65, 67, 71, 74)] * 4), left)


@pytest.mark.kernels
@pytest.mark.parametrize(("lowest", "hand"), [(72, RIGHT), (36, LEFT)])
def test_a_line_alone_is_one_hands(lowest, hand):
    notes = heard(line([lowest + step for step in (0, 2, 4, 5, 7, 5, 4, 2) * 4]))
    assert hands(notes).tolist() == [hand] * 32


@pytest.mark.kernels
@pytest.mark.parametrize(("pitch", "hand"), [(76, RIGHT), (40, LEFT)])
def test_a_single_note_is_the_nearer_hands(pitch, hand):
    assert hands(heard([(0.0, 1.0, pitch)])).tolist() == [hand]


def test_no_notes_are_nobodys():
    assert hands(heard([])).shape == (0,)


def test_notes_of_a_chord_that_do_not_begin_at_once_are_told_apart_alike():
    even = struck([(48, 52, 55, 72, 76, 79)] * 4)
    uneven = [(s + 0.008 * (k % 6), d, p) for k, (s, d, p) in enumerate(even)]
    assert hands(heard(uneven)).tolist() == hands(heard(even)).tolist()


def test_every_key_at_once_is_divided():
    found = hands(heard([(0.0, 1.0, pitch) for pitch in range(21, 109)]))
    assert (np.diff(found) <= 0).all()


def test_the_same_notes_give_the_same_hands(rng):
    start, pitch = 40 * rng.random(300), rng.integers(30, 90, 300)
    notes = list(zip(start, np.full(300, 0.3), pitch, strict=True))
    assert hands(heard(notes)).tobytes() == hands(heard(notes)).tobytes()


def test_chords_are_cut_where_notes_begin_apart():
    notes = heard([(0.0, 1, 64), (0.03, 1, 60), (0.2, 1, 50), (0.3, 1, 40)])
    order, bounds = chords(notes)
    assert notes.pitch[order].tolist() == [60, 64, 50, 40]
    assert bounds.tolist() == [0, 2, 3, 4]
