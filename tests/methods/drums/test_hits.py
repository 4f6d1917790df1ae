"""Strokes: heard, judged, written."""

import numpy as np
import pytest
from conftest import ROOT
from drum_loops import hits, loop

import specnmf
from specnmf.methods.drums import hits as finding
from specnmf.methods.drums import judging
from specnmf.methods.drums.hits import DRUMS, NOTES, OTHER, Hit
from specnmf.score.beats import Beats

CLIP = ROOT / "audio_examples" / "drums" / "drums.flac"


@pytest.fixture(scope="module")
def clip():
    return specnmf.read(CLIP, duration=4.0)


def test_the_strokes_of_a_loop_are_among_those_offered(clip):
    found = finding.heard(clip)
    assert {hit.drum for hit in found} == {"kick", "snare", "hihat"}
    for note in specnmf.read_score(CLIP.with_suffix(".mid")).notes:
        if note.start < 3.9 and note.velocity > 60:
            drum = finding.drum_of(note.pitch)
            near = [
                h for h in found if h.drum == drum and abs(h.time - note.start) < 0.04
            ]
            assert near, note


def test_rates_change_little(clip):
    import scipy.signal

    low = scipy.signal.resample_poly(clip.samples, 1, 2, axis=1).astype(np.float32)
    half = specnmf.Audio(low, clip.sr // 2)
    whole = finding.probabilities(clip)
    rate = finding.hearing_grid(half)
    assert rate.hop_length == 256
    found = finding.probabilities(half)
    assert np.corrcoef(whole[:, 0], found[: len(whole), 0])[0, 1] > 0.9


def test_only_the_drums_that_are_asked_for(clip):
    assert {hit.drum for hit in finding.heard(clip, ["snare"])} == {"snare"}


def test_drums_that_the_network_does_not_know_are_offered_with_the_others(clip):
    found = finding.heard(clip, offered=["kick", "bell"])
    bells = [hit for hit in found if hit.drum == "bell"]
    assert len(bells) > 5
    assert {hit.note for hit in bells} == {OTHER}


def test_silence_and_moments_have_no_strokes():
    for n in (1, 500, 22050):
        silence = specnmf.Audio(np.zeros((1, n), np.float32), 22050)
        assert finding.heard(silence) == []


def test_peaks_are_apart_and_the_first_of_equals():
    sure = np.array([0, 0.6, 0.6, 0.2, 0.9, 0, 0, 0, 0, 0.5, 0.1], np.float32)
    assert finding.peaks(sure, 0.3).tolist() == [4, 9]
    flat = np.array([0.7, 0.7, 0.7, 0, 0], np.float32)
    assert finding.peaks(flat, 0.3).tolist() == [0]


def test_loud_strokes_are_judged_to_be_ones_and_faint_ones_not():
    strokes = [Hit(0.5 * i, "kick", 36, 0.9) for i in range(6)]
    strokes[3] = strokes[3]._replace(confidence=0.3)
    loudness = np.ones(6)
    kept = [i for i, _ in judging.judged(strokes, loudness, sensitivity=0.5)]
    assert 0 in kept
    loudness[3] = 0.01
    assert 3 not in [i for i, _ in judging.judged(strokes, loudness, sensitivity=0.5)]
    loudness[3] = 0.7
    assert len(judging.judged(strokes, loudness, sensitivity=1.0)) == 6
    assert not judging.judged(strokes, loudness, sensitivity=0.0)


def test_judgements_are_of_every_hit():
    assert judging.judgements([], np.zeros(0)).shape == (0,)
    strokes = hits()
    assert judging.features_of(strokes, np.ones(len(strokes))).shape == (
        len(strokes),
        judging.N_FEATURES,
    )
    for weights in (*judging.WEIGHTS.values(), judging.OTHERS):
        assert len(weights) == judging.N_FEATURES
    assert np.isfinite(judging.judgements(strokes, np.zeros(len(strokes)))).all()


def test_velocities_follow_the_loudness_of_each_drum():
    strokes = [Hit(0.0, "kick", 36), Hit(0.5, "kick", 36), Hit(0.5, "snare", 38)]
    notes = finding.as_score(strokes, [4.0, 1.0, 0.1]).notes
    told = {(note.part, note.start): note.velocity for note in notes}
    loudest = told["kick", 0.0]
    assert told["snare", 0.5] == loudest
    assert told["kick", 0.5] == pytest.approx(loudest / 2, abs=1)
    assert all(note.percussion for note in notes)


def test_a_score_is_laid_on_parts_of_beats():
    beats = Beats(np.arange(-0.5, 4, 0.5))
    notes = [
        specnmf.Note(t, 0.1, 36, part="kick", percussion=True) for t in (0.03, 0.36)
    ]
    moved = finding.on_grid(specnmf.Score(tuple(notes)), beats, 4)
    assert [note.start for note in moved.notes] == [0.0, 0.375]


def test_notes_of_general_midi_have_drums():
    assert [finding.drum_of(note) for note in (35, 40, 46, 50, 57)] == [
        "kick", "snare", "hihat", "toms", "crash",
    ]  # fmt: skip
    assert finding.drum_of(56) == "cowbell"
    assert {*NOTES} == {*DRUMS}


def test_onsets_are_a_table(tmp_path):
    score = finding.as_score([Hit(0.25, "kick", 36, 0.5)], [1.0])
    finding.write_onsets(tmp_path / "onsets.csv", score, start=2.0)
    assert (tmp_path / "onsets.csv").read_text() == (
        "time,drum,note,velocity,confidence\n2.2500,kick,36,115,0.500\n"
    )


def test_the_order_is_that_of_drummers():
    found = [Hit(0.0, drum, 0) for drum in ("bell", "clap", "snare", "kick")]
    assert finding.order_of(found) == ("kick", "snare", "clap", "bell")


def test_loops_repeat(clip):
    assert loop().n_samples
    sure = np.zeros((400, 7), np.float32)
    sure[5::50, 0], sure[5::25, 2] = 1, 1
    assert finding._period(sure, 0.02) == 50
