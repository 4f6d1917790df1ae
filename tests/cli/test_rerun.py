"""``specnmf rerun``, as its user meets it."""

import json
import shutil

import numpy as np
import pytest
import soundfile
from playing import SR, sound

from specnmf import Note, Score

QUICK = ("-k", "2", "--max-iter", "3", "--no-figures", "--no-sources")


@pytest.fixture
def made(run, tmp_path, rng):
    """Two finished runs: specnmf_out/a.1 and specnmf_out/a.2."""
    for name in ("a.1", "a.2"):
        y = 0.1 * rng.standard_normal(6000)
        soundfile.write(tmp_path / f"{name}.wav", y, 8000)
    assert run("decompose", "a.1.wav", "a.2.wav", *QUICK)[0] == 0
    return tmp_path / "specnmf_out"


def spoil(folder, **changes):
    path = folder / "factors.npz"
    with np.load(path) as arrays:
        content = {**arrays, **changes}
    np.savez(path, **content)


def test_rerun_says_where_and_that_the_factors_are_the_same(run, made):
    status, out, err = run("rerun", "specnmf_out/a.1", "specnmf_out/a.2")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "specnmf_rerun/a.1",
        "  factors identical to specnmf_out/a.1",
        "specnmf_rerun/a.2",
        "  factors identical to specnmf_out/a.2",
    ]
    report = json.loads((made.parent / "specnmf_rerun/a.1/run.json").read_text())
    assert report["command"] == "specnmf rerun specnmf_out/a.1 specnmf_out/a.2"


def test_of_a_transcription_the_notes_are_compared(run, tmp_path):
    soundfile.write(tmp_path / "tone.wav", sound(Score((Note(0.2, 0.8, 69),))), SR)
    asked = ("tone.wav", "--transcriber", "builtin", "--no-figures")
    assert run("transcribe", *asked)[0] == 0
    status, out, _ = run("rerun", "specnmf_out/tone")
    assert status == 0
    assert out.splitlines()[1] == "  notes identical to specnmf_out/tone"


def test_what_was_left_out_can_be_written_this_time(run, made):
    status, out, _ = run("rerun", "specnmf_out/a.1", "--sources", "--figures")
    assert status == 0
    assert "identical" in out
    again = made.parent / "specnmf_rerun" / "a.1"
    assert len(list((again / "sources").iterdir())) == 2
    assert (again / "figures" / "loss.png").exists()
    assert not (made / "a.1" / "sources").exists()


def test_factors_that_differ_are_status_one_and_say_why(run, made):
    with np.load(made / "a.1" / "factors.npz") as arrays:
        H = arrays["H"] * np.float32(1.25)
    spoil(made / "a.1", H=H)
    status, out, err = run("rerun", "specnmf_out/a.1")
    assert (status, err) == (1, "")
    assert out.splitlines()[1] == (
        "  factors differ from specnmf_out/a.1 by 0.2 (same versions)"
    )
    path = made / "a.1" / "run.json"
    report = json.loads(path.read_text())
    report["versions"] |= {"numpy": "1.0"}
    path.write_text(json.dumps(report))
    out = run("rerun", "specnmf_out/a.1", "--overwrite")[1]
    assert "by 0.2 (numpy 1.0 then, " in out
    spoil(made / "a.1", H=H[:, :3])
    out = run("rerun", "specnmf_out/a.1", "--overwrite")[1]
    assert "differ from specnmf_out/a.1 in shape or labels (numpy 1.0 then, " in out


def test_json_is_one_object_with_runs_and_failures(run, made):
    args = ("rerun", "specnmf_out/a.1", "none", "--json")
    status, out, err = run(*args)
    assert status == 1
    assert err == "error: none: not a run, run.json is missing\n"
    content = json.loads(out)
    (entry,) = content["runs"]
    assert entry["output"] == "specnmf_rerun/a.1"
    assert entry["rerun_of"] == "specnmf_out/a.1"
    assert (entry["identical"], entry["difference"]) == (True, 0)
    assert entry["changed_versions"] == {}
    assert entry["kind"] == "decompose"
    assert [failure["input"] for failure in content["failures"]] == ["none"]
    spoil(made / "a.2", labels=np.array(["b" * 12, "a" * 12]))
    content = json.loads(run("rerun", "specnmf_out/a.2", "--json")[1])
    assert content["runs"][0]["difference"] is None


def test_what_fails_is_one_line_and_the_others_are_done(run, made):
    (made.parent / "a.1.wav").unlink()
    status, out, err = run("rerun", "specnmf_out/a.1", "specnmf_out/a.2")
    assert status == 1
    assert out.splitlines()[0] == "specnmf_rerun/a.2"
    assert err == (
        "error: specnmf_out/a.1: a.1.wav: no such file; if it was moved, give "
        "its path with --input\n"
    )


def test_an_input_may_be_named_anew(run, made):
    (made.parent / "a.1.wav").rename(made.parent / "b.wav")
    status, out, err = run("rerun", "specnmf_out/a.1", "--input", "b.wav")
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == "specnmf_rerun/b"
    args = ("rerun", "specnmf_out/a.1", "specnmf_out/a.2", "--input", "b.wav")
    status, _, err = run(*args)
    assert status == 2
    assert "--input works with one RUN_DIR only" in err


def test_the_run_itself_and_other_runs_are_kept(run, made):
    for options in ((), ("--overwrite",)):
        status, out, err = run("rerun", "specnmf_out/a.1", "-o", made, *options)
        assert (status, out) == (1, "")
        assert "is or contains the run to be made again" in err
    shutil.copytree(made / "a.1", made.parent / "other" / "a.1")
    args = ("rerun", "specnmf_out/a.1", "other/a.1", "--overwrite")
    status, out, err = run(*args)
    assert status == 1
    assert out.splitlines()[0] == "specnmf_rerun/a.1"
    assert err == (
        "error: other/a.1: its run would be specnmf_rerun/a.1, like that of "
        "specnmf_out/a.1; use another --output\n"
    )


def test_a_hostile_name_is_one_line(run, made):
    path = made / "a.1" / "run.json"
    report = json.loads(path.read_text())
    report["inputs"][0]["path"] = "x\n\x1b[31m\ud800"
    path.write_text(json.dumps(report))
    status, out, err = run("rerun", "specnmf_out/a.1")
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert "\x1b" not in err


def test_quiet_says_nothing_and_verbose_the_stages(run, made):
    assert run("rerun", "specnmf_out/a.1", "-q")[1:] == ("", "")
    status, _, err = run("rerun", "specnmf_out/a.2", "-v")
    assert status == 0
    assert "factorise" in err
