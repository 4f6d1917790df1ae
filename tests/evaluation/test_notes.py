"""Notes scored against the true ones."""

import json
import tracemalloc
import warnings

import mir_eval
import numpy as np
import pytest

from specnmf.errors import ParameterError, ScoreError
from specnmf.evaluation.note_scores import CRITERIA, Found, describe
from specnmf.evaluation.notes import evaluate_notes
from specnmf.score.notes import Note, Score
from specnmf.score.reading import write_score

PERFECT, NONE = Found(1.0, 1.0, 1.0), Found(0.0, 0.0, 0.0)


def voice(name, pitches, *, late=0.0, length=1.0):
    """Notes one after the other, a second each."""
    return [
        Note(float(k) + late, length, pitch, part=name)
        for k, pitch in enumerate(pitches)
    ]


def drums(*strokes):
    return [Note(t, 0.1, drum, part="kit", percussion=True) for t, drum in strokes]


def mir_evals(estimate, reference, tolerance, ratio):
    sides = []
    for notes in (reference, estimate):
        sides.append(np.array([(n.start, n.start + n.duration) for n in notes]))
        sides.append(440 * 2 ** ((np.array([n.pitch for n in notes]) - 69) / 12))
    return mir_eval.transcription.precision_recall_f1_overlap(
        *sides,
        onset_tolerance=tolerance,
        offset_ratio=ratio,
        offset_min_tolerance=tolerance,
    )[:3]


def test_the_scores_are_mir_evals(rng):
    true = [
        Note(float(t), float(d), int(p))
        for t, d, p in zip(
            np.sort(rng.uniform(0, 30, 300)),
            rng.uniform(0.05, 1.0, 300),
            rng.integers(60, 72, 300),
            strict=True,
        )
    ]
    own = [
        n._replace(
            start=max(0.0, n.start + rng.normal(0, 0.06)),
            duration=n.duration * rng.uniform(0.7, 1.3),
            pitch=n.pitch + int(rng.integers(8) == 0),
        )
        for n in true
        if rng.integers(6)
    ]
    result = evaluate_notes(Score(own), Score(true)).notes
    assert (result.n_reference, result.n_estimate) == (300, len(own))
    for criterion, tolerance, ratio in (
        ("onset_50", 0.05, None),
        ("onset_100", 0.1, None),
        ("onset_offset_50", 0.05, 0.2),
        ("onset_offset_100", 0.1, 0.2),
    ):
        found = getattr(result, criterion)
        expected = mir_evals(own, true, tolerance, ratio)
        assert 0.2 < found.f < 0.95
        assert (found.precision, found.recall, found.f) == pytest.approx(expected)


def test_a_score_against_itself_is_perfect():
    score = Score([*voice("a", [60, 62]), *voice("b", [48, 50]), *drums((0, 36))])
    result = evaluate_notes(score, score)
    for row in (result.notes, *result.voices):
        assert all(getattr(row, criterion) == PERFECT for criterion in CRITERIA)
    assert result.percussion.onset_50 == PERFECT
    assert result.mean == dict.fromkeys(CRITERIA, 1.0)
    assert (result.unused, result.warnings) == ((), ())


@pytest.mark.parametrize(
    ("late", "length", "found"),
    [
        (0.03, 1.0, (1, 1, 1, 1)),
        (0.08, 1.0, (0, 1, 0, 1)),
        (0.12, 1.0, (0, 0, 0, 0)),
        (0.0, 0.7, (1, 1, 0, 0)),
        (0.0, 0.85, (1, 1, 1, 1)),  # a fifth of its length is .2 s
    ],
)
def test_onsets_and_offsets_have_their_tolerances(late, length, found):
    true = Score(voice("a", [60, 62, 64]))
    row = evaluate_notes(
        Score(voice("a", [60, 62, 64], late=late, length=length)), true
    )
    assert tuple(getattr(row.notes, criterion).f for criterion in CRITERIA) == found


def test_a_short_notes_offset_may_be_off_by_the_tolerance():
    true, own = (Score(voice("a", [60], length=d)) for d in (0.1, 0.18))
    row = evaluate_notes(own, true).notes
    assert (row.onset_offset_50.f, row.onset_offset_100.f) == (0, 1)


def test_a_note_is_found_once_and_a_semitone_off_is_wrong():
    true = Score(voice("a", [60, 62]))
    twice = voice("a", [60, 63]) + voice("a", [60], late=0.01)
    found = evaluate_notes(Score(twice), true).notes.onset_50
    assert (found.precision, found.recall, found.f) == (1 / 3, 1 / 2, 2 / 5)


def test_cents_do_not_count():
    true = Score(voice("a", [60, 62]))
    flat = Score(n._replace(cents=-45.0) for n in true.notes)
    assert evaluate_notes(flat, true).notes.onset_50 == PERFECT


def test_parts_are_matched_by_name_if_any_agrees():
    true = Score([*voice("high", [72, 74]), *voice("low", [48, 50])])
    own = Score([*voice("High", [48, 50]), *voice("other", [72, 74])])
    result = evaluate_notes(own, true)
    rows = {row.reference: row.estimate for row in result.voices}
    assert rows == {"low": None, "high": "High"}
    assert result.notes.onset_50 == PERFECT
    assert all(row.onset_50 == NONE for row in result.voices)
    assert result.unused == ("other",)
    assert result.warnings == (
        "low: no such part in the estimate, counted as not found",
    )


