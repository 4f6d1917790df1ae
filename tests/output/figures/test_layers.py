"""The figures of a factorisation in layers."""

import dataclasses

import matplotlib.image
import numpy as np
import pytest

from specnmf.errors import ParameterError
from specnmf.factor.layers.model import Layers
from specnmf.factor.layers.tree import by_energy, grow_tree
from specnmf.output.figures import (
    LayerFigureData,
    draw_layer_figures,
    lettering,
)
from specnmf.output.figures.layers import layers_figure, loss_figure
from specnmf.output.figures.stems import GREY, HUES

FREQUENCIES = np.linspace(0, 11025, 129)


@pytest.fixture
def made(rng):
    """A function that makes the data of a few seconds in layers of some ranks."""

    def make(ranks=(6, 3, 2), *, n_frames=60, silent=False, **options):
        shapes = list(zip((129, *ranks), ranks, strict=False))
        A = [rng.random(shape) ** 6 for shape in shapes]
        S = [rng.random((rank, n_frames)) ** 3 * (not silent) for rank in ranks]
        layers = by_energy(Layers(A, S, losses=np.geomspace(100, 1, 20)))
        pitches = 60.0 + np.arange(ranks[0])
        pitches[-1] = np.nan
        given = {
            "layers": layers,
            "tree": grow_tree(layers),
            "frequencies": FREQUENCIES,
            "times": 0.05 * np.arange(n_frames),
            "pitches": pitches,
            "title": "song",
        }
        return LayerFigureData(**{**given, **options})

    return make


def texts(figure):
    """All that a figure says."""
    found = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        found += [text.get_text() for text in axes.texts]
        found += [axes.get_title(loc="left")]
        found += [label.get_text() for label in axes.get_yticklabels()]
        found += [label.get_text() for label in axes.get_xticklabels()]
    return found


