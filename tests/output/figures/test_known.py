"""The figure of learned templates."""

import numpy as np
import pytest

from specnmf import Templates
from specnmf.output.figures import draw_known_figure
from specnmf.output.figures.known import known_figure


def templates(n=5, n_frames=1, groups=None):
    rng = np.random.default_rng(0)
    names = [f"t_{k}" for k in range(n)]
    W = 0.01 + rng.random((257, n, n_frames)) ** 4
    return Templates(W, names, groups or names, sr=16000, n_fft=512, hop_length=128)


def subtitle(figure):
    return figure.texts[1].get_text()


def test_spectra_are_rows_with_names_from_the_top():
    figure = known_figure(templates(groups=["a", "a", "b", "b", "b"]), "kit")
    axes = figure.axes[0]
    names = [tick.get_text() for tick in axes.yaxis.get_ticklabels()]
    assert names == ["t_4", "t_3", "t_2", "t_1", "t_0"]
    assert figure.texts[0].get_text() == "kit"
    assert subtitle(figure) == "5 templates in 2 groups, a colour each"
    (lines,) = axes.collections  # one bound between two groups
    assert [segment[0, 1] for segment in lines.get_segments()] == [2.5]


def test_templates_of_several_frames_are_panels_with_captions():
    figure = known_figure(templates(n_frames=4), "kit")
    captions = [axes.get_title(loc="left") for axes in figure.axes[:-1]]
    assert captions == [f"t_{k}" for k in range(5)]
    assert figure.axes[0].get_xticks().tolist() == [0, 32]  # four hops of 8 ms


@pytest.mark.parametrize(("n_frames", "shown"), [(1, 96), (2, 48)])
def test_of_many_templates_the_first_are_drawn(n_frames, shown):
    figure = known_figure(templates(200, n_frames))
    assert subtitle(figure).startswith(f"{shown} of 200 templates in 200 groups")


def test_the_same_templates_give_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        draw_known_figure(tmp_path / name, templates(), name="kit")
    one, two = (tmp_path / name / "kit.png" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_silent_bins_are_drawn():
    W = np.zeros((257, 1, 3))
    W[20] = 1
    given = Templates(W, ["a"], ["a"], sr=16000, n_fft=512, hop_length=128)
    assert len(known_figure(given).axes) == 2
