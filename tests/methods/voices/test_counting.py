"""How many voices a recording has is how many notes sound at once, for long enough."""

import dataclasses

import numpy as np
import pytest

from specnmf.methods.transcription.heard import Heard
from specnmf.methods.voices.counting import MOST, count


def lines(n_lines, n_notes=8, length=0.5, release=0.0, spacing=5):
    """Lines that sound together: start, end and pitch of each note."""
    step, of = (grid.ravel() for grid in np.mgrid[:n_notes, :n_lines])
    start = step * length
    return start, start + length + release, 70 - spacing * of + step % 3


def heard_of(start, end, pitch, energy=None):
    """Heard notes, all equally strong unless energies are given."""
    energy = np.ones(len(start)) if energy is None else energy
    order = np.lexsort((pitch, start))
    heard = Heard.of(start, end, pitch, np.full(len(start), 0.7))
    return dataclasses.replace(heard, energy=np.asarray(energy)[order])


@pytest.mark.parametrize("n_lines", [1, 2, 3, 4])
def test_each_line_is_a_voice(n_lines):
    assert count(heard_of(*lines(n_lines))) == n_lines


@pytest.mark.parametrize("n_lines", [1, 3])
def test_releases_are_no_voices(n_lines):
    assert count(heard_of(*lines(n_lines, release=0.07))) == n_lines


def test_weak_ghosts_are_no_voices():
    start, end, pitch = lines(2)
    twice = np.tile(start, 2), np.tile(end, 2), np.r_[pitch, pitch + 12]
    energy = np.repeat([1.0, 0.05], len(start))
    assert count(heard_of(*twice, energy=energy)) == 2
    assert count(heard_of(*twice)) == 4


def test_a_chord_now_and_then_is_no_voice():
    start, end, pitch = lines(2, n_notes=12)
    chord = [0.0, 0.0], [0.5, 0.5], [90, 95]
    both = (np.r_[a, b] for a, b in zip((start, end, pitch), chord, strict=True))
    assert count(heard_of(*both)) == 2


def test_a_voice_that_rests_for_most_of_the_time_counts():
    start, end, pitch = lines(2, n_notes=12)
    late = (pitch > 66) | (start >= 4.0)
    assert count(heard_of(start[late], end[late], pitch[late])) == 2


def test_silence_between_notes_does_not_count():
    start, _, pitch = lines(3)
    assert count(heard_of(start * 20, start * 20 + 0.4, pitch)) == 3


def test_chords_are_no_more_voices_than_can_be_told_apart():
    assert count(heard_of(*lines(7, spacing=4))) == MOST


def test_notes_count_before_a_fit_too():
    start, end, pitch = lines(3)
    assert count(heard_of(start, end, pitch, energy=np.zeros(len(start)))) == 3


def test_no_notes_are_one_voice():
    assert count(Heard.of([], [], [], [])) == 1


def test_one_note_is_one_voice():
    assert count(heard_of([1.0], [2.0], [60])) == 1