def boxes(figure):
    """The boxes of what the rows and the discs are called, in pixels."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    labels = [
        label
        for axes in figure.axes
        for label in (*axes.texts, *axes.get_yticklabels())
        if label.get_text()
    ]
    return [label.get_window_extent(renderer) for label in labels]


@pytest.fixture
def chords():
    """Notes 0 and 2 sound together, and so do 1 and 3."""
    H = np.zeros((4, 60))
    H[[0, 2], :30] = [[4.0], [2]]
    H[[1, 3], 30:] = [[3.0], [1]]
    A = np.array([[4.0, 0], [0, 3], [2, 0], [0, 1]])
    return Layers([np.eye(129)[:, 20:60:10], A], [H, H[[0, 1]] / [[4], [3]]])


def test_chords_are_named_by_their_notes_and_stand_by_them(made, chords):
    pitches = np.array([60.0, 62, 64, np.nan])
    data = made((4, 2), layers=chords, tree=grow_tree(chords), pitches=pitches)
    assert data.order == [[0, 2, 1, 3], [0, 1]]
    assert data.places == [{0: 3, 2: 2, 1: 1, 3: 0}, {0: 2.5, 1: 0.5}]
    assert data.name(1, 0) == "1: C4 E4, 67%"
    assert data.name(1, 1) == "2: D4 + unpitched, 33%"
    assert data.name(0, 3) == "4: unpitched, 3%"
    assert [data.colour(0, k) for k in range(4)] == [HUES[0], HUES[1]] * 2


def test_labels_name_the_last_layer(made, chords):
    options = {"layers": chords, "tree": grow_tree(chords), "labels": ("verse", "")}
    data = made((4, 2), **options)
    assert data.name(1, 0) == "1 verse: C4 D4, 67%"
    assert data.name(1, 1).startswith("2: ")
    assert data.name(0, 0).startswith("1: ")


@pytest.mark.parametrize("ranks", [(6,), (8, 3), (32, 8, 3), (64, 16, 8, 4)])
def test_every_component_has_a_row_and_no_two_names_touch(made, ranks):
    data = made(ranks)
    figure = layers_figure(data)
    said = texts(figure)
    for layer, rank in enumerate(ranks):
        assert f"layer {layer + 1}" in said
        for component in range(rank):
            assert lettering.printable(data.name(layer, component), 60) in said
    found = boxes(figure)
    for number, one in enumerate(found):
        for other in found[:number]:
            wide = min(one.x1, other.x1) - max(one.x0, other.x0)
            tall = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert wide <= 0 or tall <= 0.35 * min(one.height, other.height)


def test_names_stay_within_the_figure(made):
    figure = layers_figure(made((64, 16, 8, 4)))
    width, height = figure.get_size_inches() * figure.dpi
    for box in boxes(figure):
        assert box.x0 >= 0
        assert box.x1 <= width
        assert box.y0 >= 0
        assert box.y1 <= height


@pytest.mark.parametrize("n_frames", [1, 2, 61, 5000])
def test_songs_of_any_length_are_drawn(made, chords, tmp_path, n_frames):
    S = [np.ones((4, n_frames)), np.ones((2, n_frames))]
    layers = Layers(chords.A, S)
    options = {"layers": layers, "tree": grow_tree(layers), "pitches": np.zeros(4)}
    draw_layer_figures(tmp_path, made((4, 2), n_frames=n_frames, **options))
    image = matplotlib.image.imread(tmp_path / "layers.png")
    assert image.shape[:2] == (196, 660)
    assert image[:, 300:, :3].min() < 0.5


@pytest.mark.parametrize("figure_format", ["png", "svg", "pdf"])
def test_the_same_data_give_the_same_bytes(made, tmp_path, figure_format):
    data = made()
    contents = []
    for _ in range(2):
        draw_layer_figures(tmp_path, data, figure_format=figure_format)
        paths = sorted(tmp_path.iterdir())
        assert [p.name for p in paths] == [
            f"layers.{figure_format}", f"loss.{figure_format}",
        ]  # fmt: skip
        contents.append([path.read_bytes() for path in paths])
    assert contents[0] == contents[1]


def test_links_are_as_thick_as_their_energy(made, chords):
    data = made((4, 2), layers=chords, tree=grow_tree(chords), pitches=np.full(4, 60.0))
    tree = layers_figure(data).axes[-1]
    widths = [patch.get_linewidth() for patch in tree.patches]
    assert len(widths) == 4
    energies = data.tree.shares[0][[0, 1, 2, 3]]
    assert np.argsort(widths).tolist() == np.argsort(energies).tolist()


def test_many_components_at_the_top_share_a_colour(made):
    data = made((14, 12))
    assert data.colour(1, 7) == HUES[7]
    assert data.colour(1, 8) == data.colour(1, 11) == GREY
    layers_figure(data)


def test_a_component_without_parts_has_a_row_of_its_own(made):
    A = [np.eye(129)[:, :2], np.array([[1.0, 0], [1, 0]])]
    layers = Layers(A, [np.ones((2, 60)), np.array([[1.0] * 60, [0] * 60])])
    data = made((2, 2), layers=layers, tree=grow_tree(layers))
    assert sorted({*data.places[0].values(), data.places[1][1]}) == [0, 1, 2]
    assert data.name(1, 1) == "2: silent, 0%"
    layers_figure(data)


def test_silence_is_said(made):
    assert texts(layers_figure(made(silent=True))).count("silence") == 3


def test_loss_says_of_what(made):
    one, all_layers, single = (
        " ".join(texts(loss_figure(data)))
        for data in (made(), made(together=True), made((3,)))
    )
    assert "layer 3 from the activations below it" in one
    assert "all layers' product from V" in all_layers
    assert "distance of W H from V" in single


def test_a_run_without_iterations_says_so(made, chords):
    data = made((4, 2), layers=chords, tree=grow_tree(chords), pitches=np.full(4, 60.0))
    assert "no iterations" in texts(loss_figure(data))


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"times": np.arange(3.0)}, r"times must have shape \(60,\).*got \(3,\)"),
        ({"pitches": np.zeros(2)}, "pitches must have shape"),
        ({"frequencies": np.zeros(2)}, "frequencies must have shape"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(made, option, message):
    with pytest.raises(ParameterError, match=message):
        made(**option)


def test_a_tree_of_other_layers_is_refused(made):
    other = made((5, 2)).tree
    with pytest.raises(ParameterError, match=r"tree has ranks \(5, 2\)"):
        made(tree=other)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "Euclidean distance of layer 3 from the activations below it"),
        ({"beta": 1.0}, "Kullback–Leibler divergence of layer 3 from"),
        ({"beta": 0.5}, "beta-divergence (β = 0.5) of layer 3 from"),
        ({"together": True}, "Euclidean distance of all layers' product from V"),
    ],
)
def test_the_cost_says_what_it_is_of(made, options, expected):
    assert any(expected in text for text in texts(loss_figure(made(**options))))


def test_the_cost_says_that_labels_are_part_of_it(made):
    data = made()
    labelled = dataclasses.replace(data.layers, B=np.ones((2, 2)))
    data = dataclasses.replace(data, layers=labelled)
    assert any("labels included" in text for text in texts(loss_figure(data)))
