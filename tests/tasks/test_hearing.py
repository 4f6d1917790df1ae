"""Separation without a score: what is heard, and what becomes of it."""

import mido
import numpy as np
import pytest
from playing import DUET, sound
from runs import separate

import specnmf
from specnmf import ParameterError, Score, ScoreSettings
from specnmf.record.rerun import rerun
from specnmf.tasks.hearing import heard_line
from specnmf.tasks.registry import TASKS
from specnmf.tasks.run import run


def settings(**options):
    common = {"transcriber": "builtin", "voices": 2, "figures": False, "max_iter": 10}
    return ScoreSettings(**common | options)


def blind(song, output, **options):
    return run(TASKS["separate"], song, settings(**options), output=output)


@pytest.fixture(scope="module")
def heard(duet, tmp_path_factory):
    return blind(duet, tmp_path_factory.mktemp("out"), figures=True)


def stems_of(run):
    return {p.stem: specnmf.read(p) for p in sorted((run.folder / "sources").iterdir())}


def snr(estimate, reference):
    n = min(len(estimate), len(reference))
    error = estimate[:n] - reference[:n]
    return 10 * np.log10((reference[:n] ** 2).sum() / (error**2).sum())


def test_the_voices_are_separated_the_highest_first(heard):
    stems = stems_of(heard)
    assert list(stems) == ["rest", "voice_1", "voice_2"]
    for name, part in (("voice_1", "high"), ("voice_2", "low")):
        notes = tuple(note for note in DUET.notes if note.part == part)
        assert snr(stems[name].samples[0], 0.1 * sound(Score(notes))) > 15


def test_voices_and_rest_add_up_to_the_recording(heard, duet):
    total = sum(stem.samples for stem in stems_of(heard).values())
    assert np.array_equal(total, specnmf.read(duet).samples)


def test_the_run_says_that_it_heard_the_notes(heard):
    report = heard.report
    assert report["alignment"] is None
    assert report["transcription"]["notes"] == 8
    assert report["settings"]["residual"] is True
    assert report["asked"]["residual"] is None
    first = next(TASKS["separate"].summary(report))
    assert first.startswith("8 notes heard, ")
    assert "% of the sound" in first


def test_the_score_is_left_and_no_aligned_one(heard):
    names = {path.name for path in heard.folder.iterdir()}
    assert {"score.mid", "score.csv"} <= names
    assert "aligned.mid" not in names
    assert (heard.folder / "figures" / "score.png").is_file()


def test_the_highest_voice_is_the_first_track(heard):
    tracks = mido.MidiFile(heard.folder / "score.mid").tracks
    assert [track.name for track in tracks[1:]] == ["voice_1", "voice_2"]


def test_a_single_note_is_counted_as_one():
    entries = {"transcriber": "both", "notes": 1, "doubtful": 0, "confidence": 1}
    assert heard_line(entries).startswith("1 note heard by basic-pitch and builtin")


def test_the_rest_is_shared_where_it_is_not_to_be_kept(duet, tmp_path):
    stems = stems_of(blind(duet, tmp_path, residual=False))
    assert list(stems) == ["voice_1", "voice_2"]


@pytest.mark.slow  # whole runs
@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("hand", {"right", "left", "rest"}),
        ("pitch", {"E5", "D5", "C5", "F5", "C3", "D3", "E3", "A2", "rest"}),
    ],
)
def test_stems_may_be_hands_or_pitches(duet, tmp_path, by, names):
    assert set(stems_of(blind(duet, tmp_path, by=by))) == names


def test_a_corrected_score_is_given_back(duet, tmp_path):
    first = blind(duet, tmp_path, sources=False)
    table = first.folder / "score.csv"
    lines = table.read_text().splitlines()
    wrong = next(k for k, line in enumerate(lines) if ",48," in line)
    lines[wrong] = lines[wrong].replace("voice_2", "voice_1")
    table.write_text("\n".join(lines) + "\n")
    again = separate(duet, table, settings(), output=tmp_path, overwrite=True)
    assert {e["label"]: e["notes"] for e in again.report["stems"]} == {
        "voice_1": 5,
        "voice_2": 3,
    }
    assert again.report["alignment"]["warped"] is False


def test_voices_given_back_are_in_their_order_whichever_begins(duet, tmp_path):
    table = tmp_path / "score.csv"
    rows = ["0.2,0.6,48,voice_10", "0.9,0.6,50,voice_2", "1.6,0.6,72,voice_1"]
    table.write_text("\n".join(["start,duration,pitch,label", *rows]) + "\n")
    again = separate(duet, table, settings(sources=False, max_iter=2), output=tmp_path)
    stems = [entry["label"] for entry in again.report["stems"]]
    assert stems == ["voice_1", "voice_2", "voice_10"]


@pytest.mark.slow  # whole runs
def test_a_score_beside_the_song_may_be_ignored(duet, tmp_path):
    song = tmp_path / "song.wav"
    song.write_bytes(duet.read_bytes())
    specnmf.write_score(song.with_suffix(".csv"), DUET)
    assert "high" in stems_of(blind(song, tmp_path / "a"))
    found = blind(song, tmp_path / "b", no_score=True)
    assert "voice_1" in stems_of(found)
    again = rerun(found.folder, output=tmp_path / "c", sources=False)
    assert again.identical
    with pytest.raises(ParameterError, match="no-score"):
        separate(song, song.with_suffix(".csv"), settings(no_score=True))


@pytest.mark.slow  # whole runs
def test_a_score_that_came_later_changes_no_run_that_is_made_again(duet, tmp_path):
    song = tmp_path / "song.wav"
    song.write_bytes(duet.read_bytes())
    found = blind(song, tmp_path / "a", sources=False)
    specnmf.write_score(song.with_suffix(".csv"), DUET)
    assert rerun(found.folder, output=tmp_path / "b").identical
