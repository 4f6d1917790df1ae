"""Sources of all songs in one folder."""

import csv
import re

import pytest
import soundfile

import specnmf
from specnmf import BatchError, BatchSettings, LayerSettings, ParameterError, Settings

NAME = "{folder}_{song}_{stem}"
QUICK = {"max_iter": 2, "figures": False, "report": False, "grid": False}
SETTINGS = Settings(n_components=2, name=NAME, n_fft=256, **QUICK)


@pytest.fixture
def songs(tmp_path, rng, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("x/a", "x/b", "y/a"):
        (tmp_path / "songs" / name).parent.mkdir(parents=True, exist_ok=True)
        y = 0.1 * rng.standard_normal(2000)
        soundfile.write(f"songs/{name}.wav", y, 8000, "PCM_16")
    return tmp_path


def batch(settings=SETTINGS, task="decompose", flat="flat", songs="songs", **options):
    own = BatchSettings(flat=flat, **{"recursive": True, "jobs": 1} | options)
    return specnmf.run_batch(
        songs, output="runs", task=task, settings=[settings], batch=own
    )


def names(folder="flat"):
    return sorted(path.name for path in folder.iterdir())


def test_all_sources_are_copied_under_their_own_names(songs):
    summary = batch(jobs=2)
    flat = songs / "flat"
    expected = [
        f"{song}_component_0{k}.wav" for song in ("x_a", "x_b", "y_a") for k in (1, 2)
    ]
    assert names(flat) == ["sources.csv", *expected]
    assert summary.gathered == 6
    source = songs / "runs/x/a/sources/x_a_component_01.wav"
    assert (flat / source.name).read_bytes() == source.read_bytes()
    rows = [*csv.reader((flat / "sources.csv").read_text().splitlines())]
    assert rows[0] == ["file", "song", "sha256"]
    assert rows[1][:2] == [source.name, str(songs / "songs/x/a.wav")]


@pytest.mark.slow  # several batches, or long to compile
def test_a_batch_that_goes_on_replaces_its_own_files_alone(songs):
    flat = songs / "flat"
    flat.mkdir()
    (flat / "notes.txt").write_text("mine")
    batch(exclude=["y/*"])
    first = names(flat)
    batch(resume=True)
    assert len(names(flat)) == len(first) + 2
    batch(Settings(n_components=3, name=NAME, n_fft=256, **QUICK), overwrite=True)
    assert len([name for name in names(flat) if name.endswith(".wav")]) == 9
    batch(Settings(n_components=1, name=NAME, n_fft=256, **QUICK), overwrite=True)
    assert len([name for name in names(flat) if name.endswith(".wav")]) == 3
    assert (flat / "notes.txt").read_text() == "mine"


@pytest.mark.slow  # several batches, or long to compile
def test_another_batch_may_use_the_folder_too(songs):
    batch(songs="songs/x", recursive=False)
    batch(songs="songs/y", recursive=False, overwrite=True)
    assert len(names(songs / "flat")) == 7


@pytest.mark.parametrize("what", ["changed", "foreign", "link"])
def test_a_file_that_is_not_of_a_batch_is_never_replaced(songs, what):
    flat = songs / "flat"
    file = flat / "x_b_component_01.wav"
    if what == "changed":
        batch()
    flat.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)
    if what == "link":
        (songs / "elsewhere").write_bytes(b"mine")
        file.symlink_to(songs / "elsewhere")
    else:
        file.write_bytes(b"mine")
    before = names(flat)
    with pytest.raises(BatchError, match="is not of a batch, or was changed since"):
        batch(overwrite=True)
    assert file.read_bytes() == b"mine"
    assert names(flat) == before


@pytest.mark.slow  # several batches, or long to compile
def test_sources_of_layers_keep_their_folders(songs):
    settings = LayerSettings(ranks=(3, 2), name=NAME, n_fft=256, **QUICK)
    batch(settings, "layers", exclude=["x/*"])
    assert names(songs / "flat") == ["layer_1", "layer_2", "sources.csv"]
    assert len(names(songs / "flat/layer_1")) == 3


def test_two_sources_of_one_name_are_told_before_any_is_copied(songs, rng):
    y = 0.1 * rng.standard_normal(2000)
    for name in ("a", "a_rest"):
        soundfile.write(f"songs/{name}.wav", y, 8000, "PCM_16")
    labels = songs / "l.txt"
    labels.write_text("0.0\t0.1\trest_x\n0.1\t0.2\tx\n")
    settings = specnmf.LabelSettings(
        n_components=1, n_rest=0, name="{song}_{stem}", n_fft=256, **QUICK
    )
    with pytest.raises(BatchError, match=re.escape(
        "a.wav and a_rest.wav: both have a source a_rest_x.wav; change --name"
    )):  # fmt: skip
        specnmf.run_batch(
            "songs",
            output="runs",
            task="label",
            inputs={"labels": labels},
            settings=[settings],
            batch=BatchSettings(flat="flat", jobs=1),
        )
    assert not (songs / "flat").exists()


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("{stem}", {}, ParameterError, "name '{stem}' does not tell songs apart"),
        ("{song}_{stem}", {}, BatchError, "x/a.wav and y/a.wav: sources of both would "
         "be called alike, such as a_*; add {folder} to --name, rename one"),
        (NAME, {"flat": "s3://bucket/x"}, ParameterError, "must be a folder on this "
         "machine"),
        (NAME, {"flat": "songs"}, BatchError, "songs is in the folder of the songs"),
        (NAME, {"flat": "songs/all"}, BatchError, "is in the folder of the songs"),
        (NAME, {"flat": "runs"}, BatchError, "runs is a folder of runs"),
        (NAME, {"flat": "runs/x"}, BatchError, "runs/x is a folder of runs"),
        (NAME, {"flat": "runs/x/a/mine"}, BatchError, "is a folder of runs"),
    ],
)  # fmt: skip
def test_what_cannot_be_flat_is_told_before_the_work(
    songs, name, options, error, message
):
    settings = Settings(n_components=2, name=name, **QUICK)
    with pytest.raises(error, match=re.escape(message)):
        batch(settings, **options)
    assert not (songs / "runs").exists()


def test_a_task_without_sources_has_nothing_to_copy(songs):
    with pytest.raises(ParameterError, match="flat is for tasks that write sources"):
        batch(specnmf.TranscribeSettings(), "transcribe")


@pytest.mark.slow  # a server
def test_runs_behind_a_url_are_copied_from_there(songs, s3):
    own = BatchSettings(flat="flat", recursive=True, jobs=1, exclude=["x/b.wav"])
    url = f"{s3.url}/runs"
    summary = specnmf.run_batch(
        "songs", output=url, task="decompose", settings=[SETTINGS], batch=own
    )
    assert summary.done == 2, summary.failures
    assert len(names(songs / "flat")) == 5
