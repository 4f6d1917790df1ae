"""Runs of every task edited: what they sound like, and what is said of them."""

import dataclasses
import json
import os
import shutil

import numpy as np
import pytest
import soundfile
from conftest import ROOT
from runs import label, layers, separate

import specnmf
from specnmf import (
    AudioError,
    LabelSettings,
    LayerSettings,
    OutputError,
    ParameterError,
    ScoreSettings,
    Settings,
    SpecnmfError,
    decompose,
    edit,
)
from specnmf.record.record import read_record
from specnmf.record.rerun import rerun

SR = 8000
EXAMPLES = ROOT / "audio_examples"
CHORALE = EXAMPLES / "chorale" / "chorale.flac"
GREENSLEEVES = EXAMPLES / "greensleeves"
QUICK = Settings(
    n_components=4, max_iter=3, n_fft=256, figures=False, report=False, grid=False
)


@pytest.fixture
def song(tmp_path, rng, monkeypatch):
    """Noise in two channels, soft enough for gains."""
    monkeypatch.chdir(tmp_path)
    soundfile.write("song.wav", 0.05 * rng.standard_normal((4000, 2)), SR, "PCM_16")
    return tmp_path / "song.wav"


@pytest.fixture
def done(song):
    return decompose("song.wav", QUICK, output="out").folder


def sound(folder, name, within="sources", **options):
    options = {"dtype": "int32", "always_2d": True} | options
    return soundfile.read(folder / within / f"{name}.wav", **options)[0] >> 16


def recording(path="song.wav"):
    return soundfile.read(path, dtype="int32", always_2d=True)[0] >> 16


def stems(folder):
    return {path.stem for path in (folder / "sources").iterdir()}


def total(folder):
    paths = sorted((folder / "sources").rglob("*.wav"))
    return sum(soundfile.read(p, dtype="int32", always_2d=True)[0] >> 16 for p in paths)


def contents(folder):
    """The bytes of each file, and run.json without what a rerun changes."""
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    report = json.loads(files.pop("run.json"))
    return files, {k: v for k, v in report.items() if k not in ("command", "seconds")}


def change(folder, **values):
    path = folder / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_merged_stems_are_the_sum_of_their_members_and_others_stay_as_they_are(done):
    made = edit(done, merge={"bass": ["component_01", "component_03"]}).folder
    assert made.as_posix() == "specnmf_edited/song"
    assert stems(made) == {"bass", "component_02", "component_04"}
    expected = sound(done, "component_01") + sound(done, "component_03")
    np.testing.assert_array_equal(sound(made, "bass"), expected)
    for name in ("component_02", "component_04"):
        file = f"sources/{name}.wav"
        assert (made / file).read_bytes() == (done / file).read_bytes()
    np.testing.assert_array_equal(total(made), recording())


def test_the_report_names_the_new_stems_and_where_they_are_from(done):
    before = json.loads((done / "run.json").read_text())
    made = edit(done, merge={"bass": ["3", "1"]}, rename={"2": "flute"}, command="x")
    report = json.loads((made.folder / "run.json").read_text())
    assert report == made.report
    assert report["edits"] == [
        {
            "merge": {"bass": ["component_01", "component_03"]},
            "rename": {"component_02": "flute"},
        }
    ]
    assert report["edited_from"] == {"path": "out/song", "seal": before["finished"]}
    assert report["residual_db"] == -300
    bass, flute, last = report["components"]
    shares = [each["energy_share"] for each in before["components"]]
    assert bass["label"] == "bass"
    assert bass["energy_share"] == pytest.approx(shares[0] + shares[2])
    assert bass["members"] == ["component_01", "component_03"]
    assert bass["source"] == "sources/bass.wav"
    level = np.sqrt(np.mean((sound(made.folder, "bass") / 2**15) ** 2))
    assert bass["rms"] == pytest.approx(level)
    assert flute["pitch"] == before["components"][1]["pitch"]
    assert last["label"] == "component_04"
    for key in ("kind", "settings", "asked", "settings_hash", "inputs", "versions"):
        assert report[key] == before[key]
    with np.load(made.folder / "factors.npz") as arrays:
        assert arrays["labels"].tolist() == ["bass", "flute", "bass", "component_04"]
    roll = (made.folder / "pianoroll.csv").read_text()
    assert "component_04" in roll
    assert "component_02" not in roll


