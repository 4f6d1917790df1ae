"""``specnmf separate``, as its user meets it."""

import json

import pytest
import soundfile
from conftest import ROOT

import specnmf

EXAMPLES = ROOT / "audio_examples"
CHORALE = EXAMPLES / "chorale" / "chorale.flac"
PIANO = EXAMPLES / "chopin_op28_4" / "chopin_op28_4.flac"
QUICK = ("--max-iter", "3", "--no-figures", "--duration", "3")


def stems(folder):
    return {path.name for path in (folder / "sources").iterdir()}


def test_separate_prints_the_folder_and_its_stems(run, tmp_path):
    score = CHORALE.with_suffix(".mid")
    status, out, err = run("separate", CHORALE, "--score", score, *QUICK)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "specnmf_out/chorale"
    assert "in time as it was" in lines[1]
    assert {line.split()[0] for line in lines[2:]} == {
        "soprano", "alto", "tenor", "bass",
    }  # fmt: skip
    assert len(stems(tmp_path / "specnmf_out" / "chorale")) == 4


def test_the_score_beside_the_song_is_taken(run, tmp_path):
    status, _, _ = run("separate", PIANO, "--by", "hand", *QUICK, "-o", "out")
    assert status == 0
    assert stems(tmp_path / "out" / "chopin_op28_4") == {"right.wav", "left.wav"}


@pytest.mark.slow  # whole runs
def test_groups_come_from_the_command_line_or_a_file(run, tmp_path):
    options = ("--group", "high=soprano,alto", "--group", "low=*")
    assert run("separate", CHORALE, *options, *QUICK, "-o", "a")[0] == 0
    assert stems(tmp_path / "a" / "chorale") == {"high.wav", "low.wav"}
    config = tmp_path / "groups.toml"
    config.write_text('[group]\nhigh = ["soprano", "alto"]\nlow = "*"\n')
    assert run("separate", CHORALE, "--config", config, *QUICK, "-o", "b")[0] == 0
    assert stems(tmp_path / "b" / "chorale") == {"high.wav", "low.wav"}


def test_json_is_one_object_and_nothing_else(run):
    status, out, err = run("separate", CHORALE, *QUICK, "--json")
    assert (status, err) == (0, "")
    content = json.loads(out)
    assert content["failures"] == []
    (report,) = content["runs"]
    assert report["output"] == "specnmf_out/chorale"
    assert len(report["stems"]) == 4
    assert "chorale.flac" in report["command"]


def test_a_song_without_a_note_fails_and_the_others_are_done(run, tmp_path):
    song = tmp_path / "song.wav"
    soundfile.write(song, [0.0] * 8000, 8000)
    status, out, err = run("separate", song, CHORALE, *QUICK)
    assert status == 1
    assert out.startswith("specnmf_out/chorale\n")
    assert err.splitlines() == [
        f"error: {song}: no note was heard; expected music with pitches; use "
        "decompose for sounds without"
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"not a score", "expected"),
        (b"start;end;colour\n0;1;red\n", "pitch"),
        (b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x01\xe0MTrk\xff\xff\xff\xff", "MIDI"),
    ],
)
@pytest.mark.parametrize("suffix", [".mid", ".csv", ".musicxml"])
def test_a_bad_score_is_one_line(run, tmp_path, content, message, suffix):
    score = tmp_path / f"score{suffix}"
    score.write_bytes(content)
    status, out, err = run("separate", CHORALE, "--score", score, *QUICK)
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert err.startswith(f"error: {CHORALE}: {score}: ")
    assert not (tmp_path / "specnmf_out").exists()


def test_a_finished_run_is_kept(run, tmp_path):
    assert run("separate", CHORALE, *QUICK)[0] == 0
    status, _, err = run("separate", CHORALE, *QUICK)
    assert status == 1
    assert "holds a finished run; use --overwrite" in err
    assert run("separate", CHORALE, *QUICK, "--overwrite")[0] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--by", "voice"), "'voice' is not one of"),
        (("--transpose", "up"), "expected auto or a whole number, got 'up'"),
        (("--split", "200"), "split must lie between 0 and 128"),
        (("--group", "high"), "a group must be NAME=STEM,STEM"),
        (("--model", "fmp", "--residual"), "has no residual"),
        (("--max-iter", "0"), "max_iter must be at least 1"),
    ],
)
def test_wrong_usage_is_status_two(run, options, message):
    status, out, err = run("separate", CHORALE, *options)
    assert (status, out) == (2, "")
    assert message in err


def test_a_warning_names_what_is_missing(run, tmp_path):
    score = specnmf.read_score(CHORALE.with_suffix(".mid"))
    half = specnmf.Score(tuple(note for note in score.notes if note.start < 7))
    specnmf.write_score(tmp_path / "half.csv", half)
    status, _, err = run("separate", CHORALE, "--score", "half.csv", *QUICK)
    assert status == 0
    assert "is missing from the score" in err


def test_an_odd_score_is_read_and_a_cut_one_refused(run, tmp_path):
    data = CHORALE.with_suffix(".mid").read_bytes()
    (tmp_path / "odd.mid").write_bytes(data[:10] + b"\0\1" + data[12:])
    options = ("--no-sources", *QUICK)
    status, out, err = run("separate", CHORALE, "--score", "odd.mid", *options)
    assert status == 0
    assert err.count("\n") == 1
    assert (
        "odd.mid: breaks the MIDI standard, read as players do: its header states"
        in err
    )
    assert "soprano" in out
    (tmp_path / "cut.mid").write_bytes(data[:-40])
    status, _, err = run("separate", CHORALE, "--score", "cut.mid", *options, "-o", "b")
    assert status == 1
    assert "cut.mid: the file ends within track 5" in err
