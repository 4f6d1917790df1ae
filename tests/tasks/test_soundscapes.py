"""Soundscapes: bands, backgrounds, periods and selections, from song to run."""

import dataclasses
import json
import re
import sys

import numpy as np
import pytest
import soundfile
from conftest import ROOT

import specnmf
from specnmf import ParameterError, Settings
from specnmf.audio import streaming
from specnmf.methods.components import budget
from specnmf.methods.components.budget import Budget
from specnmf.output.report import settings_hash
from specnmf.output.sources import EXACT_DB
from specnmf.tasks.registry import TASKS
from specnmf.tasks.restoring import check_files

sys.path.append(str(ROOT / "audio_examples"))
import insects

OPTIONS = {
    "n_components": 4,
    "n_fft": 512,
    "fmin": 2000.0,
    "fmax": 9500.0,
    "whiten": 50.0,
    "group": "periodicity:2",
    "figures": False,
    "report": False,
}
STEMS = ["group_1", "group_2", "rest", "background", "outside"]


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scene")
    stems = insects.chorus(seed=3, seconds=12.0)
    soundfile.write(folder / "chorus.wav", sum(stems.values()), insects.SR)
    return folder / "chorus.wav", stems


@pytest.fixture(scope="module")
def run(song, tmp_path_factory):
    output = tmp_path_factory.mktemp("out")
    settings = Settings(**OPTIONS, selections=True)
    return specnmf.decompose(song[0], settings, output=output)


def sum_of_sources(run):
    paths = sorted((run.folder / "sources").iterdir())
    return sum(soundfile.read(p, dtype="int16")[0] for p in paths)


def snr(true, found):
    return 10 * np.log10(np.sum(true**2) / np.sum((true - found) ** 2))


def test_each_group_is_an_insect_and_has_its_period(run, song):
    periods = [entry["period"] for entry in run.report["stems"]]
    np.testing.assert_allclose(periods[:2], (0.8, 1.3), rtol=0.03)
    assert periods[2:] == [None] * 3
    for name, group in (("cricket", "group_1"), ("bush_cricket", "group_2")):
        y = soundfile.read(run.folder / "sources" / f"{group}.wav")[0]
        assert snr(song[1][name], y) > 10


def test_the_stems_add_up_sample_for_sample(run, song):
    assert [p.stem for p in sorted((run.folder / "sources").iterdir())] == sorted(STEMS)
    assert (sum_of_sources(run) == soundfile.read(song[0], dtype="int16")[0]).all()
    assert run.report["residual_db"] == EXACT_DB


def test_what_is_outside_the_band_is_in_no_other_stem(run):
    def beyond(name):
        y = soundfile.read(run.folder / "sources" / f"{name}.wav")[0]
        V = specnmf.stft(y, sr=insects.SR, n_fft=512)
        out = (V.frequencies < 1900) | (V.frequencies > 9600)
        return float((V.magnitude()[out] ** 2).sum())

    assert sum(map(beyond, STEMS[:4])) < 1e-3 * beyond("outside")


def test_run_json_tells_of_components_and_stems(run):
    report = json.loads((run.folder / "run.json").read_text())
    assert [entry["label"] for entry in report["stems"]] == STEMS
    labels = [entry["label"] for entry in report["components"]]
    assert len(labels) == 6
    assert labels[4:] == ["background", "outside"]
    assert "source" not in report["components"][0]
    for entry in report["stems"]:
        assert entry["source"] == f"sources/{entry['label']}.wav"
        assert entry["components"] == labels.count(entry["label"])
    total = sum(entry["energy_share"] for entry in report["stems"])
    assert total == pytest.approx(1)


def test_the_summary_has_a_line_for_each_stem(run):
    lines = list(TASKS["decompose"].summary(run.report))
    assert len(lines) == 5
    assert re.match(r"group_1     every 0\.\d+ s .* component", lines[0])
    assert "no period" in lines[2]


def test_the_selections_are_the_calls_of_each_insect(run, song):
    regions = specnmf.read_regions(run.folder / "selections.txt")
    assert {region.name for region in regions} == set(STEMS[:2])  # not rest
    for name, group in (("cricket", "group_1"), ("bush_cricket", "group_2")):
        own = [(r.start, r.end) for r in regions if r.name == group]
        t = np.arange(len(song[1][name])) / insects.SR
        inside = sum((t >= a - 0.02) & (t < b + 0.02) for a, b in own) > 0
        energy = song[1][name] ** 2
        assert energy[inside].sum() > 0.9 * energy.sum()
        assert inside.mean() < 0.6


def test_the_table_has_the_band_of_each_insect(run):
    table = (run.folder / "selections.txt").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in table[1:]]
    bands = {
        group: np.median([(float(r[5]), float(r[6])) for r in rows if r[7] == group], 0)
        for group in STEMS[:2]
    }
    assert bands["group_1"] == pytest.approx((4100, 6100), abs=500)
    assert bands["group_2"] == pytest.approx((5500, 8300), abs=500)


