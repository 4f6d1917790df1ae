from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.text import Text

from specnmf.errors import ParameterError
from specnmf.factor.factorization import Factorization
from specnmf.output.figures import (
    canvas,
    draw_score_figures,
    learned,
    note_data,
    pooling,
    score,
    score_data,
    separation,
    stems,
)
from specnmf.score.notes import Note

A4 = 69


def words(figure):
    return {text.get_text() for text in figure.findobj(Text)}


def row_names(axes):
    """The names of an axes' rows, from the bottom."""
    return [label.get_text() for label in axes.get_yticklabels()]


def boxes(axes):
    """Left, right, bottom, top and colour of each box of an axes."""
    found = []
    for collection in axes.collections:
        if isinstance(collection, PolyCollection):
            for path, colour in zip(
                collection.get_paths(), collection.get_edgecolor(), strict=True
            ):
                left, bottom = path.vertices.min(axis=0)
                right, top = path.vertices.max(axis=0)
                found.append((left, right, bottom, top, to_hex(colour)))
    return found


def octaves(midi):
    return np.log2(440 * 2 ** ((midi - 69) / 12))


def overlaps(texts):
    frames = [text.get_window_extent().padded(-1) for text in texts]
    return any(b.count_overlaps(frames[:k]) for k, b in enumerate(frames))


def nothing_but(pixels, groups, colours):
    """Which of the pixels have a colour of one of these groups' ramps."""
    ramps = np.concatenate([stems.ramp(colours[g]) for g in groups])
    known = {tuple(pixel) for pixel in ramps.tolist()}
    return np.array([[tuple(p) in known for p in row] for row in pixels.tolist()])


# The score over the spectrogram


def test_each_note_is_a_box_at_its_fundamental_in_its_stems_colour(quartet):
    data = quartet()
    drawn = boxes(score.score_figure(data).axes[0])
    colours = dict(data.palette.legend)
    assert len(drawn) == len(data.score.notes)
    for note, (left, right, bottom, top, colour) in zip(
        data.score.notes, drawn, strict=True
    ):
        assert (left, right) == pytest.approx((note.start, note.start + note.duration))
        assert bottom == pytest.approx(octaves(note.pitch - 0.5))
        assert top == pytest.approx(octaves(note.pitch + 0.5))
        assert colour == colours[note.part]


def test_boxes_lie_on_what_sounds(quartet):
    data = quartet()
    axes = score.score_figure(data).axes[0]
    image = axes.images[0]
    start, stop, low, high = image.get_extent()
    picture = image.get_array()
    for left, right, bottom, top, _ in boxes(axes):
        row = int(len(picture) * ((bottom + top) / 2 - low) / (high - low))
        column = int(picture.shape[1] * ((left + right) / 2 - start) / (stop - start))
        assert picture[row, column] > -12


def test_picture_reaches_from_below_the_notes_to_their_partials(quartet):
    low, high = score.score_figure(quartet()).axes[0].get_ylim()
    assert low == pytest.approx(octaves(48 - score.BELOW), abs=1e-6)
    assert high == pytest.approx(octaves(77 + score.ABOVE), abs=1e-6)


def test_keyboard_names_its_cs_where_they_lie(quartet):
    _, keyboard, *_ = score.score_figure(quartet()).axes
    places = dict(zip(row_names(keyboard), keyboard.get_yticks(), strict=True))
    assert list(places) == ["C3", "C4", "C5", "C6", "C7"]
    assert 2 ** places["C5"] == pytest.approx(523.25, abs=0.01)


def test_drums_have_lanes_of_their_own(separated):
    drums = [(36, 0.2), (38, 0.5), (36, 0.8)]
    notes = [Note(start, 0.1, drum, 90, "kit", True) for drum, start in drums]
    figure = score.score_figure(separated([*notes, Note(0.3, 0.5, A4, part="flute")]))
    over, *_, lanes = figure.axes
    assert len(boxes(over)) == 1
    assert row_names(lanes) == ["kick", "snare"]
    assert [round(bottom + 0.36) for _, _, bottom, _, _ in boxes(lanes)] == [0, 1, 0]


