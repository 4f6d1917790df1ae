"""The figure of the alignment of a score with a recording."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from specnmf.output.figures import canvas, pictures, scales
from specnmf.output.figures.canvas import BLUE, GREY, ORANGE, PALE, PLAIN, SMALL
from specnmf.output.figures.clocks import AGREED, Stretch, TimeMap, disagreements
from specnmf.output.figures.pooling import Float64
from specnmf.output.figures.sheets import NewSheet, Sheet, page
from specnmf.output.figures.stems import Palette
from specnmf.score.notes import Score

#: The tempo is a mean over this many seconds, or this share of the recording.
TEMPO_WINDOW, TEMPO_SHARE = 3.0, 1 / 50
#: The axis of the tempo spans this share of its median or more.
LEAST_TEMPO = 0.4
#: The most lines between the two rolls, and the most remarks above.
MOST_LINKS, MOST_REMARKS = 100, 4

_POINTS = 1000  # of the curves of tempo and agreement
_REMARK, _GAP = 0.17, 0.34  # inches of a line, and above a panel


class Aligned(Protocol):
    """The data of the figure: `ScoreFigureData`, or less."""

    @property
    def title(self) -> str:
        """The recording's name."""

    @property
    def span(self) -> tuple[float, float]:
        """The start and end of the recording, in seconds."""

    @property
    def score(self) -> Score:
        """The notes in the recording's time."""

    @property
    def original(self) -> Score | None:
        """The notes in the score's own time."""

    @property
    def palette(self) -> Palette:
        """The colours of the stems."""

    @property
    def agreement(self) -> Float64 | None:
        """Times in the recording in seconds, and the agreement there."""

    @property
    def confidence(self) -> float:
        """The confidence of the alignment, 0 to 1; NaN: unknown."""

    @property
    def remarks(self) -> Sequence[str]:
        """Remarks on the alignment."""

    def needed(self, name: str) -> Any:
        """A required field; ParameterError if it is missing."""

    def has(self, name: str) -> bool:
        """Whether a field is given and not empty."""


@dataclass(frozen=True, eq=False)
class _View:
    """The data of the panels, over one axis for both times."""

    data: Aligned
    clocks: TimeMap
    span: Stretch
    apart: list[Stretch]  # of the recording


def alignment_figure(data: Aligned, new: NewSheet = page) -> Figure:
    """Draw the notes in both times, the path between them, its tempo and agreement."""
    view, panels = _view(data), _panels(data)
    legend = data.palette.legend
    remarks = list(data.remarks)[:MOST_REMARKS]
    subtitle = "Alignment: the score in the recording's time"
    if not math.isnan(data.confidence):
        subtitle += f", confidence {data.confidence:.2f} of 1"
    top = sum(height + gap for height, gap, _ in panels)
    tall = top + 0.1 - _GAP + _REMARK * len(remarks)
    sheet = new(data.title, subtitle, tall, legend)
    _draw_remarks(sheet, remarks, canvas.header(legend))
    for height, gap, draw in panels:
        top -= gap + height
        axes = sheet.panel((1.0, canvas.FOOT + top, 9.7, height))
        draw(axes, view)
        scales.time_axis(axes, view.span, labelled=draw is panels[-1][2])
    return sheet.figure


def _view(data: Aligned) -> _View:
    clocks = TimeMap(np.asarray(data.needed("path"), float))
    apart = _merged([*disagreements(data.agreement), *clocks.gaps(1)])
    ends = [data.span[1], *clocks.path[-1]]
    longest = max(ends)
    for score in (data.score, data.original or data.score):
        # a note that lasts an hour would leave no room for the others
        ends += [n.start + min(n.duration, longest) for n in score.notes]
    return _View(data, clocks, (0.0, float(max(ends))), apart)