@pytest.mark.parametrize("match", ["auto", "best"])
def test_parts_are_matched_for_the_highest_f(match):
    true = Score([*voice("high", [72, 74, 76]), *voice("low", [48, 50, 52])])
    own = Score([*voice("v1", [48, 50, 53]), *voice("v2", [72, 74, 76])])
    result = evaluate_notes(own, true, match=match)
    found = {row.reference: (row.estimate, row.onset_50.f) for row in result.voices}
    assert found == {"high": ("v2", 1.0), "low": ("v1", pytest.approx(2 / 3))}
    assert result.mean["onset_50"] == pytest.approx(5 / 6)


def test_best_goes_over_names_and_name_does_not_guess():
    true = Score([*voice("a", [72, 74]), *voice("b", [48, 50])])
    swapped = Score([*voice("b", [72, 74]), *voice("a", [48, 50])])
    best = evaluate_notes(swapped, true, match="best")
    assert {row.reference: row.estimate for row in best.voices} == {"a": "b", "b": "a"}
    others = Score(n._replace(part=f"voice_{n.part}") for n in swapped.notes)
    named = evaluate_notes(others, true, match="name")
    assert [row.estimate for row in named.voices] == [None, None]


def test_drums_are_scored_apart_by_drum():
    true = Score([*voice("a", [36]), *drums((0, 36), (1, 38), (2, 36), (3, 42))])
    own = Score([*voice("a", [36]), *drums((0, 36), (1.08, 38), (2, 38))])
    result = evaluate_notes(own, true)
    assert result.notes.n_reference == 1
    row = result.percussion
    assert (row.n_reference, row.n_estimate) == (4, 3)
    assert (row.onset_50.precision, row.onset_50.recall) == (1 / 3, 1 / 4)
    assert (row.onset_100.precision, row.onset_100.recall) == (2 / 3, 1 / 2)
    assert row.onset_offset_50 is None


def test_drums_of_one_side_alone_are_left_out():
    tune, kit = voice("a", [60]), drums((0, 36), (1, 38))
    for own, true, lacking in (
        (tune + kit, tune, "reference"),
        (tune, tune + kit, "estimate"),
    ):
        result = evaluate_notes(Score(own), Score(true))
        assert result.percussion is None
        message = f"percussion (2 strokes) left out: the {lacking} has none"
        assert result.warnings == (message,)


def test_drums_alone_are_scored():
    kit = Score(drums((0, 36), (1, 38)))
    result = evaluate_notes(kit, kit)
    assert (result.notes, result.voices) == (None, ())
    assert result.mean["onset_50"] is None
    assert result.percussion.onset_50 == PERFECT
    assert len(describe(result)) == 3


def test_nothing_heard_is_nothing_found():
    true = Score(voice("a", [60, 62]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = evaluate_notes(Score(()), true)
    assert result.notes.onset_50 == NONE
    assert result.voices[0].estimate is None
    assert result.warnings[0] == "the estimate has no pitched notes"


def test_notes_without_length_are_compared():
    score = Score(voice("a", [60, 62], length=0.0))
    assert evaluate_notes(score, score).notes.onset_offset_50 == PERFECT


def test_the_memory_does_not_grow_with_the_square_of_the_notes():
    score = Score(Note(k / 50, 0.02, 30 + k % 60) for k in range(1500))
    tracemalloc.start()
    try:
        result = evaluate_notes(score, score)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result.notes.onset_50 == PERFECT
    assert peak < 5e6  # all with all would be 18 MB in doubles


def test_a_reference_without_notes_is_refused():
    for true in (Score(()), Score(drums((0, 36)))):
        with pytest.raises(ScoreError, match="the reference has no pitched notes"):
            evaluate_notes(Score(voice("a", [60])), true)


def test_an_unknown_match_is_refused():
    score = Score(voice("a", [60]))
    with pytest.raises(ParameterError, match="match must be one of auto, name, best"):
        evaluate_notes(score, score, match="worst")


def test_json_has_all_of_it():
    true = Score([*voice("a", [60, 62]), *drums((0, 36))])
    content = json.loads(json.dumps(evaluate_notes(true, true).as_dict()))
    assert content["notes"]["onset_offset_100"] == dict.fromkeys(
        ("precision", "recall", "f"), 1.0
    )
    assert content["voices"][0]["reference"] == "a"
    assert content["percussion"]["n_reference"] == 1
    assert content["mean"]["onset_50"] == 1.0


def test_a_table_says_it_to_people():
    true = Score([*voice("high", [72, 74]), *voice("low", [48, 50])])
    own = Score([*voice("v1", [72, 75]), *voice("v2", [48, 50]), *voice("x", [20])])
    lines = [line.split() for line in describe(evaluate_notes(own, true))]
    assert lines[1] == ["notes", "true", *4 * ["P", "R", "F"]]
    assert lines[2][:6] == ["all", "5", "4", "0.60", "0.75", "0.67"]
    assert lines[3][:6] == ["low", "=", "v2", "2", "2", "1.00"]
    assert lines[4][:6] == ["high", "=", "v1", "2", "2", "0.50"]
    assert lines[5] == ["mean", "0.75", "0.75", "0.75", "0.75"]
    assert lines[7] == ["unused:", "x"]


def test_files_are_scored_as_the_scores_in_them(tmp_path):
    true = Score(tuple(voice("flute", [60, 62, 64])))
    heard = Score(tuple(voice("flute", [60, 62, 65])))
    write_score(tmp_path / "true.csv", true)
    write_score(tmp_path / "score.mid", heard)
    expected = evaluate_notes(heard, true)
    assert evaluate_notes(heard, tmp_path / "true.csv") == expected
    assert evaluate_notes(tmp_path, str(tmp_path / "true.csv")) == expected