def test_drums_alone_have_no_keyboard(separated):
    kick = Note(0.2, 0.1, 36, 90, "kit", True)
    figure = score.score_figure(separated([kick]))
    assert boxes(figure.axes[0]) == []
    assert "pitch" not in words(figure)
    assert {"kick", "100 Hz", "1 kHz"} <= words(figure)


def test_note_of_no_length_can_be_seen(separated):
    axes = score.score_figure(separated([Note(0.5, 0.0, A4, part="flute")])).axes[0]
    ((left, right, *_),) = boxes(axes)
    start, stop = axes.get_xlim()
    assert right - left == pytest.approx((stop - start) * score.LEAST_WIDTH)


def paleness(axes):
    """How near to white each box is, 0 to 1, and how much of the sound it covers."""
    (drawn,) = [c for c in axes.collections if isinstance(c, PolyCollection)]
    edges, insides = drawn.get_edgecolor(), drawn.get_facecolor()
    np.testing.assert_array_equal(edges[:, :3], insides[:, :3])
    return edges[:, :3].min(axis=1), insides[:, 3]


def test_certain_notes_have_their_colour_and_nothing_is_said_of_it(quartet):
    data = quartet()
    figure = score.score_figure(data)
    drawn = [colour for *_, colour in boxes(figure.axes[0])]
    assert drawn == data.palette.of_notes
    assert note_data.UNSURE[0] not in words(figure)


def test_notes_are_the_paler_the_less_sure_and_never_unseen(separated):
    sure = (0.0, 0.4, 0.6, 0.9)
    notes = [
        Note(0.2 * k, 0.2, 60 + k, part="flute", confidence=each)
        for k, each in enumerate(sure)
    ]
    figure = score.score_figure(separated(notes))
    pale, covered = paleness(figure.axes[0])
    assert (np.diff(pale) < -0.1).all()
    assert pale[0] < 0.8
    assert covered.tolist() == [0.15] * 4
    assert {"flute", "pale: unsure"} <= words(figure)


def test_unsure_strokes_of_drums_are_pale_too(separated):
    drums = [Note(0.2, 0.1, 36, 90, "kit", True, confidence=0.2)]
    drums.append(Note(0.5, 0.1, 38, 90, "kit", True))
    pale, _ = paleness(score.score_figure(separated(drums)).axes[-1])
    assert pale[0] > 0.7 > 0.1 > pale[1]


# Templates


def test_templates_stand_in_order_of_pitch_a_panel_for_each_stem(quartet):
    figure = learned.templates_figure(quartet())
    panels = [axes for axes in figure.axes if row_names(axes)[0][0] in "ABCDEFG"]
    assert [row_names(axes) for axes in panels] == [
        ["E5", "F5"],
        ["G4", "G#4"],
        ["C4", "C#4"],
        ["C3", "C#3"],
    ]
    names = [axes.get_title(loc="left") for axes in panels]
    assert names == ["soprano", "alto", "tenor", "bass"]


def test_a_dot_stands_only_where_the_template_sounds(separated):
    notes = [Note(0.2, 0.5, pitch, 80, "voice") for pitch in (60, 67)]
    data = separated(notes)
    fundamental = data.frequencies < 1.5 * 440 * 2 ** ((60 - 69) / 12)
    data.factorization.W[fundamental, 0] = 0
    (axes, _) = learned.templates_figure(data).axes
    (dots,) = [c for c in axes.collections if len(c.get_offsets())]
    assert dots.get_offsets()[:, 1].tolist() == [1]


@pytest.mark.parametrize("n_notes", [1, 3, 12])
def test_every_scale_in_decibels_says_its_reference(separated, n_notes):
    notes = [Note(0.2, 0.5, 50 + pitch, 80, "voice") for pitch in range(n_notes)]
    data = separated(notes, envelopes={"voice": np.ones(9), "rest": np.full(9, 0.97)})
    for draw in (learned.templates_figure, learned.activations_figure):
        figure = draw(data)
        bar = figure.axes[-1].yaxis.label
        figure.canvas.draw()
        assert "re" in bar.get_text().split()
        box = bar.get_window_extent()
        assert 0 <= box.y0
        assert box.y1 <= figure.bbox.height
    figure = separation.sources_figure(data)
    assert "re loudest" in words(figure)
    assert row_names(figure.axes[1]) == ["0 dB", "−0.3 dB"]


