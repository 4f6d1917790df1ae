import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import LineCollection
from matplotlib.text import Text

from specnmf.errors import ParameterError
from specnmf.output.figures import alignment
from specnmf.output.figures.alignment import alignment_figure
from specnmf.output.figures.clocks import TimeMap, disagreements
from specnmf.score.notes import Note, Score


def steady(tempo, start=0.0, stop=20.0):
    """A path through a score at so many of its seconds a second."""
    recording = np.arange(start, stop, 0.02)
    return np.stack([(recording - start) * tempo, recording], axis=1)


def words(figure):
    return [text.get_text() for text in figure.findobj(Text)]


def captions(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


def shaded(axes):
    """The stretches of time that an axes shades."""
    return [
        (patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches
    ]


#: The recording leaves out 5 to 9 s of the score, and waits from 10 to 13 s.
GAPS = np.concatenate([
    np.stack([np.arange(0, 5, 0.02), np.arange(0, 5, 0.02)], 1),
    np.stack([np.arange(9, 14, 0.02), np.arange(5, 10, 0.02)], 1),
    np.stack([np.arange(14, 20, 0.02), np.arange(13, 19, 0.02)], 1),
])  # fmt: skip


@given(
    st.lists(st.tuples(st.floats(0.01, 0.9), st.floats(0.15, 0.9)), min_size=2),
    st.floats(0, 1),
)
def test_path_without_leaps_is_one_run_and_maps_as_it_is_drawn(steps, place):
    path = np.cumsum(np.array([(0.0, 0.0), *steps]), axis=0)
    clocks = TimeMap(path)
    assert len(clocks.runs) == 1
    seconds = np.array([place * path[-1, 0]])
    expected = np.interp(seconds, path[:, 0], path[:, 1])
    assert clocks.recorded(seconds) == pytest.approx(expected)


@pytest.mark.parametrize("tempo", [0.5, 1.0, 1.31])
def test_tempo_of_a_steady_path_is_its_slope(tempo):
    clocks = TimeMap(steady(tempo))
    found = clocks.tempo(np.linspace(0, 19.9, 50), 3.0)
    assert found == pytest.approx(tempo)


def test_gaps_are_what_the_other_has_not():
    clocks = TimeMap(GAPS)
    assert len(clocks.runs) == 3
    assert clocks.gaps(0) == [pytest.approx((4.98, 9.0))]
    assert clocks.gaps(1) == [pytest.approx((9.98, 13.0))]


def test_rush_through_the_score_is_a_gap():
    rush = np.stack([np.arange(5, 9, 0.02), np.full(200, 5.0)], axis=1)
    clocks = TimeMap(np.concatenate([GAPS[:250], rush, GAPS[250:500]]))
    assert clocks.gaps(0) == [pytest.approx((5, 9), abs=0.15)]
    assert np.isnan(clocks.recorded(np.array([7.0]))).all()


def test_what_the_recording_lacks_is_nowhere_in_it():
    seconds = np.array([-0.2, 3.0, 7.0, 9.0, 16.0, 20.1, 30.0])
    found = TimeMap(GAPS).recorded(seconds)
    nan = np.nan
    expected = [0, 3, nan, 5, 15, 18.98, nan]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_tempo_is_not_taken_across_a_gap():
    found = TimeMap(GAPS).tempo(np.array([4.9, 5.1, 9.9, 11.0, 13.1]), 3.0)
    np.testing.assert_allclose(found, [1, 1, 1, np.nan, 1], atol=1e-6)


def test_disagreement_lasts():
    seconds = np.arange(0, 10, 0.2)
    values = np.full(50, 0.6)
    values[5] = 0  # too short
    values[20:30] = 0.1
    values[45:] = 0.2
    found = disagreements(np.stack([seconds, values], axis=1))
    assert found == [pytest.approx((4.0, 5.8)), pytest.approx((9.0, 9.8))]


def test_agreement_that_is_not_known_is_no_disagreement():
    assert disagreements(None) == []
    assert disagreements(np.empty((0, 2))) == []


@pytest.mark.parametrize("swing", [0.0, 0.02, 0.5])
def test_tempo_changes_look_as_large_as_they_are(quartet, swing):
    recording = np.arange(0, 20, 0.02)
    path = np.stack([recording + swing * np.sin(recording), recording], axis=1)
    figure = alignment_figure(quartet(path=path))
    (axes,) = [a for a in figure.axes if "Tempo" in a.get_title(loc="left")]
    low, high = axes.get_ylim()
    assert high - low >= 35
    assert low < 100 < high


def test_figure_says_confidence_tempo_and_remarks(quartet):
    remarks = ("the score from 5.0 s on", *[f"remark {k}" for k in range(9)])
    data = quartet(path=steady(1.25), confidence=0.931, remarks=remarks)
    shown = words(alignment_figure(data))
    assert "Alignment: the score in the recording's time, confidence 0.93 of 1" in shown
    assert "Tempo in percent of the score's; median 125%" in shown
    assert [text for text in shown if text in remarks] == list(
        remarks[: alignment.MOST_REMARKS]
    )


def test_confidence_that_is_not_known_is_not_told(quartet):
    shown = words(alignment_figure(quartet(path=steady(1.0))))
    assert not any("confidence" in text for text in shown)


def test_path_is_drawn_with_the_recording_across_and_the_score_up(quartet):
    axes = alignment_figure(quartet(path=GAPS)).axes[0]
    solid = [line for line in axes.lines if line.get_linestyle() == "-"]
    (dotted,) = [line for line in axes.lines if line.get_linestyle() == ":"]
    np.testing.assert_array_equal(dotted.get_xydata(), GAPS[:, ::-1])
    assert len(solid) == 3
    for line, run in zip(solid, TimeMap(GAPS).runs, strict=True):
        np.testing.assert_array_equal(line.get_xydata(), run[:, ::-1])


def test_where_they_disagree_is_shaded_over_the_recording(quartet):
    agreement = np.stack([np.arange(0, 19, 0.2), np.full(95, 0.6)], axis=1)
    agreement[60:80, 1] = 0.1
    figure = alignment_figure(quartet(path=GAPS, agreement=agreement))
    expected = [pytest.approx((9.98, 15.8))]  # the wait, and 12 to 15.8 s
    assert [shaded(axes) for axes in figure.axes] == [expected] * 3
    assert "Agreement of score and recording; shaded: they disagree" in captions(figure)


def test_notes_on_both_clocks_are_linked_by_the_path(quartet):
    notes = tuple(Note(float(k), 0.5, 60, 80, "tenor") for k in range(20))
    figure = alignment_figure(quartet(path=GAPS, original=Score(notes)))
    written, links, played, *_ = figure.axes
    assert len(written.collections[0].get_paths()) == 20
    assert len(played.collections[0].get_paths()) == 8
    (lines,) = [c for c in links.collections if isinstance(c, LineCollection)]
    found = [segment[:, 0].tolist() for segment in lines.get_segments()]
    clocks = TimeMap(GAPS)
    kept = [k for k in range(20) if not 5 < k < 9]
    expected = np.stack([kept, clocks.recorded(np.array(kept, float))], axis=1)
    np.testing.assert_allclose(found, expected)
    assert shaded(written) == [pytest.approx((4.98, 9.0))]


def test_links_of_a_long_score_stay_few(quartet):
    notes = tuple(Note(k / 50, 0.1, 60, 80, "tenor") for k in range(950))
    figure = alignment_figure(quartet(path=steady(1.0), original=Score(notes)))
    (lines,) = figure.axes[1].collections
    assert 0 < len(lines.get_segments()) <= alignment.MOST_LINKS


def test_original_notes_have_the_colours_of_what_they_become(quartet):
    unknown = Note(0.0, 1.0, 60, 80, "tuba")
    known = Note(1.0, 1.0, 99, 80, "alto")
    data = quartet(path=steady(1.0), original=Score((unknown, known)))
    colours = alignment_figure(data).axes[0].collections[0].get_facecolor()[:, :3]
    assert len(np.unique(colours[0])) == 1  # grey
    assert len(np.unique(colours[1])) == 3


def test_a_stuck_note_leaves_room_for_the_others(quartet):
    notes = [Note(float(k), 1.0, 60 + k, 80, "flute") for k in range(20)]
    stuck = Note(5.0, 3600.0, 50, 80, "flute")
    data = quartet(path=steady(1.0), original=Score((*notes, stuck)))
    assert alignment_figure(data).axes[0].get_xlim()[1] < 40


@pytest.mark.parametrize("n_points", [1, 2])
def test_short_path_is_drawn(quartet, n_points):
    data = quartet(path=steady(1.0)[:n_points], original=Score(()))
    figure = alignment_figure(data)
    figure.canvas.draw()
    assert "Tempo in percent of the score's" in " ".join(words(figure))


def test_figure_needs_a_path(quartet):
    with pytest.raises(ParameterError, match="expected path for this figure, got none"):
        alignment_figure(quartet())
