"""Drums: a run, with a score, with a kit, made again and edited."""

import csv
import json

import numpy as np
import pytest
import soundfile
from conftest import ROOT
from drum_loops import SR, hits, loop, stroke

import specnmf
from specnmf.errors import ParameterError, ScoreError
from specnmf.methods.drums.hits import as_score
from specnmf.score import midi

CLIP = ROOT / "audio_examples" / "drums" / "drums.flac"


@pytest.fixture
def song(tmp_path):
    soundfile.write(tmp_path / "loop.wav", loop().samples.T, SR, "PCM_16")
    score = as_score(hits(), np.ones(len(hits())))
    midi.write_midi(tmp_path / "loop.mid", score)
    for drum in ("kick", "snare", "hihat"):
        (tmp_path / "kit").mkdir(exist_ok=True)
        soundfile.write(tmp_path / "kit" / f"{drum}.wav", 0.5 * stroke(drum), SR)
    return tmp_path / "loop.wav"


def rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_the_drums_of_a_clip_are_heard(tmp_path):
    run = specnmf.drums(
        CLIP, duration=5.0, max_iter=10, quantize="4", figures=False, output=tmp_path
    )
    names = [path.stem for path in sorted((run.folder / "sources").iterdir())]
    assert names == ["hihat", "kick", "rest", "snare"]
    strokes = rows(run.folder / "onsets.csv")
    assert {row["drum"] for row in strokes} == {"kick", "snare", "hihat"}
    assert all(1 <= int(row["velocity"]) <= 127 for row in strokes)
    score = specnmf.read_score(run.folder / "drums.mid")
    assert len(score.notes) == len(strokes)
    assert {note.pitch for note in score.notes} == {36, 38, 42}
    assert all(note.percussion for note in score.notes)
    assert run.report["tempo"] == pytest.approx(104, abs=2)
    moved = specnmf.read_score(run.folder / "drums_quantized.mid")
    assert len(moved.notes) == len(score.notes)
    assert run.report["residual_db"] < -90


def test_a_score_decides_what_is_struck(song):
    run = specnmf.drums(
        song, score=song.with_suffix(".mid"), max_iter=8, output=song.parent / "out"
    )
    counts = {entry["label"]: entry["notes"] for entry in run.report["stems"]}
    assert counts == {"kick": 4, "snare": 3, "hihat": 8, "rest": 0}
    assert run.report["alignment"]["confidence"] > 0.5
    assert (run.folder / "figures" / "drums.png").is_file()


def test_a_kit_is_recorded_and_the_run_made_again(song, run):
    status, out, _ = run(
        "drums", song, "--score", song.with_suffix(".mid"),
        "--kit", song.parent / "kit",
        "--max-iter", 5, "--no-figures", "--no-report",
    )  # fmt: skip
    assert status == 0
    report = json.loads((song.parent / "specnmf_out/loop/run.json").read_text())
    assert report["roles"] == ["song", "score", "kit"]
    status, out, _ = run("rerun", "specnmf_out/loop", "-o", "again")
    assert status == 0
    assert "factors identical" in out
    soundfile.write(song.parent / "kit" / "kick.wav", 0.4 * stroke("kick", 3), SR)
    status, _, err = run("rerun", "specnmf_out/loop", "-o", "changed")
    assert status != 0 or "changed" in err


@pytest.mark.parametrize("with_tones", [False, True])
def test_parts_weight_the_stems_where_pitched_instruments_play(song, with_tones):
    mix = loop().samples
    if with_tones:
        t = np.arange(mix.shape[1]) / SR
        chord = sum(np.sin(2 * np.pi * f * t) for f in (220.0, 277.2, 329.6))
        mix = (mix + 0.1 * chord).astype(np.float32)
    soundfile.write(song, mix.T, SR, "FLOAT")
    run = specnmf.drums(
        song,
        score=song.with_suffix(".mid"),
        align="never",
        figures=False,
        output=song.parent / "out",
    )
    assert run.report["settings"]["hpss"] is with_tones
    assert run.report["residual_db"] < -90


def test_the_tones_beside_drums_come_out_purer_by_the_harmonic_part():
    drums = loop()
    t = np.arange(drums.n_samples) / SR
    tones = 0.1 * sum(np.sin(2 * np.pi * f * t) for f in (220.0, 277.2, 329.6))
    mix = specnmf.Audio((drums.samples + tones).astype(np.float32), SR)
    score = as_score(hits(), np.ones(len(hits())))
    errors = [
        np.square(
            specnmf.drums(mix, score=score, align="never", hpss=hpss)["rest"].samples
            - tones
        ).sum()
        for hpss in (False, True)
    ]
    assert errors[1] < errors[0]


def test_only_some_drums(song):
    settings = specnmf.DrumSettings(drums=("kick",), max_iter=5)
    score = specnmf.read_score(song.with_suffix(".mid"))
    stems = specnmf.drums(loop(), settings, score=score, align="never")
    assert list(stems) == ["kick", "rest"]
    total = sum(stem.samples for stem in stems.values())
    np.testing.assert_allclose(total, loop().samples, atol=2e-6)


def test_stereo_stems_keep_their_places(song):
    mono = loop()
    audio = specnmf.Audio(mono.samples * np.array([[1.0], [0.3]], np.float32), SR)
    score = specnmf.read_score(song.with_suffix(".mid"))
    stems = specnmf.drums(audio, score=score, align="never", max_iter=5)
    kick = stems["kick"].samples
    assert kick.shape == audio.samples.shape
    power = (kick**2).sum(axis=1)
    assert power[1] / power[0] == pytest.approx(0.09, rel=0.2)


def test_a_recording_without_drums_is_all_rest():
    t = np.arange(2 * SR) / SR
    y = 0.2 * np.sin(2 * np.pi * 330 * t) * np.minimum(1, 2 * t)
    stems = specnmf.drums(y.astype(np.float32), sr=SR, max_iter=3)
    assert list(stems) == ["rest"]
    assert any("no drum was heard" in remark for remark in stems.remarks)


def test_a_score_without_drums_is_refused(song):
    notes = (specnmf.Note(0.1, 0.5, 60), specnmf.Note(0.7, 0.5, 64))
    with pytest.raises(ScoreError, match="expected strokes of drums"):
        specnmf.drums(loop(), score=specnmf.Score(notes))


def test_a_drum_that_nothing_knows_is_refused():
    with pytest.raises(ParameterError, match="among kick, snare, .*, got cowbell; use"):
        specnmf.drums(loop(), drums=("kick", "cowbell"))
