from pathlib import Path

import numpy as np
import pytest

import specnmf
from specnmf.methods.transcription import basic_pitch
from specnmf.methods.transcription.basic_pitch import BasicPitch
from specnmf.methods.transcription.builtin import ODDS
from specnmf.methods.transcription.picking import (
    LEAD,
    LEAST,
    LINGER,
    likelihood,
    pick,
)
from specnmf.methods.transcription.salience import LOWEST, N_PITCHES, Salience

EXAMPLES = Path(__file__).parents[3] / "audio_examples"

HOP = 256 / 22_050


def salience(notes, n_frames=300, *, cents=0.0, since=0.0, odds=ODDS):
    """Salience of (pitch, first frame, frame after the last, onset, level) notes."""
    shape = (N_PITCHES, n_frames)
    sounding, onsets = np.full(shape, 0.02, np.float32), np.zeros(shape, np.float32)
    for pitch, first, until, onset, level in notes:
        sounding[pitch - LOWEST, first:until] = level
        onsets[pitch - LOWEST, first - 1 : first + 2] = [onset / 2, onset, onset / 2]
    times = since + np.arange(n_frames) * HOP
    sharp = np.full(shape, cents, np.float32)
    return Salience(sounding, onsets, times, sharp, odds)


def clear(pitch, first, until):
    """A note that nobody doubts."""
    return pitch, first, until, 0.9, 0.8


def test_clear_notes_are_picked_in_order():
    heard = pick(
        salience([clear(67, 100, 150), clear(60, 20, 80), clear(64, 100, 180)])
    )
    assert heard.pitch.tolist() == [60, 64, 67]
    np.testing.assert_allclose(heard.start, np.array([20, 100, 100]) * HOP - LEAD)
    np.testing.assert_allclose(heard.end, np.array([80, 180, 150]) * HOP + LINGER)
    assert (heard.confidence > 0.9).all()
    assert (heard.confidence <= 1).all()


def test_repeated_note_is_two():
    again = salience([clear(60, 20, 150), (60, 90, 150, 0.9, 0.8)])
    again.notes[60 - LOWEST, 80:90] = 0.35  # let go, but not silent
    heard = pick(again)
    np.testing.assert_allclose(heard.start, np.array([20, 90]) * HOP - LEAD)
    assert heard.end[0] <= 80 * HOP + LINGER + 1e-9


def test_doubtful_onset_in_a_note_does_not_cut_it():
    doubtful = salience([clear(60, 20, 150), (60, 90, 150, 0.2, 0.8)])
    heard = pick(doubtful)
    assert len(heard) == 1
    assert heard.end[0] == pytest.approx(150 * HOP + LINGER)


def test_gap_in_salience_does_not_end_a_note():
    gap = salience([clear(60, 20, 150)])
    gap.notes[60 - LOWEST, 70:75] = 0.1
    assert pick(gap).duration[0] == pytest.approx(130 * HOP + LEAD + LINGER)


def test_note_ends_where_it_has_faded():
    fading = salience([clear(60, 20, 100)])
    fading.notes[60 - LOWEST, 100:140] = 0.4
    assert pick(fading).end[0] == pytest.approx(100 * HOP + LINGER)


def test_notes_of_a_pitch_never_overlap():
    rng = np.random.default_rng(0)
    noise = rng.random((N_PITCHES, 400)).astype(np.float32)
    smooth = np.apply_along_axis(np.convolve, 1, noise, np.ones(20) / 12, "same")
    wild = Salience(smooth, noise, np.arange(400) * HOP, np.zeros_like(noise), ODDS)
    heard = pick(wild, keen=10)
    assert len(heard) > 20
    for pitch in np.unique(heard.pitch):
        own = heard[heard.pitch == pitch]
        assert (own.end[:-1] <= own.start[1:]).all()


def test_onset_between_frames_is_found():
    late = salience([clear(60, 20, 80)])
    late.onsets[60 - LOWEST, 19:22] = [0.5, 0.9, 0.8]
    start = pick(late).start[0] + LEAD
    assert 20.25 * HOP < start < 20.5 * HOP


