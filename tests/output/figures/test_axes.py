"""Any figure on any axes: specnmf.figures."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

import specnmf
from specnmf import figures
from specnmf.factor.rank import RankChoice
from specnmf.output.figures.factorization import spectrogram_figure
from specnmf.output.figures.objects import magnitude, spectrogram_data

SR = 8000
NOTES = (
    specnmf.Note(0.1, 0.8, 69, part="flute"),
    specnmf.Note(1.0, 0.8, 57, part="oboe"),
)
SCORE = specnmf.Score(NOTES)
REGIONS = (specnmf.Region(0.1, 0.9, "flute"), specnmf.Region(1.0, 1.8, "oboe"))


def tones():
    time = np.arange(2 * SR) / SR
    notes = [
        (time >= n.start) * (time < n.start + n.duration) * np.sin(2 * np.pi * f * time)
        for n, f in zip(NOTES, (440, 220), strict=True)
    ]
    return {
        n.part: specnmf.Audio(y.astype(np.float32) / 2, SR)
        for n, y in zip(NOTES, notes, strict=True)
    }


STEMS = tones()
AUDIO = specnmf.Audio(sum(stem.samples for stem in STEMS.values()), SR)
SPECTROGRAM = specnmf.stft(AUDIO, n_fft=1024)
V = SPECTROGRAM.magnitude()
RESULT = specnmf.nmf(V, 2, max_iter=5)
LABELLED = specnmf.Factorization(RESULT.W, RESULT.H, ("flute", "oboe"))
TOP = np.ones((2, 1)), np.ones((1, V.shape[1]))
LAYERS = specnmf.Layers([RESULT.W, TOP[0]], [RESULT.H, TOP[1]])
PATH = np.array([[0.0, 0.0], [2.0, 2.0]])
AGREEMENT = PATH * (1, 0.5)
ALIGNED = specnmf.Alignment(SCORE, PATH, AGREEMENT, 0.9, 0, 0.0, True, ("told",))
CHOICE = RankChoice(np.array([1, 2, 3]), np.array([0, -9.0, -9.1]), np.ones(3), 2)

#: Each figure with what it takes.
EVERY = {
    "spectrogram": lambda **on: figures.spectrogram(SPECTROGRAM, **on),
    "templates": lambda **on: figures.templates(RESULT, SPECTROGRAM, **on),
    "activations": lambda **on: figures.activations(RESULT, SPECTROGRAM, **on),
    "reconstruction": lambda **on: figures.reconstruction(RESULT, SPECTROGRAM, **on),
    "loss": lambda **on: figures.loss(RESULT, **on),
    "rank": lambda **on: figures.rank(CHOICE, **on),
    "score": lambda **on: figures.score(SCORE, SPECTROGRAM, **on),
    "pianoroll": lambda **on: figures.pianoroll(SCORE, **on),
    "constraints": lambda **on: figures.constraints(
        LABELLED, LABELLED, SPECTROGRAM, score=SCORE, **on
    ),
    "alignment": lambda **on: figures.alignment(ALIGNED, SCORE, **on),
    "sources": lambda **on: figures.sources(STEMS, **on),
    "labels": lambda **on: figures.labels(REGIONS, SPECTROGRAM, found=REGIONS, **on),
    "layers": lambda **on: figures.layers(LAYERS, SPECTROGRAM, **on),
}


@pytest.fixture(autouse=True)
def _closed():
    """No figure is left to pyplot."""
    yield
    pyplot.close("all")


def words(axes):
    """All texts on axes and on those within."""
    return [text.get_text() for text in axes.findobj(mpl.text.Text)]


def test_every_figure_is_tried():
    assert sorted(EVERY) == sorted(figures.__all__)


@pytest.mark.parametrize("name", EVERY)
def test_a_figure_is_drawn_on_given_axes_and_nowhere_else(name):
    figure = Figure(figsize=(8, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    assert EVERY[name](ax=left) is left
    figure.draw_without_rendering()
    assert pyplot.get_fignums() == []
    assert not any((right.lines, right.images, right.collections, right.child_axes))
    assert left.get_title(loc="left")


@pytest.mark.parametrize("name", EVERY)
def test_without_axes_a_figure_is_pyplots_with_its_title(name):
    axes = EVERY[name](title="a song")
    assert pyplot.get_fignums() == [axes.figure.number]
    assert "a song" in [text.get_text() for text in axes.figure.texts]


@pytest.mark.slow  # draws every figure
@pytest.mark.parametrize("name", EVERY)
def test_the_panels_stay_within_the_place_of_the_axes(name):
    figure = Figure(figsize=(12, 6), layout="constrained")
    left, right = figure.subplots(1, 2)
    EVERY[name](ax=left)
    figure.draw_without_rendering()
    assert left.get_tightbbox().x1 <= right.get_window_extent().x0 + 1


def test_a_new_figure_looks_as_in_a_file():
    axes = figures.spectrogram(SPECTROGRAM, title="a song")
    axes.figure.set_dpi(60)
    axes.figure.canvas.draw()
    data = spectrogram_data(magnitude(SPECTROGRAM, None, None), title="a song")
    file = spectrogram_figure(data)
    file.canvas.draw()
    drawn, written = (np.asarray(f.canvas.buffer_rgba()) for f in (axes.figure, file))
    np.testing.assert_array_equal(drawn, written)


def test_a_users_settings_count_for_nothing_and_stay_as_they_are():
    mine = {"font.size": 20, "text.usetex": True, "axes.grid": True}
    with mpl.rc_context(mine):
        before, backend = dict(mpl.rcParams), mpl.get_backend()
        axes = figures.spectrogram(SPECTROGRAM)
        assert dict(mpl.rcParams) == before
        assert mpl.get_backend() == backend
    assert not any(text.get_usetex() for text in axes.findobj(mpl.text.Text))


def test_a_recording_may_be_given_in_any_form():
    forms = (
        {"V": SPECTROGRAM},
        {"V": V, "sr": SR},
        {"V": V, "sr": SR, "hop_length": 256},
    )
    images = []
    for form in forms:
        axes = figures.spectrogram(**form, ax=Figure().subplots())
        images.append((axes.images[0].get_array(), *axes.images[0].get_extent()))
    for image in images[1:]:
        np.testing.assert_allclose(image[0], images[0][0])
        np.testing.assert_allclose(image[1:], images[0][1:])
    axes = figures.reconstruction(RESULT, AUDIO, ax=Figure().subplots())
    assert any("explains" in text for text in words(axes))


def test_two_figures_share_the_axis_of_time():
    above, below = Figure().subplots(2, sharex=True)
    figures.spectrogram(SPECTROGRAM, ax=above)
    figures.score(SCORE, SPECTROGRAM, ax=below)
    assert above.get_xlim() == below.get_xlim()


def test_small_axes_have_fewer_ticks():
    small = figures.spectrogram(SPECTROGRAM, ax=Figure((2, 1)).subplots())
    large = figures.spectrogram(SPECTROGRAM, ax=Figure((11, 6)).subplots())
    assert len(small.get_xticks()) < len(large.get_xticks())
    assert len(small.get_yticks()) < len(large.get_yticks())


def test_names_in_a_legend_are_no_mathematics():
    named = specnmf.Score(tuple(n._replace(part=f"${n.part}$") for n in NOTES))
    axes = figures.pianoroll(named, ax=Figure().subplots())
    axes.figure.draw_without_rendering()
    assert {"$flute$", "$oboe$"} <= set(words(axes))


def test_the_loudness_of_sources_is_that_of_their_sound():
    axes = figures.sources(STEMS, ax=Figure().subplots())
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert labels == ["flute", "oboe"]


def test_an_array_without_a_rate_is_refused():
    with pytest.raises(specnmf.ParameterError, match="needs sr"):
        figures.spectrogram(V)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: figures.spectrogram("song.wav", sr=SR), "got str"),
        (lambda: figures.spectrogram(V[0], sr=SR), r"got shape \("),
        (lambda: figures.score(NOTES, SPECTROGRAM), "got tuple"),
        (lambda: figures.sources({"flute": V}), "got ndarray for 'flute'"),
        (lambda: figures.sources({}), "envelopes"),
        (lambda: figures.reconstruction(RESULT, V[:, :-1], sr=SR), "shape"),
    ],
)
def test_what_is_no_recording_is_refused(draw, message):
    with pytest.raises(specnmf.ParameterError, match=message):
        draw()
