"""Pictures: spectra, activations and notes, drawn into a panel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import Colormap, to_rgba_array
from numpy.typing import NDArray

from specnmf.output.figures import canvas, pooling
from specnmf.output.figures.canvas import GREY, PLAIN, SMALL, V_RANGE, Box
from specnmf.output.figures.pooling import Float32, Float64, Plane, Rows
from specnmf.output.figures.scales import frequency_axis, grid
from specnmf.output.figures.sheets import Sheet

KEY = "#f0f0f0"  # a black key, behind everything
IMAGE: dict[str, Any] = {"aspect": "auto", "origin": "lower"}
#: Pitch classes.
BLACK_KEYS = (1, 3, 6, 8, 10)

_ROOMY, _NARROW = 1.2, 0.75  # inches of a bar with room for its label, and half of it


def bar(
    sheet: Sheet,
    box: Box,
    colours: Colormap | str,
    span: int,
    *,
    of: str = "maximum",
) -> None:
    """Explain the colours: dB below the maximum, or what else it is called."""
    axes = sheet.panel(box)
    ramp = np.linspace(0, 1, 256)[:, None]
    extent = (0, 1, -span, 0)
    axes.imshow(ramp, extent=extent, cmap=colours, interpolation="nearest", **IMAGE)
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    high = box[3] * sheet.down
    roomy = high > _ROOMY
    levels = range(-span, 1, (20 if span > 40 else 10) if roomy else span)
    labels = [f"{level}".replace("-", "−") for level in levels]
    axes.set_xticks([])
    axes.set_yticks(levels, labels=labels, fontsize=SMALL)
    label = f"dB re {of}" if roomy else f"dB re\n{of}"
    axes.set_ylabel(label, fontsize=PLAIN if high > _NARROW else SMALL - 2)


def draw_power(
    axes: Axes,
    power: Float32,
    plane: Plane,
    rows: Rows,
    *,
    peak: float | None = None,
    colours: Colormap | str = "magma",
    span: int = V_RANGE,
) -> None:
    """Draw a picture in dB below ``peak``, by default its own, over log frequency."""
    peak = float(power.max()) if peak is None else peak
    axes.imshow(
        power - max(peak, pooling.SILENCE),
        extent=(*plane.extent(), float(rows.edges[0]), float(rows.edges[-1])),
        cmap=colours,
        vmin=-span,
        vmax=0,
        interpolation="antialiased",
        **IMAGE,
    )
    frequency_axis(axes.yaxis, rows)
    if peak < pooling.SILENCE:
        canvas.remark(axes, "silence", "white" if colours == "magma" else GREY)


def draw_bars(
    axes: Axes, plane: Plane, colours: NDArray[np.uint8], bottom: float
) -> None:
    """Draw rows of activations as bars, one apart, from ``bottom`` up.

    They are coloured already, in bytes of shape (n_rows, n_columns, 4): imshow would
    take ten times the memory for it.
    """
    low = bottom - 0.5
    lines = np.repeat(colours, 10, axis=0)  # two of ten lines are a gap
    lines[0::10] = lines[9::10] = 0
    draw_pixels(axes, lines, (*plane.extent(), low, low + len(colours)))
    grid(axes)


def draw_steps(
    axes: Axes, edges: Float64, low: Float64, high: Float64, **style: Any
) -> None:
    """Fill what lies between two staircases that are constant from edge to edge."""
    low, high = (np.append(side, side[-1:]) for side in (low, high))
    style = {"step": "post", "linewidth": 0.4, "zorder": 2, **style}
    axes.fill_between(edges, low, high, **style)


def draw_pixels(
    axes: Axes, colours: NDArray[np.uint8], extent: tuple[float, float, float, float]
) -> None:
    """Draw an image as it is, from its lowest line up."""
    axes.imshow(colours, extent=extent, interpolation="nearest", zorder=1, **IMAGE)


def draw_boxes(
    axes: Axes,
    boxes: NDArray[np.float64],
    colours: Sequence[str],
    *,
    fill: float,
    linewidth: float,
    strength: Float64 | float = 1.0,
) -> None:
    """Draw notes as boxes: left, right, bottom and top of each, shape (n_boxes, 4).

    A box of strength 1 has its colour, a weaker one is paler. ``fill`` is how much of
    what lies behind a box is covered, 0 to 1.
    """
    corners = boxes[:, [[0, 2], [1, 2], [1, 3], [0, 3]]]
    tints = 1 - np.reshape(strength, (-1, 1)) * (1 - to_rgba_array(colours)[:, :3])
    axes.add_collection(
        PolyCollection(
            list(corners),
            facecolor=to_rgba_array(tints, fill),
            edgecolor=to_rgba_array(tints),
            linewidth=linewidth,
            zorder=2,
        ),
        autolim=False,
    )


def draw_keys(axes: Axes, keys: range, span: tuple[float, float]) -> None:
    """Shade the black keys, a semitone a row; draw lines between octaves."""
    for key in keys:
        if key % 12 in BLACK_KEYS:
            axes.axhspan(key - 0.5, key + 0.5, color=KEY, linewidth=0, zorder=0)
    octaves = [key - 0.5 for key in keys[1:] if key % 12 == 0]
    axes.hlines(octaves, *span, color="#a6a6a6", linewidth=0.7, zorder=0.5)


def roll_rows(pitches: Sequence[int], n_lanes: int) -> tuple[range, range, range]:
    """The keys of a piano roll, its lanes below an empty row, and all its rows."""
    keys = key_range(pitches)
    top = keys.start - 1 if keys else n_lanes
    lanes = range(top - n_lanes, top)
    return keys, lanes, range((lanes or keys).start, (keys or lanes).stop)


def key_range(pitches: Sequence[int]) -> range:
    """The semitones to draw: those used, a margin, and at least an octave."""
    if not pitches:
        return range(0)
    low, high = min(pitches) - 2, max(pitches) + 2
    more = max(0, 12 - (high - low))
    return range(low - more // 2, high + more - more // 2 + 1)
