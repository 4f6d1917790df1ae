"""Figures of a finished run, from what it left."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.text import Text

import specnmf
from specnmf import figures
from specnmf.output.figures import runs
from specnmf.tasks.label import Label
from specnmf.tasks.layers import Layers
from specnmf.tasks.run import run

COMPONENTS = ("component_01", "component_02")

SR, SECONDS = 16000, 2.0
SMALL = {"max_iter": 3, "n_fft": 1024, "figures": False, "report": False}


@pytest.fixture(autouse=True)
def _closed():
    """No figure is left to pyplot."""
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """A recording of two tones, one after the other."""
    time = np.arange(round(SECONDS * SR)) / SR
    y = np.where(time < 1, np.sin(2 * np.pi * 440 * time), np.sin(1400 * time)) / 3
    path = tmp_path_factory.mktemp("songs") / "two.wav"
    specnmf.write(path, specnmf.Audio(y.astype(np.float32), SR))
    return path


@pytest.fixture(scope="module")
def decomposed(song, tmp_path_factory):
    settings = specnmf.Settings(n_components=2, start=0.5, duration=1.25, **SMALL)
    return specnmf.decompose(song, settings, output=tmp_path_factory.mktemp("runs"))


def axes():
    return Figure(figsize=(6, 4)).subplots()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "spectrogram",
            {"Spectrogram V of the recording", "frequency", "time (seconds)", "500 Hz"},
        ),
        ("templates", {"Templates W", "frequency", "1", "2", "A3", "A4", "1 kHz"}),
        ("activations", {"Activations H", "component", "time (seconds)", "1.2"}),
        ("reconstruction", {"Reconstruction", "W H", "V", "|V − W H|", "frequency"}),
        ("loss", {"Cost", "cost", "iteration", "3"}),
        ("score", {"Score", "pitch", "time (seconds)", *COMPONENTS}),
        ("pianoroll", {"Piano roll", "A3", "A4", "time (seconds)", *COMPONENTS}),
        ("sources", {"Sources", "time (seconds)", "0 dB", *COMPONENTS}),
    ],
)
def test_a_figure_of_a_run_is_drawn_from_its_folder(decomposed, name, told):
    shown = getattr(figures, name)(decomposed, ax=axes())
    shown.figure.draw_without_rendering()
    texts = [text.get_text() for text in shown.figure.findobj(Text)]
    assert told <= {text.partition(":")[0] for text in texts}


def test_the_line_of_a_figure_is_the_cost_that_the_run_has_stored(decomposed):
    (line,) = figures.loss(decomposed, ax=axes()).lines
    with np.load(decomposed.folder / "factors.npz") as factors:
        np.testing.assert_allclose(line.get_ydata(), factors["losses"])


def test_the_excerpt_is_what_is_shown(decomposed):
    shown = figures.spectrogram(decomposed, ax=axes())
    assert shown.get_xlim()[1] == pytest.approx(1.25, abs=0.03)
    assert runs.factors(decomposed, runs.recording(decomposed)).V.max() > 0


def test_a_figure_of_a_run_is_that_of_its_objects(decomposed):
    excerpt = specnmf.read(decomposed.report["inputs"][0]["path"])
    cut = slice(round(0.5 * SR), round(1.75 * SR))
    audio = specnmf.Audio(excerpt.samples[:, cut], SR)
    one = figures.spectrogram(decomposed, ax=axes())
    other = figures.spectrogram(specnmf.stft(audio, n_fft=1024), ax=axes())
    np.testing.assert_array_equal(*(a.images[0].get_array() for a in (one, other)))


def test_a_new_figure_of_a_run_has_the_name_of_its_recording(decomposed):
    figure = figures.loss(decomposed).figure
    assert "two" in [text.get_text() for text in figure.texts]


def test_the_figure_of_a_rank_needs_one_that_was_found(decomposed):
    with pytest.raises(
        specnmf.ParameterError, match="number of components was not chosen"
    ):
        figures.rank(decomposed, ax=axes())
    entry = {"chosen": 2, "ranks": [1, 2], "held_out_db": [0.0, -9.0]}
    report = {
        **decomposed.report,
        "rank_choice": {**entry, "standard_errors_db": [0.0, 1.0]},
    }
    found = specnmf.Run(decomposed.folder, report)
    shown = figures.rank(found, ax=axes())
    assert "2" in [text.get_text() for text in shown.texts]


def test_a_run_of_layers_has_its_tree_and_its_cost(song, tmp_path):
    settings = specnmf.LayerSettings(ranks=(3, 2), **SMALL)
    made = run(Layers(), song, settings, output=tmp_path)
    tree = figures.layers(made, ax=axes())
    assert len(tree.child_axes) == 3
    assert figures.loss(made, ax=axes()).lines


def test_a_run_of_labels_has_what_was_marked_and_found(song, decomposed, tmp_path):
    labels = tmp_path / "labels.txt"
    labels.write_text("0.1\t0.9\tlow\n1.1\t1.9\thigh\n")
    settings = specnmf.LabelSettings(start=0.5, **SMALL)
    made = run(Label(), song, settings, inputs={"labels": labels}, output=tmp_path)
    marked, found = runs.regions(made)
    assert marked[0] == specnmf.Region(0.0, pytest.approx(0.4), "low")
    assert all(region.end <= 1.51 for region in found)
    assert figures.labels(made, ax=axes()).child_axes
    with pytest.raises(specnmf.ParameterError, match="expected a run of label"):
        figures.labels(decomposed, ax=axes())


def test_a_run_without_sources_says_so(decomposed, tmp_path):
    bare = specnmf.Run(Path(tmp_path), decomposed.report)
    with pytest.raises(specnmf.ParameterError, match="no sources"):
        figures.sources(bare, ax=axes())
    with pytest.raises(specnmf.OutputError):
        figures.templates(bare, ax=axes())
