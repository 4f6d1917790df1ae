"""Some sources are written, as they would be among all."""

import dataclasses
import json

import numpy as np
import pytest
import soundfile
from conftest import ROOT
from runs import label, layers, separate, settings_hash

from specnmf import (
    LabelSettings,
    LayerSettings,
    ParameterError,
    ScoreSettings,
    Settings,
    decompose,
)
from specnmf.evaluation.inputs import read_sources
from specnmf.record.record import read_record
from specnmf.record.rerun import rerun

CHORALE = ROOT / "audio_examples" / "chorale" / "chorale.flac"
GREENSLEEVES = ROOT / "audio_examples" / "greensleeves"
PLAIN = {"max_iter": 2, "figures": False, "duration": 2.0}


@pytest.fixture
def song(tmp_path, rng, monkeypatch):
    monkeypatch.chdir(tmp_path)
    soundfile.write("song.wav", 0.1 * rng.standard_normal((8000, 2)), 8000, "PCM_16")
    return tmp_path / "song.wav"


def written(run):
    """The sources of a run, by their paths in sources/."""
    root = run.folder / "sources"
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*.*")
    }


@pytest.mark.parametrize("subtype", ["pcm_16", "pcm_24", "float"])
def test_those_written_are_the_ones_that_all_would_be(song, subtype):
    settings = Settings(n_components=3, subtype=subtype, **PLAIN)
    whole = decompose(song, settings, output="all")
    some = decompose(
        song, dataclasses.replace(settings, only=("2", "*3")), output="some"
    )
    expected = written(whole)
    left = expected.pop("component_01.wav")
    assert written(some) == expected
    assert some.report["left_out"] == ["component_01"]
    assert whole.report["left_out"] == []
    assert some.report["residual_db"] == whole.report["residual_db"] <= -90
    one, two, _ = some.report["components"]
    assert "source" not in one
    assert (one["rms"], two["source"]) == (
        whole.report["components"][0]["rms"],
        "sources/component_02.wav",
    )
    (song.parent / "left.wav").write_bytes(left)
    names = [some.folder / "sources" / name for name in expected]
    parts = [soundfile.read(path)[0] for path in (*names, song.parent / "left.wav")]
    np.testing.assert_allclose(sum(parts), soundfile.read(song)[0], atol=1e-6)


def test_a_run_with_some_sources_is_made_again_and_read(song):
    settings = Settings(n_components=3, only=("2",), **PLAIN)
    some = decompose(song, settings, output="some")
    assert read_record(some.folder).settings == dataclasses.replace(
        settings, only=["2"]
    )
    again = rerun(some.folder)
    assert again.identical
    assert written(again) == written(some)
    assert list(read_sources(some.folder)) == ["component_02"]
    assert rerun(some.folder, sources=False, output="none").report["left_out"] == []


def test_of_lossy_sources_only_all_can_tell_whether_they_add_up(song):
    settings = Settings(n_components=2, format="ogg", **PLAIN)
    assert decompose(song, settings, output="all").report["residual_db"] is not None
    some = dataclasses.replace(settings, only=("1",))
    run = decompose(song, some, output="some")
    assert run.report["residual_db"] is None
    assert list(written(run)) == ["component_01.ogg"]


@pytest.mark.parametrize("only", [("soprano", "B*"), ("1", "Soprano")])
def test_stems_are_chosen_by_name_and_number(tmp_path, monkeypatch, only):
    monkeypatch.chdir(tmp_path)
    settings = ScoreSettings(only=only, align="never", **PLAIN)
    run = separate(CHORALE, CHORALE.with_suffix(".mid"), settings)
    assert {*written(run)} == {"soprano.wav", "bass.wav"}
    assert {*run.report["left_out"]} == {"alto", "tenor"}
    assert run.report["residual_db"] == -300


def test_of_labels_some_are_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = LabelSettings(n_components=2, only=("rest",), **PLAIN)
    labels = tmp_path / "labels.txt"
    labels.write_text("0\t1\ta/b\n")
    song = GREENSLEEVES / "greensleeves.flac"
    run = label(song, labels, settings)
    assert {*written(run)} == {"rest.wav"}
    settings = dataclasses.replace(settings, only=("A/B",))
    assert {*written(label(song, labels, settings, overwrite=True))} == {"a_b.wav"}


def test_of_layers_some_are_written_whole_layers_left_out(song):
    settings = LayerSettings(ranks=(4, 2), only=("layer_2/1",), **PLAIN)
    run = layers("song.wav", settings)
    assert list(written(run)) == ["layer_2/component_01.wav"]
    assert len(run.report["left_out"]) == 5
    first, second = run.report["layers"]
    assert (first["residual_db"], second["residual_db"]) == (None, -300)
    settings = dataclasses.replace(settings, only=("2",), stems=(1,))
    run = layers("song.wav", settings, overwrite=True)
    assert list(written(run)) == ["layer_1/component_02.wav"]


def never(*args, **options):
    raise AssertionError("it began to work")


@pytest.mark.parametrize(
    "work",
    [
        lambda: decompose(
            "song.wav",
            Settings(n_components=2, only=("x",), **PLAIN),
            output="specnmf_out",
        ),
        lambda: layers("song.wav", LayerSettings(ranks=(2,), only=("x",), **PLAIN)),
        lambda: separate(
            CHORALE,
            CHORALE.with_suffix(".mid"),
            ScoreSettings(only=("x",), residual=True, align="never", **PLAIN),
        ),
        lambda: label(
            GREENSLEEVES / "greensleeves.flac",
            GREENSLEEVES / "labels.txt",
            LabelSettings(only=("x",), **PLAIN),
        ),
    ],
    ids=["decompose", "layers", "separate", "label"],
)
def test_what_there_is_not_is_told_before_the_fit(song, monkeypatch, work):
    for place in (
        "components.fitting.fit_components",
        "layers.fitting.fit_layers",
        "by_score.fit_stems",
        "labels.fitting.fit_labelled",
    ):
        monkeypatch.setattr(f"specnmf.methods.{place}", never)
    with pytest.raises(
        ParameterError, match="only: no source matches 'x'; the sources are "
    ):
        work()
    assert [path.name for path in song.parent.iterdir()] == ["song.wav"]


def test_where_the_number_is_found_what_there_is_not_is_told_after(song):
    with pytest.raises(
        ParameterError, match="only: no source matches '99'; the sources are"
    ):
        decompose(
            song,
            Settings(n_components="auto", only=("99",), **PLAIN),
            output="specnmf_out",
        )
    assert [path.name for path in song.parent.iterdir()] == ["song.wav"]


def test_runs_of_versions_that_wrote_all_are_read_and_known(song):
    settings = Settings(n_components=2, **PLAIN)
    run = decompose(song, settings, output="specnmf_out")
    content = json.loads((run.folder / "run.json").read_text())
    del content["settings"]["only"]
    (run.folder / "run.json").write_text(json.dumps(content))
    assert read_record(run.folder).settings == settings
    assert rerun(run.folder).identical
    assert settings_hash(settings) == settings_hash(
        dataclasses.replace(settings, only=[])
    )
    some = dataclasses.replace(settings, only=["1"])
    assert settings_hash(settings) != settings_hash(some)
