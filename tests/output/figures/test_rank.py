"""The figure of a number of components that was found."""

import numpy as np
import pytest

from specnmf.factor.rank import RankChoice
from specnmf.output.figures import draw_rank_figure
from specnmf.output.figures.rank import rank_figure


def choice(ranks=(1, 2, 4, 5, 8), means=(0, -1.5, -3.9, -4.2, -4.0), chosen=4):
    means = np.array(means, float)
    return RankChoice(np.array(ranks), means, 0.1 * np.arange(len(means)), chosen)


def texts(figure):
    (axes,) = figure.axes
    return [text.get_text() for text in (*figure.texts, *axes.texts)]


def test_the_curve_is_the_means_over_the_numbers_with_their_errors():
    (axes,) = rank_figure(choice()).axes
    (bars,) = axes.containers
    line, _, (segments,) = bars
    np.testing.assert_allclose(2 ** line.get_xdata(), [1, 2, 4, 5, 8])
    np.testing.assert_allclose(line.get_ydata(), [0, -1.5, -3.9, -4.2, -4.0])
    lengths = [np.ptp(segment[:, 1]) for segment in segments.get_segments()]
    np.testing.assert_allclose(lengths, [0, 0.2, 0.4, 0.6, 0.8])


def test_the_choice_and_the_level_that_is_enough_are_marked():
    figure = rank_figure(choice(), "song")
    assert {"song", "4", "70% of the fall"} <= set(texts(figure))
    assert "Number of components: 4, by cross-validation" in texts(figure)
    (axes,) = figure.axes
    level, number = (
        line.get_xydata() for line in axes.lines if len(line.get_xydata()) == 2
    )
    np.testing.assert_allclose(level[:, 1], 0.7 * -4.2)
    np.testing.assert_allclose(2 ** number[:, 0], 4)


def test_ticks_are_numbers_that_were_tried_and_do_not_touch():
    ranks = (1, 2, 3, 4, 6, 8, 9, 10, 11, 12, 16, 24, 32, 48, 64)
    figure = rank_figure(choice(ranks, -np.sqrt(np.arange(15)), 11))
    figure.canvas.draw()
    ticks = figure.axes[0].xaxis.get_ticklabels()
    assert {int(tick.get_text()) for tick in ticks} <= set(ranks)
    assert "11" in [tick.get_text() for tick in ticks]
    boxes = [tick.get_window_extent() for tick in ticks]
    for number, box in enumerate(boxes):
        assert box.count_overlaps(boxes[:number]) == 0


@pytest.mark.parametrize("figure_format", ["png", "svg", "pdf"])
def test_the_same_choice_gives_the_same_file(tmp_path, figure_format):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        draw_rank_figure(tmp_path / folder, choice(), figure_format=figure_format)
    one, other = (tmp_path / folder / f"rank.{figure_format}" for folder in ("a", "b"))
    assert one.read_bytes() == other.read_bytes()


def test_a_curve_that_hardly_falls_looks_flat():
    figure = rank_figure(choice(means=(0, -0.01, 0, 0.01, 0), chosen=1))
    assert np.ptp(figure.axes[0].get_ylim()) >= 3
    assert "70% of the fall" not in texts(figure)


def test_a_single_number_is_drawn():
    figure = rank_figure(choice((1,), (0,), 1))
    figure.canvas.draw()
    assert "1" in texts(figure)