def test_selections_and_piano_roll_are_on_their_clocks(song, tmp_path):
    options = OPTIONS | {"start": 3.0, "group": None, "selections": True}
    run = specnmf.decompose(song[0], Settings(**options), output=tmp_path)
    first = specnmf.read_regions(run.folder / "selections.txt")[0].start
    assert first >= 3
    notes = specnmf.read_score(run.folder / "pianoroll.csv").notes
    assert min(note.start for note in notes) == pytest.approx(first - 3, abs=1e-5)
    assert {note.part for note in notes} <= {f"component_0{k}" for k in range(1, 5)}


def test_factors_are_those_of_all_bins_and_their_templates_find_the_same(
    run, song, tmp_path
):
    with np.load(run.folder / "factors.npz") as factors:
        W, labels = factors["W"], factors["labels"].tolist()
        inside = (factors["frequencies"] >= 2000) & (factors["frequencies"] <= 9500)
    assert labels[4:] == ["background", "outside"]
    assert W.shape == (257, 6)
    assert not W[~inside, :5].any()
    assert not W[inside, 5].any()
    again = specnmf.decompose(
        song[0],
        Settings(**OPTIONS | {"sources": False, "group": None}),
        templates=run.folder / "factors.npz",
        output=tmp_path,
    )
    with np.load(again.folder / "factors.npz") as factors:
        np.testing.assert_array_equal(factors["W"][:, :4], W[:, :4])
        assert factors["W"].shape == (257, 6)


def test_a_stored_run_gives_the_same_stems(run, song):
    from specnmf.tasks.stages import Stages
    from specnmf.tasks.task import Song

    task, settings = TASKS["decompose"], Settings(**OPTIONS)
    asked = Song(song[0], settings, {}, Stages(None))
    material = task.read(asked, lambda done, total: None)
    (sources,) = task.restore(asked, material, run.folder)
    assert list(sources.names) == STEMS == list(check_files(STEMS, run.folder))
    _, block = next(iter(sources.stems.stream(settings)))
    for name, y in zip(STEMS, block[:, 0].copy(), strict=True):
        path = run.folder / "sources" / f"{name}.wav"
        written = soundfile.read(path, frames=len(y))[0]
        np.testing.assert_allclose(y, written, atol=2e-4)


def test_a_rerun_is_identical(run, tmp_path):
    result = specnmf.rerun(run.folder, output=tmp_path)
    assert result.identical


@pytest.mark.parametrize(
    "options",
    [
        {"fmax": 3000.0},
        {"whiten": 90.0, "mask": "binary"},
        {"fmin": 5000.0, "mask_power": 2.0},
        {"whiten": 50.0, "beta": 0.0},
        {"whiten": 20.0, "beta": 2.0, "fmin": 9000.0},
        {"n_components": "auto", "fmin": 3000.0, "group": "periodicity:1"},
    ],
)
def test_all_adds_up_with_other_options(song, tmp_path, options):
    settings = {"n_components": 3, "n_fft": 512, "max_iter": 10, "duration": 3.0}
    settings |= {"figures": False, "report": False, **options}
    run = specnmf.decompose(song[0], Settings(**settings), output=tmp_path)
    y = soundfile.read(song[0], frames=3 * insects.SR, dtype="int16")[0]
    assert (sum_of_sources(run) == y).all()


def test_stereo_adds_up_too(song, tmp_path):
    y = soundfile.read(song[0], frames=3 * insects.SR)[0]
    both = specnmf.Audio(np.array([y, 0.5 * y[::-1]]), insects.SR)
    stems = specnmf.decompose(both, Settings(**OPTIONS, max_iter=10))
    assert list(stems) == STEMS
    total = sum(stem.samples.astype(float) for stem in stems.values())
    np.testing.assert_allclose(total, both.samples, atol=1e-6)


def test_an_edit_renames_stems_in_tables_too(run, tmp_path):
    rename = {"group_1": "cricket", "outside": "wind"}
    edited = specnmf.edit(run.folder, rename=rename, output=tmp_path)
    old = specnmf.read_regions(run.folder / "selections.txt")
    new = specnmf.read_regions(edited.folder / "selections.txt")
    names = {"group_1": "cricket", "group_2": "group_2"}
    assert list(new) == sorted(r._replace(name=names[r.name]) for r in old)
    parts = {n.part for n in specnmf.read_score(edited.folder / "pianoroll.csv").notes}
    assert parts <= {"cricket", "group_2", "rest"}
    assert [e["label"] for e in edited.report["stems"]][::4] == ["cricket", "wind"]


def test_a_label_that_is_called_outside_is_told_apart(song, tmp_path):
    (tmp_path / "labels.txt").write_text("1\t2\toutside\n3\t4\tcricket\n")
    with pytest.raises(specnmf.ScoreError, match="rename the label"):
        specnmf.label(song[0], tmp_path / "labels.txt", fmin=2000.0, duration=5.0)


