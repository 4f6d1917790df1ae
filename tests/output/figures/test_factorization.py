import dataclasses
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from PIL import Image

from specnmf.errors import ParameterError
from specnmf.factor.factorization import Factorization
from specnmf.output.figures import (
    FigureData,
    canvas,
    components,
    draw_figures,
    factor_data,
    factorization,
    pooling,
)

NAMES = ["activations", "loss", "reconstruction", "spectrogram", "templates"]
SR, N_FFT = 44100, 2048
A4, C5, NONE = 69.0, 72.0, np.nan


def make(rng, pitches, n_frames=60, *, n_fft=N_FFT, sr=SR, losses=(), **options):
    """A run whose V is about W H."""
    W = rng.random((n_fft // 2 + 1, len(pitches)), np.float32)
    H = rng.random((len(pitches), n_frames), np.float32)
    return FigureData(
        V=np.asfortranarray(W @ H + 0.1 * rng.random((len(W), n_frames), np.float32)),
        factorization=Factorization(W, H, losses=np.array(losses)),
        frequencies=np.fft.rfftfreq(n_fft, 1 / sr),
        times=np.arange(n_frames) * n_fft / 4 / sr,
        pitches=np.array(pitches),
        **options,
    )


def draw(folder, data, figure_format="png"):
    folder.mkdir(exist_ok=True)
    draw_figures(folder, data, figure_format=figure_format)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def render(data):
    """All five figures, drawn in full."""
    drawn = {name: getattr(factorization, f"{name}_figure")(data) for name in NAMES}
    for figure in drawn.values():
        figure.canvas.draw()
    return drawn


def texts(figure):
    """Every word that stands in a figure, but for the ticks of its axes."""
    parts = list(figure.texts)
    for axes in figure.axes:
        parts += [*axes.texts, axes.title, axes._left_title, axes._right_title]
    return [part.get_text() for part in parts]


def labels(axis):
    ticks = [*axis.get_ticklabels(), *axis.get_ticklabels(minor=True)]
    return [text.get_text() for text in ticks if text.get_text()]


def plain_picture(spectra, frequencies, group):
    """Slow pooling: mean power of `group` frames, then the highest point in a row."""
    columns = [
        np.mean(spectra[:, start : start + group].astype(float) ** 2, axis=1)
        for start in range(0, spectra.shape[1], group)
    ]
    edges = np.geomspace(30, 20000, pooling.ROWS + 1)
    picture = np.empty((pooling.ROWS, len(columns)))
    for row, (low, high) in enumerate(pairwise(edges)):
        inside = frequencies[(frequencies > low) & (frequencies < high)]
        points = np.array([low, *inside, high])
        for column, power in enumerate(columns):
            level = 10 * np.log10(power)
            picture[row, column] = np.interp(points, frequencies, level).max()
    return picture


def test_pooled_spectrogram_equals_a_plain_pooling(rng, monkeypatch):
    monkeypatch.setattr(pooling, "COLUMNS", 20)
    data = make(rng, [A4, NONE], 67)
    image = factorization.spectrogram_figure(data).axes[0].images[0]
    expected = plain_picture(data.V, data.frequencies, 4)
    assert image.get_array().shape == (pooling.ROWS, 17)
    np.testing.assert_allclose(
        image.get_array(), expected - expected.max(), rtol=0, atol=1e-3
    )


def test_model_and_what_is_left_are_pooled_as_the_recording_is(rng, monkeypatch):
    monkeypatch.setattr(pooling, "COLUMNS", 20)
    monkeypatch.setattr(pooling, "BLOCK", 7)
    data = make(rng, [A4, NONE], 67)
    model = data.factorization.W @ data.factorization.H
    axes = factorization.reconstruction_figure(data).axes
    peak = plain_picture(data.V, data.frequencies, 4).max()
    for number, spectra in enumerate((data.V, model, data.V - model)):
        expected = plain_picture(spectra, data.frequencies, 4) - peak
        picture = axes[number].images[0].get_array()
        np.testing.assert_allclose(picture, expected, rtol=0, atol=0.05)


@pytest.mark.parametrize("order", ["C", "F"])
def test_pictures_do_not_depend_on_the_order_in_memory(rng, order):
    data = make(rng, [A4], 1500)
    same = dataclasses.replace(data, V=np.array(data.V, order=order))
    np.testing.assert_array_equal(same.pictures.V, data.pictures.V)


def roll_levels(axes):
    """The levels of a piano roll in dB, read back from its colours."""
    colours = components._roll_colours()(np.arange(256), bytes=True)
    steps = {tuple(colour): step for step, colour in enumerate(colours)}
    image = axes.images[0].get_array()
    found = [[steps.get(tuple(pixel), 0) for pixel in row] for row in image]
    return canvas.H_RANGE * (np.array(found) / 255 - 1)


def test_short_note_in_a_long_song_reaches_its_full_colour(rng):
    data = make(rng, [A4], 5001)
    data.factorization.H[:] = 0
    data.factorization.H[0, 3210] = 1
    axes = factorization.activations_figure(data).axes[0]
    image = roll_levels(axes)
    assert image.max() == 0
    column = np.flatnonzero(image.max(axis=0) == 0)
    left, right, *_ = axes.images[0].get_extent()
    at = left + (column + 0.5) * (right - left) / image.shape[1]
    assert at == pytest.approx(data.times[3210], abs=3 * data.hop)


def test_pngs_have_the_pixels_of_savefig(rng, tmp_path):
    data = make(rng, [A4], losses=[2.0, 1.0])
    draw(tmp_path, data)
    factorization.loss_figure(data).savefig(tmp_path / "expected.png", dpi=canvas.DPI)
    found, expected = (
        Image.open(tmp_path / f"{name}.png") for name in ("loss", "expected")
    )
    assert found.mode == "RGB"
    assert found.info["dpi"] == expected.info["dpi"]
    np.testing.assert_array_equal(found, expected.convert("RGB"))


def test_a_written_figure_holds_no_pictures(rng, tmp_path):
    for draw in (factorization.spectrogram_figure, factorization.templates_figure):
        figure = draw(make(rng, [A4]))
        canvas.save(figure, tmp_path / "figure.png", "png")
        assert not any(len(a.images) + len(a.collections) for a in figure.axes)


@pytest.mark.parametrize("figure_format", ["png", "svg", "pdf"])
def test_five_figures_appear_alike_from_two_threads(rng, tmp_path, figure_format):
    data = make(rng, [A4, NONE], losses=[3.0, 0.1], title="song.wav")
    salt = matplotlib.rcParams["svg.hashsalt"]
    with ThreadPoolExecutor(2) as pool:
        folders = [tmp_path / "a", tmp_path / "b"]
        one, other = pool.map(lambda f: draw(f, data, figure_format), folders)
    assert list(one) == [f"{name}.{figure_format}" for name in NAMES]
    assert one == other
    assert matplotlib.rcParams["svg.hashsalt"] == salt


def test_template_label_tells_number_pitch_and_share(rng):
    data = make(rng, [C5, NONE, A4])
    W, H = np.ones((1025, 3)), np.sqrt([[0.60], [0.28], [0.12]]) * np.ones((1, 60))
    shares = Factorization(W, H)
    data = dataclasses.replace(data, factorization=shares)
    expected = ["1: C5, 60%", "2: unpitched, 28%", "3: A4, 12%"]
    assert [data.label(k) for k in range(3)] == expected
    assert set(expected) <= set(texts(factorization.templates_figure(data)))


def test_fundamental_is_marked_where_it_lies(rng):
    figure = factorization.templates_figure(make(rng, [A4, NONE]))
    marks = [c for c in figure.axes[0].collections if hasattr(c, "get_segments")]
    (segment,) = marks[0].get_segments()
    assert 2 ** segment[:, 0] == pytest.approx([440, 440])
    assert "A4" in texts(figure)


def test_a_fundamental_is_marked_as_high_as_it_sounds_and_only_if_it_does():
    frequencies = np.fft.rfftfreq(N_FFT, 1 / SR)
    bells = np.exp(-(((frequencies[:, None] - [440, 880]) / 30) ** 2) / 2)
    W = bells @ [[1.0, 0.3, 0.03, 0], [0, 1, 1, 1]]
    data = FigureData(
        V=W @ np.ones((4, 60)),
        factorization=Factorization(W, np.ones((4, 60))),
        frequencies=frequencies,
        times=np.arange(60) * N_FFT / 4 / SR,
        pitches=np.full(4, A4),
    )
    figure = factorization.templates_figure(data)
    heights = []
    for axes in figure.axes:
        (marks,) = [c for c in axes.collections if hasattr(c, "get_segments")]
        heights += [np.ptp(segment[:, 1]) for segment in marks.get_segments()]
    heights.sort()
    assert len(heights) == 2  # those of the first two templates
    assert heights[0] / heights[1] == pytest.approx(
        1 + 20 * np.log10(0.3) / 40, abs=0.1
    )
    assert texts(figure).count("A4") == 2
    assert sum(text.startswith("4: A4") for text in texts(figure)) == 1


def test_piano_roll_names_the_pitches_at_their_rows(rng):
    figure = factorization.activations_figure(make(rng, [A4, NONE, C5, A4 + 0.4]))
    roll = figure.axes[0]
    rows = dict(zip(roll.get_yticks(), labels(roll.yaxis), strict=False))
    assert rows[A4] == "A4"
    assert rows[C5] == "C5"
    assert any(label.startswith("2: unpitched") for label in rows.values())
    (components,) = [axes for axes in figure.axes if labels(axes.yaxis)[0] == "1, 4"]
    assert labels(components.yaxis) == ["1, 4", "3"]


def test_components_of_one_pitch_share_a_row(rng):
    data = make(rng, [A4, A4])
    data.factorization.W[:] = 1
    data.factorization.H[:] = [[1.0], [0.0]]
    data.factorization.H[:, 30] = 1
    image = roll_levels(factorization.activations_figure(data).axes[0])
    one, both = image[:, 0].max(), image[:, 30].max()
    assert one - both == pytest.approx(-10 * np.log10(2), abs=0.4)


def test_unpitched_run_has_a_lane_for_each_component(rng):
    data = make(rng, [NONE] * 3)
    data.factorization.H[0] = 0
    axes = factorization.activations_figure(data).axes[0]
    numbers = [label.split(":")[0] for label in labels(axes.yaxis)]
    assert numbers == ["3", "2", "1"]
    heights = dict(zip(numbers, axes.get_yticks(), strict=True))
    assert heights["1"] > heights["2"] > heights["3"]
    top, middle, _ = np.split(roll_levels(axes)[::-1], 3)
    assert top.max() == -canvas.H_RANGE < middle.max()


def test_spectrogram_names_hertz_and_where_there_are_pitches_octaves(rng):
    pitched = factorization.spectrogram_figure(make(rng, [A4]))
    drums = factorization.spectrogram_figure(make(rng, [NONE]))
    assert {"100 Hz", "1 kHz", "10 kHz"} <= set(labels(pitched.axes[0].yaxis))
    octaves = {"C2", "C3", "C4", "C5", "C6", "C7", "C8"}
    assert any(octaves <= set(labels(axes.yaxis)) for axes in pitched.axes)
    assert not any(octaves & set(labels(axes.yaxis)) for axes in drums.axes)


@pytest.mark.parametrize(
    ("n_frames", "last", "unit"),
    [(250, "2.5", "time (seconds)"), (16000, "3:00", "time (minutes:seconds)")],
)
def test_time_is_in_seconds_or_minutes(rng, n_frames, last, unit):
    data = make(rng, [A4], n_frames, n_fft=64, sr=44100 / 32)
    axes = factorization.activations_figure(data).axes[0]
    assert last in labels(axes.xaxis)
    assert labels(axes.xaxis)[0].strip("0:") == ""
    assert axes.get_xlabel() == unit


def test_reconstruction_tells_how_much_is_explained(rng):
    data = make(rng, [A4])
    half = Factorization(data.factorization.W, data.factorization.H)
    V = 2 * half.W @ half.H
    data = dataclasses.replace(data, V=V, factorization=half)
    subtitle = "Reconstruction: W H explains 75% of the energy of V"
    assert subtitle in texts(factorization.reconstruction_figure(data))


@pytest.mark.parametrize(
    ("beta", "name"),
    [(2, "Euclidean"), (1.0, "Kullback"), (0, "Itakura"), (0.5, "β = 0.5")],
)
def test_loss_names_the_divergence_and_its_fall(rng, beta, name):
    data = make(rng, [A4], losses=[4.0, 2.0, 1.0], beta=beta)
    figure = factorization.loss_figure(data)
    assert any(name in text for text in texts(figure))
    assert "falls by 75% from iteration 1 to 3" in texts(figure)
    assert figure.axes[0].get_yscale() == "linear"


def test_loss_is_logarithmic_beyond_a_decade_unless_it_reaches_zero(rng):
    for losses, scale in (([100.0, 9.0], "log"), ([100.0, 0.0], "linear")):
        figure = factorization.loss_figure(make(rng, [A4], losses=losses))
        figure.canvas.draw()
        assert figure.axes[0].get_yscale() == scale


@pytest.mark.parametrize("losses", [[100.0, 97.0, 96.0], [100.0, 20.0], [0.0], [5, 5]])
def test_a_linear_cost_is_drawn_from_zero_up(rng, losses):
    figure = factorization.loss_figure(make(rng, [A4], losses=losses))
    low, high = figure.axes[0].get_ylim()
    assert low == 0
    assert max(losses) < high <= max(1.05 * max(losses), 2)


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ([100.0, 99.9], "falls by <1%"),
        ([100.0, 100.0], "falls by 0%"),
        ([100.0, 0.1], "falls by >99%"),
        ([100.0, 104.0], "rises by 4%"),
    ],
)
def test_a_fall_is_told_without_rounding_it_away(rng, losses, said):
    figure = factorization.loss_figure(make(rng, [A4], losses=losses))
    assert f"{said} from iteration 1 to 2" in texts(figure)


