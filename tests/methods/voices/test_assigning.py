"""Voices are what a listener would call one player."""

import dataclasses

import numpy as np
import pytest

from specnmf.methods.transcription.heard import N_TIMBRE, Heard
from specnmf.methods.voices.assigning import assign


def timbre(decay, odd=False):
    """A player's timbre: partials that fall by a rate, or the odd ones alone."""
    amplitudes = np.exp(-decay * np.arange(N_TIMBRE))
    amplitudes[1::2] *= 0.05 if odd else 1.0
    return np.sqrt(amplitudes / amplitudes.sum())


BRIGHT, DULL, HOLLOW = timbre(0.1), timbre(0.9), timbre(0.4, odd=True)


def notes(*lines, sounds=None, pans=None, energies=None, confidence=0.8):
    """Heard notes of lines of (start, end, pitch), and the line of each."""
    of = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    start, end, pitch = np.array([note for line in lines for note in line]).T
    order = np.lexsort((pitch, start))
    heard = Heard.of(start, end, pitch, np.full(len(of), confidence))
    of = of[order]
    changes = {"energy": np.ones(len(of)) if energies is None else energies(of)}
    if sounds is not None:
        changes["timbre"] = np.array(sounds)[of]
    if pans is not None:
        changes["pan"] = np.array(pans, float)[of]
    return dataclasses.replace(heard, **changes), of


def line(pitches, length=0.5, start=0.0, share=0.95):
    """Notes one after another; None is a rest."""
    return [
        (start + k * length, start + (k + share) * length, pitch)
        for k, pitch in enumerate(pitches)
        if pitch is not None
    ]


SOPRANO = [72, 74, 76, 77, 76, 74, 72, 71, 72, 74, 72, 71]
BASS = [48, 50, 52, 53, 55, 53, 52, 50, 48, 47, 45, 48]


def test_parallel_lines_are_kept_apart():
    heard, of = notes(line(SOPRANO), line([p - 4 for p in SOPRANO]), line(BASS))
    np.testing.assert_array_equal(assign(heard, 3), of)


def test_the_highest_voice_is_0_whatever_the_order_of_the_notes_entries():
    heard, of = notes(line(BASS), line([None] * 4 + SOPRANO[4:]))
    np.testing.assert_array_equal(assign(heard, 2), 1 - of)


def test_crossing_lines_are_told_apart_by_timbre():
    up, down = list(range(55, 75, 2)), list(range(74, 54, -2))
    calm = [76, 76, 74, 76, 74, 76], [55, 53, 55, 53, 52, 53]
    heard, of = notes(
        line([*calm[0], *down]), line([*calm[1], *up]), sounds=[BRIGHT, HOLLOW]
    )
    np.testing.assert_array_equal(assign(heard, 2), of)


def test_crossing_lines_are_told_apart_by_their_sides():
    up, down = list(range(55, 75, 2)), list(range(74, 54, -2))
    calm = [76, 76, 74, 76, 74, 76], [55, 53, 55, 53, 52, 53]
    heard, of = notes(
        line([*calm[0], *down]),
        line([*calm[1], *up]),
        pans=[[1.6, 0.4], [0.4, 1.6]],
    )
    np.testing.assert_array_equal(assign(heard, 2), of)


def test_a_voice_that_rests_is_found_again():
    heard, of = notes(
        line(SOPRANO), line([60, 62, 64, None, None, None, None, 62, 60, 59, 60, 62])
    )
    np.testing.assert_array_equal(assign(heard, 2), of)


def test_after_a_unison_heard_as_one_note_both_voices_go_on():
    upper = [67, 67, 65, 64, None, 65, 67, 69]
    lower = [60, 62, 62, 62, 62, 62, 60, 60]
    heard, of = notes(line(upper), line(lower), sounds=[BRIGHT, DULL])
    np.testing.assert_array_equal(assign(heard, 2), of)


def test_a_note_that_two_voices_play_at_once_goes_to_both():
    upper, lower = [67, 67, 65, 64, 65, 67, 69], [60, 62, 62, 64, 62, 60, 60]
    heard, _ = notes(line(upper), line(lower))
    said = assign(heard, 2)
    unison = (heard.pitch == 64) & (heard.start == heard.start[heard.pitch == 64][0])
    assert set(said[unison]) == {0, 1}


def test_chords_beside_a_melody_stay_with_their_player():
    melody = line(SOPRANO)
    chords = [
        (k, k + 0.95, p) for k in range(6) for p in ([52, 55, 60], [53, 57, 60])[k % 2]
    ]
    heard, of = notes(melody, chords, sounds=[HOLLOW, DULL])
    np.testing.assert_array_equal(assign(heard, 2), of)


def test_weak_ghosts_displace_no_note():
    ghosts = [(s + 0.02, s + 0.3, p + 12) for s, _, p in line(SOPRANO)[::2]]
    ghosts += [(s, s + 0.4, p + 19) for s, _, p in line(BASS)[1::3]]
    heard, of = notes(
        line(SOPRANO),
        line(BASS),
        ghosts,
        energies=lambda of: np.where(of == 2, 0.04, 1.0),
    )
    said = assign(heard, 2)
    np.testing.assert_array_equal(said[of < 2], of[of < 2])


def test_a_ghost_goes_with_the_note_whose_overtone_it_is():
    ghosts = [(s, s + 0.4, p + 19) for s, _, p in line(BASS)]
    heard, of = notes(
        line(SOPRANO),
        line(BASS),
        ghosts,
        energies=lambda of: np.where(of == 2, 0.04, 1.0),
    )
    assert (assign(heard, 2)[of == 2] == 1).mean() > 0.7


def test_every_voice_sounds_alike_before_a_fit():
    heard, of = notes(line(SOPRANO), line(BASS), energies=lambda of: np.zeros(len(of)))
    np.testing.assert_array_equal(assign(heard, 2), of)


def test_more_voices_than_ever_sound_at_once_are_filled_by_register():
    solo, _ = notes(line([72, 74, 76, 48, 50, 52, 74, 76, 72, 50, 48, 52]))
    said = assign(solo, 2)
    np.testing.assert_array_equal(said, solo.pitch < 60)


def test_voices_that_never_all_sound_are_told_apart_by_timbre():
    first = [72, 74, 76, None, None, None, 76, 74, 72, None, None, None]
    second = [None, None, None, 73, 75, 77, None, None, None, 75, 73, 71]
    heard, of = notes(
        line(first), line(second), line(BASS), sounds=[BRIGHT, HOLLOW, DULL]
    )
    said = assign(heard, 3)
    assert all(len(set(said[of == part])) == 1 for part in range(3))
    assert len(set(said)) == 3


@pytest.mark.kernels
def test_voices_without_notes_leave_no_gap():
    heard, _ = notes(line([60, 62]))
    assert assign(heard, 5).max() <= 1


@pytest.mark.parametrize("n_voices", [1, 2, 4])
def test_a_single_note_is_the_highest_voice(n_voices):
    heard, _ = notes(line([60]))
    np.testing.assert_array_equal(assign(heard, n_voices), [0])


def test_no_notes_have_no_voices():
    said = assign(Heard.of([], [], [], []), 3)
    assert said.shape == (0,)
    assert said.dtype == np.int64


def test_voices_are_the_same_each_time(rng):
    start = np.sort(rng.uniform(0, 10, 60))
    heard = Heard.of(
        start, start + rng.uniform(0.1, 1, 60), rng.integers(40, 80, 60), np.ones(60)
    )
    first = assign(heard, 3)
    np.testing.assert_array_equal(first, assign(heard, 3))
    assert set(first) == {0, 1, 2}