def test_template_is_darkest_at_its_fundamental_where_the_dot_is(quartet):
    data = quartet()
    figure = learned.templates_figure(data)
    axes = figure.axes[1]
    low, high, *_ = axes.images[0].get_extent()
    (dots,) = [c for c in axes.collections if isinstance(c, PathCollection)]
    image = axes.images[0].get_array().astype(int)
    for row, (x, y) in enumerate(dots.get_offsets()):
        assert y == row
        assert x == pytest.approx(octaves(67 + row))
        darkness = np.where(image[row, :, 3] > 0, -image[row, :, :3].sum(axis=1), -999)
        darkest = np.flatnonzero(darkness == darkness.max()).mean()
        at = low + (darkest + 0.5) * (high - low) / image.shape[1]
        assert at == pytest.approx(x, abs=0.03)


def test_notes_of_one_part_and_pitch_share_a_template(separated):
    notes = [Note(0.2 * k, 0.1, A4 + k % 2, 80, "piano") for k in range(20)]
    labels = [f"{k}_note" for k in range(20)]
    data = separated(notes, labels=labels)
    assert data.factorization.n_components == 20
    assert [voice.name for voice in data.voices] == ["A4", "A#4"]
    assert row_names(learned.templates_figure(data).axes[0]) == ["A4", "A#4"]


def test_names_of_60_pitches_do_not_touch(separated):
    notes = [
        Note(0.01 * k, 0.5, 30 + k % 60, 80, ("right", "left")[k % 2])
        for k in range(240)
    ]
    data = separated(notes)
    for draw in (
        learned.templates_figure,
        learned.activations_figure,
        learned.constraints_figure,
    ):
        figure = draw(data)
        figure.canvas.draw()
        for axes in figure.axes:
            assert not overlaps(axes.get_yticklabels())
            assert not overlaps(axes.get_xticklabels())


def test_of_many_voices_the_strongest_are_drawn(separated, monkeypatch):
    monkeypatch.setattr(score_data, "MOST_VOICES", 2)
    loud = {60: 100, 64: 1, 67: 90}
    data = separated([Note(0.1, 1, p, v, "choir") for p, v in loud.items()])
    assert [voice.name for voice in data.voices] == ["C4", "G4"]


# Activations


def pixel(data, axes, seconds, row):
    """The colour of a piano roll at a time and a row."""
    left, right, bottom, top = axes.images[0].get_extent()
    image = axes.images[0].get_array()
    line = int(len(image) * (row - bottom) / (top - bottom))
    return image[line, int(image.shape[1] * (seconds - left) / (right - left))]


def test_activations_have_their_stems_colours_where_they_sound(quartet):
    data = quartet()
    axes = learned.activations_figure(data).axes[0]
    for note in data.score.notes:
        colour = pixel(data, axes, note.start + 0.3, note.pitch)
        hue = data.palette.colours[data.palette.names.index(note.part)]
        np.testing.assert_allclose(colour, stems.ramp(hue)[-1], atol=3)
        assert pixel(data, axes, note.start - 0.15, note.pitch)[3] == 0


def test_where_stems_share_a_pitch_the_stronger_is_seen(separated):
    notes = [Note(0.1, 1.5, A4, 100, "flute"), Note(0.8, 0.5, A4, 127, "oboe")]
    data = separated(notes)
    axes = learned.activations_figure(data).axes[0]
    colours = dict(data.palette.legend)
    for seconds, stem in ((0.5, "flute"), (1.0, "oboe"), (1.5, "flute")):
        found = pixel(data, axes, seconds, A4)[None, None]
        assert nothing_but(found, [colours[stem]], {colours[stem]: colours[stem]}).all()