def test_an_edit_without_the_files_gives_the_same_bytes(done):
    options = {"merge": {"a": ["1", "4"]}, "drop": ["2"], "gain": {"a": -3}}
    first = edit(done, **options, output="first").folder
    for path in (done / "sources").iterdir():
        path.write_bytes(path.read_bytes()[:-2] + b"\1\1")  # files of someone else
    assert contents(edit(done, **options, output="second").folder) == contents(first)
    shutil.rmtree(done / "sources")
    assert contents(edit(done, **options, output="third").folder) == contents(first)


def test_dropped_stems_go_to_the_rest(done):
    made = edit(done, drop=["component_02", "4"]).folder
    assert stems(made) == {"component_01", "component_03", "rest"}
    dropped = sound(done, "component_02") + sound(done, "component_04")
    np.testing.assert_array_equal(sound(made, "rest"), dropped)
    again = edit(made, drop=["component_01"], output="again").folder
    assert stems(again) == {"component_03", "rest"}
    np.testing.assert_array_equal(total(again), recording())


def test_gains_and_pans_make_a_mix_that_is_the_sum_of_the_stems(done):
    made = edit(done, gain={"1": -6}, pan={"2": -0.5}, without=["3"])
    expected = np.rint(sound(done, "component_01") * 10 ** (-6 / 20))
    np.testing.assert_array_equal(sound(made.folder, "component_01"), expected)
    left, right = sound(done, "component_02").T
    panned = left + right * np.cos(np.pi / 4), right * np.sin(np.pi / 4)
    found = sound(made.folder, "component_02")
    np.testing.assert_array_equal(found, np.rint(panned).T)
    np.testing.assert_array_equal(
        sound(made.folder, "mix", "mixes"), total(made.folder)
    )
    without = total(made.folder) - sound(made.folder, "component_03")
    found = sound(made.folder, "without_component_03", "mixes")
    np.testing.assert_array_equal(found, without)
    assert made.report["residual_db"] == -300  # of the stems before gains
    assert [mix["file"] for mix in made.report["mixes"]] == [
        "mixes/mix.wav",
        "mixes/without_component_03.wav",
    ]
    assert made.report["mixes"][1]["stems"] == [
        *("component_01", "component_02", "component_04"),
    ]


def test_gains_of_one_edit_after_another_add_up(done):
    first = edit(done, gain={"1": -6}, output="a").folder
    made = edit(first, merge={"x": ["1", "2"]}, gain={"x": 3}, output="b")
    softer = np.rint(sound(done, "component_01") * 10 ** (-6 / 20))
    both = softer + sound(done, "component_02")
    found = sound(made.folder, "x")
    np.testing.assert_array_equal(found, np.rint(both * 10 ** (3 / 20)))
    np.testing.assert_array_equal(
        sound(made.folder, "mix", "mixes"), total(made.folder)
    )
    assert made.report["residual_db"] == -300
    assert len(made.report["edits"]) == 2


def test_what_full_scale_cannot_hold_is_said(done):
    made = edit(done, gain={"*": 40})
    assert sum("full scale" in line for line in made.report["warnings"]) == 2
    assert np.abs(sound(made.folder, "mix", "mixes")).max() >= 2**15 - 1
    again = edit(made, gain={"*": -40}, output="again")
    assert any(
        "exceed it and were clipped" in line for line in again.report["warnings"]
    )


def test_a_mix_without_a_stem_is_exact_whatever_is_written(done):
    made = edit(done, only=["2"], without=["2"])
    assert stems(made.folder) == {"component_02"}
    both = sound(made.folder, "component_02") + sound(
        made.folder, "without_component_02", "mixes"
    )
    np.testing.assert_array_equal(both, recording())
    assert made.report["left_out"] == [
        *("component_01", "component_03", "component_04"),
    ]
    assert not (made.folder / "mixes" / "mix.wav").exists()


