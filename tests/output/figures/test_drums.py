import numpy as np
import pytest

from specnmf import Note, Score
from specnmf.errors import ParameterError
from specnmf.output.figures import DrumFigureData, draw_drum_figure
from specnmf.output.figures.drums import drum_figure


@pytest.fixture
def drums(rng):
    """A function that makes data: two drums, struck in turn."""

    def make(**changes):
        notes = [
            Note(0.5 * i, 0.1, (36, 38)[i % 2], 60 + 5 * i, ("kick", "snare")[i % 2])
            for i in range(7)
        ]
        content = {
            "V": rng.random((129, 40)).astype(np.float32),
            "frequencies": np.linspace(0, 8000, 129),
            "times": np.arange(40) * 0.1,
            "names": ("kick", "snare"),
            "templates": rng.random((2, 129, 8)).astype(np.float32),
            "envelopes": rng.random((2, 40)).astype(np.float32),
            "strokes": Score(tuple(n._replace(percussion=True) for n in notes)),
            "title": "song",
        }
        return DrumFigureData(**{**content, **changes})

    return make


def words(figure):
    labels = [
        text.get_text() for axes in figure.axes for text in axes.get_yticklabels()
    ]
    return {*labels, *(text.get_text() for text in figure.texts)}


def test_each_drum_has_a_lane_with_its_strokes(drums):
    figure = drum_figure(drums())
    assert {"kick", "snare", "4 strokes", "3 strokes"} <= words(figure)
    lanes = figure.axes[1]
    heights = [
        path.get_extents().height
        for lines in lanes.collections
        if lines.get_linewidth()[0] == 1.2
        for path in lines.get_paths()
    ]
    assert sorted(heights) == pytest.approx([0.9 * v / 127 for v in range(60, 95, 5)])


def test_a_silent_drum_is_drawn(drums):
    envelopes = np.zeros((2, 40), np.float32)
    templates = np.full((2, 129, 8), 1e-9, np.float32)
    assert drum_figure(drums(envelopes=envelopes, templates=templates)).axes


def test_the_figure_is_a_file(drums, tmp_path):
    draw_drum_figure(tmp_path, drums(), figure_format="svg")
    assert (tmp_path / "drums.svg").stat().st_size > 1000


def test_shapes_that_do_not_fit_are_refused(drums):
    with pytest.raises(ParameterError, match="envelopes must have shape"):
        drums(envelopes=np.zeros((1, 40), np.float32))
