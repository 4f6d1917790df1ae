"""A recording and the notes that are heard in it: what transcribe leaves."""

import json

import mido
import numpy as np
import pytest
import soundfile
from playing import DUET, SR

import specnmf
from specnmf import ScoreError, TranscribeSettings
from specnmf.record.rerun import rerun
from specnmf.tasks.registry import TASKS
from specnmf.tasks.run import run

TRANSCRIBE = TASKS["transcribe"]


def transcribe(song, output, **options):
    settings = TranscribeSettings(transcriber="builtin", voices=2, **options)
    return run(TRANSCRIBE, song, settings, output=output)


@pytest.fixture(scope="module")
def heard(duet, tmp_path_factory):
    return transcribe(duet, tmp_path_factory.mktemp("out"))


def test_the_notes_are_those_that_were_played(heard):
    score = specnmf.read_score(heard.folder / "score.mid")
    played = {(note.pitch, round(note.start, 1)) for note in DUET.notes}
    assert {note.pitch for note in score.notes} == {pitch for pitch, _ in played}
    for note in score.notes:
        starts = [start for pitch, start in played if pitch == note.pitch]
        assert min(abs(note.start - start) for start in starts) < 0.08


def test_each_voice_is_a_track_the_highest_first(heard):
    score = specnmf.read_score(heard.folder / "score.mid")
    pitches = {
        part: {n.pitch for n in score.notes if n.part == part} for part in score.parts
    }
    assert pitches == {"voice_1": {76, 74, 72, 77}, "voice_2": {48, 50, 52, 45}}
    assert heard.report["transcription"]["parts"] == {"voice_1": 4, "voice_2": 4}


def test_a_run_leaves_notes_and_no_sound(heard):
    names = {str(p.relative_to(heard.folder)) for p in heard.folder.rglob("*.*")}
    assert names >= {"run.json", "score.mid", "score.csv", "notes.npz", "model.npz"}
    assert not any(name.startswith(("sources", "factors")) for name in names)
    report = json.loads((heard.folder / "run.json").read_text())
    assert report["kind"] == "transcribe"
    assert report["transcription"]["transcriber"] == "builtin"
    assert 0 < report["transcription"]["confidence"] <= 1


def test_the_arrays_are_those_of_the_table(heard):
    score = specnmf.read_score(heard.folder / "score.csv")
    with np.load(heard.folder / "notes.npz", allow_pickle=False) as arrays:
        assert arrays["pitch"].tolist() == [note.pitch for note in score.notes]
        assert arrays["start"] == pytest.approx(
            [n.start for n in score.notes], abs=1e-3
        )
        assert arrays["parts"].tolist() == [note.part for note in score.notes]


def test_an_excerpt_keeps_the_clock_of_the_recording(duet, tmp_path):
    found = transcribe(duet, tmp_path, start=1.5, figures=False)
    score = specnmf.read_score(found.folder / "score.csv")
    assert min(note.start for note in score.notes) >= 1.5
    assert {n.pitch for n in score.notes if n.start > 1.55} <= {72, 77, 52, 45}


def test_notes_are_bent_by_their_cents_where_that_is_asked_for(duet, heard, tmp_path):
    bent = transcribe(duet, tmp_path, bends=True, figures=False)
    wheels = [
        {
            m.type
            for track in mido.MidiFile(run.folder / "score.mid").tracks
            for m in track
        }
        for run in (heard, bent)
    ]
    assert ["pitchwheel" in kinds for kinds in wheels] == [False, True]


def test_hands_are_right_and_left(duet, tmp_path):
    found = transcribe(duet, tmp_path, by="hand", figures=False)
    assert set(found.report["transcription"]["parts"]) == {"right", "left"}


def test_a_run_is_made_again(heard, tmp_path):
    assert rerun(heard.folder, output=tmp_path, figures=False).identical


def test_in_memory_it_is_the_same(heard, duet):
    audio = specnmf.read(duet)
    score = specnmf.transcribe(audio, voices=2, transcriber="builtin", threads=1)
    table = specnmf.read_score(heard.folder / "score.csv")
    assert [n.pitch for n in score.notes] == [n.pitch for n in table.notes]
    assert [n.part for n in score.notes] == [n.part for n in table.notes]


def test_silence_is_an_error_and_leaves_nothing(tmp_path):
    song = tmp_path / "silence.wav"
    soundfile.write(song, np.zeros(SR), SR)
    with pytest.raises(ScoreError, match="no note was heard"):
        transcribe(song, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.*"))
