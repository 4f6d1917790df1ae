"""The files of a run are what docs/formats.md and its schemas say."""

import json
import re
from functools import cache

import drum_loops
import jsonschema
import numpy as np
import pytest
import runs
from conftest import ROOT
from small_runs import KINDS as SMALL
from small_runs import LABELS, QUICK, run_of, write_song

import specnmf
from specnmf import (
    BatchSettings,
    LayerSettings,
    ScoreSettings,
    Settings,
    edit,
    run_batch,
)
from specnmf.output.report import SCHEMAS

FORMATS = ROOT / "docs" / "formats"

#: Pairs of stems to merge, by the kind of run.
PAIRS = {
    "decompose": ["1", "2"],
    "separate": ["low", "high"],
    "label": ["low", "high"],
    "layers": ["layer_1/component_01", "layer_1/component_02"],
    "drums": ["1", "2"],
}
KINDS = (*SMALL, "drums")


@cache
def validator(name):
    schema = json.loads((FORMATS / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def content(path):
    return json.loads(path.read_text())


def fits(value, name):
    return [*validator(name).iter_errors(value)] == []


def check(folder):
    assert fits(content(folder / "run.json"), "run")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of each kind, by its kind; and the recording."""
    folder = tmp_path_factory.mktemp("schemas")
    song = write_song(folder)
    made = {kind: run_of(kind, song, folder / kind) for kind in SMALL}
    return {"song": song, "drums": drum_run(folder)} | made


def drum_run(folder):
    """A run of drums, which has strokes to quantise."""
    specnmf.write(folder / "loop.wav", drum_loops.loop())
    return specnmf.drums(
        folder / "loop.wav", **QUICK, quantize="4", output=folder / "drums"
    ).folder


@pytest.mark.parametrize("kind", KINDS)
def test_run_json_fits_its_schema(made, kind):
    check(made[kind])


@pytest.mark.parametrize("kind", PAIRS)
def test_that_of_an_edited_run_does(made, kind, tmp_path):
    changes = {"gain": {"both": -3.0}, "without": ["both"]}
    merge = {"both": PAIRS[kind]}
    once = edit(made[kind], merge=merge, **changes, output=tmp_path / "once").folder
    check(once)
    check(edit(once, rename={"both": "two"}, output=tmp_path / "twice").folder)


def test_what_only_some_runs_say_fits_as_well(made, tmp_path):
    song = made["song"]
    heard = ScoreSettings(**QUICK, no_score=True, transcriber="builtin")
    check(runs.separate(song, None, heard, look_beside=False, output=tmp_path).folder)
    marked = LayerSettings(**QUICK, ranks=(6, 3))
    labels = song.with_suffix(".txt")
    labels.write_text(LABELS)
    check(runs.layers(song, marked, labels=labels, output=tmp_path / "marked").folder)


@pytest.mark.slow  # batches
def test_a_batch_s_events_and_runs_fit(made, tmp_path):
    songs, settings = tmp_path / "songs", [Settings(**QUICK, n_components="auto")]
    songs.mkdir()
    (songs / "trio.wav").write_bytes(made["song"].read_bytes())
    (songs / "none.wav").write_bytes(b"none")
    run_batch(songs, output=tmp_path, settings=settings, batch=BatchSettings(jobs=1))
    events = [*map(json.loads, (tmp_path / "batch.jsonl").read_text().splitlines())]
    assert {event["event"] for event in events} == {
        "batch", "begin", "done", "failed", "end"
    }  # fmt: skip
    for event in events:
        assert fits(event, "batch")
    check(tmp_path / "trio")


def test_tree_json_fits_its_schema(made):
    assert fits(content(made["layers"] / "tree.json"), "tree")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "divide"},
        {"extra": 1},
        {"schemas": {}},
        {"settings": {}},
        {"residual_db": "-90"},
        {"edits": []},
    ],
)
def test_another_run_json_does_not_fit(made, change):
    report = content(made["decompose"] / "run.json") | change
    with pytest.raises(jsonschema.ValidationError):
        validator("run").validate(report)


def test_the_schemas_are_those_of_this_version(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    import make_schemas

    monkeypatch.setattr(make_schemas, "FORMATS", tmp_path)
    make_schemas.main()
    for path in FORMATS.iterdir():
        assert path.read_text() == (tmp_path / path.name).read_text()


#: A row of the page's tables of arrays: name, type, shape.
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([^|]+) \|", re.M)


def table(name):
    """The arrays that the page lists under a heading, with their types and shapes."""
    page = (ROOT / "docs" / "formats.md").read_text()
    section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    return {found[1]: (found[2], found[3].strip()) for found in ROW.finditer(section)}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *((kind, "factors.npz") for kind in PAIRS),
        *((kind, "model.npz") for kind in KINDS),
        ("layers", "layers.npz"),
        ("transcribe", "notes.npz"),
    ],
)
def test_the_arrays_of_an_archive_are_those_of_its_table(made, kind, name):
    listed, sizes = table(name), {}
    with np.load(made[kind] / name, allow_pickle=False) as arrays:
        found = {each: arrays[each] for each in arrays}
    for each, array in found.items():
        known = re.sub(r"_\d+$", "_l", each)
        if name == "model.npz" and known not in listed:
            continue  # what only the program reads
        dtype, shape = listed[known]
        assert ("text" if array.dtype.kind == "U" else array.dtype.name) == dtype, each
        sides = re.findall(r"\w+", shape)
        assert len(sides) == array.ndim, each
        for side, length in zip(sides, array.shape, strict=True):
            if not side.endswith("_l"):
                assert length == sizes.setdefault(side, length), (each, side)
    missing = {*listed} - {re.sub(r"_\d+$", "_l", each) for each in found}
    assert missing == ({"B", "labels"} if name == "layers.npz" else set())


def test_each_format_of_a_run_is_described(made):
    page = (ROOT / "docs" / "formats.md").read_text()
    for name in SCHEMAS:
        assert f"`{name}`" in page or f"## {name}" in page
    there = {path.name for kind in KINDS for path in made[kind].iterdir()}
    unversioned = {"sources", "report.html", "pianoroll.mid", "aligned.mid",
                   "score.mid", "score.musicxml", "drums.mid",
                   "drums_quantized.mid"}  # fmt: skip
    assert "onsets.csv" in there
    assert there - unversioned <= {*SCHEMAS}


#: The versions at which keys on the page came, under the heading of their file.
SINCE = re.compile(r"since (\d+\.\d+)")


def test_no_key_is_newer_than_its_format():
    page = (ROOT / "docs" / "formats.md").read_text().partition("\n## run.json\n")[2]
    told = set()
    for section in f"run.json\n{page}".split("\n## "):
        name = section.partition("\n")[0]
        told |= {(name, version) for version in SINCE.findall(section)}
    assert told == {(n, version) for n, version in SCHEMAS.items() if version != "1.0"}


def test_the_columns_of_the_strokes_are_those_of_the_page(made):
    page = (ROOT / "docs" / "formats.md").read_text()
    section = page.partition("\n## onsets.csv\n")[2].partition("\n## ")[0]
    columns = re.findall(r"^\| `(\w+)` \|", section, re.M)
    header = (made["drums"] / "onsets.csv").read_text().partition("\n")[0]
    assert header.split(",") == columns