def test_stems_that_were_left_out_can_be_written_later(done):
    narrow = edit(done, only=["component_01"], output="narrow").folder
    same = edit(narrow, rename={"1": "a"}, output="same").folder
    assert stems(same) == {"a"}
    wide = edit(narrow, only=["*"], output="wide")
    assert contents(wide.folder)[0].keys() == contents(done)[0].keys()
    for name in stems(done):
        file = f"sources/{name}.wav"
        assert (wide.folder / file).read_bytes() == (done / file).read_bytes()
    assert wide.report["left_out"] == []


def test_a_run_that_wrote_only_some_stems_can_be_edited(song):
    settings = dataclasses.replace(QUICK, only=["1", "2"])
    first = decompose("song.wav", settings, output="out").folder
    made = edit(first, merge={"a": ["2", "3"]})
    assert stems(made.folder) == {"component_01", "a"}
    assert (
        made.report["settings"]
        == json.loads((first / "run.json").read_text())["settings"]
    )
    assert made.report["left_out"] == ["component_04"]
    everything = edit(first, only=["*"], output="all").folder
    np.testing.assert_array_equal(total(everything), recording())


def test_a_decomposition_of_an_older_version_can_be_edited(done):
    """It has no model.npz, and its run.json lists no page."""
    (done / "model.npz").unlink()
    report = json.loads((done / "run.json").read_text())
    files = [entry for entry in report["files"] if entry["path"] != "model.npz"]
    change(done, files=files)
    made = edit(done, merge={"a": ["1", "2"]}, report=True).folder
    again = edit(made, merge={"b": ["a", "component_03"]}, output="b").folder
    shutil.rmtree(made / "sources")
    other = edit(made, merge={"b": ["a", "component_03"]}, output="c").folder
    assert contents(other)[0] == contents(again)[0]
    np.testing.assert_array_equal(total(again), recording())


def test_stems_come_in_the_order_asked_for(done):
    made = edit(done, order=["3", "component_01"])
    labels = [entry["label"] for entry in made.report["components"]]
    assert labels == ["component_03", "component_01", "component_02", "component_04"]
    again = edit(made, order=["component_02"], output="b")
    assert again.report["components"][0]["label"] == "component_02"


@pytest.mark.parametrize(
    "options",
    [
        {"merge": {"low": ["1", "2"]}, "gain": {"low": -4.5}, "without": ["3"]},
        {"rename": {"1": "b", "2": "a"}, "order": ["a"], "only": ["a", "3"]},
        {"drop": ["4"], "pan": {"rest": 1}},
    ],
)
def test_an_edited_run_comes_out_the_same_to_the_byte(done, options):
    first = edit(done, **options, output="a").folder
    second = edit(first, merge={"new": ["1", "3"]}, output="b").folder
    for folder in (first, second):
        again = rerun(folder, output=f"again_{folder.parent.name}")
        assert (again.identical, again.versions) == (True, {})
        assert contents(again.folder) == contents(folder)


def test_a_run_is_edited_in_place_and_what_a_person_put_there_is_kept(done):
    (done / "my notes.txt").write_text("mine")
    elsewhere = edit(done, merge={"a": ["1", "2"]}, output="b").folder
    made = edit(done, merge={"a": ["1", "2"]}, in_place=True)
    assert made.folder == done
    assert (done / "my notes.txt").read_text() == "mine"
    assert stems(done) == {"a", "component_03", "component_04"}
    (done / "my notes.txt").unlink()
    assert contents(done) == contents(elsewhere)
    assert list(done.parent.iterdir()) == [done]


def test_without_sources_only_names_change(song):
    settings = dataclasses.replace(QUICK, sources=False)
    first = decompose("song.wav", settings, output="out").folder
    made = edit(first, merge={"a": ["1", "2"]})
    assert not (made.folder / "sources").exists()
    assert (made.report["residual_db"], made.report["mixes"]) == (None, [])
    assert made.report["components"][0]["label"] == "a"
    silent = edit(first, gain={"1": -6}, output="b").report["warnings"]
    assert any("use --sources to write them" in line for line in silent)
    written = edit(made, rename={"a": "b"}, output="c", sources=True).folder
    np.testing.assert_array_equal(total(written), recording())


