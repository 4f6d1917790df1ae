"""The score over the spectrogram: each note at its fundamental, drums in lanes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from specnmf.notation import drum_name, midi_number, note_name
from specnmf.output.figures import pictures, pooling, scales
from specnmf.output.figures.canvas import GREY, INK, PLAIN, SMALL, Box
from specnmf.output.figures.note_data import NoteFigureData
from specnmf.output.figures.pooling import Float64, Rows
from specnmf.output.figures.sheets import NewSheet, Sheet, page

#: Semitones that are shown below the lowest note, and above the highest for its
#: partials.
BELOW, ABOVE = 4, 25
#: So many decibels below the maximum of V are still grey.
RANGE = 60
#: A note is drawn at least as long as this share of the picture.
LEAST_WIDTH = 1 / 400

_LANE, _GAP, _KEYBOARD = 0.26, 0.14, 0.26  # inches
_MANY = 300  # notes, whose outlines are thinner
#: Light, so that the notes stand out.
_INTENSITY = LinearSegmentedColormap.from_list("intensity", ["white", "#606060"])
_KEY_LINES = (0, 5)  # pitch classes with a white key below them, too


def score_figure(data: NoteFigureData, new: NewSheet = page) -> Figure:
    """Draw the notes over V, each at its fundamental, and drums in lanes below."""
    drums = sorted({note.pitch for note in data.score.notes if note.percussion})
    pitches = [note.pitch for note in data.score.notes if not note.percussion]
    tall = 5.4 if pitches else 3.4
    lanes = _LANE * len(drums) + _GAP if drums else 0.0
    subtitle = "Score: the notes over the spectrogram of the recording"
    left = 1.35 if drums else 0.95
    box = (left, 0.6 + lanes, 9.4 - left, tall)
    alone = None if drums else box
    sheet = new(data.title, subtitle, lanes + tall, data.legend, frame=alone)
    _draw_overlay(sheet, box, data, _rows(data, pitches), labelled=not drums)
    if drums:
        axes = sheet.panel((left, 0.6, box[2], lanes - _GAP))
        _draw_lanes(axes, data, drums)
    return sheet.figure


def _rows(data: NoteFigureData, pitches: Sequence[int]) -> Rows:
    """The frequencies to show: the notes' and their first partials'."""
    if not pitches:
        return data.rows
    low, high = min(pitches) - BELOW, max(pitches) + ABOVE
    low, high = 2 ** pooling.octaves([low, high])
    return pooling.log_axis(data.frequencies, low, min(high, 20_000.0))


def _draw_overlay(
    sheet: Sheet, box: Box, data: NoteFigureData, rows: Rows, *, labelled: bool
) -> None:
    """Draw V, in grey, and the notes that have a pitch."""
    axes = sheet.panel(box)
    power = pooling.picture(data.V, data, rows)
    pictures.draw_power(axes, power, data, rows, colours=_INTENSITY, span=RANGE)
    left, bottom, width, height = box
    if not all(note.percussion for note in data.score.notes):
        _draw_notes(axes, data)
        keyboard = (left - _KEYBOARD, bottom, _KEYBOARD, height)
        _draw_keyboard(sheet.panel(keyboard), rows)
        axes.yaxis.tick_right()
    scales.time_axis(axes, data.span, labelled=labelled)
    bar = (left + width + 0.85, bottom, 0.14, height)
    pictures.bar(sheet, bar, _INTENSITY, RANGE)


def _draw_notes(axes: Axes, data: NoteFigureData) -> None:
    """Outline each pitched note at its fundamental, a semitone high."""
    pitches = np.array([n.pitch for n in data.score.notes if not n.percussion], float)
    low, high = pooling.octaves(pitches - 0.5), pooling.octaves(pitches + 0.5)
    linewidth = 1.4 if len(pitches) < _MANY else 0.9
    draw_boxes(axes, data, False, low, high, fill=0.15, linewidth=linewidth)


def _draw_lanes(axes: Axes, data: NoteFigureData, drums: Sequence[int]) -> None:
    """Draw each stroke in the lane of its drum."""
    lane = np.array([drums.index(n.pitch) for n in data.score.notes if n.percussion])
    draw_boxes(axes, data, True, lane - 0.36, lane + 0.36, fill=0.75, linewidth=0.5)
    axes.set_ylim(-0.5, len(drums) - 0.5)
    scales.name_rows(axes, dict(enumerate(map(drum_name, drums))), _LANE)
    scales.time_axis(axes, data.span)
    scales.grid(axes)


def draw_boxes(
    axes: Axes,
    data: NoteFigureData,
    percussion: bool,
    low: Float64,
    high: Float64,
    **style: float,
) -> None:
    """Draw a box for each note that is percussion, or each that is not."""
    notes = data.score.notes
    kept = [k for k, note in enumerate(notes) if note.percussion == percussion]
    starts = np.array([notes[k].start for k in kept])
    shortest = LEAST_WIDTH * (data.span[1] - data.span[0])
    lengths = np.maximum([notes[k].duration for k in kept], shortest)
    boxes = np.column_stack([starts, starts + lengths, low, high])
    every = data.palette.of_notes
    colours = [every[k] for k in kept]
    pictures.draw_boxes(axes, boxes, colours, strength=data.strength[kept], **style)


def _draw_keyboard(axes: Axes, rows: Rows) -> None:
    """Draw a keyboard along logarithmic frequency, and name its Cs."""
    ends = rows.edges[[0, -1]]
    low, high = np.rint(midi_number(2**ends)).astype(int).tolist()
    black = [m for m in range(low - 1, high + 2) if m % 12 in pictures.BLACK_KEYS]
    seams = [m for m in range(low - 1, high + 2) if m % 12 in _KEY_LINES]
    corners = pooling.octaves(np.add.outer(black, (-0.5, 0.5)))
    keys = [[(0, a), (0.6, a), (0.6, b), (0, b)] for a, b in corners]
    axes.add_collection(PolyCollection(keys, facecolor=INK, linewidth=0))
    seamed = pooling.octaves(np.array(seams) - 0.5)
    axes.hlines(seamed, 0, 1, color=GREY, linewidth=0.5)
    axes.hlines(pooling.octaves(black), 0.6, 1, color=GREY, linewidth=0.5)
    cs = [m for m in range(low, high + 1) if m % 12 == 0]
    cs = [m for m in cs if ends[0] <= pooling.octaves(m) <= ends[1]]
    axes.set_yticks(pooling.octaves(cs), [note_name(m) for m in cs], fontsize=SMALL)
    axes.tick_params(length=0)
    axes.set(xlim=(0, 1), ylim=tuple(ends), xticks=[])
    axes.set_ylabel("pitch", fontsize=PLAIN)
