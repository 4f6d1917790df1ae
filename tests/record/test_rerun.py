"""Runs made again from their run.json."""

import dataclasses
import json
import os
import shutil
import zipfile

import numpy as np
import pytest
import soundfile
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from runs import label, layers, separate, settings_hash

from specnmf import (
    AudioError,
    LabelSettings,
    LayerSettings,
    OutputError,
    ParameterError,
    ScoreError,
    ScoreSettings,
    Settings,
    SpecnmfError,
    TemplateError,
    decompose,
)
from specnmf.record.record import MOST_REPORT_BYTES, read_record
from specnmf.record.rerun import rerun

CHORALE = ROOT / "audio_examples" / "chorale" / "chorale.flac"
QUICK = Settings(n_components=2, max_iter=4, figures=False, sources=False)


@pytest.fixture
def song(tmp_path, rng, monkeypatch):
    monkeypatch.chdir(tmp_path)
    soundfile.write("song.wav", 0.1 * rng.standard_normal(8000), 8000, "PCM_16")
    return tmp_path / "song.wav"


@pytest.fixture
def done(song):
    """A finished run, by a path from the current folder."""
    return decompose("song.wav", QUICK, output="out").folder


def change(folder, **values):
    path = folder / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def scale(path, by):
    with np.load(path) as arrays:
        content = dict(arrays)
    content["H"] = content["H"].copy()
    content["H"][0, 0] += by * content["H"].max()
    np.savez(path, **content)


@pytest.mark.parametrize(
    "settings",
    [
        QUICK,
        dataclasses.replace(QUICK, n_components="auto", seed=3),
        dataclasses.replace(QUICK, n_components="auto", n_fft=512, figures=True),
        dataclasses.replace(QUICK, beta=0.5, start=0.25, duration=0.5, threads=1),
    ],
)
def test_a_run_comes_out_the_same_to_the_byte(song, settings):
    first = decompose("song.wav", settings, output="out")
    again = rerun(first.folder, output="again", command="again")
    assert (again.identical, again.difference, again.versions) == (True, 0.0, {})
    files = {path.relative_to(first.folder) for path in first.folder.rglob("*")}
    made = again.folder
    assert {path.relative_to(made) for path in made.rglob("*")} == files
    factors = (made / "factors.npz").read_bytes()
    assert factors == (first.folder / "factors.npz").read_bytes()
    told = {"command", "seconds"}
    assert {k: v for k, v in again.report.items() if k not in told} == {
        k: v for k, v in first.report.items() if k not in told
    }
    assert again.report["command"] == "again"


def test_a_long_recording_comes_out_the_same(song, monkeypatch):
    """What is held depends on how many components auto might have chosen."""
    from specnmf.methods.components import budget

    monkeypatch.setattr(budget.Budget, "most_samples", lambda self: 4000)
    settings = dataclasses.replace(QUICK, n_components="auto")
    first = decompose("song.wav", settings, output="out")
    assert first.report["streamed"]
    assert rerun(first.folder).identical


@pytest.mark.slow  # whole runs
def test_a_separation_comes_out_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = ScoreSettings(
        max_iter=3, duration=3, figures=False, groups={"high": ["soprano", "alto"]}
    )
    first = separate(CHORALE, CHORALE.with_suffix(".mid"), settings, output="out")
    assert first.report["kind"] == "separate"
    score = first.report["inputs"][1]["sha256"]
    assert first.report["settings_hash"] == settings_hash(settings, score=score)
    assert first.report["settings_hash"] != settings_hash(settings)
    assert first.report["settings"]["n_fft"] is not None
    assert read_record(first.folder).settings == settings
    assert rerun(first.folder).identical


GREENSLEEVES = ROOT / "audio_examples" / "greensleeves"


