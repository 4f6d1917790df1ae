"""Alignment: scores brought to the clock of a recording."""

import functools

import numpy as np
import pytest
from conftest import ROOT
from playing import SR, errors, numbered, piece, played, rubato, warped

from specnmf.audio.features import Features, features, features_of_file
from specnmf.audio.recording import Audio
from specnmf.errors import ParameterError, ScoreError
from specnmf.score import matching
from specnmf.score.align import align, transposed
from specnmf.score.notes import Note, Score
from specnmf.score.reading import read_score

EXAMPLES = ROOT / "audio_examples"


@functools.cache
def example(name):
    folder = EXAMPLES / name
    score = numbered(read_score(folder / f"{name}.mid").notes)
    return score, features_of_file(folder / f"{name}.flac")


@functools.cache
def with_score(folder):
    """The recordings that have a score; others are for separation without one."""
    found = sorted(path.parent for path in folder.glob("*/score.mid"))
    assert found
    return found


def bach10(folder):
    score = numbered(read_score(folder / "score.mid").notes)
    return score, features_of_file(folder / "mix.flac")


def delayed(recording, seconds):
    silence = np.zeros((128, round(seconds * recording.rate)), np.float32)
    magnitudes = np.concatenate([silence, recording.magnitudes], axis=1)
    duration = recording.duration + seconds
    return Features(magnitudes, recording.rate, recording.tuning, duration)


def cut(recording, first, last):
    """The recording without the seconds from first to last."""
    seconds = np.arange(recording.magnitudes.shape[1]) / recording.rate
    magnitudes = recording.magnitudes[:, (seconds < first) | (seconds >= last)]
    duration = recording.duration - (last - first)
    return Features(magnitudes, recording.rate, recording.tuning, duration)


@pytest.mark.parametrize("tempo", [0.8, 1.2, rubato])
def test_a_warped_score_is_brought_back(rng, tempo):
    truth = piece(rng)
    recording = played(truth, rng, before=0.5)
    clock = tempo if callable(tempo) else (lambda seconds: seconds * tempo)
    alignment = align(warped(truth, clock), recording)
    onsets, offsets = errors(alignment, warped(truth, lambda seconds: seconds + 0.5))
    assert alignment.warped
    assert alignment.remarks == ()
    assert np.quantile(onsets, 0.9) < 0.03
    assert np.quantile(offsets, 0.9) < 0.05


@pytest.mark.parametrize("name", ["chopin_op28_4", "chorale"])
@pytest.mark.parametrize("tempo", [0.8, 1.2, rubato])
def test_real_music_is_within_50_ms(name, tempo):
    truth, recording = example(name)
    clock = tempo if callable(tempo) else (lambda seconds: seconds * tempo)
    alignment = align(warped(truth, clock), delayed(recording, 0.5))
    onsets, offsets = errors(alignment, warped(truth, lambda seconds: seconds + 0.5))
    assert np.mean(onsets < 0.05) >= 0.9
    assert np.mean(offsets < 0.1) >= 0.9


@pytest.mark.parametrize("tempo", [0.8, 1.2, rubato])
def test_winds_and_strings_are_within_50_ms(shared_data, tempo):
    onsets, offsets = [], []
    for folder in with_score(shared_data / "bach10"):
        truth, recording = bach10(folder)
        clock = tempo if callable(tempo) else (lambda seconds: seconds * tempo)
        alignment = align(warped(truth, clock), delayed(recording, 0.5))
        truth = warped(truth, lambda seconds: seconds + 0.5)
        for found, new in zip((onsets, offsets), errors(alignment, truth), strict=True):
            found.extend(new)
    assert np.mean(np.array(onsets) < 0.05) >= 0.9
    assert np.mean(np.array(offsets) < 0.1) >= 0.95


@pytest.mark.parametrize("name", ["chopin_op28_4", "chorale", "drums"])
def test_a_score_on_the_recordings_clock_is_left_alone(name):
    score, recording = example(name)
    alignment = align(score, recording)
    assert alignment.score is score
    assert not alignment.warped
    assert alignment.remarks == ()
    assert alignment.confidence > 0.9


def test_the_scores_of_bach10_are_left_alone(shared_data):
    for folder in with_score(shared_data / "bach10"):
        score, recording = bach10(folder)
        assert align(score, recording).score is score


@pytest.mark.parametrize("shift", [0.15, 1.0])
def test_a_score_that_is_late_is_moved(shift):
    truth, recording = example("chorale")
    late = warped(truth, lambda seconds: seconds + shift)
    alignment = align(late, recording)
    assert alignment.warped
    assert np.median(errors(alignment, truth)[0]) < 0.05