def _merged(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The same stretches, in order and without overlap."""
    merged: list[Stretch] = []
    for start, stop in sorted(stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(stop, merged[-1][1])
        else:
            merged.append((start, stop))
    return merged


def _panels(data: Aligned) -> list[_Panel]:
    """Height and gap above in inches, and the function, of each panel from the top."""
    panels: list[_Panel] = []
    if data.original is not None:
        panels += [(1.0, _GAP, _draw_score), (0.5, 0.0, _draw_links)]
        panels.append((1.0, 0.0, _draw_recording))
    panels += [(2.2, _GAP, _draw_path), (1.1, _GAP, _draw_tempo)]
    if data.has("agreement"):
        panels.append((0.75, _GAP, _draw_agreement))
    return panels


def _draw_score(axes: Axes, view: _View) -> None:
    """Draw the notes in the score's time, and mark what the recording lacks."""
    data = view.data
    original = data.original or data.score
    _draw_roll(axes, original, _colours(data, original))
    _shade(axes, view.clocks.gaps(0))
    axes.set_ylabel("score", fontsize=PLAIN)
    canvas.caption(axes, "The notes as written (above) and as played (below)")


def _colours(data: Aligned, original: Score) -> list[str]:
    """The colour of each note, by its part in the recording."""
    pitches: dict[tuple[str, int], str] = {}
    parts: dict[str, str] = {}
    for note, colour in zip(data.score.notes, data.palette.of_notes, strict=True):
        pitches[note.part, note.pitch] = parts[note.part] = colour
    return [
        pitches.get((note.part, note.pitch), parts.get(note.part, GREY))
        for note in original.notes
    ]


def _draw_recording(axes: Axes, view: _View) -> None:
    """Draw the notes in the recording's time."""
    _draw_roll(axes, view.data.score, view.data.palette.of_notes)
    _shade(axes, view.apart)
    axes.set_ylabel("recording", fontsize=PLAIN)


def _draw_roll(axes: Axes, score: Score, colours: Sequence[str]) -> None:
    boxes = [
        (n.start, n.start + n.duration, n.pitch - 0.5, n.pitch + 0.5)
        for n in score.notes
    ]
    corners = np.reshape(boxes, (-1, 4))
    pictures.draw_boxes(axes, corners, colours, fill=0.85, linewidth=0.3)
    keys = pictures.key_range([note.pitch for note in score.notes])
    if keys:
        axes.set_ylim(keys.start - 0.5, keys.stop - 0.5)
    axes.set_yticks([])
    scales.grid(axes)


def _draw_links(axes: Axes, view: _View) -> None:
    """Draw lines from onsets in the score to the same onsets in the recording."""
    original = view.data.original or view.data.score
    onsets = np.unique([note.start for note in original.notes])
    onsets = onsets[:: 1 + len(onsets) // MOST_LINKS]
    both = np.column_stack([onsets, view.clocks.recorded(onsets)])
    lines = [[(a, 1), (b, 0)] for a, b in both[~np.isnan(both[:, 1])]]
    axes.add_collection(
        LineCollection(lines, colors="#8c8c8c", linewidths=0.6), autolim=False
    )
    axes.set_ylim(0, 1)
    axes.set_axis_off()


def _draw_path(axes: Axes, view: _View) -> None:
    """Draw the path, dotted at jumps, and the diagonal for comparison."""
    clocks = view.clocks
    stop = max(float(clocks.path[-1, 0]), 0.1)
    axes.plot([0, stop], [0, stop], color="#a6a6a6", linewidth=0.8, dashes=(4, 3))
    axes.plot(*clocks.path.T[::-1], color=BLUE, linewidth=1, linestyle=":")
    for run in clocks.runs:
        axes.plot(run[:, 1], run[:, 0], color=BLUE, linewidth=1.8)
    axes.set_ylim(0, stop)
    ticks, labels, unit = scales.clock_ticks((0.0, stop), most=6)
    axes.set_yticks(ticks, labels=labels, fontsize=SMALL)
    axes.set_ylabel(unit, fontsize=PLAIN)
    _shade(axes, view.apart)
    scales.grid(axes, "both")
    canvas.caption(axes, "Time in the score; dashed: equal times")


def _draw_tempo(axes: Axes, view: _View) -> None:
    """Draw the tempo of the recording relative to the score."""
    clocks = view.clocks
    start, stop = clocks.path[[0, -1], 1]
    seconds = np.linspace(start, stop, _POINTS)
    window = max(TEMPO_WINDOW, TEMPO_SHARE * (stop - start))
    percent = 100 * clocks.tempo(seconds, window)
    low, middle, high = np.nanpercentile(percent, (1, 50, 99))
    # Small changes of tempo look small, and large ones stay inside.
    fall = high - low
    margin = max(5.0, 0.1 * fall, (LEAST_TEMPO * middle - fall) / 2)
    axes.axhline(100, color="#a6a6a6", linewidth=0.8, dashes=(4, 3))
    axes.plot(seconds, percent, color=BLUE, linewidth=1.4)
    axes.set_ylim(max(0.0, low - margin), high + margin)
    axes.set_ylabel("%", fontsize=PLAIN)
    _shade(axes, view.apart)
    scales.grid(axes, "both")
    canvas.caption(axes, f"Tempo in percent of the score's; median {middle:.0f}%")


def _draw_agreement(axes: Axes, view: _View) -> None:
    """Draw the agreement of score and recording over time."""
    agreement = np.asarray(view.data.needed("agreement"))
    axes.fill_between(*agreement.T, color=PALE, linewidth=0)
    axes.plot(*agreement.T, color=BLUE, linewidth=1)
    axes.axhline(AGREED, color=ORANGE, linewidth=0.8, dashes=(4, 3))
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1], labels=["0", "0.5", "1"], fontsize=SMALL)
    _shade(axes, view.apart)
    scales.grid(axes)
    shaded = "; shaded: they disagree" if view.apart else ""
    canvas.caption(axes, f"Agreement of score and recording{shaded}")


def _shade(axes: Axes, stretches: Sequence[Stretch]) -> None:
    for start, stop in stretches:
        axes.axvspan(start, stop, color=ORANGE, alpha=0.16, linewidth=0)


def _draw_remarks(sheet: Sheet, remarks: Sequence[str], top: float) -> None:
    """Write the remarks, one per line, below the top."""
    style: dict[str, Any] = {"fontsize": SMALL, "color": ORANGE, "va": "center"}
    for number, words in enumerate(remarks):
        place = canvas.MARGIN, top - 0.06 + number * _REMARK
        sheet.text(place, words, 150, **style)


_Panel = tuple[float, float, Callable[[Axes, _View], None]]