@pytest.mark.parametrize(
    ("form", "subtype", "worst"),
    [
        ("wav", "PCM_24", -300),
        ("wav", "PCM_32", -300),
        ("wav", "PCM_U8", -300),
        ("flac", "PCM_16", -300),
        ("wav", "FLOAT", -120),
        ("wav", "DOUBLE", -120),
        ("ogg", None, -5),
        ("m4a", None, -5),
        ("opus", None, -5),
    ],
)
def test_every_format_can_be_edited(tmp_path, rng, monkeypatch, form, subtype, worst):
    monkeypatch.chdir(tmp_path)
    kind = "PCM_U8" if subtype == "PCM_U8" else "PCM_16"
    soundfile.write("song.wav", 0.1 * rng.standard_normal(16000), 16000, kind)
    settings = dataclasses.replace(QUICK, format=form, subtype=subtype)
    first = decompose("song.wav", settings, output="out").folder
    made = edit(first, merge={"a": ["1", "2"]}, without=["a"])
    assert made.report["residual_db"] <= worst
    assert (made.folder / "mixes" / f"without_a.{form}").exists()
    if subtype is None:
        return
    shutil.rmtree(first / "sources")
    again = edit(first, merge={"a": ["1", "2"]}, without=["a"], output="again")
    assert contents(again.folder)[0] == contents(made.folder)[0]


def test_gains_of_lossy_files_leave_no_null_test(song):
    settings = dataclasses.replace(QUICK, format="ogg")
    first = decompose("song.wav", settings, output="out").folder
    made = edit(first, gain={"1": -6})
    assert made.report["residual_db"] is None
    assert (made.folder / "mixes" / "mix.ogg").exists()


@pytest.mark.parametrize("mask", [{"mask": "binary"}, {"mask_power": 2.0}])
def test_merged_stems_are_what_they_were_whatever_the_masks(song, mask):
    settings = dataclasses.replace(QUICK, **mask)
    first = decompose("song.wav", settings, output="out").folder
    expected = sound(first, "component_01") + sound(first, "component_02")
    shutil.rmtree(first / "sources")
    made = edit(first, merge={"a": ["1", "2"]}).folder
    np.testing.assert_array_equal(sound(made, "a"), expected)


def test_a_merged_sum_beyond_full_scale_goes_to_other_stems(song):
    """Two stems that nearly cancel out in the recording may not fit together."""
    from specnmf.methods.regrouping import NewStem, add_up

    one = np.array([[30000], [10]], np.int16)
    frames = [one, one, -one]
    merged = [NewStem("a", (0, 1)), NewStem("b", (2,))]
    (a, b), held = add_up(frames, merged, 16)
    assert held == 1
    np.testing.assert_array_equal(a.astype(int) + b, sum(f.astype(int) for f in frames))


@pytest.mark.parametrize("model", ["partials", "fmp"])
def test_separations_of_every_model_can_be_edited(tmp_path, monkeypatch, model):
    monkeypatch.chdir(tmp_path)
    score = tmp_path / "score.mid"
    shutil.copy(CHORALE.with_suffix(".mid"), score)
    settings = ScoreSettings(
        model=model,
        max_iter=2,
        duration=2,
        residual=model == "partials",
        figures=False,
        report=False,
        subtype="pcm_16",
    )
    rest = "residual" if model == "partials" else "rest"
    first = separate(CHORALE, score, settings, output="out").folder
    score.unlink()  # the score is not needed any more
    made = edit(first, merge={"low": ["tenor", "bass"]}, drop=["alto"])
    assert stems(made.folder) == {"soprano", "low", rest}
    expected = sound(first, "tenor") + sound(first, "bass")
    np.testing.assert_array_equal(sound(made.folder, "low"), expected)
    np.testing.assert_array_equal(total(made.folder), total(first))
    before = {
        e["label"]: e for e in json.loads((first / "run.json").read_text())["stems"]
    }
    entry = next(e for e in made.report["stems"] if e["label"] == "low")
    assert entry["notes"] == before["tenor"]["notes"] + before["bass"]["notes"]
    assert {e["label"] for e in made.report["components"]} <= stems(made.folder)
    from specnmf.output.stored import read_shown

    parts = {note.part for note in read_shown(made.folder).notes}
    assert parts == {"soprano", "low", rest}  # the alto's are the rest's now
    shutil.rmtree(first / "sources")
    again = edit(first, merge={"low": ["tenor", "bass"]}, drop=["alto"], output="b")
    assert contents(again.folder)[0] == contents(made.folder)[0]
    assert (made.folder / "aligned.mid").read_bytes() == (
        first / "aligned.mid"
    ).read_bytes()


