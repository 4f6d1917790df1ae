import re

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.text import Text

from specnmf.errors import ParameterError
from specnmf.output.figures import LabelFigureData, draw_label_figure
from specnmf.output.figures.labels import label_figure

INK, ABSENT, BLUE, NOTHING = "#1a1a1a", "#c4c4c4", "#0868ac", ""


@pytest.fixture
def labelled(rng):
    """A function that makes data: the first half annotated, each sound in turn."""

    def make(names=("pipe", "bell"), n_frames=40, hop=0.1, **changes):
        times = np.arange(n_frames) * hop
        frequencies = np.linspace(0, 8000, 129)
        heard = np.zeros((len(names), n_frames), bool)
        for row in range(len(names)):
            heard[row, row : n_frames // 2 : len(names)] = True
        active = heard.copy()
        active[0, 3 * n_frames // 4 :] = True
        content = {
            "V": rng.random((129, n_frames)).astype(np.float32),
            "frequencies": frequencies,
            "times": times,
            "names": names,
            "heard": heard,
            "annotated": np.arange(n_frames) < n_frames // 2,
            "activity": 0.9 * active,
            "active": active,
            "title": "song",
        }
        return LabelFigureData(**{**content, **changes})

    return make


def words(figure):
    return [text.get_text() for text in figure.findobj(Text)]


def hexadecimal(pixels):
    return ["#" + bytes(pixel[:3]).hex() if pixel[3] else NOTHING for pixel in pixels]


def bars(axes, n_lanes):
    """The colours of what was marked and found, (lane from the top: two lists)."""
    (image,) = axes.images
    lines = np.asarray(image.get_array())[::-1].reshape(
        n_lanes, -1, *image.get_size()[1:], 4
    )
    tall = lines.shape[1]
    return [
        (hexadecimal(lane[round(0.18 * tall)]), hexadecimal(lane[round(0.86 * tall)]))
        for lane in lines
    ]


def test_heard_absent_and_unknown_have_each_their_colour(labelled):
    data = labelled()
    (pipe, pipe_found), (bell, bell_found) = bars(label_figure(data).axes[1], 2)
    assert pipe == [INK, ABSENT] * 10 + [NOTHING] * 20
    assert bell == [ABSENT, INK] * 10 + [NOTHING] * 20
    assert pipe_found == [BLUE, NOTHING] * 10 + [NOTHING] * 10 + [BLUE] * 10
    assert bell_found == [NOTHING, BLUE] * 10 + [NOTHING] * 20


def test_lanes_are_named_and_timed_from_the_top(labelled):
    axes = label_figure(labelled(("pipe", "bell", "drum"))).axes
    names = {
        t.get_text(): y
        for t, y in zip(axes[1].get_yticklabels(), axes[1].get_yticks(), strict=True)
    }
    assert names == {"pipe": 2, "bell": 1, "drum": 0}
    assert [t.get_text() for t in axes[2].get_yticklabels()] == [
        "0.6 s", "0.7 s", "1.7 s",
    ]  # fmt: skip


def test_activity_is_a_curve_in_its_lane(labelled):
    activity = np.zeros((2, 40))
    activity[1, 10:20] = 1
    curves = [
        c for c in label_figure(labelled(activity=activity)).axes[1].collections
        if isinstance(c, PolyCollection)
    ]  # fmt: skip
    low, high = (c.get_paths()[0].get_extents() for c in curves)
    assert low.height == pytest.approx(0.44)
    assert -0.5 < low.y0 < low.y1 < 0.5
    assert high.height == pytest.approx(0)
    assert 0.5 < high.y0 < 1.5


def test_the_spectrogram_has_the_same_clock(labelled):
    sound, lanes, _ = label_figure(labelled()).axes
    assert sound.get_xlim() == lanes.get_xlim() == pytest.approx((-0.05, 3.95))


def test_short_regions_of_a_long_song_are_seen(labelled):
    heard = np.zeros((2, 100_000), bool)
    heard[0, 54_321] = True
    data = labelled(n_frames=100_000, hop=0.02, heard=heard)
    ((marked, _), _) = bars(label_figure(data).axes[1], 2)
    assert len(marked) <= 1000
    assert marked.count(INK) == 1


@pytest.mark.parametrize(
    ("names", "n_frames"),
    [
        (("one",), 1),
        (tuple(f"$sound_{k}^ of a very long name \u7b1b" for k in range(12)), 300),
        (tuple(map(str, range(64))), 2000),
    ],
)
def test_any_song_and_any_names_are_drawn(labelled, tmp_path, names, n_frames):
    draw_label_figure(tmp_path, labelled(names, n_frames))
    assert (tmp_path / "labels.png").stat().st_size > 5000


def test_silence_is_said(labelled):
    assert "silence" in words(label_figure(labelled(V=np.zeros((129, 40)))))


@pytest.mark.parametrize("figure_format", ["png", "svg", "pdf"])
def test_the_same_data_give_the_same_bytes(labelled, tmp_path, figure_format):
    data = labelled()
    path = tmp_path / f"labels.{figure_format}"
    draw_label_figure(tmp_path, data, figure_format=figure_format)
    first = path.read_bytes()
    draw_label_figure(tmp_path, data, figure_format=figure_format)
    assert path.read_bytes() == first


@pytest.mark.parametrize("name", ["V", "heard", "annotated", "activity", "active"])
def test_shapes_that_do_not_fit_are_refused(labelled, name):
    with pytest.raises(ParameterError, match=re.escape(f"{name} must have shape")):
        labelled(**{name: np.zeros((3, 7))})