def test_what_has_no_pitch_has_a_named_lane_below_the_keys(separated):
    notes = [Note(0.2, 0.3, 36, 90, "kit", True), Note(0.2, 0.3, 38, 90, "kit", True)]
    notes.append(Note(0.3, 0.5, A4, part="flute"))
    data = separated(notes, names=["", "kick", "snare"])
    assert np.isnan(data.pitches).tolist() == [False, True, True]
    axes = learned.activations_figure(data).axes[0]
    assert row_names(axes) == ["kick", "snare", "A4"]
    kick, snare, a4 = axes.get_yticks()
    assert snare == kick + 1 < a4 - 1
    assert pixel(data, axes, 0.35, kick)[3] > 0
    assert pixel(data, axes, 0.7, kick)[3] == 0


# Constraints


def test_before_the_updates_all_that_the_score_allows_is_shown_alike(quartet):
    data = quartet()
    before = learned.constraints_figure(data).axes[1]
    alphas = before.images[0].get_array()[5::10, :, 3]
    allowed = np.array([data.start.H[voice.components[0]] > 0 for voice in data.voices])
    np.testing.assert_array_equal(alphas > 0, allowed)
    for row, colours in zip(allowed, before.images[0].get_array()[5::10], strict=True):
        assert len(np.unique(colours[row], axis=0)) == 1


def test_after_the_updates_there_is_no_colour_outside_what_was_allowed(quartet):
    data = quartet()
    figure = learned.constraints_figure(data)
    before, after = (
        figure.axes[k].images[0].get_array()[5::10].astype(int) for k in (1, 3)
    )
    np.testing.assert_array_equal(after[..., 3] > 0, before[..., 3] > 0)
    sounding = np.array(
        [data.factorization.H[v.components[0]] > 0 for v in data.voices]
    )
    darkness = -after[..., :3].sum(axis=2)
    assert darkness[sounding].min() > darkness[~sounding].max()


def test_templates_before_and_after_stand_in_columns_of_one_order(quartet):
    figure = learned.constraints_figure(quartet())
    figure.canvas.draw()
    names = ["C3", "C#3", "C4", "C#4", "G4", "G#4", "E5", "F5"]
    for axes in figure.axes[:4:2]:
        assert [label.get_text() for label in axes.get_xticklabels()] == names
        assert axes.images[0].get_array().shape == (pooling.ROWS, len(names), 4)
    for axes in figure.axes[1:4:2]:
        assert row_names(axes) == names


def test_constraints_need_a_start(quartet):
    with pytest.raises(
        ParameterError, match="expected start for this figure, got none"
    ):
        learned.constraints_figure(quartet(start=None))


# Sources


def test_sources_are_drawn_on_one_scale_in_the_order_of_their_colours(quartet):
    envelopes = {"bass": np.full(50, 0.5), "residual": np.zeros(50)}
    envelopes["soprano"] = np.linspace(0, 0.25, 5000)
    figure = separation.sources_figure(quartet(envelopes=envelopes))
    axes, levels = figure.axes
    assert row_names(axes) == ["soprano", "bass", "residual"]
    assert row_names(levels) == ["−6 dB", "0 dB", "silent"]
    heights = [np.ptp(c.get_paths()[0].vertices[:, 1]) for c in axes.collections]
    assert heights == pytest.approx([0.46, 0.92, 0])
    colours = [to_hex(c.get_facecolor()[0]) for c in axes.collections]
    assert colours == [stems.HUES[0], stems.HUES[3], stems.GREY]


def test_of_many_sources_the_strongest_are_drawn(quartet, monkeypatch):
    monkeypatch.setattr(separation, "MOST_SOURCES", 2)
    envelopes = {f"stem {k}": np.full(9, level) for k, level in enumerate((1, 3, 2))}
    figure = separation.sources_figure(quartet(envelopes=envelopes))
    assert row_names(figure.axes[0]) == ["stem 1", "stem 2"]
    assert any("the 2 strongest of 3" in text for text in words(figure))


def test_silent_sources_are_called_silent(quartet):
    figure = separation.sources_figure(quartet(envelopes={"bass": np.zeros(5)}))
    assert {"silence", "silent"} <= words(figure)


# The files


