"""``specnmf evaluate``, as its user meets it."""

import json
import re
import sys

import numpy as np
import pytest
import soundfile

import specnmf
from specnmf.score.notes import Note, Score
from specnmf.score.reading import write_score

SR, N = 8000, 8000


@pytest.fixture
def folders(tmp_path, rng):
    """The folders ``ref`` and ``est`` with the sources ``low`` and ``high``."""
    low, high, noise = 0.1 * rng.standard_normal((3, N))
    write(tmp_path / "ref" / "low.wav", low)
    write(tmp_path / "ref" / "high.wav", high)
    write(tmp_path / "est" / "low.flac", low + 0.1 * high)
    write(tmp_path / "est" / "High.wav", high + 0.1 * noise)
    write(tmp_path / "mix.wav", low + high)
    return tmp_path


def write(path, y, sr=SR):
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, y, sr, "PCM_24")


def test_evaluate_prints_a_table(run, folders):
    status, out, err = run("evaluate", "est", "ref")
    assert (status, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["dB", "SDR", "SIR", "SAR", "SI-SDR", "SDRi", "SI-SDRi"]
    assert lines[1][:3] == ["high", "=", "High"]
    assert [line[0] for line in lines[2:]] == ["low", "mean"]
    assert float(lines[2][1]) == pytest.approx(20.3, abs=0.5)


def test_scores_are_written_into_the_page_of_a_run(run, folders):
    settings = specnmf.Settings(n_components=2, max_iter=5, figures=False)
    (folders / "mix.wav").rename(folders / "song.wav")
    specnmf.decompose("song.wav", settings, output=".")
    status, _, err = run("evaluate", "song", "ref", "--report", "scores.html", "-q")
    assert (status, err) == (0, "")
    page = (folders / "scores.html").read_text("utf-8")
    (text,) = re.findall('id="contents">(.*?)</script>', page, re.S)
    contents = json.loads(text)
    stems = contents["groups"][0]["stems"]
    assert [stem["name"] for stem in stems] == ["component_01", "component_02"]
    assert all(stem["scores"]["SDR"] > -30 for stem in stems)
    assert "SDR, mean" in dict(contents["numbers"])
    assert contents["sound"]["mode"] == "ogg"


def test_a_page_of_what_is_no_run_is_refused(run, folders):
    status, _, err = run("evaluate", "est", "ref", "--report", "scores.html")
    assert status == 1
    assert err == "error: est: not a run, run.json is missing\n"
    assert not (folders / "scores.html").exists()


def test_json_is_one_object_on_stdout(run, folders):
    status, out, err = run("evaluate", "est", "ref", "--oracle", "--json")
    assert (status, err) == (0, "")
    content = json.loads(out)
    assert (content["estimates"], content["references"]) == ("est", "ref")
    assert [row["reference"] for row in content["sources"]] == ["high", "low"]
    assert content["mean"]["sdr"] == pytest.approx(20.3, abs=0.5)
    assert content["mean"]["sdr_v4"] is None
    assert content["oracle_mean"]["sdr"] > 3
    assert content["failures"] == []


def test_the_mixture_is_the_sum_a_file_or_among_the_references(run, folders):
    _, summed, _ = run("evaluate", "est", "ref")
    _, named, _ = run("evaluate", "est", "ref", "--mix", "mix.wav")
    (folders / "mix.wav").rename(folders / "ref" / "mixture.wav")
    _, among, _ = run("evaluate", "est", "ref")
    assert summed == named == among


def test_two_files_are_compared_whatever_their_names(run, folders):
    status, out, err = run("evaluate", "est/low.flac", "ref/low.wav")
    assert (status, err) == (0, "")
    status, out, err = run("evaluate", "mix.wav", "ref/low.wav")
    assert out.splitlines()[1].startswith("low = mix")


def test_a_runs_folder_is_compared_by_its_sources(run, folders):
    (folders / "out" / "song").mkdir(parents=True)
    (folders / "est").rename(folders / "out" / "song" / "sources")
    assert run("evaluate", "out/song", "ref")[0] == 0


def test_what_is_doubtful_is_said_on_stderr(run, folders):
    (folders / "est" / "low.flac").unlink()
    write(folders / "est" / "High.wav", np.ones(N + 5))
    write(folders / "est" / "new\nline.wav", np.ones(N))
    status, out, err = run("evaluate", "est", "ref")
    assert status == 0
    assert err.splitlines() == [
        "warning: estimate High: 5 samples longer than the references: cut",
        "warning: low: no estimate, counted as silence",
    ]
    assert out.splitlines()[-1] == "unused: new\\nline"


def test_sums_and_unfinished_files_are_said_on_stderr(run, folders):
    expected = run("evaluate", "est", "ref")[1]
    low, high = (
        soundfile.read(folders / "ref" / f"{n}.wav")[0] for n in ("low", "high")
    )
    write(folders / "ref" / "no_drums.wav", low + high)
    path = folders / "ref" / "high.wav"
    data = bytearray(path.read_bytes())
    at = data.index(b"data")
    data[at + 4 : at + 8] = bytes(4)
    path.write_bytes(data)
    status, out, err = run("evaluate", "est", "ref")
    assert (status, out) == (0, expected)
    assert err.splitlines() == [
        "warning: ref/high.wav: its header states no length: "
        "read to the end of the file",
        "warning: no_drums: the sum of high and low, left out",
    ]


def test_quiet_says_nothing_and_verbose_how_long_it_took(run, folders):
    (folders / "est" / "low.flac").unlink()
    assert run("evaluate", "est", "ref", "-q") == (0, "", "")
    _, out, err = run("evaluate", "est", "ref", "-q", "--json")
    assert json.loads(out)["sources"][1]["estimate"] is None
    assert err == ""
    assert run("evaluate", "est", "ref", "-v")[2].startswith("evaluate ")


def test_what_cannot_be_compared_is_one_line_and_status_one(run, folders):
    (folders / "empty").mkdir()
    (folders / "text").mkdir()
    (folders / "text" / "a.wav").write_text("la la la")
    write(folders / "other.wav", np.ones(N), 44100)
    for args, message in [
        (("none", "ref"), "none: no such file"),
        (("est", "empty"), "empty: no recordings in it"),
        (("est", "text"), "text/a.wav: not an audio file that libsndfile reads"),
        (
            ("other.wav", "ref"),
            "estimate other is at 44100 Hz, reference low at 8000 Hz",
        ),
        (("est", "ref", "--mix", "none.wav"), "none.wav: no such file"),
    ]:
        status, out, err = run("evaluate", *args)
        assert (status, out) == (1, "")
        assert err.startswith(f"error: {message}")
        assert len(err.splitlines()) == 1
        status, out, _ = run("evaluate", *args, "--json")
        assert status == 1
        assert json.loads(out)["failures"][0]["error"].startswith(message)


def test_v4_without_museval_is_one_line(run, folders, monkeypatch):
    monkeypatch.setitem(sys.modules, "museval", None)
    monkeypatch.delitem(sys.modules, "museval.metrics", raising=False)
    status, out, err = run("evaluate", "est", "ref", "--v4")
    assert (status, out) == (1, "")
    assert err == (
        "error: BSS Eval v4 needs museval; run: pip install 'specnmf[museval]'\n"
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("est",), "Missing argument 'REFERENCES'"),
        (("est", "ref", "--n-fft", "99"), "n_fft must be even"),
        (("est", "ref", "--match", "worst"), "'worst' is not one of"),
    ],
)
def test_wrong_usage_is_status_two(run, folders, args, message):
    status, out, err = run("evaluate", *args)
    assert (status, out) == (2, "")
    assert message in err


