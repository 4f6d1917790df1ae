"""``specnmf layers``, as its user meets it."""

import json

import pytest
import soundfile
from conftest import ROOT

EXAMPLES = ROOT / "audio_examples"
PIANO = EXAMPLES / "chopin_op28_4" / "chopin_op28_4.flac"
DRUMS = EXAMPLES / "drums" / "drums.flac"
QUICK = ("--max-iter", "3", "--no-figures", "--duration", "3", "--ranks", "6,3,2")


def written_layers(folder):
    return {path.name for path in (folder / "sources").iterdir()}


def test_layers_prints_the_folder_and_the_tree(run, tmp_path):
    status, out, err = run("layers", PIANO, *QUICK)
    assert (status, err) == (0, "")
    first, *tree = out.splitlines()
    assert first == "specnmf_out/chopin_op28_4"
    names = [line.split()[0] for line in tree]
    assert sorted(names) == [
        *(f"layer_2/component_{number:02}" for number in (1, 2, 3)),
        *(f"layer_3/component_{number:02}" for number in (1, 2)),
    ]
    assert names[0] == "layer_3/component_01"
    tops = [line for line in tree if not line.startswith("    ")]
    assert [line.split()[0] for line in tops] == [
        "layer_3/component_01", "layer_3/component_02",
    ]  # fmt: skip
    shares = [int(line.split()[1].removesuffix("%")) for line in tops]
    assert 98 <= sum(shares) <= 102
    assert written_layers(tmp_path / first) == {"layer_1", "layer_2", "layer_3"}


def test_one_layer_is_listed_with_its_notes(run):
    status, out, _ = run("layers", PIANO, *QUICK, "--ranks", "2", "--no-sources")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == [
        "layer_1/component_01", "layer_1/component_02",
    ]  # fmt: skip


def test_a_long_tree_is_cut(run):
    ranks = ("--ranks", "40,30,2", "--no-sources")
    _, out, _ = run("layers", PIANO, *QUICK, *ranks)
    assert len(out.splitlines()) == 26
    assert out.endswith("and 8 more in tree.json\n")


def test_labels_are_named_in_the_tree(run, tmp_path):
    (tmp_path / "marks.txt").write_text("0\t1\tbegin\n1\t3\tgo on\n")
    options = ("--labels", "marks.txt", "--no-sources")
    status, out, err = run("layers", PIANO, *QUICK, *options)
    assert (status, err) == (0, "")
    assert ": " in out
    assert "begin: " in out or "go on: " in out
    assert (tmp_path / "specnmf_out" / "chopin_op28_4" / "labels.txt").is_file()


def test_stems_and_ranks_come_from_a_file_too(run, tmp_path):
    config = tmp_path / "layers.toml"
    config.write_text('[layers]\nranks = "5,2"\nstems = 2\n')
    status, _, err = run("layers", PIANO, *QUICK[:5], "--config", config)
    assert (status, err) == (0, "")
    folder = tmp_path / "specnmf_out" / "chopin_op28_4"
    assert written_layers(folder) == {"layer_2"}
    assert len(list((folder / "sources" / "layer_2").iterdir())) == 2


def test_json_is_one_object_and_nothing_else(run):
    status, out, err = run("layers", PIANO, *QUICK, "--json")
    assert (status, err) == (0, "")
    content = json.loads(out)
    assert content["failures"] == []
    (report,) = content["runs"]
    assert report["output"] == "specnmf_out/chopin_op28_4"
    assert [layer["n_components"] for layer in report["layers"]] == [6, 3, 2]
    assert "chopin_op28_4.flac" in report["command"]


def test_a_bad_song_is_named_and_the_others_are_done(run, tmp_path):
    short = tmp_path / "short.wav"
    soundfile.write(short, [0.1, -0.1] * 500, 8000)
    status, out, err = run("layers", "none.wav", short, DRUMS, *QUICK)
    assert status == 1
    assert out.startswith("specnmf_out/drums\n")
    assert err.splitlines() == [
        "error: none.wav: no such file",
        f"error: {short}: at most 2 components fit a spectrogram of 1025 bins x 2 "
        "frames, got 6; use smaller --ranks or a longer excerpt",
    ]


def test_a_finished_run_is_kept(run):
    assert run("layers", DRUMS, *QUICK)[0] == 0
    status, _, err = run("layers", DRUMS, *QUICK)
    assert status == 1
    assert "holds a finished run; use --overwrite" in err
    assert run("layers", DRUMS, *QUICK, "--overwrite")[0] == 0


def test_bad_labels_are_one_line(run, tmp_path):
    (tmp_path / "marks.txt").write_bytes(b"\x00\xffno labels")
    status, out, err = run("layers", PIANO, *QUICK, "--labels", "marks.txt")
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert err.startswith(f"error: {PIANO}: marks.txt: expected a label track")
    assert not (tmp_path / "specnmf_out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--ranks", "3,8"), "ranks must decrease from layer to layer, such as 32,8,3"),
        (("--ranks", "3,0"), "ranks must be at least 1, got 0"),
        (("--ranks", "many"), "expected whole numbers separated by commas"),
        (("--ranks", "8,,3"), "expected whole numbers separated by commas"),
        (("--ranks", "3.5"), "got '3.5'"),
        (("--ranks", ""), "expected whole numbers separated by commas"),
        (("--stems", "4"), "stems must lie between 1 and 3, got 4"),
        (("--stems", "top"), "expected whole numbers"),
        (("--method", "deep"), "'deep' is not one of"),
        (("--label-weight", "-1"), "label_weight must be at least 0"),
        (("--tol", "nan"), "tol must be at least 0"),
    ],
)
def test_wrong_usage_is_status_two(run, options, message):
    status, out, err = run("layers", PIANO, *options)
    assert (status, out) == (2, "")
    assert message in err


def test_help_says_what_layers_are_and_are_not(run):
    _, out, _ = run("layers", "--help")
    assert "not who plays it" in out
    assert "Example: specnmf layers song.wav --ranks 32,8,3" in out