@pytest.mark.parametrize("losses", [[], [3.0], [0.0, 0.0], [1e-300, 0.0]])
def test_few_or_zero_losses_are_drawn(rng, losses):
    figure = factorization.loss_figure(make(rng, [A4], losses=losses))
    figure.canvas.draw()
    assert ("no iterations" in texts(figure)) == (losses == [])


def test_silence_is_called_silence(rng):
    data = make(rng, [A4, NONE], losses=[0.0])
    for array in (data.V, data.factorization.W, data.factorization.H):
        array[:] = 0
    drawn = render(data)
    for name in ("spectrogram", "activations", "reconstruction"):
        assert "silence" in texts(drawn[name])
    for name in ("spectrogram", "reconstruction"):
        assert drawn[name].axes[0].images[0].get_array().max() < -canvas.V_RANGE
    assert roll_levels(drawn["activations"].axes[0]).max() == -canvas.H_RANGE
    curves = drawn["templates"].axes[0].collections[0].get_paths()
    assert all(np.ptp(curve.vertices[:, 1]) == 0 for curve in curves)
    assert "1: A4, 0%" in texts(drawn["templates"])
    assert "Reconstruction: V is silent" in texts(drawn["reconstruction"])


@pytest.mark.parametrize(
    ("n_components", "n_frames", "n_fft", "sr"),
    [(1, 1, 2048, 44100), (2, 3, 256, 8000), (3, 40, 8192, 192000)],
)
def test_odd_sizes_are_drawn(rng, n_components, n_frames, n_fft, sr):
    drawn = render(make(rng, [A4] * n_components, n_frames, n_fft=n_fft, sr=sr))
    assert "1: A4" in " ".join(texts(drawn["templates"]))
    for picture in drawn["spectrogram"].axes[0].images:
        assert picture.get_array().shape == (pooling.ROWS, n_frames)