def test_octave_above_a_sounding_note_is_less_likely_to_basic_pitch():
    weak, odds = (72, 20, 80, 0.4, 0.6), basic_pitch.ODDS
    alone = pick(salience([weak, clear(65, 20, 80)], odds=odds), keen=10)
    ghost = pick(salience([weak, clear(60, 20, 80)], odds=odds), keen=10)
    assert ghost.confidence[ghost.pitch == 72] < alone.confidence[alone.pitch == 72]


def test_keen_picks_what_is_unlikely_as_well():
    notes = [clear(60, 20, 80), (64, 100, 150, 0.15, 0.4)]
    assert pick(salience(notes)).pitch.tolist() == [60]
    keen = pick(salience(notes), keen=100)
    assert keen.pitch.tolist() == [60, 64]
    assert keen.confidence[1] < LEAST


def test_note_without_an_onset_begins_where_it_gets_loud():
    heard = pick(salience([(60, 50, 150, 0.0, 0.9)]), keen=1000)
    assert heard.start[0] == pytest.approx(50 * HOP - LEAD)


def test_cents_are_those_of_the_salience_where_the_note_is_likely():
    sharp = salience([clear(60, 20, 80)], cents=-7)
    row = 60 - LOWEST
    sharp.cents[row, 20:80] = 12
    sharp.cents[row, 40:50], sharp.notes[row, 40:50] = 40, 0
    assert pick(sharp).cents[0] == pytest.approx(12)


def test_cents_stay_with_their_notes():
    sharp = salience([clear(21, 60, 99), clear(108, 20, 80)])
    sharp.cents[0], sharp.cents[-1] = 5, -5
    heard = pick(sharp)
    assert heard.pitch.tolist() == [108, 21]
    np.testing.assert_allclose(heard.cents, [-5, 5], atol=1e-4)


def test_times_are_those_of_the_salience():
    late = pick(salience([clear(60, 20, 80)], since=2.0))
    early = pick(salience([clear(60, 20, 80)]))
    np.testing.assert_allclose(late.start - early.start, 2)
    np.testing.assert_allclose(late.end - early.end, 2)


def test_first_frame_can_begin_a_note():
    heard = pick(salience([clear(60, 1, 80)]))
    assert heard.start.tolist() == [0]  # no note begins before the recording


@pytest.mark.parametrize("level", [0.0, 0.25])
def test_nothing_is_picked_from_silence(level):
    empty = np.full((N_PITCHES, 50), level, np.float32)
    heard = pick(Salience(empty, empty, np.arange(50) * HOP, empty, ODDS), keen=2)
    assert len(heard) == 0
    assert heard.cents.shape == (0,)


def test_likelihood_is_a_probability_that_rises_with_the_onset():
    evidence = np.zeros((5, 6))
    evidence[:, 0] = [-1000, 5, 10, 15, 1000]
    probability = likelihood(evidence, ODDS)
    assert ((probability >= 0) & (probability <= 1)).all()
    assert (np.diff(probability) > 0).all()


@pytest.mark.skipif(
    basic_pitch.model_path() is None, reason="basic-pitch is not installed"
)
@pytest.mark.parametrize(("name", "least"), [("chorale", 0.75), ("greensleeves", 0.75)])
def test_examples_are_heard(name, least):
    mir_eval = pytest.importorskip("mir_eval.transcription")
    audio = specnmf.read(EXAMPLES / name / f"{name}.flac", duration=10)
    heard = pick(BasicPitch().hear(audio))
    score = specnmf.read_score(EXAMPLES / name / f"{name}.mid").excerpt(0, 10)
    true = np.array([(n.start, n.start + n.duration, n.pitch) for n in score.notes])
    _, _, f_measure, _ = mir_eval.precision_recall_f1_overlap(
        true[:, :2],
        440 * 2 ** ((true[:, 2] - 69) / 12),
        np.column_stack([heard.start, heard.end]),
        440 * 2 ** ((heard.pitch - 69) / 12),
        onset_tolerance=0.1,
        offset_ratio=None,
    )
    assert f_measure > least