def test_labelled_sounds_can_be_edited(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labels = tmp_path / "labels.txt"
    labels.write_text("0.5\t1.0\tlow: a\n2.0\t2.5\thigh\n3\t3.2\tother\n")
    settings = LabelSettings(
        n_components=2, n_rest=2, max_iter=3, duration=4, figures=False, report=False
    )
    settings = dataclasses.replace(settings, subtype="pcm_16")
    song = GREENSLEEVES / "greensleeves.flac"
    first = label(song, labels, settings, output="out").folder
    made = edit(first, merge={"both": ["high", "other"]}, without=["both"])
    assert stems(made.folder) == {"low_ a", "both", "rest"}
    np.testing.assert_array_equal(total(made.folder), total(first))
    names = [entry["label"] for entry in made.report["labels"]]
    assert names == ["low: a", "both", "rest"]
    assert made.report["labels"][0]["source"] == "sources/low_ a.wav"
    assert "seconds_marked" in made.report["labels"][0]
    found = (made.folder / "labels.txt").read_bytes()
    assert found == (first / "labels.txt").read_bytes()
    assert rerun(made.folder).identical
    again = edit(made, rename={"low: a": "low"}, output="again")
    assert [e["label"] for e in again.report["labels"]] == ["low", "both", "rest"]


def test_layers_can_be_edited(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = LayerSettings(
        ranks=[4, 2], max_iter=3, duration=3, figures=False, report=False
    )
    settings = dataclasses.replace(settings, subtype="pcm_16")
    song = GREENSLEEVES / "greensleeves.flac"
    first = layers(song, settings, output="out").folder
    made = edit(
        first,
        merge={"layer_1/low": ["component_01", "component_02"]},
        rename={"layer_2/component_02": "b"},
        gain={"layer_2/b": -6},
        without=["layer_1/low"],
    )
    one, two = made.report["layers"]
    names = [node["name"] for node in one["components"]]
    assert names == [f"layer_1/{n}" for n in ("low", "component_03", "component_04")]
    assert one["n_components"] == 3
    assert [node["name"] for node in two["components"]] == [
        *("layer_2/component_01", "layer_2/b"),
    ]
    parents = {p["name"] for node in one["components"] for p in node["parents"]}
    assert parents <= {"layer_2/component_01", "layer_2/b"}
    assert one["components"][0]["source"] == "sources/layer_1/low.wav"
    both = sound(made.folder, "low", "sources/layer_1") + sound(
        made.folder, "without_low", "mixes/layer_1"
    )
    original = total(first) // 2  # each layer adds up to it
    np.testing.assert_array_equal(both, original)
    assert (made.folder / "mixes/layer_2/mix.wav").exists()
    tree = json.loads((made.folder / "tree.json").read_text())
    assert tree == {"layers": made.report["layers"]}
    assert rerun(made.folder).identical


def test_a_recording_that_moved_is_found_by_input(done, song):
    song.rename("moved.wav")
    with pytest.raises(AudioError, match=r"song.wav: no such file; .* with --input"):
        edit(done, drop=["1"])
    made = edit(done, drop=["1"], input="moved.wav")
    assert made.report["inputs"][0]["path"] == "moved.wav"
    assert made.folder.name == "song"
    np.testing.assert_array_equal(total(made.folder), recording("moved.wav"))
    soundfile.write("moved.wav", np.zeros((4000, 2)), SR)
    with pytest.raises(AudioError, match=r"moved.wav: not the file that out.song"):
        edit(done, drop=["1"], input="moved.wav", output="b")


def test_figures_that_name_no_stem_are_copied(song):
    settings = dataclasses.replace(QUICK, figures=True)
    first = decompose("song.wav", settings, output="out").folder
    made = edit(first, merge={"a": ["1", "2"]}).folder
    for path in (first / "figures").iterdir():
        assert (made / "figures" / path.name).read_bytes() == path.read_bytes()
    assert contents(rerun(made).folder) == contents(made)
    bare = edit(first, drop=["1"], output="c", figures=False).folder
    assert not (bare / "figures").exists()


def test_a_page_is_written_anew(song):
    settings = dataclasses.replace(QUICK, report=True)
    first = decompose("song.wav", settings, output="out").folder
    assert (edit(first, drop=["1"]).folder / "report.html").is_file()
    made = edit(first, drop=["1"], output="b", report=False).folder
    assert not (made / "report.html").exists()


def test_a_transcription_has_no_stems_to_edit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from playing import SR, sound

    from specnmf import Note, Score, TranscribeSettings
    from specnmf.tasks.registry import TASKS
    from specnmf.tasks.run import run

    soundfile.write("tone.wav", sound(Score((Note(0.2, 0.8, 69),))), SR)
    settings = TranscribeSettings(transcriber="builtin", figures=False, report=False)
    made = run(TASKS["transcribe"], "tone.wav", settings)
    with pytest.raises(
        ParameterError, match=r"no stems to edit; correct its score.csv"
    ):
        edit(made, drop=["1"])


def test_a_task_that_stores_nothing_says_so(song):
    import toy_task

    from specnmf.tasks.run import run

    settings = toy_task.GainSettings(figures=False, report=False)
    made = run(toy_task.Gain(), "song.wav", settings)
    with pytest.raises(SpecnmfError, match="runs of gain cannot be edited"):
        edit(made, drop=["1"])


def test_the_run_itself_is_not_written_over_by_accident(done):
    with pytest.raises(OutputError, match="is or contains the run to be edited"):
        edit(done, drop=["1"], output="out", overwrite=True)
    edit(done, drop=["1"])
    with pytest.raises(OutputError, match="holds a finished run; use --overwrite"):
        edit(done, drop=["1"])
    edit(done, drop=["1"], overwrite=True)


def test_nothing_to_change_is_an_error(done):
    with pytest.raises(ParameterError, match="no edits given"):
        edit(done)


def test_one_channel_cannot_be_panned(tmp_path, rng, monkeypatch):
    monkeypatch.chdir(tmp_path)
    soundfile.write("song.wav", 0.1 * rng.standard_normal(4000), SR)
    done = decompose("song.wav", QUICK, output="specnmf_out").folder
    with pytest.raises(ParameterError, match="pan needs a recording with 2 channels"):
        edit(done, pan={"1": -1})
    assert not os.path.lexists("specnmf_edited")


@pytest.mark.parametrize("name", ["factors.npz", "model.npz"])
def test_a_model_that_was_changed_is_refused(done, name):
    path = done / name
    path.write_bytes(path.read_bytes()[:-1] + b"\0\0")
    with pytest.raises(
        OutputError, match=f"{name}: the file has changed since the run"
    ):
        edit(done, drop=["1"])
    path.unlink()
    with pytest.raises(
        OutputError, match=f"{name}: the file has changed since the run"
    ):
        edit(done, drop=["1"])


def listed(folder, **entry):
    content = json.loads((folder / "run.json").read_text())
    change(folder, files=[*content["files"], entry])


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/hostname", "a\\b", "a/../../secret"]
)
def test_no_file_outside_the_run_is_copied(done, name):
    import hashlib

    secret = b"secret"
    (done.parent / "secret").write_bytes(secret)
    checksum = hashlib.sha256(secret).hexdigest()
    listed(done, path=name, size=len(secret), sha256=checksum)
    made = edit(done, gain={"1": -1}).folder
    copied = [p for p in made.rglob("*") if p.is_file() and p.read_bytes() == secret]
    assert copied == []


def test_links_are_not_followed(done):
    import hashlib

    secret = done.parent / "secret"
    secret.write_bytes(b"secret")
    checksum = hashlib.sha256(b"secret").hexdigest()
    (done / "link").symlink_to(secret)
    listed(done, path="link", size=6, sha256=checksum)
    made = edit(done, gain={"1": -1}).folder
    assert not os.path.lexists(made / "link")
    source = done / "sources" / "component_01.wav"
    source.rename(done.parent / "moved.wav")
    source.symlink_to(done.parent / "moved.wav")
    again = edit(done, gain={"1": -1}, output="b").folder
    assert (again / "sources" / "component_01.wav").read_bytes() == (
        made / "sources" / "component_01.wav"
    ).read_bytes()


def test_what_a_person_changed_is_not_taken_for_the_runs(done):
    (done / "pianoroll.mid").write_bytes(b"mine")
    made = edit(done, gain={"1": -1}).folder
    assert not (made / "pianoroll.mid").exists()


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        (None, "expected a list"),
        ({}, "expected a list"),
        ([[]], "expected edits as an object"),
        ([{"merge": {"a": []}}], "merge a has no stems"),
        ([{"merge": {"a": "bc"}}], "takes a list of names"),
        ([{"blend": 1}], "expected an edit .merge"),
        (
            [{"gain": {"component_01": "loud"}}],
            "gain of component_01: expected -120 to",
        ),
        ([{"gain": {"component_01": 1e300}}], "gain of component_01: expected -120 to"),
        ([{"rename": {"component_01": "../../etc"}}], "not a valid file name"),
        ([{"drop": ["nothing"]}], "drop: no stem matches 'nothing'"),
        ([{"drop": [["1"]]}], "drop takes names"),
        ([{"rename": {"a" * 9999: "b"}}], "names of 1 to 300 characters"),
        ([{"drop": ["1"]}] * 1001, "at most 1000"),
    ],
)
def test_a_hostile_list_of_edits_is_one_line(done, edits, message):
    change(done, edits=edits, edited_from={"path": "out/song", "seal": ""})
    with pytest.raises(SpecnmfError, match=message) as caught:
        edit(done, gain={"1": -1})
    assert "\n" not in str(caught.value)
    assert not os.path.lexists("specnmf_edited")