@pytest.mark.slow  # whole runs
def test_a_labelling_comes_out_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = LabelSettings(n_components=2, n_rest=1, max_iter=3, figures=False)
    song = GREENSLEEVES / "greensleeves.flac"
    first = label(song, GREENSLEEVES / "labels.txt", settings, output="out")
    assert first.report["kind"] == "label"
    assert read_record(first.folder).settings == settings
    again = rerun(first.folder)
    assert again.identical
    found = (again.folder / "labels.txt").read_bytes()
    assert found == (first.folder / "labels.txt").read_bytes()


@pytest.mark.parametrize("method", ["sequential", "neural"])
@pytest.mark.parametrize("labels", [None, GREENSLEEVES / "labels.txt"])
def test_layers_come_out_the_same(tmp_path, monkeypatch, method, labels):
    monkeypatch.chdir(tmp_path)
    settings = LayerSettings(
        ranks=[4, 2], method=method, max_iter=3, figures=False, sources=False
    )
    song = GREENSLEEVES / "greensleeves.flac"
    first = layers(song, settings, labels=labels, output="out")
    assert len(first.report["inputs"]) == (1 if labels is None else 2)
    assert read_record(first.folder).settings == settings
    assert rerun(first.folder).identical


def test_a_difference_in_an_upper_layer_counts(song):
    settings = LayerSettings(ranks=[3, 2], max_iter=3, figures=False, sources=False)
    first = layers("song.wav", settings, output="out").folder
    with np.load(first / "layers.npz") as arrays:
        content = dict(arrays)
    content["A_2"] = content["A_2"] * np.float32(1.25)
    np.savez(first / "layers.npz", **content)
    again = rerun(first)
    assert not again.identical
    assert again.difference == pytest.approx(0.2)
    del content["S_1"]
    np.savez(first / "layers.npz", **content)
    with pytest.raises(OutputError, match=r"since the run \(S_1.npy missing\)"):
        rerun(first, overwrite=True)


@pytest.mark.slow  # a whole run
def test_changed_labels_are_an_error_of_labels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labels = tmp_path / "labels.txt"
    shutil.copy(GREENSLEEVES / "labels.txt", labels)
    settings = LabelSettings(n_components=2, max_iter=2, figures=False, sources=False)
    song = GREENSLEEVES / "greensleeves.flac"
    first = label(song, labels, settings, output="out").folder
    labels.write_text("0\t1\tguitar\n")
    with pytest.raises(ScoreError, match=r"labels.txt: not the file that"):
        rerun(first)


def test_templates_are_held_fixed_again(done, song):
    factors = done / "factors.npz"
    settings = dataclasses.replace(QUICK, n_components=3)
    first = decompose("song.wav", settings, output="b", templates=factors)
    checksum = first.report["inputs"][1]["sha256"]
    assert first.report["settings_hash"] == settings_hash(settings, templates=checksum)
    assert first.report["settings_hash"] != settings_hash(settings)
    assert rerun(first.folder).identical
    scale(factors, 0.1)
    with pytest.raises(TemplateError, match=r"factors.npz: not the file that b/song"):
        rerun(first.folder, overwrite=True)


def test_the_settings_asked_for_are_hashed_and_kept(song):
    asked = dataclasses.replace(QUICK, n_components="auto")
    first = decompose("song.wav", asked, output="out")
    assert first.report["kind"] == "decompose"
    assert first.report["settings_hash"] == settings_hash(asked)
    assert first.report["settings"]["n_components"] >= 1
    assert read_record(first.folder).settings == asked


def test_a_record_of_version_01_names_no_roles(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = ScoreSettings(max_iter=3, duration=3, figures=False, sources=False)
    score = CHORALE.with_suffix(".mid")
    first = separate(CHORALE, score, settings, output="out").folder
    assert json.loads((first / "run.json").read_text())["roles"] == ["song", "score"]
    change(first, roles=None)
    with pytest.raises(OutputError, match="expected roles among song, score"):
        rerun(first)
    content = json.loads((first / "run.json").read_text())
    del content["roles"]
    (first / "run.json").write_text(json.dumps(content))
    assert read_record(first).beside == {"score": score}
    assert rerun(first).identical


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        (["song", "song"], "expected roles among song, templates"),
        (["templates"], "expected a role for each of 1 inputs"),
        (["song", "templates"], "expected a role for each of 1 inputs"),
        ([["song"]], "expected roles among"),
        ({"song": 1}, "expected roles among"),
    ],
)
def test_roles_that_make_no_sense_are_refused(done, roles, message):
    change(done, roles=roles)
    with pytest.raises(OutputError, match=message):
        rerun(done)


