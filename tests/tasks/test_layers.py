"""One song through the pipeline in layers: what the run folder holds."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import ROOT
from runs import layers

import specnmf
from specnmf import AudioError, OutputError, ParameterError, ScoreError, decompose
from specnmf.factor.layers.model import Layers
from specnmf.factor.layers.tree import grow_tree
from specnmf.output.sources import EXACT_DB
from specnmf.score.regions import read_regions
from specnmf.tasks.decompose import Settings
from specnmf.tasks.layers import LayerSettings

PIANO = ROOT / "audio_examples" / "chopin_op28_4" / "chopin_op28_4.flac"
RANKS = (8, 4, 2)


def run_on(path, output, *, labels=None, **options):
    options = {"ranks": RANKS, "max_iter": 20, "duration": 4.0, **options}
    settings = LayerSettings(**{"figures": False, **options})
    return layers(path, settings, output=output, labels=labels)


def files_of(run):
    return {str(p.relative_to(run.folder)) for p in run.folder.rglob("*.*")}


def layers_of(run):
    with np.load(run.folder / "layers.npz", allow_pickle=False) as saved:
        numbers = range(1, 1 + sum(name.startswith("A_") for name in saved))
        A, S = ([saved[f"{name}_{k}"] for k in numbers] for name in "AS")
        return Layers(A, S, saved.get("B"), saved["losses"])


def textures(path, *, seconds=2.0, sr=8000):
    """Two chords in turns, four times each; their notes swell each at its own pace."""
    t = np.arange(round(seconds * sr)) / sr

    def chord(*notes):
        swells = 0.2 * np.sin(np.pi * np.outer([1, 2, 3], t) / seconds) ** 2
        hertz = 440 * 2 ** ((np.array(notes) - 69) / 12)
        return (swells * np.sin(2 * np.pi * np.outer(hertz, t))).sum(axis=0)

    sound = np.tile(np.concatenate([chord(60, 64, 67), chord(66, 70, 73)]), 4)
    soundfile.write(path, sound, sr, subtype="PCM_16")
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_on(PIANO, tmp_path_factory.mktemp("out"), figures=True)


def test_a_run_leaves_everything_that_is_promised(run):
    figures = {
        "spectrogram", "templates", "activations", "reconstruction", "layers", "loss",
    }  # fmt: skip
    assert files_of(run) == {
        "run.json", "report.html", "tree.json", "factors.npz", "layers.npz",
        "model.npz", "pianoroll.mid",
        "pianoroll.csv",
        *(f"figures/{figure}.png" for figure in figures),
        *(
            f"sources/layer_{layer}/component_{number:02}.wav"
            for layer, rank in enumerate(RANKS, 1)
            for number in range(1, rank + 1)
        ),
    }  # fmt: skip


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_stems_of_each_layer_add_up_to_the_recording_sample_for_sample(run, layer):
    paths = (run.folder / "sources" / f"layer_{layer}").iterdir()
    total = sum(soundfile.read(path, dtype="int32")[0] for path in paths)
    expected = soundfile.read(PIANO, dtype="int32", frames=len(total))[0]
    np.testing.assert_array_equal(total, expected)
    assert run.report["layers"][layer - 1]["residual_db"] == EXACT_DB


def test_the_report_says_what_was_done(run):
    report = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    assert report["kind"] == "layers"
    assert report["settings"]["ranks"] == list(RANKS)
    assert report["residual_db"] == EXACT_DB
    assert report["seed"] == 0
    assert report["labels"] is None
    assert 3 <= report["iterations"] <= 60
    (entry,) = report["inputs"]
    assert entry["sha256"] == hashlib.sha256(PIANO.read_bytes()).hexdigest()
    assert [layer["n_components"] for layer in report["layers"]] == list(RANKS)
    errors = [layer["error"] for layer in report["layers"]]
    assert 0 < errors[0] < errors[1] < errors[2] < 1


def test_the_tree_is_that_of_the_factors(run):
    tree = json.loads((run.folder / "tree.json").read_text(encoding="utf-8"))
    report = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    assert tree == {"layers": report["layers"]}
    grown = grow_tree(layers_of(run))
    for layer, entry in enumerate(tree["layers"]):
        shares = [node["energy_share"] for node in entry["components"]]
        np.testing.assert_allclose(shares, grown.shares[layer], rtol=1e-4)
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) == pytest.approx(1)
        for node in entry["components"]:
            assert (run.folder / node["source"]).is_file()
            assert sum(note["share"] for note in node["notes"]) <= 1 + 1e-6
    for node, component in zip(
        tree["layers"][0]["components"], report["components"], strict=True
    ):
        assert node["notes"][0]["note"] == (component["note"] or "unpitched")
        assert node["energy_share"] == pytest.approx(component["energy_share"])


def test_layers_are_kept_whole(run):
    found = layers_of(run)
    assert found.ranks == RANKS
    assert found.B is None
    assert all(a.dtype == np.float32 for a in (*found.A, *found.S))
    assert len(found.losses)
    with np.load(run.folder / "factors.npz", allow_pickle=False) as factors:
        np.testing.assert_array_equal(factors["W"], found.A[0])
        np.testing.assert_array_equal(factors["H"], found.S[0])


def test_templates_of_the_first_layer_serve_another_run(run, tmp_path):
    settings = Settings(n_components=8, max_iter=3, sources=False, figures=False)
    again = decompose(
        PIANO, settings, output=tmp_path, templates=run.folder / "factors.npz"
    )
    assert len(again.report["components"]) == 8


def test_what_sounds_together_is_one_component(tmp_path):
    path = textures(tmp_path / "turns.wav")
    run = run_on(path, tmp_path, ranks=(6, 2), duration=None, max_iter=200)
    chords = run.report["layers"][1]["components"]
    found = {frozenset(entry["note"] for entry in chord["notes"]) for chord in chords}
    assert found == {frozenset({"C4", "E4", "G4"}), frozenset({"F#4", "A#4", "C#5"})}


@pytest.mark.slow  # whole runs
@pytest.mark.parametrize("method", ["sequential", "neural"])
def test_bytes_do_not_depend_on_threads(tmp_path, method):
    runs = [
        run_on(PIANO, tmp_path / str(n), threads=n, method=method, duration=2.0)
        for n in (1, 2)
    ]
    one, two = (
        {name: (run.folder / name).read_bytes() for name in files_of(run)}
        for run in runs
    )
    assert one.keys() == two.keys()
    same = [name for name in one if one[name] == two[name]]
    assert set(one) - set(same) == {"run.json"}


@pytest.mark.parametrize("method", ["sequential", "neural"])
def test_sound_outside_a_band_is_a_stem_of_each_layer(tmp_path, method):
    band = {"fmin": 200.0, "fmax": 3000.0, "n_fft": 1024}
    options = band | {"method": method, "duration": 1.0, "max_iter": 5}
    figures = method == "sequential"
    run = run_on(PIANO, tmp_path, **options, report=False, figures=figures)
    for layer, rank in zip(run.report["layers"], RANKS, strict=True):
        assert (layer["n_components"], layer["residual_db"]) == (rank, EXACT_DB)
        shares = {n["name"][8:]: n["energy_share"] for n in layer["components"]}
        assert list(shares)[rank:] == ["outside"]
        assert sum(shares.values()) == pytest.approx(1)
        assert (run.folder / layer["components"][-1]["source"]).is_file()
    found = layers_of(run)
    hertz = specnmf.stft(np.zeros(2048), sr=44100, n_fft=1024).frequencies
    inside = (hertz >= 200) & (hertz <= 3000)
    assert not found.A[0][~inside].any()
    y = soundfile.read(run.folder / "sources" / "layer_2" / "component_01.wav")[0]
    power = specnmf.stft(y[:, 0], sr=44100, n_fft=1024).magnitude() ** 2
    assert power[hertz > 3200].sum() < 1e-4 * power.sum()
    notes = specnmf.read_score(run.folder / "pianoroll.csv").notes
    assert "outside" not in {note.part for note in notes}
    assert specnmf.rerun(run.folder, output=tmp_path / "again").identical


def test_an_edit_of_a_band_writes_the_same_sound(tmp_path):
    run = run_on(PIANO, tmp_path, fmin=500.0, stems=(2,), duration=0.5, max_iter=2)
    edited = specnmf.edit(run.folder, rename={"outside": "low"}, output=tmp_path / "e")
    names = [f"{name}.wav" for name in ("outside", "low")]
    before, after = (
        (each.folder / "sources" / "layer_2" / name).read_bytes()
        for each, name in zip((run, edited), names, strict=True)
    )
    assert before == after
    layer = edited.report["layers"][1]
    assert layer["n_components"] == RANKS[1]
    assert layer["components"][-1]["name"] == "layer_2/low"
    shutil.rmtree(run.folder / "sources")  # so that the model makes them
    again = specnmf.edit(
        run.folder, merge={"all": ("outside", "1")}, output=tmp_path / "m"
    )
    assert again.report["residual_db"] == EXACT_DB


def test_layers_learned_together_fit_better_in_the_end(run, tmp_path):
    together = run_on(PIANO, tmp_path, method="neural", sources=False)
    errors, before = (
        [layer["error"] for layer in each.report["layers"]] for each in (together, run)
    )
    assert errors[-1] < before[-1]
    assert together.report["iterations"] > run.report["iterations"]


def test_labels_steer_the_last_layer_and_are_predicted(tmp_path):
    path = textures(tmp_path / "turns.wav")
    marks = tmp_path / "marks.txt"
    marks.write_text("0\t2\tlow\n2\t4\thigh\n")
    run = run_on(path, tmp_path, labels=marks, duration=None, ranks=(6, 2))
    assert [Path(entry["path"]) for entry in run.report["inputs"]] == [path, marks]
    assert run.report["labels"] == ["low", "high"]
    tops = run.report["layers"][-1]["components"]
    assert {node["label"] for node in tops} == {"low", "high"}
    for node in tops:
        low = "C4" in {entry["note"] for entry in node["notes"]}
        assert node["label"] == ("low" if low else "high")
        assert sum(node["labels"].values()) == pytest.approx(1, abs=1e-3)
    heard = read_regions(run.folder / "labels.txt")
    for start in range(0, 16, 2):
        (name,) = {r.name for r in heard if r.start <= start + 1 < r.end}
        assert name == ("low" if start % 4 == 0 else "high")
    assert layers_of(run).B.shape == (2, 2)


def test_labels_are_on_the_clock_of_the_recording(tmp_path):
    path = textures(tmp_path / "turns.wav")
    marks = tmp_path / "marks.csv"
    marks.write_text("start,end,name\n4,6,low\n6,8,high\n")
    run = run_on(path, tmp_path, labels=marks, start=4.0, duration=8.0, ranks=(6, 2))
    heard = read_regions(run.folder / "labels.txt")
    assert heard[0].start >= 4
    assert heard[-1].end <= 12.1
    assert {r.name for r in heard if r.start <= 9 < r.end} == {"low"}


def test_only_the_stems_asked_for_are_written(tmp_path):
    run = run_on(PIANO, tmp_path, stems=(3, 2, 3))
    written = {path.name for path in (run.folder / "sources").iterdir()}
    assert written == {"layer_2", "layer_3"}
    assert "residual_db" not in run.report["layers"][0]
    assert "source" not in run.report["layers"][0]["components"][0]


def test_one_layer_is_a_plain_factorization(tmp_path):
    run = run_on(PIANO, tmp_path, ranks=(3,), figures=True, sources=False)
    (layer,) = run.report["layers"]
    assert layer["n_components"] == 3
    assert run.report["residual_db"] is None
    assert (run.folder / "figures" / "layers.png").is_file()


def test_silence_has_layers_too(tmp_path):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(8000), 8000)
    run = run_on(path, tmp_path, ranks=(3, 2), duration=None, figures=True)
    assert [layer["error"] for layer in run.report["layers"]] == [None, None]
    assert any("silent" in warning for warning in run.report["warnings"])


@pytest.mark.slow  # whole runs
def test_progress_never_goes_back_or_beyond(tmp_path):
    told = {}

    def progress(stage, done, total, note):
        told.setdefault(stage, []).append((done, total))

    settings = LayerSettings(ranks=(4, 2), method="neural", max_iter=5, duration=2.0)
    layers(PIANO, settings, output=tmp_path, progress=progress)
    assert told.keys() >= {"read", "transform", "factorise", "sources", "figures"}
    for steps in told.values():
        dones = [done for done, _ in steps[:-1]]
        assert dones == sorted(dones)
        assert all(done <= total for done, total in steps)


def test_binary_masks_add_up_too(tmp_path):
    run = run_on(PIANO, tmp_path, mask="binary")
    assert [layer["residual_db"] for layer in run.report["layers"]] == [EXACT_DB] * 3


def test_a_finished_run_is_kept(run):
    with pytest.raises(OutputError, match="holds a finished run; use --overwrite"):
        run_on(PIANO, run.folder.parent)


@pytest.mark.parametrize(
    ("path", "labels", "options", "error", "message"),
    [
        (PIANO, None, {"ranks": (5000, 3)}, ParameterError, "at most .* got 5000"),
        (PIANO, "none.txt", {}, ScoreError, "none.txt: no such file"),
        (
            PIANO,
            "late.txt",
            {},
            ScoreError,
            "late.txt: no sound is marked from 0 to 4 s",
        ),
        (PIANO, "rest.txt", {}, ScoreError, "rest.txt: only rest is marked"),
        (Path("none.wav"), None, {}, AudioError, "no such file"),
    ],
)
def test_what_cannot_be_done_leaves_nothing(
    tmp_path, path, labels, options, error, message
):
    (tmp_path / "late.txt").write_text("100\t101\tvoice\n")
    (tmp_path / "rest.txt").write_text("0\t1\trest\n")
    labels = labels and tmp_path / labels
    with pytest.raises(error, match=message) as raised:
        run_on(path, tmp_path / "out", labels=labels, **options)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ranks": (8, 8)}, "ranks must decrease from layer to layer.*got 8,8"),
        ({"ranks": ()}, "ranks must decrease .* got none"),
        ({"ranks": (3, 0)}, "ranks must be at least 1, got 0"),
        ({"ranks": (8, 3), "stems": (3,)}, "stems must lie between 1 and 2, got 3"),
        ({"method": "deep"}, "method must be one of sequential, neural"),
        ({"label_weight": -1.0}, "label_weight must be at least 0"),
    ],
)
def test_settings_out_of_range_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        LayerSettings(**options)


def test_real_recording_has_chords_in_its_second_layer(shared_data, tmp_path):
    path = shared_data / "chopin_op10_3" / "Chopin_Op010-03-Measures1-8_Igoshina.wav"
    run = run_on(
        path, tmp_path, ranks=(32, 8, 3), duration=None, max_iter=200, sources=False
    )
    melody = {"G#4", "F#4", "A4"}
    tops = run.report["layers"][-1]["components"]
    assert melody <= {entry["note"] for node in tops for entry in node["notes"]}
    assert specnmf.read(path).duration == pytest.approx(36.5, abs=0.1)


def test_the_divergence_and_the_solver_are_those_asked_for(tmp_path):
    found = run_on(PIANO, tmp_path, beta=1.0, solver="mu", sources=False)
    V = specnmf.stft(specnmf.read(PIANO, duration=4.0)).magnitude()
    options = {"beta": 1.0, "solver": "mu", "max_iter": 20, "tol": 1e-4}
    expected = specnmf.hierarchical_nmf(V, RANKS, **options)
    np.testing.assert_array_equal(layers_of(found).losses, expected.losses)