@pytest.mark.parametrize(
    "origin", [None, 1, {}, {"path": 1, "seal": ""}, {"path": "a", "seal": "b"}]
)
def test_a_hostile_origin_is_refused(done, origin):
    change(done, edits=[], edited_from=origin)
    with pytest.raises(OutputError, match="expected edited_from with a path"):
        read_record(done)


@pytest.mark.parametrize(
    "values",
    [
        {"components": [{"label": ["x"]}, 3]},
        {"components": [{"label": "component_01", "pitch": {}, "energy_share": "x"}]},
        {"components": "none"},
        {
            "components": [
                {"label": "component_01", "note": {}, "energy_share": 1e308},
                {"label": "component_02", "members": 5, "energy_share": 10**400},
            ]
        },
        {"layers": [{"layer": 1, "components": [{"name": "layer_1/a", "parts": 1}]}]},
        {"warnings": [1, {"a": 2}]},
        {"layers": [{"layer": "x", "components": [1]}]},
        {"tempo": {"a": [None]}, "left_out": 5, "mixes": "x"},
    ],
)
def test_entries_of_any_kind_do_no_harm(done, values):
    change(done, **values)
    made = edit(done, merge={"a": ["1", "2"]})
    assert stems(made.folder) == {"a", "component_03", "component_04"}


def test_numbers_without_end_are_no_json(done):
    text = (done / "run.json").read_text()
    (done / "run.json").write_text(text.replace('"tempo": null', '"tempo": 1e999'))
    with pytest.raises(OutputError, match="1e999 is not a number"):
        edit(done, drop=["1"])


@pytest.mark.slow  # whole batches
def test_a_batch_takes_an_edited_run_for_done(song):
    """The hash of settings and inputs is that of the fit."""
    from specnmf import BatchSettings, run_batch

    options = {"output": "out", "task": "decompose", "settings": [QUICK]}
    run_batch(".", **options, batch=BatchSettings(jobs=1))
    edit("out/song", merge={"a": ["1", "2"]}, in_place=True)
    found = run_batch(".", **options, batch=BatchSettings(jobs=1, resume=True))
    assert stems(song.parent / "out" / "song") >= {"a"}
    assert (found.skipped, found.failures) == (1, [])


def test_edit_is_public():
    assert specnmf.edit is edit
