"""Beats: found where notes begin, as librosa finds them."""

import tracemalloc

import numpy as np
import pytest

from specnmf import ParameterError, read_score
from specnmf.score.beat_tracking import RATE, strength_of, tempo_of, track
from specnmf.score.beats import Beats, beats_of, find_beats
from specnmf.score.midi import write_midi
from specnmf.score.notes import Note, Score


def played(rng, period, n_beats=100, start=0.7, loose=0.01):
    """Onsets on most beats and between some, and the beats."""
    beats = start + period * np.arange(n_beats)
    onsets = np.concatenate(
        [
            beats[rng.random(n_beats) < 0.9],
            beats[rng.random(n_beats) < 0.4] + period / 2,
        ]
    )
    return onsets + rng.uniform(-loose, loose, len(onsets)), beats


# ------------------------------------------------------------------- reference


@pytest.mark.filterwarnings("ignore")  # numba's, of what librosa compiles
def test_tempo_and_beats_are_librosas(rng):
    import librosa

    for period in (0.4, 0.55, 0.62, 0.9):
        onsets, beats = played(rng, period)
        strength = strength_of(onsets, beats[-1] + 2, None)
        (tempo,) = librosa.feature.tempo(onset_envelope=strength, sr=RATE, hop_length=1)
        assert tempo_of(strength) == pytest.approx(tempo)
        _, expected = librosa.beat.beat_track(
            onset_envelope=strength, sr=RATE, hop_length=1, bpm=tempo, trim=False
        )
        found = track(strength, round(60 * RATE / tempo))
        np.testing.assert_array_equal(found[: len(expected)], expected)
        # ours go on after the last onset
        assert (found[len(expected) :] > RATE * onsets.max()).all()


# ------------------------------------------------------------------ properties


@pytest.mark.parametrize("period", [0.4, 0.6, 0.83])
def test_a_steady_beat_is_found(rng, period):
    onsets, beats = played(rng, period)
    found = find_beats(onsets, beats[-1] + 1)
    assert found.bpm == pytest.approx(60 / period, rel=0.01)
    places = found.positions(beats)
    assert abs(places - np.round(places)).max() * period < 0.03


def test_a_tempo_that_changes_is_followed(rng):
    beats = 1 + np.cumsum(0.5 + 0.08 * np.sin(np.arange(120) / 15))
    onsets = beats + rng.uniform(-0.01, 0.01, len(beats))
    places = find_beats(onsets, beats[-1]).positions(beats)
    assert abs(places - np.round(places)).max() < 0.1


def test_beats_span_the_recording(rng):
    onsets, _ = played(rng, 0.5, start=3.3)
    found = find_beats(onsets, 70.0).times
    assert -0.55 < found[0] <= 0
    assert 70 <= found[-1] < 70.55
    assert np.diff(found).min() > 0.45
    assert np.diff(found).max() < 0.55


def test_a_steady_beat_is_one_tempo(rng):
    onsets, beats = played(rng, 0.5, loose=0.002)
    periods = np.diff(find_beats(onsets, beats[-1]).times)
    assert np.count_nonzero(abs(np.diff(periods)) > 1e-9) <= 2


def test_strong_onsets_decide(rng):
    """Whether the beat lies on one half of the notes or on the other."""
    onsets = 1 + 0.3 * np.arange(200)
    for strong in (0, 1):
        weights = np.where(np.arange(200) % 2 == strong, 1.0, 0.2)
        places = find_beats(onsets, 61.0, weights=weights).positions(onsets)
        on_beat = abs(places - np.round(places)) < 0.1
        assert on_beat[strong::2].mean() > 0.95
        assert on_beat[1 - strong :: 2].mean() < 0.05


def test_the_order_of_onsets_makes_no_difference(rng):
    onsets, beats = played(rng, 0.5)
    one = find_beats(onsets, beats[-1])
    other = find_beats(rng.permutation(onsets), beats[-1])
    np.testing.assert_array_equal(one.times, other.times)


def test_later_beats_still_begin_at_the_start(rng):
    onsets, beats = played(rng, 0.5)
    found = find_beats(onsets, beats[-1])
    later = found.later(12.3)
    assert -0.55 < later.times[0] <= 0
    np.testing.assert_allclose(later.times[-len(found.times) :], found.times + 12.3)


@pytest.mark.parametrize("weak", [{"velocity": 5}, {"confidence": 0.05}])
def test_loud_and_sure_notes_tell_the_beats_of_a_score(weak):
    notes = [Note(1 + 0.6 * k, 0.3, 60) for k in range(60)]
    notes += [Note(1.3 + 0.6 * k, 0.3, 62, **weak) for k in range(60)]
    beats = beats_of(Score(notes), 40.0)
    assert beats.bpm == pytest.approx(100, rel=0.01)
    places = beats.positions([note.start for note in notes[:60]])
    assert abs(places - np.round(places)).max() < 0.1


def test_ten_minutes_take_little_memory(rng):
    onsets = np.sort(rng.uniform(0, 600, 4000))
    find_beats(onsets[onsets < 10], 10.0)  # imports
    tracemalloc.start()
    find_beats(onsets, 600.0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 << 20


# ----------------------------------------------------------------------- edges


@pytest.mark.parametrize(
    "onsets", [[], [1.0], np.full(100, 2.0), [0.5, 1, 1.5, 2, 2.5, 3, 3.5]]
)
def test_few_onsets_make_no_beat(onsets):
    assert find_beats(onsets, 10.0) is None
    assert beats_of(Score(()), 10.0) is None


@pytest.mark.parametrize("duration", [0.05, 0.5, 2.0])
def test_a_moment_of_sound_has_no_beat_or_a_whole_one(rng, duration):
    found = find_beats(rng.uniform(0, duration, 20), duration)
    assert found is None or found.times[0] <= 0


NOTE = Note(1.0, 2.0, 60)


def test_onsets_without_a_beat_can_always_be_written(rng, tmp_path):
    for n in (10, 50, 400):
        for _ in range(5):
            found = find_beats(rng.uniform(0, 60, n), 60.0)
            write_midi(tmp_path / "score.mid", Score((NOTE,)), beats=found)
            (note,) = read_score(tmp_path / "score.mid").notes
            assert note.start == pytest.approx(NOTE.start, abs=0.01)


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ([0, 1], "at least three increasing times"),
        ([0, 1, 1], "at least three increasing"),
        ([0.1, 1, 2], "the first beat must be at or before 0 s, got 0.1"),
    ],
)
def test_what_are_no_beats_is_refused(times, said):
    with pytest.raises(ParameterError, match=said):
        Beats(times)
