"""``specnmf learn``, as its user meets it."""

import json

import numpy as np
import pytest
import soundfile

import specnmf

SR = 8000
WINDOW = ("--n-fft", "256", "--hop-length", "64")


@pytest.fixture
def sounds(tmp_path):
    """Two sounds, and a recording of both."""
    t = np.arange(SR // 2) / SR
    low, high = (0.5 * np.sin(2 * np.pi * f * t) for f in (500, 2000))
    for name, y in {"low": low, "high": high, "song": [*low, *high]}.items():
        soundfile.write(tmp_path / f"{name}.wav", np.asarray(y), SR)
    (tmp_path / "song.txt").write_text("0\t0.5\tlow\n0.5\t1\thigh\n")
    return tmp_path


def test_learn_writes_a_file_and_its_picture_and_says_what_is_in_it(run, sounds):
    status, out, err = run("learn", "low.wav", "high.wav", "-k", "2", *WINDOW)
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "templates.npz",
        "  129 bins to 4000 Hz, 1 frame",
        "  low   2 templates  low_1 to low_2",
        "  high  2 templates  high_1 to high_2",
    ]
    assert specnmf.read_templates("templates.npz").stems == ("low", "high")
    assert (sounds / "templates.png").read_bytes()[:4] == b"\x89PNG"


def test_json_is_one_object(run, sounds):
    options = ("--frames", "4", "--no-figures", "--json", "-o", "kit.npz")
    status, out, _ = run("learn", "--name", "kick=low.wav", *options, *WINDOW)
    content = json.loads(out)
    assert status == 0
    assert content["output"] == "kit.npz"
    assert content["names"] == content["groups"] == ["kick"]
    assert content["n_template_frames"] == 4
    assert content["sources"][0]["name"] == "low.wav"
    assert content["failures"] == []
    assert not (sounds / "kit.png").exists()


def test_sounds_with_names_stand_beside_others(run, sounds):
    run("learn", "high.wav", "--name", "a=low.wav", "--name", "a=song.wav", *WINDOW)
    assert specnmf.read_templates("templates.npz").stems == ("high", "a")


def test_labels_say_where_sounds_are(run, sounds):
    status, _, _ = run("learn", "song.wav", "--labels", "song.txt", *WINDOW)
    assert status == 0
    assert specnmf.read_templates("templates.npz").stems == ("low", "high")


def test_components_of_a_run_are_taken(run, sounds):
    quick = ("-k", "2", "--no-figures", "--no-report", "--no-sources", *WINDOW)
    run("decompose", "song.wav", *quick)
    status, _, _ = run(
        "learn", "--from", "specnmf_out/song", "--take", "a=component_01,component_02"
    )
    assert status == 0
    templates = specnmf.read_templates("templates.npz")
    assert templates.names == ("a_1", "a_2")
    assert templates.n_fft == 256


def test_the_folder_of_the_file_is_made(run, sounds):
    assert run("learn", "low.wav", *WINDOW, "-o", "new/er/kit.npz")[0] == 0
    assert (sounds / "new" / "er" / "kit.png").exists()


def test_files_are_merged(run, sounds):
    for name in ("low", "high"):
        run("learn", f"{name}.wav", "-k", "1", *WINDOW, "-o", f"{name}.npz")
    status, _, _ = run("learn", "--merge", "low.npz", "high.npz", "-o", "both.npz")
    assert status == 0
    assert specnmf.read_templates("both.npz").names == ("low", "high")


def test_decompose_takes_the_file(run, sounds):
    run("learn", "low.wav", "high.wav", "-k", "1", *WINDOW)
    quick = ("--no-figures", "--no-report", *WINDOW)
    status, out, err = run(
        "decompose", "song.wav", "--templates", "templates.npz", "--free", "1", *quick
    )
    assert (status, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert lines[1][:3] == ["low", "1", "template"]
    assert lines[3][0] == "rest"


def test_a_file_that_exists_is_kept(run, sounds):
    (sounds / "templates.png").write_text("mine")
    status, _, err = run("learn", "low.wav", *WINDOW)
    assert status == 1
    assert err.startswith("error: templates.png: exists; use --overwrite or another")
    assert not (sounds / "templates.npz").exists()
    assert run("learn", "low.wav", *WINDOW, "--no-figures")[0] == 0
    before = (sounds / "templates.npz").read_bytes()
    status, _, err = run("learn", "high.wav", *WINDOW, "--no-figures")
    assert status == 1
    assert (sounds / "templates.npz").read_bytes() == before
    assert run("learn", "high.wav", *WINDOW, "--overwrite")[0] == 0
    assert (sounds / "templates.npz").read_bytes() != before


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "expected a SOUND, --name NAME=SOUND or --from RUN"),
        (["--take", "a=b"], "--take is for the components of a run"),
        (["low.wav", "--from", "x"], "--from takes a run and no sounds"),
        (["--merge", "low.npz"], "--merge takes two or more files"),
        (["--name", "low.wav"], "expected NAME=VALUE, such as kick=a.wav"),
        (["--from", "x", "--take", "a=b,"], "expected names such as bass,drums"),
        (["low.wav", "--frames", "0"], "must lie between 1 and 1000"),
    ],
)
def test_wrong_usage_is_told(run, sounds, args, message):
    status, _, err = run("learn", *args)
    assert status == 2
    assert message in err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["none.wav"], "none.wav: no such file"),
        (["low.wav", "-o", "a.txt"], "a.txt: expected a name that ends in .npz"),
        (["low.wav", *WINDOW, "-o", "low.wav/a.npz"], "low.wav/a.npz: "),
        (["--merge", "low.wav", "high.wav"], "low.wav: expected templates of specnmf"),
        (
            ["low.wav", "--name", "a=high.wav", "--labels", "song.txt"],
            "--labels is for one recording; leave out the others",
        ),
    ],
)
def test_what_fails_is_told_in_one_line(run, sounds, args, message):
    status, out, err = run("learn", *args)
    assert (status, out) == (1, "")
    assert message in err
    assert err.count("\n") == 1
    assert not list(sounds.glob("*.npz"))
