"""Five figures of a finished run that a musician can read.

Whatever the length of the song, V and W H are first pooled to about the size of the
picture, a block of frames at a time: a column shows the mean power of its frames, a
row the strongest frequency within it. Matplotlib's object interface draws them, so
that several threads may draw at once; no other module imports it.
"""

from __future__ import annotations

import math
import unicodedata
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ticker import MaxNLocator, StrMethodFormatter
from numpy.typing import ArrayLike, NDArray

from specnmf.audio.pitch import note_name
from specnmf.errors import ParameterError
from specnmf.factor.factorization import Factorization
from specnmf.parallel import workers
from specnmf.settings import FigureFormat

#: Dots per inch of a PNG, and of the images inside an SVG or PDF.
DPI = 130
#: At most so many columns and rows in the picture of a spectrogram.
COLUMNS, ROWS = 1000, 360
#: So many decibels below the maximum still have a colour: of V, of W, of H.
V_RANGE, W_RANGE, H_RANGE = 80, 40, 40
#: At most so many components, the strongest, get a template or an unpitched lane.
MOST_COMPONENTS = 128

_INK, _GREY, _LINE, _KEY = "#1a1a1a", "#595959", "#d9d9d9", "#f0f0f0"
_BLUE, _PALE, _ORANGE = "#0868ac", "#b3d3ea", "#c44e00"
_SMALL, _PLAIN, _LARGE = 8, 9, 13  # points
_BOLD = FontProperties(weight="bold", size=_LARGE)
_IMAGE: dict[str, Any] = {"aspect": "auto", "origin": "lower"}
_BLOCK = 512  # frames pooled at once: the memory that pooling takes
_ZERO = 1e-30  # stands for a power of zero, -300 dB
_SILENCE = -200.0  # dB; a maximum below it is no sound
_HERTZ = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)
_SECONDS = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400),
)
_BLACK_KEYS = (1, 3, 6, 8, 10)
_GRIDS = ((1, 3), (2, 8), (4, 32), (6, 66), (8, MOST_COMPONENTS))  # columns, up to
_HEADER = 0.72  # inches above the panels, for the title
_LABEL, _FOOT = 0.24, 0.06  # inches above and below a template, in its row
_DIVERGENCES = {
    2.0: "Euclidean distance",
    1.0: "Kullback–Leibler divergence",
    0.0: "Itakura–Saito divergence",
}
_SAVING: dict[FigureFormat, dict[str, Any]] = {
    "png": {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": 4}},
    "svg": {"metadata": {"Date": None, "Creator": None}},
    "pdf": {"metadata": {"CreationDate": None, "Creator": None, "Producer": None}},
}
_SALT = Lock()


@dataclass(frozen=True, eq=False)
class FigureData:
    """What the figures show.

    Parameters
    ----------
    V : array, shape (n_bins, n_frames)
        The magnitudes that were factorised.
    factorization : Factorization
        V ≈ W H, and the losses.
    frequencies : array, shape (n_bins,)
        Of the bins, in Hz, rising.
    times : array, shape (n_frames,)
        Of the frames' centres, in seconds, evenly spaced.
    pitches : array, shape (n_components,)
        MIDI number of each component; NaN for one without a pitch.
    beta : float
        The divergence that was minimised.
    title : str
        Stands above each figure; the recording's name.

    Raises
    ------
    ParameterError
        If the shapes do not fit.
    """

    V: NDArray[np.floating]
    factorization: Factorization
    frequencies: NDArray[np.floating]
    times: NDArray[np.floating]
    pitches: NDArray[np.floating]
    beta: float = 1.0
    title: str = ""

    def __post_init__(self) -> None:
        W, H = self.factorization.W, self.factorization.H
        for name, expected in (
            ("V", (W.shape[0], H.shape[1])),
            ("frequencies", W.shape[:1]),
            ("times", H.shape[1:]),
            ("pitches", H.shape[:1]),
        ):
            array = np.asarray(getattr(self, name))
            if array.shape != expected:
                raise ParameterError(
                    f"{name} must have shape {expected} to fit W and H, "
                    f"got {array.shape}"
                )
            object.__setattr__(self, name, array)

    @property
    def hop(self) -> float:
        """Seconds from a frame to the next."""
        if len(self.times) == 1:
            return 0.05
        return float(self.times[-1] - self.times[0]) / (len(self.times) - 1)

    @property
    def span(self) -> tuple[float, float]:
        """Seconds at which the first frame begins and the last one ends."""
        start = float(self.times[0]) - self.hop / 2
        return start, start + self.hop * len(self.times)

    @property
    def group(self) -> int:
        """The number of frames in a column of the pictures."""
        return -(-len(self.times) // COLUMNS)

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """Each component's share of the energy of all, 0 to 1."""
        return self.factorization.energy_shares()

    @cached_property
    def rows(self) -> _Rows:
        """The rows of the pictures."""
        return _log_axis(self.frequencies)

    @cached_property
    def pictures(self) -> _Pictures:
        """V, W H and what is left, pooled once for all figures."""
        return _pool(self)

    def label(self, component: int) -> str:
        """Number, pitch and share of the energy, such as ``3: A4, 12%``."""
        pitch = self.pitches[component]
        name = note_name(pitch) if np.isfinite(pitch) else "unpitched"
        return f"{component + 1}: {name}, {_percent(self.shares[component])}"

    def strongest(self, components: NDArray[np.intp]) -> NDArray[np.intp]:
        """Those of the components that are drawn, in their own order."""
        order = np.argsort(-self.shares[components], kind="stable")
        return np.sort(components[order[:MOST_COMPONENTS]])


class _Pictures(NamedTuple):
    """Power in dB, each of shape (ROWS, n_columns), and how well W H fits."""

    V: NDArray[np.float32]
    model: NDArray[np.float32]
    rest: NDArray[np.float32]
    explained: float  # the share of the energy of V; NaN if there is none


class _Rows(NamedTuple):
    """Where the rows of a picture lie among the bins."""

    edges: NDArray[np.float64]  # in octaves, log2 of Hz
    left: NDArray[np.intp]  # the bin below each point where the spectrum is read,
    weight: NDArray[np.float32]  # and how far towards the next bin the point lies
    starts: NDArray[np.intp]  # which of the points are edges


class _Roll(NamedTuple):
    """Activations as rows, from the bottom: lanes, an empty row, semitones."""

    power: NDArray[np.float64]  # (n_rows, n_columns)
    bottom: int  # the lowest row's number, where a semitone's is its MIDI number
    keys: range  # the semitones
    lanes: NDArray[np.intp]  # the components without a pitch, from the top


def draw_figures(
    folder: Path,
    V: NDArray[np.floating],
    factorization: Factorization,
    *,
    frequencies: ArrayLike,
    times: ArrayLike,
    pitches: ArrayLike,
    beta: float,
    figure_format: FigureFormat = "png",
    title: str = "",
) -> None:
    """Write the five figures of a run; the same run gives the same bytes.

    They are ``spectrogram``, ``templates``, ``activations``, ``reconstruction`` and
    ``loss``, each a file of that name.

    Parameters
    ----------
    folder : Path
        Where to; it exists.
    V, factorization, frequencies, times, pitches, beta, title
        As in `FigureData`.
    figure_format : {"png", "svg", "pdf"}
        Of the files, and their suffix.

    Raises
    ------
    ParameterError
        If the shapes do not fit.
    """
    data = FigureData(
        V=V,
        factorization=factorization,
        frequencies=np.asarray(frequencies),
        times=np.asarray(times),
        pitches=np.asarray(pitches),
        beta=beta,
        title=title,
    )
    for name, draw in (
        ("spectrogram", spectrogram_figure),
        ("templates", templates_figure),
        ("activations", activations_figure),
        ("reconstruction", reconstruction_figure),
        ("loss", loss_figure),
    ):
        figure = draw(data)
        _save(figure, folder / f"{name}.{figure_format}", figure_format)
        figure.clear()  # or its arrays would wait for the garbage collector


def spectrogram_figure(data: FigureData) -> Figure:
    """Draw V over time and logarithmic frequency, in dB below its maximum."""
    figure = _figure(11, 6, data, "Spectrogram V: what was recorded")
    axes = _panel(figure, (0.85, 0.6, 8.75, 4.68))
    _draw_power(axes, data, data.pictures.V)
    _time_axis(axes, data)
    _octave_axis(axes, data)
    _bar(figure, (10.25, 0.6, 0.14, 4.68), mpl.colormaps["magma"], V_RANGE)
    return figure


def templates_figure(data: FigureData) -> Figure:
    """Draw each template in dB below its own maximum, with its pitch and share."""
    components = data.strongest(np.arange(len(data.pitches)))
    n_columns = next(c for c, most in _GRIDS if len(components) <= most)
    n_rows = -(-len(components) // n_columns)
    row = min(max(6 / n_rows, 0.62), 1.9)
    width = 10.25 / n_columns
    height = n_rows * row + 0.6 + _HEADER
    subtitle = "Templates W: each component's spectrum, pitch and share of the energy"
    figure = _figure(11, height, data, subtitle)
    for column in range(n_columns):
        box = (0.7 + column * width, 0.6, width - 0.15, n_rows * row)
        axes = _panel(figure, box)
        axes.set_xlim(data.rows.edges[0], data.rows.edges[-1])
        axes.set_ylim(n_rows * row, 0)
        _frequency_axis(axes.xaxis, data, sparse=n_columns > 2)
        _level_axis(axes, n_rows, row, labelled=column == 0)
        _draw_templates(axes, data, components[column::n_columns], row)
        _mark_fundamentals(axes, data, components[column::n_columns], row)
    middle = (0.7 + 5.05) / 11
    figure.text(middle, 0.2 / height, "frequency", fontsize=_PLAIN, ha="center")
    return figure


def activations_figure(data: FigureData) -> Figure:
    """Draw a piano roll of the pitched components, and a lane for each other one."""
    roll = _roll(data)
    n_rows = len(roll.power)
    height = max(1.4, n_rows * min(max(4.6 / n_rows, 0.12), 0.6))
    subtitle = "Activations H: when each component sounds, and how strongly"
    figure = _figure(11, height + 0.6 + _HEADER, data, subtitle)
    left = 1.5 if len(roll.lanes) else 0.85
    axes = _panel(figure, (left, 0.6, 9.3 - left, height))
    _draw_keyboard(axes, data, roll)
    _draw_roll(axes, data, roll)
    _pitch_axes(axes, data, roll)
    _time_axis(axes, data)
    _bar(figure, (10.25, 0.6, 0.14, height), _roll_colours(), H_RANGE)
    return figure


def reconstruction_figure(data: FigureData) -> Figure:
    """Draw V, W H and what is left, one above the other on one scale."""
    pictures = data.pictures
    captions = ("V: the recording", "W H: the model", "|V − W H|: what is left")
    subtitle = "Reconstruction: V is silent"
    if not math.isnan(pictures.explained):
        share = _percent(max(0.0, pictures.explained))
        subtitle = f"Reconstruction: W H explains {share} of the energy of V"
    figure = _figure(11, 8.9, data, subtitle)
    panels = zip(captions, (pictures.V, pictures.model, pictures.rest), strict=True)
    for number, (caption, picture) in enumerate(panels):
        axes = _panel(figure, (0.85, 5.75 - 2.575 * number, 9.1, 2.2))
        axes.set_title(caption, loc="left", fontsize=_PLAIN, color=_INK, pad=4)
        _draw_power(axes, data, picture)
        _time_axis(axes, data, labelled=number == 2)
    _bar(figure, (10.25, 0.6, 0.14, 7.35), mpl.colormaps["magma"], V_RANGE)
    return figure


def loss_figure(data: FigureData) -> Figure:
    """Draw the cost after each iteration, and say by how much it fell."""
    losses = data.factorization.losses
    cost = _DIVERGENCES.get(data.beta, f"beta-divergence (β = {data.beta:g})")
    figure = _figure(8, 4.6, data, f"Cost: the {cost} of W H from V")
    axes = _panel(figure, (1.0, 0.6, 6.7, 3.28))
    axes.set_xlabel("iteration", fontsize=_PLAIN)
    axes.set_ylabel("cost", fontsize=_PLAIN)
    if len(losses):
        _draw_losses(axes, losses)
    else:
        axes.set(xticks=[], yticks=[])
        _note(axes, "no iterations", _GREY)
    return figure


def _pool(data: FigureData) -> _Pictures:
    """Pool V, W H and their difference to at most COLUMNS by ROWS, in blocks."""
    group, n_frames = data.group, len(data.times)
    pooled = np.empty((3, -(-n_frames // group), ROWS), np.float32)
    total, left = 0.0, 0.0
    step = group * max(1, _BLOCK // group)
    with workers(1):  # so small a product is no work for the BLAS's threads
        for start in range(0, n_frames, step):
            columns = slice(start // group, (start + step) // group)
            block, model = _block(data, slice(start, start + step))
            rest = block - model
            total += float(np.vdot(block, block))
            left += float(np.vdot(rest, rest))
            for picture, spectra in zip(pooled, (block, model, rest), strict=True):
                picture[columns] = _log_rows(_mean_power(spectra, group), data.rows)
    explained = 1 - left / total if total else math.nan
    return _Pictures(pooled[0].T, pooled[1].T, pooled[2].T, explained)


def _block(
    data: FigureData, frames: slice
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """V and W H in some frames, a frame a row."""
    W, H = data.factorization.W, data.factorization.H
    model = H[:, frames].T @ W.T
    return (
        np.array(data.V[:, frames].T, np.float32, order="C"),
        np.asarray(model, np.float32),
    )


def _mean_power(spectra: NDArray[np.float32], group: int) -> NDArray[np.float32]:
    """Mean square of each group of rows; overwrites its argument."""
    power = np.square(spectra, out=spectra)
    starts = np.arange(0, len(power), group)
    sizes = np.diff(starts, append=len(power)).astype(np.float32)
    return np.asarray(np.add.reduceat(power, starts) / sizes[:, None], np.float32)


def _log_axis(frequencies: NDArray[np.floating]) -> _Rows:
    """Rows of one ratio from 30 Hz, or the first bin, to 20 kHz, or the last bin."""
    low = max(30.0, float(frequencies[min(1, len(frequencies) - 1)]))
    high = max(2 * low, min(20_000.0, float(frequencies[-1])))
    edges = np.geomspace(low, high, ROWS + 1)
    bins = frequencies[(frequencies > low) & (frequencies < high)]
    points = np.unique(np.concatenate([edges, bins]))
    position = np.interp(points, frequencies, np.arange(len(frequencies)))
    left = np.clip(position.astype(np.intp), 0, max(0, len(frequencies) - 2))
    weight = (position - left).astype(np.float32)
    return _Rows(np.log2(edges), left, weight, np.searchsorted(points, edges))


def _log_rows(power: NDArray[np.float32], rows: _Rows) -> NDArray[np.float32]:
    """Decibels in each row: the maximum there of the spectrum drawn as a line."""
    level = 10 * np.log10(np.maximum(power, np.float32(_ZERO)))
    right = np.minimum(rows.left + 1, level.shape[1] - 1)
    points = level[:, rows.left]
    points += rows.weight * (level[:, right] - points)
    inside = np.maximum.reduceat(points, rows.starts[:-1], axis=1)
    highest: NDArray[np.float32] = np.maximum(inside, points[:, rows.starts[1:]])
    return highest


def _roll(data: FigureData) -> _Roll:
    """Pool the activations by their maxima, which keep short notes, into rows."""
    W, H = data.factorization.W, data.factorization.H
    starts = np.arange(0, len(data.times), data.group)
    norms = np.sqrt(np.einsum("fk,fk->k", W, W, dtype=np.float64))
    power = (np.maximum.reduceat(H, starts, axis=1) * norms[:, None]) ** 2
    pitched = np.isfinite(data.pitches)
    notes = _semitones(data.pitches[pitched])
    keys = _key_range(notes)
    lanes = data.strongest(np.flatnonzero(~pitched))
    gap = 1 if len(lanes) and len(keys) else 0
    bottom = keys.start - gap - len(lanes)
    rows = np.zeros((keys.stop - bottom, len(starts)))
    np.add.at(rows, notes - bottom, power[pitched])
    rows[: len(lanes)] = power[lanes[::-1]]
    return _Roll(rows, bottom, keys, lanes)


def _key_range(notes: NDArray[np.intp]) -> range:
    """The semitones to draw: those used, a margin, and at least an octave."""
    if not len(notes):
        return range(0)
    low, high = int(notes.min()) - 2, int(notes.max()) + 2
    more = max(0, 12 - (high - low))
    return range(low - more // 2, high + more - more // 2 + 1)


def _draw_power(axes: Axes, data: FigureData, power: NDArray[np.float32]) -> None:
    """Draw a picture in dB below the maximum of V."""
    edges = data.rows.edges
    start = data.span[0]
    stop = start + power.shape[1] * data.group * data.hop
    peak = float(data.pictures.V.max())
    axes.imshow(
        power - max(peak, _SILENCE),
        extent=(start, stop, float(edges[0]), float(edges[-1])),
        cmap="magma",
        vmin=-V_RANGE,
        vmax=0,
        interpolation="antialiased",
        **_IMAGE,
    )
    _frequency_axis(axes.yaxis, data)
    axes.set_ylabel("frequency", fontsize=_PLAIN)
    if peak < _SILENCE:
        _note(axes, "silence", "white")


def _draw_templates(
    axes: Axes, data: FigureData, components: NDArray[np.intp], row: float
) -> None:
    """Stack the templates of a column, each in a row of so many inches."""
    edges = data.rows.edges
    x = np.concatenate([edges[:1], (edges[1:] + edges[:-1]) / 2, edges[-1:]])
    spectra = _spectra(data.factorization.W[:, components], data.rows)
    heights = np.pad(spectra, ((0, 0), (1, 1))) * (row - _LABEL - _FOOT)
    feet = row * np.arange(1, len(components) + 1) - _FOOT
    curves = [
        np.column_stack([x, foot - height])
        for foot, height in zip(feet, heights, strict=True)
    ]
    axes.add_collection(
        PolyCollection(curves, facecolor=_PALE, edgecolor=_BLUE, linewidth=0.7)
    )
    for number, component in enumerate(components):
        top = number * row + _LABEL - 0.05
        text = data.label(component)
        axes.text(edges[-1], top, text, fontsize=_SMALL, color=_INK, ha="right")


def _mark_fundamentals(
    axes: Axes, data: FigureData, components: NDArray[np.intp], row: float
) -> None:
    """Mark each fundamental by a line, and its note's name where there is room."""
    low, high = data.rows.edges[[0, -1]]
    x = _octaves(data.pitches[components])
    shown = np.flatnonzero((x >= low) & (x <= high))
    tops = shown * row + _LABEL
    feet = (shown + 1) * row - _FOOT
    axes.vlines(x[shown], tops, feet, color=_ORANGE, linewidth=1, zorder=3)
    inches = axes.get_window_extent().width / DPI
    free = high - (high - low) * 1.1 / inches  # the label takes the rest
    for number in shown[x[shown] < free] if inches > 2 else ():
        name = note_name(data.pitches[components[number]])
        top = number * row + _LABEL - 0.05
        axes.text(x[number], top, name, fontsize=_SMALL, color=_ORANGE, ha="center")


def _spectra(W: NDArray[np.floating], rows: _Rows) -> NDArray[np.float32]:
    """Each template over the rows, from 0, W_RANGE below its maximum, to 1."""
    peaks = np.maximum(W.max(axis=0), np.finfo(W.dtype).tiny)
    power = np.square((W / peaks).T).astype(np.float32)
    level = _log_rows(power, rows)
    peak = np.maximum(level.max(axis=1, keepdims=True), np.float32(_SILENCE))
    return np.asarray(np.maximum((level - peak) / W_RANGE + 1, 0))


def _draw_keyboard(axes: Axes, data: FigureData, roll: _Roll) -> None:
    """Shade the black keys; draw lines between octaves and between lanes."""
    for key in roll.keys:
        if key % 12 in _BLACK_KEYS:
            axes.axhspan(key - 0.5, key + 0.5, color=_KEY, linewidth=0, zorder=0)
    octaves = [key - 0.5 for key in roll.keys[1:] if key % 12 == 0]
    lanes = [roll.bottom - 0.5 + lane for lane in range(len(roll.lanes) + 1)]
    axes.hlines(octaves, *data.span, color="#a6a6a6", linewidth=0.7, zorder=0.5)
    axes.hlines(lanes, *data.span, color=_LINE, linewidth=0.6, zorder=0.5)


def _draw_roll(axes: Axes, data: FigureData, roll: _Roll) -> None:
    """Draw the activations in dB below their maximum."""
    n_rows, n_columns = roll.power.shape
    start, low = data.span[0], roll.bottom - 0.5
    stop = start + n_columns * data.group * data.hop
    level = 10 * np.log10(np.maximum(roll.power, _ZERO))
    shade = 1 + (level - max(level.max(), _SILENCE)) / H_RANGE
    # Ten lines a row, two of them empty: bars with a gap between them. Coloured
    # here, in bytes: imshow would take ten times the memory for it.
    lines = np.repeat(_roll_colours()(shade, bytes=True), 10, axis=0)
    lines[0::10] = lines[9::10] = 0
    axes.imshow(
        lines,
        extent=(start, stop, low, low + n_rows),
        interpolation="nearest",
        zorder=1,
        **_IMAGE,
    )
    axes.set_axisbelow(True)
    axes.grid(axis="x", color=_LINE, linewidth=0.6)
    if level.max() < _SILENCE:
        _note(axes, "silence", _GREY)


def _roll_colours() -> ListedColormap:
    """From transparent, where the keyboard shows through, to nearly black."""
    colours = mpl.colormaps["magma_r"](np.linspace(0.1, 0.95, 256))
    colours[:, 3] = np.minimum(1, np.linspace(0, 2, 256))
    return ListedColormap(colours)


def _draw_losses(axes: Axes, losses: NDArray[np.float64]) -> None:
    """Draw the cost, on a logarithmic axis if it falls by more than a decade."""
    marker = "o" if len(losses) <= 30 else ""
    iterations = np.arange(1, len(losses) + 1)
    axes.plot(iterations, losses, color=_BLUE, linewidth=2, marker=marker, markersize=4)
    axes.grid(color=_LINE, linewidth=0.6)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
    if len(losses) == 1:
        axes.set_xlim(0, 2)
    if losses.min() > 0 and losses.max() > 10 * losses.min():
        axes.set_yscale("log")
    if len(losses) > 1 and losses[0] > 0:
        fall = f"falls by {_percent(1 - losses[-1] / losses[0])}"
        text = f"{fall} from iteration 1 to {len(losses)}"
        axes.set_title(text, loc="right", fontsize=_PLAIN, color=_INK, pad=4)


def _frequency_axis(axis: Axis, data: FigureData, *, sparse: bool = False) -> None:
    """Ticks at round frequencies: all that fit, or the powers of ten."""
    low, high = 2 ** data.rows.edges[[0, -1]]
    hertz = [f for f in _HERTZ if low <= f <= high]
    if sparse:
        hertz = [f for f in hertz if f in (100, 1000, 10000)]
    labels = [f"{f} Hz" if f < 1000 else f"{f // 1000} kHz" for f in hertz]
    axis.set_ticks(np.log2(hertz), labels=labels, fontsize=_SMALL)


def _octave_axis(axes: Axes, data: FigureData) -> None:
    """Name the Cs at the right, unless nothing has a pitch."""
    low, high = data.rows.edges[[0, -1]]
    cs = [m for m in range(24, 109, 12) if low <= _octaves(m) <= high]
    if np.isfinite(data.pitches).any():
        _right_axis(axes, _octaves(cs), [note_name(m) for m in cs])


def _level_axis(axes: Axes, n_rows: int, row: float, *, labelled: bool) -> None:
    """A scale in dB for each row of templates."""
    ends = (_LABEL, row - _FOOT)
    axes.set_yticks(np.add.outer(row * np.arange(n_rows), ends).ravel())
    labels = ["0", f"−{W_RANGE}"] * n_rows if labelled else []
    axes.set_yticklabels(labels or [""] * 2 * n_rows, fontsize=_SMALL)
    axes.tick_params(axis="y", length=3 if labelled else 0)
    axes.set_axisbelow(True)
    axes.grid(axis="x", color=_LINE, linewidth=0.6)
    axes.spines[["top", "right", "left"]].set_visible(False)
    if labelled:
        axes.set_ylabel("dB re each template's maximum", fontsize=_PLAIN)


def _pitch_axes(axes: Axes, data: FigureData, roll: _Roll) -> None:
    """Name the rows at the left; at the right, the components that share them."""
    sharing: dict[int, list[str]] = {}
    for component in np.flatnonzero(np.isfinite(data.pitches)):
        key = int(_semitones(data.pitches[component]))
        sharing.setdefault(key, []).append(f"{component + 1}")
    names = {key: note_name(key) for key in sharing}
    for row, component in enumerate(roll.lanes[::-1], roll.bottom):
        names[row] = data.label(component)
    axes.set_yticks(list(names), labels=list(names.values()), fontsize=_SMALL)
    cs = [key for key in roll.keys if key % 12 == 0 and key not in sharing]
    axes.set_yticks(cs, labels=[note_name(c) for c in cs], fontsize=_SMALL, minor=True)
    axes.tick_params(axis="y", which="both", length=0)
    axes.tick_params(axis="y", which="minor", labelcolor="#8c8c8c")
    if sharing:
        numbers = [
            ", ".join(group[:3]) + " …" * (len(group) > 3) for group in sharing.values()
        ]
        right = _right_axis(axes, list(sharing), numbers)
        right.tick_params(length=0)
        right.annotate(
            "component",
            (1, 1),
            (4, 4),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=_SMALL,
            color=_GREY,
        )


def _time_axis(axes: Axes, data: FigureData, *, labelled: bool = True) -> None:
    """Seconds up to a minute and a half, minutes and seconds beyond."""
    start, stop = data.span
    steps = (step for step in _SECONDS if (stop - start) / step <= 10)
    step = next(steps, _SECONDS[-1])
    first, last = np.ceil(start / step), np.floor(stop / step)
    ticks = step * np.arange(first + 0.0, last + 1)  # adding 0 makes -0 a 0
    clock = stop > 90 and step >= 1
    labels = [f"{t // 60:.0f}:{t % 60:02.0f}" if clock else f"{t:g}" for t in ticks]
    axes.set_xlim(start, stop)
    axes.set_xticks(
        ticks, labels=labels if labelled else [""] * len(ticks), fontsize=_SMALL
    )
    if labelled:
        name = "time (minutes:seconds)" if clock else "time (seconds)"
        axes.set_xlabel(name, fontsize=_PLAIN)


def _right_axis(axes: Axes, ticks: ArrayLike, labels: list[str]) -> Axes:
    """Put a second scale at the right, over the same range."""
    right = axes.twinx()
    right.set_ylim(axes.get_ylim())
    right.set_yticks(ticks, labels=labels, fontsize=_SMALL)
    right.tick_params(length=3, width=0.6, color=_GREY, labelcolor=_GREY)
    right.spines[:].set_visible(False)
    return right


def _bar(
    figure: Figure,
    box: tuple[float, float, float, float],
    colours: Colormap,
    span: int,
) -> None:
    """Explain the colours: dB below the maximum."""
    axes = _panel(figure, box)
    ramp = np.linspace(0, 1, 256)[:, None]
    extent = (0, 1, -span, 0)
    axes.imshow(ramp, extent=extent, cmap=colours, interpolation="nearest", **_IMAGE)
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    levels = range(-span, 1, 20 if span > 40 else 10)
    labels = [f"{level}".replace("-", "−") for level in levels]
    axes.set_xticks([])
    axes.set_yticks(levels, labels=labels, fontsize=_SMALL)
    axes.set_ylabel("dB re maximum", fontsize=_PLAIN)


def _figure(width: float, height: float, data: FigureData, subtitle: str) -> Figure:
    """An empty figure of so many inches: whose it is, and what it shows."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    title = _printable(data.title, int(8 * width))
    left, top = 0.12 / width, 1 - 0.12 / height
    figure.text(
        left, top, title, fontproperties=_BOLD, color=_INK, va="top", parse_math=False
    )
    below = top - 0.24 / height
    figure.text(left, below, subtitle, fontsize=_PLAIN, color=_GREY, va="top")
    return figure


def _panel(figure: Figure, box: tuple[float, float, float, float]) -> Axes:
    """Axes at (left, bottom, width, height) in inches."""
    width, height = figure.get_size_inches()
    left, bottom, wide, tall = box
    axes = figure.add_axes((left / width, bottom / height, wide / width, tall / height))
    axes.spines[:].set(color=_GREY, linewidth=0.6)
    axes.tick_params(
        length=3, width=0.6, color=_GREY, labelcolor=_INK, labelsize=_SMALL
    )
    return axes


def _note(axes: Axes, text: str, colour: str) -> None:
    """Say in the middle of a panel why it is empty."""
    axes.text(
        0.5,
        0.5,
        text,
        transform=axes.transAxes,
        fontsize=_LARGE,
        color=colour,
        ha="center",
        va="center",
    )


def _octaves(midi: ArrayLike) -> NDArray[np.float64]:
    """Log2 of the frequency in Hz of MIDI numbers."""
    return np.asarray(np.log2(440) + (np.asarray(midi, np.float64) - 69) / 12)


def _semitones(midi: NDArray[np.floating]) -> NDArray[np.intp]:
    """The nearest semitones, as `note_name` rounds."""
    return np.asarray(np.floor(midi + 0.5), np.intp)


def _percent(share: float) -> str:
    """A share in percent, such as ``12%``; never 0% of what there is."""
    if 0 < share < 0.005:
        return "<1%"
    if 0.995 <= share < 1:
        return ">99%"
    return f"{100 * share:.0f}%"


def _printable(text: str, most: int) -> str:
    """The text, cut to a length, with a box for each character the font lacks."""
    # Accents that macOS stores apart from their letters are joined to them.
    text = unicodedata.normalize("NFC", text)
    text = text if len(text) <= most else text[: most - 1] + "…"
    font = get_font(findfont(_BOLD))
    return "".join(c if font.get_char_index(ord(c)) else "□" for c in text)


def _save(figure: Figure, path: Path, figure_format: FigureFormat) -> None:
    """Write a figure, without a date and with the same names inside each time."""
    # Names inside an SVG are salted by matplotlib's settings, which threads share.
    salted = mpl.rc_context({"svg.hashsalt": "specnmf"})
    with _SALT, salted if figure_format == "svg" else nullcontext():
        figure.savefig(path, format=figure_format, dpi=DPI, **_SAVING[figure_format])