def test_figures_appear_alike_from_two_threads(quartet, tmp_path):
    path = np.linspace((0.0, 0.1), (1.5, 1.6), 50)
    folders = [tmp_path / "a", tmp_path / "b"]

    def write(folder):
        folder.mkdir()
        data = quartet(path=path, envelopes={"alto": np.ones(9)}, title="song")
        draw_score_figures(folder, data)
        return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(write, folders)
    assert list(one) == [
        "activations.png",
        "alignment.png",
        "constraints.png",
        "score.png",
        "sources.png",
        "templates.png",
    ]
    assert one == other


def test_only_what_there_is_to_show_is_drawn(quartet, tmp_path):
    data = quartet(start=None, path=np.empty((0, 2)), envelopes={})
    draw_score_figures(tmp_path, data, figure_format="svg")
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["activations.svg", "score.svg", "templates.svg"]


def test_names_and_titles_are_shown_as_they_are(separated, tmp_path):
    parts = ["_low_ $x$", "$\\frac$", "<b>&amp;", "音楽\udcff"]
    notes = [Note(0.2, 0.5, 60 + 5 * k, 80, part) for k, part in enumerate(parts)]
    data = separated(notes, title="a_b$\\frac$")
    shown = {"_low_ $x$", "$\\frac$", "<b>&amp;", "□□�"}
    for draw in (learned.templates_figure, learned.activations_figure):
        figure = draw(data)
        figure.canvas.draw()
        assert shown | {"a_b$\\frac$"} <= words(figure)
    draw_score_figures(tmp_path, data)


def test_legend_of_many_long_names_stays_apart_and_inside(separated):
    names = [f"Clarinet in B flat, desk number {k}" for k in range(8)] + ["W" * 28]
    notes = [Note(0.1 * k, 0.5, 60 + k, 80, name) for k, name in enumerate(names)]
    figure = score.score_figure(separated(notes))
    entries = [t for t in figure.texts if t.get_fontsize() == canvas.SMALL]
    assert len(entries) == 9
    assert not overlaps([*entries, *figure.texts[:2]])
    assert max(t.get_window_extent().x1 for t in entries) < figure.bbox.x1
    panel = figure.axes[0].get_window_extent()
    assert min(t.get_window_extent().y0 for t in entries) > panel.y1


@pytest.mark.parametrize("n_frames", [1, 2, 1500])
def test_odd_lengths_are_drawn(quartet, tmp_path, n_frames):
    data = quartet(n_frames=n_frames)
    draw_score_figures(tmp_path, data)
    assert len(list(tmp_path.iterdir())) == 4
    assert data.n_columns == min(n_frames, 750)


def test_silence_is_called_silence(quartet):
    data = quartet()
    for array in (data.V, data.factorization.H):
        array[:] = 0
    for draw in (score.score_figure, learned.activations_figure):
        assert "silence" in words(draw(data))
    learned.constraints_figure(data).canvas.draw()


def test_score_without_notes_is_drawn(separated, tmp_path):
    draw_score_figures(tmp_path, separated([]))
    assert len(list(tmp_path.iterdir())) == 4


def test_notes_beyond_the_recording_and_its_bins_are_drawn(separated, tmp_path):
    notes = [Note(50, 5, 127, 80, "high"), Note(0.1, 100, 0, 80, "low")]
    data = separated(notes)
    draw_score_figures(tmp_path, data)
    assert len(list(tmp_path.iterdir())) == 4
    axes = score.score_figure(data).axes[0]
    assert axes.get_xlim() == pytest.approx(data.span)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("V", np.ones((3, 3))),
        ("frequencies", np.ones(3)),
        ("times", np.ones(3)),
        ("pitches", np.ones(3)),
        ("labels", ["one"]),
        ("names", ["one"]),
        ("path", np.ones((5, 3))),
        ("agreement", np.ones(5)),
        ("start", Factorization(np.ones((3, 1)), np.ones((1, 3)))),
    ],
)
def test_shapes_that_do_not_fit_are_refused(quartet, field, value):
    data = quartet()
    fields = {name: getattr(data, name) for name in data.__dataclass_fields__}
    with pytest.raises(ParameterError, match=f"{field} must have"):
        type(data)(**fields | {field: value})
