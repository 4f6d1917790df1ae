"""``specnmf edit``, as its user meets it."""

import json

import numpy as np
import pytest
import soundfile

from specnmf.cli.edit import parse_gain, parse_pan

QUICK = ("-k", "3", "--max-iter", "3", "--no-figures", "--no-report", "--no-grid")


@pytest.fixture
def made(run, tmp_path, rng):
    """A finished run: specnmf_out/a."""
    soundfile.write(tmp_path / "a.wav", 0.05 * rng.standard_normal((4000, 2)), 8000)
    assert run("decompose", "a.wav", *QUICK)[0] == 0
    return tmp_path / "specnmf_out" / "a"


def test_edit_says_where_and_what_was_done(run, made, tmp_path):
    status, out, err = run(
        *("edit", "specnmf_out/a", "--merge", "bass = component_01, 3"),
        *("--rename", "2=flute", "--gain", "bass=-6dB", "--pan", "flute=50L"),
        *("--without", "flute"),
    )
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "specnmf_edited/a",
        "  bass: sum of component_01 and component_03",
        "  component_02: renamed to flute",
        "  bass: gain -6 dB",
        "  flute: panned 50% to the left",
        "  flute: left out of a mix",
        "  mixes/mix.wav",
        "  mixes/without_flute.wav",
    ]
    report = json.loads((tmp_path / "specnmf_edited/a/run.json").read_text())
    assert report["command"].startswith("specnmf edit specnmf_out/a --merge")
    assert report["edits"][0]["pan"] == {"flute": -0.5}


def test_options_may_be_repeated(run, made, tmp_path):
    args = ("--drop", "1", "--drop", "2", "--order", "rest", "--only", "rest,3")
    status, out, _ = run("edit", "specnmf_out/a", *args, "--json")
    assert status == 0
    (entry,) = json.loads(out)["runs"]
    assert entry["output"] == "specnmf_edited/a"
    assert entry["edits"][0]["drop"] == ["component_01", "component_02"]
    assert [each["label"] for each in entry["components"]] == ["rest", "component_03"]


def test_edit_in_place_replaces_the_run(run, made):
    args = ("edit", "specnmf_out/a", "--merge", "x=1,2", "--in-place")
    assert run(*args)[0] == 0
    assert {path.stem for path in (made / "sources").iterdir()} == {"x", "component_03"}
    status, _, err = run(*args, "-o", "elsewhere")
    assert status == 2
    assert "expected --in-place or --output, got both" in err


def test_an_edited_run_is_made_again(run, made):
    assert run("edit", "specnmf_out/a", "--merge", "x=1,2")[0] == 0
    status, out, _ = run("rerun", "specnmf_edited/a")
    assert (status, out.splitlines()[1]) == (
        0,
        "  factors identical to specnmf_edited/a",
    )


def test_what_fails_is_one_line(run, made):
    status, out, err = run("edit", "specnmf_out/a", "--drop", "oboe")
    assert (status, out) == (1, "")
    assert err == (
        "error: specnmf_out/a: drop: no stem matches 'oboe'; the stems are "
        "component_01, component_02, component_03\n"
    )
    assert run("edit", "none", "--drop", "1")[2] == (
        "error: none: not a run, run.json is missing\n"
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "no edit given; expected at least one of --merge, --rename"),
        (
            ("--merge", "bass"),
            "expected a value such as bass=component_03,component_05",
        ),
        (("--merge", "bass="), "expected a value such as bass="),
        (("--merge", "bass=1,,2"), "expected names such as bass,drums"),
        (("--gain", "bass=loud"), "expected a gain in dB, such as -6dB, got 'loud'"),
        (("--gain", "bass=99"), "gain of bass: expected -120 to 40 dB, got 99"),
        (("--gain", "a=1", "--gain", "a=2"), "a is given twice"),
        (
            ("--pan", "bass=top"),
            "expected a pan from -1 (left) to 1 (right), or 50L, C, 50R",
        ),
        (("--pan", "bass=120R"), "pan of bass: expected -1 to 1"),
        (("--order", "a,,b"), "expected names such as bass,drums"),
    ],
)
def test_wrong_usage_says_what_is_expected(run, made, args, message):
    status, _, err = run("edit", "specnmf_out/a", *args)
    assert status == 2
    assert message in " ".join(err.split())


@pytest.mark.parametrize(
    ("text", "gain"), [("-6", -6), ("-6dB", -6), ("+3 db", 3), ("0.5", 0.5)]
)
def test_gains_are_read(text, gain):
    assert parse_gain(text) == gain


@pytest.mark.parametrize(
    ("text", "pan"),
    [("-0.5", -0.5), ("50L", -0.5), ("l", -1), ("R30", 0.3), ("c", 0), ("100R", 1)],
)
def test_pans_are_read(text, pan):
    assert np.isclose(parse_pan(text), pan)
