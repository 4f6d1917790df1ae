"""Passages and leaps: recordings and scores that pause."""

import numpy as np
import pytest
from conftest import ROOT
from playing import (
    SR,
    delayed_from,
    errors,
    numbered,
    paused,
    piece,
    played,
    recorded,
    rubato,
    sound,
    warped,
)

from specnmf.audio.features import features
from specnmf.audio.reading import read
from specnmf.audio.recording import Audio
from specnmf.errors import ScoreError
from specnmf.score.align import align
from specnmf.score.notes import Note, Score
from specnmf.score.passages import Leap, Passage
from specnmf.score.reading import read_score

TWO_MINUTES = 120 * SR


def filled(kind, rng, rms=1.0):
    """Two minutes of what a pause may be filled with, so much softer than music."""
    white = rng.standard_normal(TWO_MINUTES)
    if kind == "digital silence":
        return np.zeros(TWO_MINUTES)
    if kind == "hum":
        seconds = np.arange(TWO_MINUTES) / SR
        hum = sum(np.sin(2 * np.pi * 50 * k * seconds) / k for k in (1, 2, 3, 6))
        return hum * rms * 10 ** (-46 / 20)
    if kind == "pink hiss":
        spectrum = np.fft.rfft(white)
        spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)) / len(spectrum))
        white = np.fft.irfft(spectrum, TWO_MINUTES)
    decibels = {"loud hiss": -30, "faint hiss": -60}.get(kind, -46)
    return white / white.std() * rms * 10 ** (decibels / 20)


FILLINGS = ("digital silence", "faint hiss", "hiss", "loud hiss", "pink hiss", "hum")


def aligned(truth, given, pauses, filling, rng):
    """The alignment of a score to a recording with pauses, and the onsets' errors."""
    y = sound(truth)
    noise = filled(filling, rng, y.std())
    alignment = align(given, recorded(paused(y, pauses, noise)))
    late = delayed_from(truth, pauses)
    missing = len(given.notes) - len(alignment.score.notes)
    return alignment, errors(alignment, late)[0], missing


def onset_near(score, seconds):
    onsets = np.array([note.start for note in score.notes])
    return float(onsets[np.argmin(np.abs(onsets - seconds))])


def rested(score, at, seconds):
    """The score with a rest of all parts, which cuts off what sounds."""
    cut = [
        note._replace(duration=min(note.duration, max(0.05, at - note.start - 0.01)))
        if note.start < at - 1e-6
        else note
        for note in score.notes
    ]
    return delayed_from(Score(tuple(cut)), [(at, seconds)])


@pytest.mark.slow  # real recordings
@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.parametrize(("place", "seconds"), [(0.5, 10.0), (0.8, 4.0), (0.5, 30.0)])
def test_a_pause_of_the_recording_is_leapt_over(rng, filling, place, seconds):
    truth = piece(rng)
    at = onset_near(truth, place * truth.duration)
    given = warped(truth, rubato)
    alignment, onsets, missing = aligned(truth, given, [(at, seconds)], filling, rng)
    assert missing == 0
    assert alignment.confidence > 0.9
    assert np.quantile(onsets, 0.95) < 0.05
    (remark,) = alignment.remarks
    assert remark.startswith("the recording pauses from ")
    assert "but not the score" in remark


def test_several_pauses_and_silence_around_the_music(rng):
    truth = piece(rng, 90)
    places = [onset_near(truth, share * truth.duration) for share in (0.3, 0.6, 0.85)]
    pauses = [(0.0, 5.0), *zip(places, (3.0, 12.0, 6.0), strict=True)]
    pauses.append((truth.duration + 0.3, 20.0))
    given = warped(truth, rubato)
    alignment, onsets, missing = aligned(truth, given, pauses, "hiss", rng)
    assert missing == 0
    assert np.quantile(onsets, 0.95) < 0.05
    assert len(alignment.remarks) == 3


def test_a_note_that_is_interrupted_goes_on_after_the_pause(rng):
    notes = list(piece(rng).notes)
    held = notes[0]._replace(start=6.0, duration=4.0, pitch=45, part="held")
    truth = numbered([*notes, held])
    number = next(n.staff for n in truth.notes if n.part == "held")
    y = sound(truth)
    recording = recorded(paused(y, [(8.0, 5.0)], filled("hiss", rng, y.std())))
    alignment = align(truth, recording, mode="always")
    (found,) = [note for note in alignment.score.notes if note.staff == number]
    assert found.start == pytest.approx(6.0, abs=0.05)
    assert found.start + found.duration == pytest.approx(15.0, abs=0.2)


