"""One song and its labels through the pipeline: what the run folder holds."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from runs import label

from specnmf import AudioError, ParameterError, ScoreError
from specnmf.errors import OutputError
from specnmf.output.sources import EXACT_DB
from specnmf.score.regions import REST, read_regions
from specnmf.tasks.label import LabelSettings
from specnmf.tasks.registry import TASKS

SR = 8000

#: Where each of the song's two sounds is heard, in seconds.
PIPE, BELL = ((0.2, 1.2), (2.4, 3.6)), ((1.3, 2.3), (3.0, 3.8))

#: The labels leave the song's second half unknown, where both are heard.
LABELS = "0.2\t1.2\tpipe\n1.3\t2.3\tbell\n0\t0.2\trest\n"


def tone(frequency, spans, n=4 * SR):
    """A sound with three partials, heard in some spans."""
    t = np.arange(n) / SR
    partials = sum(np.sin(2 * np.pi * frequency * k * t) / k for k in (1, 2, 3))
    heard = sum(((t >= a) & (t < b)).astype(float) for a, b in spans)
    return 0.2 * heard * partials


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    noise = 1e-3 * np.random.default_rng(0).standard_normal(4 * SR)
    left = tone(220, PIPE) + tone(831, BELL) + noise
    path = tmp_path_factory.mktemp("songs") / "song.wav"
    soundfile.write(path, np.stack([left, 0.5 * left], axis=1), SR, "PCM_16")
    return path


@pytest.fixture
def run_on(song, tmp_path):
    def run_on(text=LABELS, output="out", **options):
        labels = tmp_path / "labels.txt"
        labels.write_text(text, encoding="utf-8")
        quick = {"max_iter": 5, "n_components": 2, "n_rest": 1, "figures": False}
        settings = LabelSettings(**{**quick, **options})
        return label(song, labels, settings, output=tmp_path / output)

    return run_on


@pytest.fixture(scope="module")
def run(song, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "labels.txt").write_text(LABELS)
    settings = LabelSettings(max_iter=100, n_components=3, n_rest=2)
    return label(song, folder / "labels.txt", settings, output=folder / "out")


def added_up(folder, **options):
    paths = sorted((folder / "sources").iterdir())
    options = {"dtype": "int32", "always_2d": True, **options}
    return sum(soundfile.read(path, **options)[0].astype(np.int64) for path in paths)


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*.*")}


def test_a_run_leaves_everything_that_is_promised(run):
    assert files_in(run.folder) == {
        "run.json", "report.html", "factors.npz", "model.npz",
        "pianoroll.mid", "pianoroll.csv", "labels.txt",
        "sources/pipe.wav", "sources/bell.wav", "sources/rest.wav",
        "figures/labels.png", "figures/spectrogram.png", "figures/reconstruction.png",
        "figures/loss.png",
    }  # fmt: skip


def test_the_sources_add_up_to_the_recording_sample_for_sample(run, song):
    expected = soundfile.read(song, dtype="int32", always_2d=True)[0]
    np.testing.assert_array_equal(added_up(run.folder), expected)
    assert run.report["residual_db"] == EXACT_DB


def test_each_sound_goes_to_its_own_source(run):
    pipe, bell = (
        soundfile.read(run.folder / "sources" / f"{name}.wav")[0][:, 0]
        for name in ("pipe", "bell")
    )
    for source, spans, frequency in ((pipe, PIPE, 220), (bell, BELL, 831)):
        error = source - tone(frequency, spans)
        assert np.sum(error**2) < 0.1 * np.sum(source**2)


def test_the_report_says_what_was_done(run, song):
    report = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    assert report == run.report
    assert report["kind"] == "label"
    assert report["settings"]["n_components"] == 3
    assert report["settings"]["n_fft"] == 2048
    assert report["asked"] == {"n_fft": None, "hop_length": None}
    paths = [Path(entry["path"]).name for entry in report["inputs"]]
    assert paths == ["song.wav", "labels.txt"]
    for entry in report["inputs"]:
        content = Path(entry["path"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert report["annotated_seconds"] == pytest.approx(2.2, abs=0.1)
    assert report["iterations"] > 0
    assert report["final_loss"] > 0


def test_the_report_has_an_entry_for_each_label(run):
    pipe, bell, rest = run.report["labels"]
    assert (pipe["label"], bell["label"], rest["label"]) == ("pipe", "bell", "rest")
    assert pipe["source"] == "sources/pipe.wav"
    assert pipe["rms"] > 0.05 > rest["rms"]
    for entry in (pipe, bell):
        assert entry["seconds_marked"] == pytest.approx(1.0, abs=0.07)
        assert entry["seconds_alone"] == entry["seconds_marked"]
        assert entry["seconds_predicted"] == pytest.approx(2.0, abs=0.5)
    assert "seconds_marked" not in rest


def test_the_factors_are_the_labels_models(run):
    with np.load(run.folder / "factors.npz", allow_pickle=False) as factors:
        W, H, labels = factors["W"], factors["H"], factors["labels"]
    assert set(labels) == {"pipe", "bell", "rest"}
    assert W.shape == (1025, len(labels))
    assert H.shape[0] == len(labels)
    assert [entry["label"] for entry in run.report["components"]] == labels.tolist()


def test_the_labels_found_are_those_marked_and_more(run):
    found = read_regions(run.folder / "labels.txt")
    assert {region.name for region in found} == {"pipe", "bell"}
    for name, spans in (("pipe", PIPE), ("bell", BELL)):
        times = np.arange(0, 3.9, 0.01)
        truth = sum((times >= a) & (times < b) for a, b in spans)
        told = sum(
            (times >= r.start) & (times < r.end) for r in found if r.name == name
        )
        assert np.mean(truth == told) > 0.85


def test_what_was_found_can_be_the_labels_of_another_run(run, song, tmp_path):
    settings = LabelSettings(max_iter=3, figures=False, sources=False)
    again = label(song, run.folder / "labels.txt", settings, output=tmp_path)
    assert [e["label"] for e in again.report["labels"]] == ["pipe", "bell", "rest"]


def test_labels_of_an_excerpt_are_on_the_songs_clock(run_on):
    run = run_on(LABELS + "1.2\t1.3\trest\n", start=0.5, duration=2.5)
    assert run.report["audio"]["n_samples"] == 2.5 * SR
    assert run.report["labels"][1]["seconds_marked"] == pytest.approx(1.0, abs=0.07)
    found = read_regions(run.folder / "labels.txt")
    (first, *_) = [region for region in found if region.name == "bell"]
    assert first.start == pytest.approx(1.3, abs=0.04)
    assert all(0.5 <= region.start < region.end <= 3.0 for region in found)
    assert run.report["warnings"] == []


def test_without_templates_for_the_rest_there_is_none(run_on, song):
    run = run_on(n_rest=0)
    names = {path.name for path in (run.folder / "sources").iterdir()}
    assert names == {"pipe.wav", "bell.wav"}
    expected = soundfile.read(song, dtype="int32", always_2d=True)[0]
    np.testing.assert_array_equal(added_up(run.folder), expected)


def test_sources_and_figures_may_be_left_out(run_on):
    run = run_on(sources=False)
    assert files_in(run.folder) == {
        "run.json", "report.html", "factors.npz", "model.npz",
        "pianoroll.mid", "pianoroll.csv", "labels.txt",
    }  # fmt: skip
    assert run.report["residual_db"] is None
    assert "source" not in run.report["labels"][0]


#: Names that lead out of a folder, or to no file, or to the same one.
NAMES = (
    "../../etc/x", "..", "CON", "nul.txt", "a/b", "a\\b", "a_b", "Rest.", "-rf", "*?",
    "é" * 150,
)  # fmt: skip


def test_any_name_is_a_file_among_the_sources(run_on, song, tmp_path):
    text = "".join(f"{k / 3}\t{(k + 1) / 3}\t{name}\n" for k, name in enumerate(NAMES))
    run = run_on(text, n_components=1, max_iter=2)
    sources = [path for path in (run.folder / "sources").iterdir() if path.is_file()]
    assert len({path.name.lower() for path in sources}) == len(NAMES) + 1
    expected = soundfile.read(song, dtype="int32", always_2d=True)[0]
    np.testing.assert_array_equal(added_up(run.folder), expected)
    entries = run.report["labels"]
    assert [entry["label"] for entry in entries] == [*NAMES, "rest"]
    for entry in entries:
        assert (run.folder / entry["source"]).is_file()
    outside = {path.name for path in tmp_path.iterdir()}
    assert outside == {"labels.txt", "out"}


def test_what_was_changed_in_the_labels_is_a_warning(run_on):
    text = LABELS + "1\t1.1\tPipe\n3.5\t9\tbell\n"
    pipe, joined, cut = run_on(text).report["warnings"][:3]
    assert pipe == "pipe and Pipe are treated as one sound, pipe"
    assert joined.startswith("regions of pipe overlap")
    assert cut.startswith("bell from 3.5 to 9 s cut")


def test_the_bytes_do_not_depend_on_the_threads(run_on):
    runs = [run_on(output=str(n), threads=n) for n in (1, 2)]
    one, two = (
        {p.name: p.read_bytes() for p in run.folder.rglob("*.*") if p.suffix != ".json"}
        for run in runs
    )
    assert one == two


def test_a_finished_run_is_kept(run_on):
    run_on()
    with pytest.raises(OutputError, match="holds a finished run; use --overwrite"):
        run_on()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("0\t1\tpipe\n0.5\t2\trest\n", "labels.txt: pipe is marked from 0 to 1 s, and"),
        ("5\t6\tpipe\n", "labels.txt: all regions are after the end"),
        ("1\t1\tpipe\n", "labels.txt: line 1: 'pipe' at 1 s is a point"),
    ],
)
def test_labels_that_cannot_be_meant_leave_nothing_behind(
    run_on, tmp_path, text, message
):
    with pytest.raises(ScoreError, match=message):
        run_on(text)
    assert not (tmp_path / "out").exists()


def test_a_run_that_fails_while_it_is_written_leaves_nothing_behind(
    run_on, tmp_path, monkeypatch
):
    def fail(*args, **options):
        raise AudioError("the disk is gone")

    monkeypatch.setattr("specnmf.tasks.run.write_sources", fail)
    with pytest.raises(AudioError, match="the disk is gone"):
        run_on()
    assert not (tmp_path / "out").exists()


def test_what_was_assumed_of_the_labels_is_a_warning(song, tmp_path):
    text = LABELS.replace("pipe", "flöte")
    (tmp_path / "labels.txt").write_text(text, encoding="latin-1")
    quick = {"max_iter": 5, "n_components": 2, "n_rest": 1, "figures": False}
    settings = LabelSettings(**quick, sources=False)
    run = label(song, tmp_path / "labels.txt", settings, output=tmp_path / "out")
    assert "labels.txt: not UTF-8, read as Latin-1" in run.report["warnings"]


def test_a_song_that_does_not_fit_into_the_memory_is_refused(run_on, tmp_path):
    with pytest.raises(ParameterError, match=r"got 300M; use --memory \d+M"):
        run_on(memory=300 << 20)
    assert not (tmp_path / "out").exists()


def test_labels_that_need_more_memory_are_refused_as_well(run_on, monkeypatch):
    monkeypatch.setattr("specnmf.methods.labels.budget.LEARNED_V", 1e6)
    with pytest.raises(ParameterError, match="of memory, got 2048M"):
        run_on()


def test_a_header_that_hides_the_length_hides_no_memory(run_on, monkeypatch):
    monkeypatch.setattr("specnmf.methods.memory.Held.most_samples", lambda *_: 100)
    with pytest.raises(ParameterError, match="longer than its header says"):
        run_on()


def table(*selections):
    """A selection table of Raven."""
    head = "Begin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tAnnotation"
    return "\n".join([head, *("\t".join(map(str, each)) for each in selections)])


#: The labels, with the band of each sound's partials.
SELECTED = table(
    (0.2, 1.2, 100, 700, "pipe"),
    (1.3, 2.3, 800, 2550.5, "bell"),
    (0, 0.2, "", "", REST),
)


def templates_of(run, name):
    with np.load(run.folder / "factors.npz") as factors:
        own = factors["labels"] == name
        return factors["frequencies"], factors["W"][:, own]


def test_sounds_stay_between_the_bounds_of_their_selections(run_on):
    run = run_on(SELECTED)
    frequencies, W = templates_of(run, "pipe")
    assert W.any()
    assert not W[frequencies > 710].any()
    entries = {each["label"]: each for each in run.report["labels"]}
    assert entries["pipe"]["bounds"] == [100, 700]
    assert entries["bell"]["bounds"] == [800, 2550.5]
    assert "bounds" not in entries["rest"]
    assert run.report["residual_db"] == EXACT_DB
    assert not [each for each in run.report["warnings"] if "frequencies" in each]
    lines = [*TASKS["label"].summary(run.report)]
    assert lines[1].endswith("100 to 700 Hz")


@pytest.mark.parametrize("options", [{"bounds": False}, {"n_rest": 0}])
def test_bounds_are_ignored_with_a_word_where_they_are_not_wanted(run_on, options):
    run = run_on(SELECTED.replace("\trest", "\tpipe", 1), **options)
    _, W = templates_of(run, "pipe")
    assert W.any(axis=1).all()
    assert any("frequencies of the selections are ignored" in each
               for each in run.report["warnings"])  # fmt: skip


def test_selections_above_all_frequencies_are_refused(run_on):
    text = table((0.2, 1.2, 5000, 9000, "pipe"), (1.3, 2.3, 100, 200, "bell"))
    with pytest.raises(ScoreError, match="pipe lie above 5000 Hz, but the recording"):
        run_on(text)