def test_a_config_gives_defaults(run, folders):
    (folders / "my.toml").write_text('oracle = true\nn-fft = 512\nmatch = "best"\n')
    _, out, _ = run("evaluate", "est", "ref", "--config", "my.toml")
    assert "ideal ratio masks, 512 samples" in out


def test_sources_that_a_run_left_out_are_not_scored(run, folders):
    write(folders / "ref" / "mid.wav", np.sin(np.arange(N) / 9) / 9)
    report = folders / "est" / "run.json"
    for left_out, rows in ((["mid"], 3), (["high"], 4), ("mid", 4), ([], 4)):
        report.write_text(json.dumps({"left_out": left_out}))
        status, out, err = run("evaluate", "est", "ref")
        assert status == 0
        assert len(out.splitlines()) == rows + 1
        assert ("counted as silence" in err) == (rows == 4)


@pytest.fixture
def scores(folders):
    """What was played, and what was heard: one note of four is another."""
    true = [
        Note(k, 0.9, pitch, part="tune") for k, pitch in enumerate((60, 62, 64, 65))
    ]
    heard = [*true[:3], true[3]._replace(pitch=77)]
    write_score(folders / "true.mid", Score(true))
    write_score(folders / "heard.csv", Score(heard))
    return folders


@pytest.mark.parametrize(
    "args",
    [("--notes", "heard.csv", "true.mid"), ("heard.csv", "true.mid", "--notes")],
)
def test_notes_are_scored(run, scores, args):
    status, out, err = run("evaluate", *args)
    assert (status, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert [line[0] for line in lines[2:]] == ["all", "tune", "mean"]
    assert lines[2][1:6] == ["4", "4", "0.75", "0.75", "0.75"]


def test_the_scores_of_notes_are_one_json_object(run, scores):
    status, out, err = run("evaluate", "--notes", "heard.csv", "true.mid", "--json")
    assert (status, err) == (0, "")
    content = json.loads(out)
    assert (content["estimates"], content["references"]) == ("heard.csv", "true.mid")
    assert content["notes"]["onset_50"]["f"] == 0.75
    assert content["voices"][0]["onset_offset_100"]["recall"] == 0.75
    assert content["failures"] == []


def test_a_runs_folder_is_compared_by_its_notes(run, scores):
    (scores / "out" / "song").mkdir(parents=True)
    (scores / "true.mid").rename(scores / "out" / "song" / "score.mid")
    status, out, _ = run("evaluate", "--notes", "out/song", "heard.csv")
    assert status == 0
    assert out.splitlines()[2].split()[5] == "0.75"


def test_notes_that_cannot_be_compared_are_one_line_and_status_one(run, scores):
    (scores / "empty.mid").touch()
    for args, message in [
        (("none.mid", "true.mid"), "none.mid: no such file"),
        (("heard.csv", "empty.mid"), "empty.mid: empty, expected a score"),
        (("heard.csv", "mix.wav"), "mix.wav: expected a score"),
        (("est", "true.mid"), "est: no score.mid in it"),
    ]:
        status, out, err = run("evaluate", "--notes", *args)
        assert (status, out) == (1, "")
        assert err.startswith(f"error: {message}")
        assert len(err.splitlines()) == 1


def test_drums_alone_are_no_reference_for_a_tune(run, scores):
    kit = Score([Note(0, 0.1, 36, part="kit", percussion=True)])
    write_score(scores / "kit.mid", kit)
    status, _, err = run("evaluate", "--notes", "heard.csv", "kit.mid")
    assert status == 1
    assert err == "error: the reference has no pitched notes, expected at least one\n"


def test_options_of_sound_are_wrong_usage_with_notes(run, scores):
    args = ("evaluate", "--notes", "heard.csv", "true.mid")
    status, out, err = run(*args, "--oracle", "--n-fft", "512")
    assert (status, out) == (2, "")
    assert "--oracle, --n-fft: for recordings, not for --notes" in err
    (scores / "my.toml").write_text("oracle = true\n")
    assert run(*args, "--config", "my.toml")[0] == 0
