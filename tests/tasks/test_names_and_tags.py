"""Files of sources called as asked for, with the recording's tags: whole runs."""

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

import specnmf
from specnmf import ParameterError, Settings
from specnmf.cli import cli
from specnmf.output.page.stems import read_groups
from specnmf.output.products import read_named

SETTINGS = Settings(
    n_components=2,
    max_iter=2,
    n_fft=256,
    figures=False,
    report=False,
    grid=False,
    name="{song}_{number}_{stem}",
)


@pytest.fixture
def song(tmp_path, rng, monkeypatch):
    """Noise that has a title."""
    monkeypatch.chdir(tmp_path)
    with soundfile.SoundFile("loop.wav", "w", 8000, 1, "PCM_16") as file:
        file.title, file.artist = "Löop", "Ann"
        file.write(0.1 * rng.standard_normal(2000))
    return tmp_path / "loop.wav"


def files(run):
    return sorted(path.name for path in (run.folder / "sources").iterdir())


def title(run, name):
    with soundfile.SoundFile(run.folder / "sources" / name) as file:
        return file.title


def test_a_run_is_read_under_the_names_that_were_asked_for(song):
    run = specnmf.decompose(song, SETTINGS, output="out")
    names = ["loop_01_component_01.wav", "loop_02_component_02.wav"]
    assert files(run) == names
    assert [each["source"] for each in run.report["components"]] == [
        f"sources/{name}" for name in names
    ]
    (group,) = read_groups(run.report, run.folder)
    assert [(stem.name, stem.file) for stem in group.stems] == [
        ("component_01", f"sources/{names[0]}"),
        ("component_02", f"sources/{names[1]}"),
    ]
    whole, _ = soundfile.read(song, dtype="int16")
    parts = [soundfile.read(run.folder / "sources" / n, dtype="int16") for n in names]
    assert np.array_equal(sum(y.astype(int) for y, _ in parts), whole)
    assert title(run, names[0]) == "Löop (component_01)"


def test_the_same_run_again_has_the_same_bytes(song):
    first = specnmf.decompose(song, SETTINGS, output="a")
    again = specnmf.rerun(first.folder, output="b")
    assert (
        json.loads((again.folder / "run.json").read_text())["settings"]["name"]
        == SETTINGS.name
    )
    for name in files(first):
        path = again.folder / "sources" / name
        assert path.read_bytes() == (first.folder / "sources" / name).read_bytes()


def test_an_edited_run_names_files_and_titles_by_its_new_stems(song):
    run = specnmf.decompose(song, SETTINGS, output="out")
    edited = specnmf.edit(run.folder, rename={"component_01": "hiss"}, output="edited")
    assert files(edited) == ["loop_01_hiss.wav", "loop_02_component_02.wav"]
    assert title(edited, "loop_01_hiss.wav") == "Löop (hiss)"
    assert title(edited, "loop_02_component_02.wav") == "Löop (component_02)"
    old = run.folder / "sources" / "loop_02_component_02.wav"
    new = edited.folder / "sources" / "loop_02_component_02.wav"
    assert old.read_bytes() == new.read_bytes()
    merged = specnmf.edit(
        edited.folder, merge={"all": ["hiss", "component_02"]}, output="merged"
    )
    assert files(merged) == ["loop_01_all.wav"]
    y = soundfile.read(merged.folder / "sources" / "loop_01_all.wav", dtype="int16")[0]
    assert np.array_equal(y, soundfile.read(song, dtype="int16")[0])


def test_a_song_that_was_given_by_its_name_alone_has_a_folder_too(song):
    settings = replace(SETTINGS, name="{folder}_{stem}")
    run = specnmf.decompose("loop.wav", settings, output="out")
    edited = specnmf.edit(run.folder, rename={"2": "hiss"}, output="edited")
    folder = song.parent.name
    assert files(edited) == [f"{folder}_component_01.wav", f"{folder}_hiss.wav"]


def test_estimates_are_matched_by_stem_whatever_their_files_are_called(song):
    named = specnmf.decompose(song, SETTINGS, output="named")
    plain = specnmf.decompose(song, replace(SETTINGS, name="{stem}"), output="plain")
    assert read_named(plain.folder) == {}
    assert set(read_named(named.folder)) == {"component_01", "component_02"}
    done = CliRunner().invoke(
        cli,
        ["evaluate", str(named.folder), str(plain.folder), "--json", "--quiet"],
    )
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)["sources"]
    assert [(r["reference"], r["estimate"]) for r in rows] == [
        (name, name) for name in ("component_01", "component_02")
    ]


def test_names_are_checked_before_the_work(song, monkeypatch):
    monkeypatch.setattr("specnmf.tasks.run._write", None)
    settings = replace(SETTINGS, name="{stem}" * 12 + "x" * 120)
    with pytest.raises(ParameterError, match="expected at most 240"):
        specnmf.decompose(song, settings, output="out")
    assert not (song.parent / "out").exists()


def test_a_pattern_in_run_json_is_checked_like_any_other(song):
    run = specnmf.decompose(song, SETTINGS, output="out")
    path = run.folder / "run.json"
    path.write_text(path.read_text().replace("{song}_", "../../x/{song}_"))
    with pytest.raises(
        ParameterError, match=r"run\.json: name .*which some system does not take"
    ):
        specnmf.edit(run.folder, rename={"component_01": "hiss"}, output="edited")


def test_a_hostile_run_names_no_file_elsewhere(song):
    run = specnmf.decompose(song, SETTINGS, output="out")
    report = json.loads((run.folder / "run.json").read_text())
    for source in ("../../loop.wav", "/etc/passwd", "sources/../x.wav", 7, None):
        report["components"][0]["source"] = source
        (run.folder / "run.json").write_text(json.dumps(report))
        assert set(read_named(run.folder)) <= {"component_02"}
