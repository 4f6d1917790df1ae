"""One song and its score through the pipeline: what the run folder holds."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import ROOT
from documents import document, hit, rest
from runs import separate

import specnmf
from specnmf import Note, ParameterError, Score, ScoreError, ScoreSettings
from specnmf.output.sources import EXACT_DB
from specnmf.tasks.registry import TASKS
from specnmf.tasks.run import find_inputs

SEPARATE = TASKS["separate"]

EXAMPLES = ROOT / "audio_examples"
CHORALE, PIANO, DRUMS = (
    EXAMPLES / name / f"{name}.flac" for name in ("chorale", "chopin_op28_4", "drums")
)
VOICES = {"soprano", "alto", "tenor", "bass"}


def run_on(path, output, score=None, **options):
    settings = ScoreSettings(**{"max_iter": 4, "figures": False, **options})
    score = path.with_suffix(".mid") if score is None else score
    return separate(path, score, settings, output=output)


def stems_of(run):
    return {path.stem for path in (run.folder / "sources").iterdir()}


def mean_sdr(run, references):
    estimates = {p.stem: specnmf.read(p) for p in (run.folder / "sources").iterdir()}
    truth = {path.stem: specnmf.read(path) for path in references.iterdir()}
    return specnmf.evaluate(estimates, truth).mean["sdr"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    settings = ScoreSettings(max_iter=10)
    output = tmp_path_factory.mktemp("out")
    return separate(CHORALE, CHORALE.with_suffix(".mid"), settings, output=output)


def test_a_run_leaves_everything_that_is_promised(run):
    names = {str(p.relative_to(run.folder)) for p in run.folder.rglob("*.*")}
    figures = {
        "spectrogram", "templates", "activations", "reconstruction", "loss", "score",
        "constraints", "sources",
    }  # fmt: skip
    assert names == {
        "run.json", "report.html", "factors.npz", "model.npz",
        "pianoroll.mid", "pianoroll.csv", "aligned.mid",
        "aligned.csv",
        *(f"sources/{voice}.wav" for voice in VOICES),
        *(f"figures/{figure}.png" for figure in figures),
    }  # fmt: skip


def test_the_stems_add_up_to_the_recording_sample_for_sample(run):
    paths = sorted((run.folder / "sources").iterdir())
    total = sum(soundfile.read(p, dtype="int32", always_2d=True)[0] for p in paths)
    expected = soundfile.read(CHORALE, dtype="int32", always_2d=True)[0]
    np.testing.assert_array_equal(total, expected)
    assert run.report["residual_db"] == EXACT_DB


def test_the_report_says_what_was_done(run):
    report = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    assert report == run.report
    assert report["settings"]["by"] == "part"
    assert report["seed"] == 0
    assert len(report["inputs"]) == 2
    for entry in report["inputs"]:
        content = Path(entry["path"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert {stem["label"] for stem in report["stems"]} == VOICES
    assert sum(stem["notes"] for stem in report["stems"]) == 77
    assert report["alignment"]["warped"] is False
    assert report["alignment"]["confidence"] > 0.9
    assert report["iterations"] == 10
    assert report["final_loss"] > 0


def test_the_factors_are_the_stems_models(run):
    with np.load(run.folder / "factors.npz", allow_pickle=False) as factors:
        W, H, labels = factors["W"], factors["H"], factors["labels"]
        assert W.shape == (len(factors["frequencies"]), len(labels))
        assert H.shape == (len(labels), len(factors["times"]))
        assert len(factors["losses"]) == 10
    assert W.dtype == H.dtype == np.float32
    assert set(labels) == VOICES
    report = run.report["components"]
    assert [entry["label"] for entry in report] == labels.tolist()
    assert all(entry["note"] for entry in report)


def test_the_aligned_score_keeps_notes_and_parts(run):
    aligned = specnmf.read_score(run.folder / "aligned.csv")
    original = specnmf.read_score(CHORALE.with_suffix(".mid"))
    assert len(aligned.notes) == len(original.notes) == 77
    assert set(aligned.parts) == VOICES
    assert set(specnmf.read_score(run.folder / "aligned.mid").parts) == VOICES


def test_parts_are_separated_as_from_python(run, tmp_path):
    audio = specnmf.read(CHORALE)
    score = specnmf.align(specnmf.read_score(CHORALE.with_suffix(".mid")), audio)
    options = {"tuning": score.tuning, "max_iter": 10}
    stems = specnmf.separate_by_score(audio, score.score, by="part", **options)
    assert set(stems) == VOICES
    for voice in VOICES:
        written = specnmf.read(run.folder / "sources" / f"{voice}.wav")
        np.testing.assert_allclose(
            stems[voice].samples, written.samples, rtol=0, atol=2e-4
        )


@pytest.mark.slow  # whole runs
def test_a_score_in_another_tempo_is_brought_to_the_recording(tmp_path):
    original = specnmf.read_score(CHORALE.with_suffix(".mid"))
    slower = Score(
        tuple(
            note._replace(start=1.2 * note.start + 1, duration=1.2 * note.duration)
            for note in original.notes
        )
    )
    specnmf.write_score(tmp_path / "slower.mid", slower)
    options = {"figures": True, "max_iter": 25}
    run = run_on(CHORALE, tmp_path / "out", tmp_path / "slower.mid", **options)
    assert run.report["alignment"]["warped"] is True
    assert (run.folder / "figures" / "alignment.png").is_file()
    aligned = specnmf.read_score(run.folder / "aligned.csv")
    order = sorted(aligned.notes, key=lambda n: (n.part, n.start))
    truth = sorted(original.notes, key=lambda n: (n.part, n.start))
    errors = [abs(a.start - b.start) for a, b in zip(order, truth, strict=True)]
    assert np.median(errors) < 0.03
    assert mean_sdr(run, CHORALE.parent / "stems") > 8.5


@pytest.mark.slow  # whole runs
def test_hands_come_apart(tmp_path):
    run = run_on(PIANO, tmp_path, by="hand", max_iter=15)
    assert stems_of(run) == {"right", "left"}
    references = tmp_path / "references"
    references.mkdir()
    for hand in ("right", "left"):
        audio = specnmf.read(PIANO.parent / "stems" / f"{hand}_hand.flac")
        specnmf.write(references / f"{hand}.wav", audio)
    assert mean_sdr(run, references) > 14


def test_drums_come_apart(tmp_path):
    run = run_on(DRUMS, tmp_path, max_iter=15)
    assert stems_of(run) == {"kick", "snare", "hihat"}
    assert mean_sdr(run, DRUMS.parent / "stems") > 15
    assert all(entry["pitch"] is None for entry in run.report["components"])


@pytest.mark.slow  # whole runs
def test_pitches_and_notes_are_stems_too(tmp_path):
    by_pitch = run_on(PIANO, tmp_path / "pitch", by="pitch", duration=4.0)
    assert "B4" in stems_of(by_pitch)
    by_note = run_on(PIANO, tmp_path / "note", by="note", duration=4.0)
    n_notes = sum(stem["notes"] for stem in by_note.report["stems"])
    assert len(stems_of(by_note)) == n_notes


def test_a_group_is_one_stem(tmp_path):
    run = run_on(CHORALE, tmp_path, groups={"high": ["soprano", "alto"]}, duration=3.0)
    assert stems_of(run) == {"high", "tenor", "bass"}


def test_the_residual_is_a_stem_if_asked_for(tmp_path):
    run = run_on(CHORALE, tmp_path, residual=True, duration=3.0)
    assert stems_of(run) == {*VOICES, "residual"}
    assert run.report["residual_db"] == EXACT_DB


@pytest.mark.slow  # whole runs
@pytest.mark.parametrize("model", ["fmp", "fmp-onsets"])
def test_the_books_model_can_be_chosen(tmp_path, model):
    run = run_on(CHORALE, tmp_path, model=model, duration=3.0, figures=True)
    assert stems_of(run) == VOICES
    assert run.report["residual_db"] == EXACT_DB
    assert (run.folder / "figures" / "constraints.png").is_file()


@pytest.mark.slow  # whole runs
def test_an_excerpt_has_the_scores_excerpt(tmp_path):
    run = run_on(CHORALE, tmp_path, start=5.0, duration=3.0)
    notes = specnmf.read_score(run.folder / "aligned.csv").notes
    assert 10 < len(notes) < 30
    assert max(note.start for note in notes) < 3.0
    assert run.report["audio"]["n_samples"] == 3 * 44100


@pytest.mark.slow  # whole runs
def test_the_bytes_do_not_depend_on_the_threads(tmp_path):
    runs = [run_on(PIANO, tmp_path / str(n), threads=n, duration=4.0) for n in (1, 2)]
    one, two = (
        {p.name: p.read_bytes() for p in run.folder.rglob("*.*") if p.suffix != ".json"}
        for run in runs
    )
    assert one == two


def test_the_score_beside_a_recording_is_found(tmp_path):
    assert find_inputs(SEPARATE, CHORALE, {})["score"] == CHORALE.with_suffix(".mid")
    assert find_inputs(SEPARATE, CHORALE, {}, look_beside=False) == {}
    assert find_inputs(SEPARATE, tmp_path / "song.wav", {}) == {}


def test_a_score_of_another_piece_is_refused(tmp_path):
    with pytest.raises(ScoreError, match="another piece"):
        run_on(CHORALE, tmp_path / "out", PIANO.with_suffix(".mid"))
    assert not (tmp_path / "out").exists()


def test_a_score_that_explains_little_is_doubted(tmp_path, run):
    assert run.report["explained"] > 0.8
    assert not run.report["warnings"]
    drums = run_on(CHORALE, tmp_path, DRUMS.with_suffix(".mid"), max_iter=10)
    assert drums.report["explained"] < 0.5
    assert any("% of the sound" in warning for warning in drums.report["warnings"])


def test_what_was_assumed_of_a_score_is_a_warning_with_its_name(tmp_path):
    score = tmp_path / "kit.musicxml"
    score.write_text(document([rest(0.5) + hit("F4") * 4]))
    run = run_on(DRUMS, tmp_path, score, duration=2.0, align="never")
    assert run.report["warnings"][0].startswith("kit.musicxml: part 0: 4 notes name no")


@pytest.mark.slow  # whole runs
def test_a_score_in_another_key_is_found_out(tmp_path):
    score = specnmf.read_score(CHORALE.with_suffix(".mid"))
    lower = Score(tuple(note._replace(pitch=note.pitch - 2) for note in score.notes))
    specnmf.write_score(tmp_path / "lower.mid", lower)
    with pytest.raises(ScoreError, match="2 semitones above the score"):
        run_on(CHORALE, tmp_path / "out", tmp_path / "lower.mid")
    for transpose in (2, "auto"):
        run = run_on(
            CHORALE,
            tmp_path / f"{transpose}",
            tmp_path / "lower.mid",
            transpose=transpose,
        )
        assert run.report["alignment"]["transposition"] == 2


def test_a_score_beyond_the_excerpt_is_refused(tmp_path):
    specnmf.write_score(tmp_path / "late.mid", Score((Note(60.0, 1.0, 60),)))
    with pytest.raises(ScoreError, match="no note of the score sounds"):
        run_on(CHORALE, tmp_path / "out", tmp_path / "late.mid", align="never")
    assert not (tmp_path / "out").exists()


def test_a_bad_option_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="no stem matches 'sopran'"):
        run_on(CHORALE, tmp_path, groups={"high": ["sopran"]})
    with pytest.raises(ParameterError, match="by must be one of part, hand, pitch"):
        ScoreSettings(by="voice")