@pytest.mark.parametrize("by", [1e-6, 0.25])
def test_how_far_factors_differ_is_told(done, by):
    scale(done / "factors.npz", by)
    again = rerun(done)
    assert not again.identical
    assert again.difference == pytest.approx(by, rel=0.3)


@pytest.mark.parametrize(
    "other", [{"H": np.zeros((2, 3))}, {"labels": np.array(["a" * 12, "b" * 12])}]
)
def test_factors_of_another_shape_or_name_differ_beyond_measure(done, other):
    with np.load(done / "factors.npz") as arrays:
        content = dict(arrays)
    np.savez(done / "factors.npz", **{**content, **other})
    again = rerun(done)
    assert (again.identical, again.difference) == (False, np.inf)


def test_versions_that_changed_are_told(done):
    versions = json.loads((done / "run.json").read_text())["versions"]
    change(done, versions=versions | {"numpy": "1.0"})
    assert rerun(done).versions == {"numpy": ("1.0", versions["numpy"])}


def test_inputs_may_have_moved_but_not_changed(done, song):
    song.rename("other.wav")
    with pytest.raises(AudioError, match="song.wav: no such file; .* --input"):
        rerun(done)
    again = rerun(done, inputs=["other.wav"])
    assert again.identical
    assert again.folder.name == "other"
    with pytest.raises(ParameterError, match=r"has 1 inputs \(song.wav\), got 2"):
        rerun(done, inputs=["other.wav", "other.wav"])
    soundfile.write("song.wav", [0.5, -0.5] * 4000, 8000)
    with pytest.raises(AudioError, match="not the file that out/song was made from"):
        rerun(done)


def test_a_score_that_changed_is_a_score_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(CHORALE.with_suffix(".mid"), "score.mid")
    settings = ScoreSettings(max_iter=1, duration=2, figures=False, sources=False)
    first = separate(CHORALE, "score.mid", settings, output="out")
    (tmp_path / "score.mid").write_bytes(b"MThd")
    with pytest.raises(ScoreError, match="score.mid: not the file"):
        rerun(first.folder)


def test_the_run_itself_is_never_replaced(done, song):
    before = (done / "factors.npz").stat().st_ino
    (song.parent / "link").symlink_to("out")
    for output in ("out", "link", "./out/../out"):
        with pytest.raises(
            OutputError, match="is or contains the run to be made again"
        ):
            rerun(done, output=output, overwrite=True)
    inner = done / "kept"
    shutil.copytree(done, inner)
    with pytest.raises(OutputError, match="is or contains the run to be made again"):
        rerun(inner, output="out", overwrite=True)
    assert (done / "factors.npz").stat().st_ino == before


def test_another_finished_run_is_kept_unless_told(done):
    rerun(done)
    with pytest.raises(OutputError, match="specnmf_rerun/song holds a finished run"):
        rerun(done)
    assert rerun(done, overwrite=True).identical


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.unlink(), "no such file; it is needed for the comparison"),
        (lambda path: (path.unlink(), os.mkfifo(path)), "no such file; it is needed"),
        (lambda path: path.write_bytes(b""), "the file has changed since the run"),
        (
            lambda path: path.write_bytes(b"PK\3\4" * 30),
            "the file has changed since the run",
        ),
        (
            lambda path: np.savez(path, W=np.eye(2)),
            r"the file has changed since the run .H.npy missing",
        ),
    ],
)
def test_factors_that_are_none_are_told_before_any_work(done, song, spoil, message):
    spoil(done / "factors.npz")
    song.unlink()
    with pytest.raises(OutputError, match=message):
        rerun(done)