def test_two_pianists_play_the_same_notes(shared_data):
    folder = shared_data / "chopin_op10_3"
    score = read_score(next(folder.glob("*.mid")))
    for path in folder.glob("*.wav"):
        recording = features_of_file(path)
        alignment = align(score, recording)
        assert alignment.confidence > 0.9
        assert alignment.remarks == ()
        rises = np.diff(np.log1p(100 * recording.magnitudes), axis=1)
        heard = [
            rises[note.pitch, max(0, round(note.start * 100) - 3) :][:6].max()
            / rises[note.pitch].max()
            for note in alignment.score.notes
        ]
        assert np.median(heard) > 0.2


@pytest.mark.parametrize("clock", [lambda seconds: seconds * 1.3, rubato])
def test_drums_are_aligned_by_their_attacks(clock):
    truth, recording = example("drums")
    alignment = align(warped(truth, clock), recording)
    assert np.median(errors(alignment, truth)[0]) < 0.03


def test_notes_keep_parts_pitches_and_strengths(rng):
    truth = piece(rng)
    alignment = align(warped(truth, rubato), played(truth, rng))
    assert sorted(n[2:] for n in alignment.score.notes) == sorted(
        n[2:] for n in truth.notes
    )
    assert all(note.duration > 0 for note in alignment.score.notes)


def test_notes_of_one_part_and_pitch_keep_their_order():
    score, recording = example("chopin_op28_4")
    alignment = align(warped(score, rubato), recording)
    before = {note.staff: note for note in score.notes}
    latest = {}
    for note in alignment.score.notes:
        voice = note.part, note.pitch
        assert latest.get(voice, 0) <= before[note.staff].start
        latest[voice] = before[note.staff].start


def test_the_path_and_the_agreement_are_in_seconds(rng):
    truth = piece(rng)
    alignment = align(warped(truth, lambda s: 2 * s), played(truth, rng, before=1.0))
    assert (np.diff(alignment.path, axis=0) >= 0).all()
    score, recording = alignment.path.T
    assert np.median(np.abs(recording - 1 - score / 2)) < 0.05
    assert (np.diff(alignment.agreement[:, 0]) >= 0).all()
    assert np.median(alignment.agreement[:, 1]) > 0.4
    assert 0 <= alignment.agreement[:, 1].min() <= alignment.agreement[:, 1].max() <= 1


def test_another_tuning_is_no_hindrance(rng):
    truth = piece(rng)
    alignment = align(warped(truth, rubato), played(truth, rng, cents=-40))
    assert alignment.tuning == pytest.approx(-40, abs=3)
    assert np.quantile(errors(alignment, truth)[0], 0.9) < 0.03


@pytest.mark.parametrize("semitones", [-12, -5, -1, 1, 2, 7])
def test_another_key_is_found(rng, semitones):
    truth = piece(rng)
    recording = played(truth, rng)
    other = transposed(truth, -semitones)
    side = "above" if semitones > 0 else "below"
    with pytest.raises(
        ScoreError, match=f"{side} the score; transpose the score by {semitones} "
    ):
        align(other, recording)
    alignment = align(other, recording, transpose="auto")
    assert alignment.transposition == semitones
    assert alignment.score == truth
    assert align(other, recording, transpose=semitones).score == truth
    assert align(truth, recording, transpose="auto").transposition == 0


def test_another_piece_is_refused(rng):
    recording = played(piece(rng), rng)
    with pytest.raises(ScoreError, match="score of another piece"):
        align(piece(rng, lowest=45), recording)
    with pytest.raises(ScoreError, match="score of another piece"):
        align(example("chorale")[0], example("chopin_op28_4")[1])


def test_mode_never_only_says_that_they_differ(rng):
    truth = piece(rng)
    recording = played(truth, rng)
    slow = warped(truth, lambda seconds: seconds * 1.1)
    alignment = align(slow, recording, mode="never")
    assert alignment.score is slow
    assert not alignment.warped
    assert any("differ by up to" in remark for remark in alignment.remarks)
    strange = piece(rng)
    alignment = align(strange, recording, mode="never")
    assert alignment.score is strange
    assert any("another piece" in remark for remark in alignment.remarks)


def test_mode_always_warps_even_a_score_that_fits(rng):
    truth = piece(rng)
    alignment = align(truth, played(truth, rng), mode="always")
    assert alignment.warped
    assert np.quantile(errors(alignment, truth)[0], 0.9) < 0.03


