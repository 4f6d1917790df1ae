import re

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.text import Text

from specnmf.errors import ParameterError
from specnmf.output.figures import NoteFigureData, draw_transcription, note_data
from specnmf.output.figures.transcription import roll_figure
from specnmf.score.notes import Note, Score

DUET = [
    Note(0.2, 0.5, 72, part="high"),
    Note(0.8, 0.6, 74, part="high", confidence=0.5),
    Note(0.2, 1.2, 48, part="low"),
]
KIT = [
    Note(0.3, 0.1, 38, part="kit", percussion=True),
    Note(0.1, 0.1, 36, part="kit", percussion=True),
]


@pytest.fixture
def transcribed(rng):
    """A function that makes the data of a transcription of two seconds."""

    def make(notes=DUET, **changes):
        score = Score(tuple(notes))
        content = {
            "V": rng.random((129, 40)).astype(np.float32),
            "frequencies": np.linspace(0, 8000, 129),
            "times": np.arange(40) * 0.05,
            "score": score,
            "labels": [note.part for note in score.notes],
            "title": "song",
        }
        return NoteFigureData(**{**content, **changes})

    return make


def words(figure):
    return {text.get_text() for text in figure.findobj(Text)}


def drawn(figure):
    """Left, right, row and paleness, 0 to 1, of each note of a piano roll."""
    collections = figure.axes[0].collections
    found = []
    for boxes in (c for c in collections if isinstance(c, PolyCollection)):
        for path, colour in zip(boxes.get_paths(), boxes.get_facecolor(), strict=True):
            left, bottom = path.vertices.min(axis=0)
            right, top = path.vertices.max(axis=0)
            found.append((left, right, (bottom + top) / 2, colour[:3].min()))
    return found


def test_every_note_lies_in_the_row_of_its_key(transcribed):
    data = transcribed()
    found = drawn(roll_figure(data))
    for note, (left, right, row, _) in zip(data.score.notes, found, strict=True):
        assert (left, right) == pytest.approx((note.start, note.start + note.duration))
        assert row == pytest.approx(note.pitch)


def test_keys_and_voices_are_named(transcribed):
    figure = roll_figure(transcribed())
    assert {"C3", "C5", "D5", "high", "low", "pale: unsure"} <= words(figure)


def test_unsure_notes_are_pale(transcribed):
    data = transcribed()
    *_, pale = zip(*drawn(roll_figure(data)), strict=True)
    assert data.strength.tolist() == [1, 1, pytest.approx(0.625)]
    assert pale[2] == pytest.approx(1 - 0.625 * (1 - pale[1]))


def test_certain_notes_have_no_word_on_it_in_the_legend(transcribed):
    certain = [note._replace(confidence=1.0) for note in DUET]
    assert note_data.UNSURE[0] not in words(roll_figure(transcribed(certain)))


def test_drums_have_named_lanes_below_the_keys(transcribed):
    figure = roll_figure(transcribed([*DUET, *KIT]))
    axes = figure.axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["kick", "snare", "C3", "C5", "D5"]
    kick, snare, c3, *_ = axes.get_yticks()
    assert (kick, c3) == (snare - 1, 48)
    assert snare < c3 - 1
    assert [row for *_, row, _ in drawn(figure)][-2:] == pytest.approx([kick, snare])


@pytest.mark.parametrize("notes", [KIT, [], DUET[:1]])
def test_any_notes_are_drawn(transcribed, tmp_path, notes):
    draw_transcription(tmp_path, transcribed(notes))
    sizes = {file.name: file.stat().st_size for file in tmp_path.iterdir()}
    assert sorted(sizes) == ["pianoroll.png", "score.png"]
    assert min(sizes.values()) > 1000


def test_no_notes_are_said(transcribed):
    assert "no notes" in words(roll_figure(transcribed([])))


@pytest.mark.parametrize("figure_format", ["png", "svg", "pdf"])
def test_the_same_notes_give_the_same_bytes(transcribed, tmp_path, figure_format):
    data, written = transcribed(), []
    for _ in range(2):
        draw_transcription(tmp_path, data, figure_format=figure_format)
        written.append([file.read_bytes() for file in sorted(tmp_path.iterdir())])
    assert written[0] == written[1]


@pytest.mark.parametrize("name", ["V", "labels"])
def test_shapes_that_do_not_fit_are_refused(transcribed, name):
    with pytest.raises(ParameterError, match=re.escape(f"{name} must have shape")):
        transcribed(**{name: np.zeros((3, 7))})