def test_factors_that_lie_about_their_size_are_refused(done):
    """A header may name any shape; the members are no larger than the new ones."""
    path = done / "factors.npz"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["W.npy"] = members["W.npy"].replace(b"(1025, 2)", b"(9999, 2)")
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(OutputError, match="the file has changed since the run"):
        rerun(done)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ('{"a": NaN}', "not valid JSON: NaN is not a number"),
        ('{"a": ' + "9" * 5000 + "}", "not valid JSON"),
        ("[]", "expected an object"),
        ("{}", "expected kind to be one of decompose, separate"),
        ('{"kind": ["decompose"]}', "expected kind to be one of"),
        ('{"kind": "separate", "inputs": []}', "expected 1 or 2 inputs"),
        ('{"kind": "label", "inputs": [{}]}', "expected 2 inputs"),
        ('{"kind": "decompose", "inputs": {}}', "expected 1 or 2 inputs"),
        ('{"kind": "decompose", "inputs": [3]}', "path and sha256 of each input"),
    ],
)
def test_a_run_json_that_is_none_is_refused(done, text, message):
    (done / "run.json").write_text(text)
    with pytest.raises(OutputError, match=message):
        rerun(done)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"inputs": [{"path": "song.wav", "sha256": "0"}]}, "path and sha256 of each"),
        ({"inputs": [{"path": "", "sha256": "0" * 64}]}, "path and sha256 of each"),
        (
            {"inputs": [{"path": "x" * 5000, "sha256": "0" * 64}]},
            "path and sha256 of each",
        ),
        ({"inputs": [{"path": "a\0b", "sha256": "0" * 64}]}, "a.b: "),
        ({"inputs": [{"path": "\ud800", "sha256": "0" * 64}]}, "no such|cannot be"),
        ({"inputs": [{"path": "x" * 4000, "sha256": "0" * 64}]}, "cannot be opened"),
        ({"inputs": [{"path": "/dev/zero", "sha256": "0" * 64}]}, "no such file"),
        (
            {"inputs": [{"path": "..", "sha256": "0" * 64}]},
            "..: '..' cannot be the name",
        ),
        ({"settings": [], "asked": {}}, "expected the objects settings and asked"),
        ({"asked": None}, "expected the objects settings and asked"),
        ({"asked": {"seed": "x"}}, 'run.json: seed must be a whole number, got "x"'),
        ({"asked": {"sed": 1}}, "there is no setting 'sed'; did you mean 'seed'?"),
        ({"settings": {}}, "the setting 'max_iter' is missing"),
        ({"versions": {"numpy": 2}}, "expected versions as an object of strings"),
    ],
)
def test_a_record_that_makes_no_sense_is_refused(done, values, message):
    change(done, **values)
    with pytest.raises(SpecnmfError, match=message):
        rerun(done)


def test_no_run_and_a_run_json_without_end_are_refused(done, song):
    with pytest.raises(OutputError, match="not a run, run.json is missing"):
        rerun(song.parent)
    (done / "run.json").write_bytes(b" " * (MOST_REPORT_BYTES + 1))
    with pytest.raises(OutputError, match="expected less than 16 MB"):
        rerun(done)
    (done / "run.json").unlink()
    os.mkfifo(done / "run.json")
    with pytest.raises(OutputError, match="not a run, run.json is missing"):
        rerun(done)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    changes=st.dictionaries(
        st.sampled_from(["kind", "inputs", "settings", "asked", "versions"]),
        VALUES,
        min_size=1,
    )
)
def test_any_json_is_a_record_or_an_error_of_the_package(tmp_path_factory, changes):
    folder = tmp_path_factory.mktemp("run")
    settings = dataclasses.asdict(QUICK)
    content = {
        "kind": "decompose",
        "inputs": [{"path": "song.wav", "sha256": "0" * 64}],
        "settings": settings,
        "asked": {},
        "versions": {},
    }
    (folder / "run.json").write_text(json.dumps({**content, **changes}))
    try:
        said = str(read_record(folder).folder)
    except SpecnmfError as error:
        said = str(error)
    assert said.startswith(str(folder))
