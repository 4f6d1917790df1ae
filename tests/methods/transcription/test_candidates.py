import numpy as np
import pytest

from specnmf.methods.transcription.builtin import ODDS
from specnmf.methods.transcription.candidates import candidates, evidence, spans
from specnmf.methods.transcription.salience import N_PITCHES, Salience


def silence(n_frames=120, hop=0.01):
    """Salience of nothing, to be written into."""
    notes, onsets = np.zeros((2, N_PITCHES, n_frames), np.float32)
    return Salience(
        notes, onsets, np.arange(n_frames) * hop, np.zeros_like(notes), ODDS
    )


def found_in(salience):
    found = candidates(salience)
    return [*zip(found.row, found.first, found.last, strict=True)]


@pytest.mark.parametrize(
    ("on", "gap", "expected"),
    [
        ("", 0, []),
        ("....", 1, []),
        (".##..", 0, [(1, 3)]),
        ("##.##", 0, [(0, 2), (3, 5)]),
        ("##.##", 1, [(0, 5)]),
        ("#..#.", 1, [(0, 1), (3, 4)]),
    ],
)
def test_spans_go_on_through_gaps(on, gap, expected):
    assert spans(np.array([*on]) == "#", gap) == expected


def test_peak_in_a_span_is_a_candidate_and_one_elsewhere_is_none():
    salience = silence()
    salience.notes[5, 20:60] = 0.5
    salience.onsets[5, [20, 90]] = 0.5
    assert found_in(salience) == [(5, 20, 60)]


def test_peak_just_before_a_span_begins_it():
    salience = silence()
    salience.notes[5, 20:60] = 0.5
    salience.onsets[5, 17] = 0.5
    assert found_in(salience) == [(5, 17, 60)]


def test_span_without_a_peak_begins_a_note_itself():
    salience = silence()
    salience.notes[5, 20:60] = 0.5
    salience.onsets[5, 50] = 0.5
    assert found_in(salience) == [(5, 20, 60), (5, 50, 60)]


def test_of_peaks_near_each_other_the_highest_counts():
    salience = silence()
    salience.notes[5, 20:60] = 0.5
    salience.onsets[5, [20, 23, 26]] = [0.4, 0.6, 0.5]
    assert found_in(salience) == [(5, 23, 60)]


def test_plateau_is_one_peak():
    salience = silence()
    salience.notes[5, 20:60] = 0.5
    salience.onsets[5, 20:40] = 1
    assert found_in(salience) == [(5, 20, 60)]


def test_candidate_lasts_until_the_next_of_its_pitch():
    salience = silence()
    salience.notes[[5, 6], 20:60] = 0.5
    salience.onsets[5, [20, 40]] = 0.5
    salience.onsets[6, 35] = 0.5
    found = candidates(salience)
    assert [*zip(found.row, found.first, found.until(), strict=True)] == [
        (5, 20, 40),
        (5, 40, 60),
        (6, 20, 35),
        (6, 35, 60),
    ]


def test_evidence_is_what_it_says():
    salience = silence()
    salience.notes[17, 20:40] = 0.6
    salience.notes[17, 25] = 0.9
    salience.notes[17, 10:20] = 0.1
    salience.notes[5, 20:40] = 0.4
    salience.onsets[17, 20], salience.onsets[30, 21] = 0.5, 0.8
    found = candidates(salience)
    begins, sounds, before, best, together, below = evidence(salience, found)[1]
    assert (found.row[1], found.first[1]) == (17, 20)
    assert begins == 0
    assert sounds == pytest.approx(np.log(0.615 / 0.385), abs=1e-5)
    assert before == pytest.approx(np.log(0.1 / 0.9), abs=1e-5)
    assert (best, together) == (np.float32(0.9), np.float32(0.8))
    assert below == pytest.approx(0.4)


def test_lowest_octave_has_none_below():
    salience = silence()
    salience.notes[[0, 80], 20:40] = 0.6  # row -12 would be another's
    salience.onsets[0, 20] = 0.5
    assert evidence(salience, candidates(salience))[0, 5] == 0


def test_first_and_last_frames_are_weighed():
    salience = silence()
    salience.notes[5, :3] = salience.notes[6, 118:] = 0.5
    salience.onsets[5, 0] = salience.onsets[6, 117] = 0.5
    weighed = evidence(salience, candidates(salience))
    assert weighed.shape == (2, 6)
    assert np.isfinite(weighed).all()


def test_silence_has_no_candidates():
    found = candidates(silence())
    assert len(found) == 0
    assert evidence(silence(), found).shape == (0, 6)