@pytest.mark.parametrize("seconds", [2.0, 10.0, 60.0])
def test_a_pause_of_the_score_is_leapt_over(rng, seconds):
    truth = piece(rng)
    at = onset_near(truth, truth.duration / 2)
    given = rested(truth, at, seconds)
    alignment = align(given, played(truth, rng))
    assert len(alignment.score.notes) == len(given.notes)
    assert np.quantile(errors(alignment, truth)[0], 0.9) < 0.05
    assert any("the score pauses" in remark for remark in alignment.remarks)


@pytest.mark.parametrize("seconds", [8.0, 60.0])
def test_a_note_held_on_in_the_score_alone_is_leapt_over(rng, seconds):
    truth = piece(rng)
    at = onset_near(truth, truth.duration / 2)
    number = max(truth.notes, key=lambda note: (note.start < at, note.start)).staff
    longer = [
        n._replace(duration=n.duration + seconds) if n.staff == number else n
        for n in rested(truth, at, seconds).notes
    ]
    alignment = align(Score(tuple(longer)), played(truth, rng))
    assert len(alignment.score.notes) == len(truth.notes)
    assert np.quantile(errors(alignment, truth)[0], 0.9) < 0.05
    stuck = [remark for remark in alignment.remarks if "stuck" in remark]
    assert len(stuck) == len(alignment.remarks) == (seconds > 10)


def test_a_long_chord_of_both_is_no_leap(rng):
    notes = list(piece(rng, 40).notes)
    half = notes[len(notes) // 2].start
    organ = [Note(half, 9.0, pitch, 80, "organ") for pitch in (48, 55, 64)]
    later = [n._replace(start=n.start + 9.0) if n.start >= half else n for n in notes]
    truth = numbered([*later, *organ])
    alignment = align(warped(truth, rubato), played(truth, rng))
    assert alignment.remarks == ()
    onsets, offsets = errors(alignment, truth)
    assert len(onsets) == len(truth.notes)
    assert np.quantile(onsets, 0.9) < 0.03
    assert np.quantile(offsets, 0.9) < 0.1


def test_the_last_phrase_after_a_rest_is_moved_with_the_rest_of_a_score(rng):
    truth = piece(rng, 80)
    at = onset_near(truth, truth.duration - 3)
    alignment = align(rested(truth, at, 9.0), played(truth, rng))
    assert alignment.warped
    assert np.quantile(errors(alignment, truth)[0], 0.9) < 0.05


def test_a_soft_passage_is_no_pause(rng):
    truth = piece(rng, 90)
    y = sound(truth)
    y[8 * SR : 14 * SR] *= 10 ** (-34 / 20)
    y += 1e-5 * rng.standard_normal(len(y))
    alignment = align(warped(truth, rubato), recorded(y))
    assert alignment.remarks == ()
    assert np.quantile(errors(alignment, truth)[0], 0.95) < 0.05


def test_another_piece_is_refused_whatever_pauses(rng):
    y = sound(piece(rng))
    noise = filled("hiss", rng, y.std())
    recording = recorded(paused(y, [(5.0, 10.0), (10.0, 20.0)], noise))
    other = warped(piece(rng, lowest=45), lambda second: second + 15.0 * (second > 7.0))
    with pytest.raises(ScoreError, match="score of another piece"):
        align(other, recording)


@pytest.mark.parametrize(("at", "seconds"), [(6.55, 10.0), (9.25, 4.0)])
def test_real_music_that_pauses_is_within_50_ms(rng, at, seconds):
    folder = ROOT / "audio_examples" / "chorale"
    truth = numbered(read_score(folder / "chorale.mid").notes)
    audio = read(folder / "chorale.flac")
    sample = round((at - 0.05) * audio.sr)
    hiss = rng.standard_normal((2, round(seconds * audio.sr)))
    hiss *= audio.samples.std() * 10 ** (-46 / 20)
    parts = [audio.samples[:, :sample], hiss, audio.samples[:, sample:]]
    samples = np.concatenate(parts, axis=1).astype(np.float32)
    recording = features(Audio(samples, audio.sr))
    alignment = align(warped(truth, rubato), recording)
    late = delayed_from(truth, [(at - 0.05, seconds)])
    onsets, _ = errors(alignment, late)
    assert len(onsets) == len(truth.notes)
    assert np.mean(onsets < 0.05) >= 0.9
    assert onsets.max() < 0.3


def test_outside_a_passage_clocks_go_alike():
    common = Passage(np.array([1.0, 2.0]), np.array([5.0, 7.0]))
    np.testing.assert_allclose(common(np.array([0.0, 1.5, 3.0])), [4.0, 6.0, 8.0])


def test_a_leap_is_a_pause_if_the_score_has_nothing_there():
    assert Leap((1.0, 1.0), (1.5, 9.0), (False, True)).pause
    assert Leap((1.0, 1.0), (5.0, 9.0), (True, True)).pause
    assert not Leap((1.0, 1.0), (5.0, 9.0), (False, True)).pause
    assert not Leap((1.0, 1.0), (1.5, 9.0), (False, False)).pause