def test_bars_that_the_recording_lacks_are_left_out(rng):
    truth = piece(rng, 120)
    alignment = align(truth, cut(played(truth, rng), 12.0, 24.0))
    (remark,) = alignment.remarks
    assert remark.startswith(("the score from 11.", "the score from 12."))
    assert "is missing from the recording" in remark
    expected = {note.staff for note in truth.notes if not 12 <= note.start < 24}
    found = {note.staff for note in alignment.score.notes}
    assert len(found ^ expected) <= 4
    short = warped(
        truth, lambda second: second if second < 12 else max(12, second - 12)
    )
    assert np.quantile(errors(alignment, short)[0], 0.9) < 0.05


def test_bars_that_the_score_lacks_are_remarked_on(rng):
    whole = piece(rng, 120)
    notes = [n for n in whole.notes if n.start < 12] + [
        n._replace(start=n.start - 12) for n in whole.notes if n.start >= 24
    ]
    alignment = align(Score(tuple(notes)), played(whole, rng))
    (remark,) = alignment.remarks
    assert remark.startswith(("the recording from 11.", "the recording from 12."))
    assert "is missing from the score" in remark
    assert len(alignment.score.notes) == len(notes)
    assert np.quantile(errors(alignment, whole)[0], 0.9) < 0.05


def test_an_excerpt_takes_its_own_notes_only(rng):
    whole = piece(rng, 200)
    recording = played(whole, rng)
    excerpt = cut(cut(recording, 40.0, 999.0), 0.0, 20.0)
    alignment = align(whole, excerpt)
    inside = [note for note in whole.notes if 20 <= note.start < 40]
    assert abs(len(alignment.score.notes) - len(inside)) <= 6
    assert any("the score from 0.0 s" in remark for remark in alignment.remarks)


@pytest.mark.parametrize("before", [0.0, 3.0, 10.0])
def test_silence_around_the_music_is_no_matter(rng, before):
    truth = piece(rng)
    late = warped(truth, lambda seconds: seconds + 2.0)
    alignment = align(late, played(truth, rng, before=before, after=5.0))
    expected = warped(truth, lambda seconds: seconds + before)
    assert np.quantile(errors(alignment, expected)[0], 0.9) < 0.03


def test_every_result_is_the_same_again(rng):
    truth = piece(rng)
    recording = played(truth, rng)
    first, second = (align(warped(truth, rubato), recording) for _ in range(2))
    assert first.score == second.score
    np.testing.assert_array_equal(first.path, second.path)


def test_a_single_note_is_found(rng):
    score = Score((Note(0.0, 1.0, 60),))
    alignment = align(score, played(score, rng, before=1.0))
    assert alignment.score.notes[0].start == pytest.approx(1.0, abs=0.03)


def test_notes_of_no_length_and_at_the_ends_of_the_range_do_no_harm(rng):
    truth = piece(rng)
    strange = [Note(1.0, 0.0, 60, 80, "x"), Note(2.0, 0.5, 0, 80, "x")]
    strange.append(Note(3.0, 0.5, 127, 80, "x"))
    score = Score((*truth.notes, *strange))
    alignment = align(warped(score, rubato), played(truth, rng))
    assert len(alignment.score.notes) == len(score.notes)


def test_a_score_of_many_hours_takes_little_memory(rng):
    recording = played(piece(rng, 20), rng)
    notes = [Note(3600.0 * k, 3600.0, 60 + k) for k in range(50)]
    music = matching.music(Score(tuple(notes)), recording)
    assert music.score.features.nbytes < 250e6


def test_a_score_without_notes_is_refused(rng):
    with pytest.raises(ScoreError, match="has no notes"):
        align(Score(()), played(piece(rng, 4), rng))


def test_a_silent_recording_is_refused(rng):
    silence = features(Audio(np.zeros((1, SR), np.float32), SR))
    with pytest.raises(ScoreError, match="silent"):
        align(piece(rng), silence)


def test_an_unknown_mode_is_refused(rng):
    with pytest.raises(ParameterError, match="mode must be one of auto, always, never"):
        align(piece(rng), played(piece(rng, 4), rng), mode="sometimes")


def test_a_short_score_of_which_the_end_is_late_is_warped(rng):
    score = piece(rng, 12)
    recording = played(score, rng)
    begins = score.notes[2 * len(score.notes) // 3].start
    late = [n._replace(start=n.start + 0.2 * (n.start >= begins)) for n in score.notes]
    assert not align(score, recording).warped
    assert align(Score(tuple(late)), recording).warped