def test_labels_of_64_components_do_not_overlap(rng):
    pitches = np.where(np.arange(64) % 4, 40.0 + np.arange(64) % 37, NONE)
    data = make(rng, pitches)
    roll = factorization.activations_figure(data).axes[0].yaxis.get_ticklabels()
    grid = [t for axes in factorization.templates_figure(data).axes for t in axes.texts]
    assert len(grid) == 64
    for parts in (roll, grid):
        boxes = [text.get_window_extent().padded(-1) for text in parts]
        for number, box in enumerate(boxes):
            assert box.count_overlaps(boxes[:number]) == 0


def test_of_many_components_the_strongest_are_drawn(rng, monkeypatch):
    monkeypatch.setattr(factor_data, "MOST_COMPONENTS", 2)
    data = make(rng, [NONE] * 3)
    data.factorization.H[1] *= 0.01
    drawn = [
        t.get_text()[0] for t in factorization.templates_figure(data).axes[0].texts
    ]
    assert drawn == ["1", "3"]
    assert len(labels(factorization.activations_figure(data).axes[0].yaxis)) == 2


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("a_b$\\frac$.wav", "a_b$\\frac$.wav"),
        ("音楽 \U0001fabf\n\udcff", "□□ □ �"),
        ("Cafe\u0301", "Café"),
        ("x" * 500, "x" * 63 + "…"),
    ],
)
def test_odd_titles_are_shown_as_far_as_the_font_goes(rng, title, shown):
    figure = factorization.loss_figure(make(rng, [A4], title=title))
    figure.canvas.draw()
    assert figure.texts[0].get_text() == shown


@pytest.mark.parametrize("name", ["V", "frequencies", "times", "pitches"])
def test_shapes_that_do_not_fit_are_refused(rng, name):
    data = make(rng, [A4])
    parts = {
        part: getattr(data, part)
        for part in ("V", "factorization", "frequencies", "times", "pitches")
    }
    parts[name] = parts[name][1:]
    with pytest.raises(ParameterError, match=f"{name} must have shape"):
        FigureData(**parts)
