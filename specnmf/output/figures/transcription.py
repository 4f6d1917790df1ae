"""The figures of a transcription alone: its notes over the sound, and as a roll."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from specnmf.notation import drum_name, note_name
from specnmf.output.figures import canvas, pictures, scales
from specnmf.output.figures.note_data import NoteFigureData
from specnmf.output.figures.score import draw_boxes, score_figure
from specnmf.output.figures.sheets import NewSheet, page
from specnmf.output.options import FigureFormat

_FILL, _HALF = 0.75, 0.4  # of a note's box: how much it covers, half its height


def draw_transcription(
    folder: Path, data: NoteFigureData, *, figure_format: FigureFormat = "png"
) -> None:
    """Write ``score`` and ``pianoroll``; as `specnmf.output.figures.draw_figures`."""
    figures = {"score": score_figure, "pianoroll": roll_figure}
    canvas.write(folder, data, figures, figure_format)


def roll_figure(data: NoteFigureData, new: NewSheet = page) -> Figure:
    """Draw the notes as a piano roll, drums in lanes below the keys."""
    notes = data.score.notes
    drums = sorted({note.pitch for note in notes if note.percussion})
    pitches = sorted({note.pitch for note in notes if not note.percussion})
    keys, lanes, rows = pictures.roll_rows(pitches, len(drums))
    row = min(max(5 / max(len(rows), 1), 0.12), 0.6)
    tall = max(len(rows) * row, 1.0)
    subtitle = "Piano roll: the notes of each part"
    left = 1.5 if lanes else 0.85
    box = (left, 0.6, 10.6 - left, tall)
    sheet = new(data.title, subtitle, tall, data.legend, frame=box)
    axes = sheet.panel(box)
    pictures.draw_keys(axes, keys, data.span)
    _draw_rows(axes, data, dict(zip(drums, lanes, strict=True)))
    names = dict(zip(lanes, map(drum_name, drums), strict=True))
    scales.name_rows(axes, names | {p: note_name(p) for p in pitches}, row * sheet.down)
    scales.time_axis(axes, data.span)
    scales.grid(axes)
    if not notes:
        canvas.remark(axes, "no notes")
    axes.set_ylim(min(rows, default=0) - 0.5, max(rows, default=0) + 0.5)
    return sheet.figure


def _draw_rows(axes: Axes, data: NoteFigureData, lanes: dict[int, int]) -> None:
    """Draw each note in the row of its key, or in the lane of its drum."""
    for percussion in (False, True):
        kept = [n.pitch for n in data.score.notes if n.percussion == percussion]
        if kept:
            row = np.array([lanes[p] if percussion else p for p in kept], float)
            style = {"fill": _FILL, "linewidth": 0.5}
            draw_boxes(axes, data, percussion, row - _HALF, row + _HALF, **style)
