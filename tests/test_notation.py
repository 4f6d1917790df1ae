"""What pitches and drums are called, and which frequency a pitch has."""

import math

import librosa
import numpy as np
import pytest

from specnmf import ParameterError
from specnmf.notation import (
    drum_name,
    hertz,
    midi_number,
    nearest,
    note_name,
    note_number,
    percent,
    spell_seconds,
)


def test_notes_have_their_names():
    named = {60: "C4", 69: "A4", 61: "C#4", 0: "C-1", 127: "G9", 68.6: "A4"}
    assert {midi: note_name(midi) for midi in named} == named


def test_notes_are_called_as_librosa_calls_them():
    pitches = range(128)
    expected = [librosa.midi_to_note(pitch, unicode=False) for pitch in pitches]
    assert [note_name(pitch) for pitch in pitches] == expected


def test_drums_are_general_midi_s():
    named = {35: "acoustic kick", 36: "kick", 38: "snare", 42: "closed hi-hat"}
    named |= {46: "open hi-hat", 49: "crash", 51: "ride", 56: "cowbell"}
    named |= {60: "high bongo", 75: "claves", 81: "open triangle"}
    assert {drum: drum_name(drum) for drum in named} == named


def test_other_drums_are_numbered():
    assert [drum_name(drum) for drum in (0, 34, 82, 127)] == [
        "drum 0", "drum 34", "drum 82", "drum 127",
    ]  # fmt: skip


def test_drums_have_names_of_their_own():
    assert len({drum_name(drum) for drum in range(128)}) == 128


@pytest.mark.parametrize("midi", [math.nan, math.inf])
def test_what_is_no_number_has_no_name(midi):
    with pytest.raises(ParameterError, match="needs a finite MIDI number"):
        note_name(midi)


def test_frequencies_are_librosas():
    midi = np.linspace(0, 127, 500)
    np.testing.assert_array_equal(hertz(midi), librosa.midi_to_hz(midi))
    np.testing.assert_allclose(midi_number(hertz(midi)), midi, atol=1e-9)
    np.testing.assert_allclose(midi_number(midi + 1), librosa.hz_to_midi(midi + 1))


def test_a_tuning_moves_all_frequencies():
    assert hertz(57, cents=1200) == pytest.approx(440)
    np.testing.assert_allclose(hertz([60, 69], cents=-50), hertz([59.5, 68.5]))


@pytest.mark.parametrize(("midi", "semitone"), [(59.5, 60), (60.49, 60), (-0.5, 0)])
def test_a_pitch_belongs_to_the_nearest_semitone(midi, semitone):
    assert nearest(midi) == semitone


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.12, "12%"),
        (0.5, "50%"),
        (0.0049, "<1%"),
        (1e-6, "<1%"),
        (0.005, "<1%"),
        (0.0051, "1%"),
        (0.997, ">99%"),
        (1 - 1e-6, ">99%"),
        (0.9949, "99%"),
        (0.0, "0%"),
        (-0.0, "0%"),
        (-1e-16, "0%"),
        (1e-16, "0%"),
        (1.0, "100%"),
        (1 + 1e-12, "100%"),
        (1 - 1e-12, "100%"),
        (1.04, "104%"),
        (-0.3, "−30%"),
        (math.nan, "?"),
    ],
)
def test_a_share_in_percent_never_says_nothing_or_all_where_it_is_not(share, said):
    assert percent(share) == said


def test_the_number_of_a_note_is_that_it_was_named_by():
    assert [note_number(note_name(midi)) for midi in range(128)] == [*range(128)]


@pytest.mark.parametrize(
    ("duration", "said"),
    [(0, "0.0 s"), (0.01, "<0.1 s"), (0.05, "<0.1 s"), (0.06, "0.1 s"), (61, "61.0 s")],
)
def test_what_lasts_is_never_said_not_to(duration, said):
    assert spell_seconds(duration) == said