def test_selections_are_labels_of_a_band(run, song, tmp_path):
    settings = specnmf.LabelSettings(
        n_fft=512,
        fmin=2000.0,
        n_components=3,
        max_iter=10,
        selections=True,
        figures=False,
        report=False,
    )
    labels = run.folder / "selections.txt"
    marked = specnmf.label(song[0], labels, settings, output=tmp_path)
    names = [entry["label"] for entry in marked.report["labels"]]
    assert names == ["group_1", "group_2", "rest", "outside"]
    assert marked.report["residual_db"] == EXACT_DB
    y = soundfile.read(marked.folder / "sources" / "group_1.wav")[0]
    assert snr(song[1]["cricket"], y) > 5
    notes = specnmf.read_score(marked.folder / "pianoroll.csv").notes
    assert "outside" not in {note.part for note in notes}
    found = specnmf.read_regions(marked.folder / "selections.txt")
    assert {region.name for region in found} == set(STEMS[:2])  # neither rest
    assert 20 < len(found) < 40
    assert not any("frequencies" in each for each in marked.report["warnings"])
    assert specnmf.rerun(marked.folder, output=tmp_path / "again").identical


def test_streamed_from_disk_it_is_nearly_the_same(song, tmp_path, monkeypatch):
    monkeypatch.setattr(Budget, "most_samples", lambda self: 0)
    monkeypatch.setattr(budget, "MOST_SAMPLE", 1500)
    monkeypatch.setattr(streaming, "BLOCK_BYTES", 1 << 19)
    settings = Settings(**OPTIONS, selections=True)
    run = specnmf.decompose(song[0], settings, output=tmp_path)
    assert run.report["streamed"] is True
    periods = [entry["period"] for entry in run.report["stems"]]
    np.testing.assert_allclose(periods[:2], (0.8, 1.3), rtol=0.03)
    assert (sum_of_sources(run) == soundfile.read(song[0], dtype="int16")[0]).all()
    y = soundfile.read(run.folder / "sources" / "group_1.wav")[0]
    assert snr(song[1]["cricket"], y) > 6
    assert len(specnmf.read_regions(run.folder / "selections.txt")) > 15


def test_a_part_of_v_takes_memory_that_is_counted():
    whole, part = (
        Budget(Settings(whiten=percent), 8, 44_100, 1) for percent in (0.0, 50.0)
    )
    assert part.most_samples() < whole.most_samples()
    assert part.sample_size(10**9) <= whole.sample_size(10**9)


def test_only_is_checked_before_the_work(song, tmp_path):
    options = OPTIONS | {"only": ("group_3",)}
    with pytest.raises(ParameterError, match="group_1, group_2, rest, background, out"):
        specnmf.decompose(song[0], Settings(**options), output=tmp_path)
    run = specnmf.decompose(
        song[0], Settings(**OPTIONS | {"only": ("group_*",)}), output=tmp_path
    )
    assert run.report["left_out"] == ["rest", "background", "outside"]


def test_a_group_without_components_is_told(song):
    y = soundfile.read(song[0], frames=3 * insects.SR)[0]
    options = OPTIONS | {"n_components": 2, "max_iter": 5}
    stems = specnmf.decompose(np.zeros_like(y), sr=insects.SR, **options)
    assert list(stems) == STEMS
    assert any("group_1 has no component" in remark for remark in stems.remarks)


def test_silence_with_a_background_is_silent():
    stems = specnmf.decompose(
        np.zeros(22050), sr=22050, whiten=50.0, fmin=100.0, n_components=2
    )
    assert not any(stem.samples.any() for stem in stems.values())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group": "timbre:2"}, "periodicity:N"),
        ({"group": "periodicity:0"}, "periodicity:N"),
        ({"group": "periodicity:65"}, "N from 1 to 64"),
        ({"group": "periodicity:9", "n_components": 4}, "-k 9 or more"),
        ({"whiten": 100.0}, "whiten must lie between 0 and 99"),
        ({"fmin": -1.0}, "fmin must be at least 0"),
        ({"fmax": 0.0}, "fmax must be above 0"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        Settings(**options)


def test_a_band_above_the_recording_leaves_nothing(song, tmp_path):
    with pytest.raises(ParameterError, match="half the sample rate, 11025 Hz"):
        specnmf.decompose(song[0], Settings(fmin=20_000.0), output=tmp_path)
    assert not list(tmp_path.iterdir())


def test_older_runs_have_the_settings_that_they_had():
    settings = Settings()
    older = dataclasses.asdict(settings)
    for name in ("fmin", "fmax", "whiten", "group", "selections"):
        del older[name]
    from specnmf.options import from_plain

    assert from_plain(Settings, older) == settings
    assert settings_hash("decompose", settings, {}) == settings_hash(
        "decompose", from_plain(Settings, older), {}
    )
