"""``specnmf label``, as its user meets it."""

import json

import pytest
from conftest import ROOT

DRUMS = ROOT / "audio_examples" / "drums" / "drums.flac"
QUICK = ("--max-iter", "3", "--no-figures", "--duration", "3", "-k", "2")


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("0\t0.2\trest\n1\t1.2\tkick\n1.5\t2\tsnare\n1.8\t2\tkick\n")
    return path


def sources(folder):
    return {path.name for path in (folder / "sources").iterdir()}


def test_label_prints_the_folder_and_its_labels(run, tmp_path, labels):
    status, out, err = run("label", DRUMS, "--labels", labels, *QUICK)
    assert (status, err) == (0, "")
    first, annotated, kick, snare = out.splitlines()
    assert first == "specnmf_out/drums"
    assert annotated == "  0.9 of 3.0 s annotated"
    assert kick.startswith("  kick   marked    0.4 s, alone    0.2 s, found ")
    assert snare.startswith("  snare  marked    0.5 s, alone    0.3 s, found ")
    assert sources(tmp_path / "specnmf_out" / "drums") == {
        "kick.wav", "snare.wav", "rest.wav",
    }  # fmt: skip


def test_json_is_one_object_and_nothing_else(run, labels):
    status, out, err = run("label", DRUMS, "--labels", labels, *QUICK, "--json")
    assert (status, err) == (0, "")
    content = json.loads(out)
    assert content["failures"] == []
    (report,) = content["runs"]
    assert report["kind"] == "label"
    assert [entry["label"] for entry in report["labels"]] == ["kick", "snare", "rest"]
    assert "--labels" in report["command"]


def test_options_come_from_the_command_line_or_a_file(run, tmp_path, labels):
    config = tmp_path / "label.toml"
    config.write_text(f'labels = "{labels}"\nrest = 0\ncomponents = 3\n')
    status, out, err = run(
        "label", DRUMS, "--config", config, *QUICK, "--transpose", "0", "--json"
    )
    assert (status, err) == (0, "")
    settings = json.loads(out)["runs"][0]["settings"]
    assert (settings["n_rest"], settings["n_components"]) == (0, 2)
    assert settings["transpose"] == 0
    assert sources(tmp_path / "specnmf_out" / "drums") == {"kick.wav", "snare.wav"}


def test_a_warning_names_what_was_changed(run, labels):
    with labels.open("a") as file:
        file.write("1.1\t1.3\tkick\n")
    status, _, err = run("label", DRUMS, "--labels", labels, *QUICK)
    assert status == 0
    assert f"warning: {DRUMS}: regions of kick overlap (1 to 1.2 s and 1.1 to" in err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"kick at 1 s", "expected a label track"),
        (b"\x89PNG\r\n\x1a\n", "label track (start, end and name, separated by tabs)"),
        (b"1\t1\tkick\n", "is a point; mark a region"),
        (b"60\t61\tkick\n", "no sound is marked from 0 to 3 s"),
        (b"0\t1\trest\n", "only rest is marked"),
        (b"0\t1\tkick\n0\t1\tRest\n", "kick is marked from 0 to 1 s, and rest"),
    ],
)
def test_bad_labels_are_one_line(run, tmp_path, labels, content, message):
    labels.write_bytes(content)
    status, out, err = run("label", DRUMS, "--labels", labels, *QUICK)
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert err.startswith(f"error: {DRUMS}: {labels}: ")
    assert message in err
    assert not (tmp_path / "specnmf_out").exists()


def test_labels_that_are_not_there_are_named(run, tmp_path):
    status, _, err = run("label", DRUMS, "--labels", "none.txt", *QUICK)
    assert status == 1
    assert err == f"error: {DRUMS}: none.txt: no such file\n"


def test_a_song_that_is_not_there_is_named(run, labels):
    status, out, err = run("label", "none.wav", "--labels", labels)
    assert (status, out) == (1, "")
    assert err.startswith("error: none.wav: ")


def test_a_finished_run_is_kept(run, labels):
    assert run("label", DRUMS, "--labels", labels, *QUICK)[0] == 0
    status, _, err = run("label", DRUMS, "--labels", labels, *QUICK)
    assert status == 1
    assert "holds a finished run; use --overwrite" in err
    options = ("--labels", labels, *QUICK, "--overwrite")
    assert run("label", DRUMS, *options)[0] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "Missing option '--labels'"),
        (("another.wav", "--labels", "labels.txt"), "unexpected extra argument"),
        (("--labels", "labels.txt", "-k", "0"), "n_components must be at least 1"),
        (("--labels", "labels.txt", "--rest", "-1"), "n_rest must be at least 0"),
        (("--labels", "labels.txt", "--transpose", "99"), "must lie between 0 and 24"),
        (("--labels", "labels.txt", "--start", "-2"), "start must lie between 0"),
        (("--labels", "labels.txt", "--max-iter", "0"), "max_iter must be at least 1"),
    ],
)
def test_wrong_usage_is_status_two(run, labels, options, message):
    status, out, err = run("label", DRUMS, *options)
    assert (status, out) == (2, "")
    assert message in err


def test_the_help_ends_with_an_example(run):
    status, out, _ = run("label", "--help")
    assert status == 0
    assert out.endswith("Example: specnmf label song.wav --labels song.txt\n")


@pytest.fixture
def mended(run, tmp_path, labels):
    """Make a run, and correct the labels that it found, in place; their path."""
    assert run("label", DRUMS, "--labels", labels, *QUICK)[0] == 0
    path = tmp_path / "specnmf_out" / "drums" / "labels.txt"
    path.write_text("0.5\t0.7\tkick\n1\t1.2\tsnare\n2\t2.1\trest\n")
    return path


@pytest.mark.slow  # whole runs
def test_labels_that_were_mended_beside_the_old_ones_stay(run, tmp_path, mended):
    beside = mended.rename(mended.with_name("mended.txt"))
    content = beside.read_bytes()
    again = ("label", DRUMS, "--labels", beside, *QUICK, "--overwrite")
    for _ in range(2):
        status, _, err = run(*again)
        assert (status, err) == (0, "")
        assert beside.read_bytes() == content
        assert mended.read_bytes() != content
    assert run("rerun", "specnmf_out/drums")[0] == 0


@pytest.mark.slow  # whole runs
def test_labels_that_were_mended_in_place_are_kept_and_so_is_the_next(run, mended):
    """The command that was typed can be typed again, however often."""
    kept = mended.parent / "kept" / "labels.txt"
    again = ("label", DRUMS, "--labels", mended, *QUICK, "--overwrite")
    content = mended.read_bytes()
    status, _, err = run(*again)
    assert status == 0
    assert "kept of the run that was replaced: labels.txt as kept/labels.txt" in err
    assert kept.read_bytes() == content
    assert mended.read_bytes() != content
    report = json.loads((mended.parent / "run.json").read_text())
    assert report["inputs"][1]["path"] == "specnmf_out/drums/kept/labels.txt"
    assert run("rerun", "specnmf_out/drums")[0] == 0
    found = mended.read_bytes()  # this time it is given as it was found
    assert run(*again)[0] == 0
    assert kept.read_bytes() == content
    assert (mended.parent / "kept_2" / "labels.txt").read_bytes() == found


def test_another_commands_run_keeps_the_labels_too(run, mended):
    content = mended.read_bytes()
    options = ("-k", "2", *QUICK[:5], "--no-sources", "--overwrite")
    status, _, err = run("decompose", DRUMS, *options)
    assert (status, err) == (0, "")
    assert mended.read_bytes() == content
