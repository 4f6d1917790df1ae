"""Where figures are drawn, and what those of a factorisation show."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from specnmf.factor.factorization import Factorization
from specnmf.output.figures import objects, runs, sheets
from specnmf.output.figures.factor_data import FigureData
from specnmf.output.figures.objects import Seen
from specnmf.output.figures.plain import plain
from specnmf.output.figures.runs import FinishedRun


def drawn(draw: Callable[[sheets.NewSheet], Figure], ax: Axes | None) -> Axes:
    """Draw on axes, or a new figure; give the axes."""
    if ax is None:
        from matplotlib import pyplot  # noqa: F401  # chooses its backend by itself

    with plain():
        if ax is None:
            return draw(sheets.shown).axes[0]
        draw(sheets.within(ax))
        return ax


def factor_data(
    result: Factorization | FinishedRun,
    V: Seen | None,
    sr: int | None,
    hop_length: int | None,
    *,
    whole: bool,
    title: str,
    pitches: ArrayLike | None = None,
) -> FigureData:
    """What the figures of V ≈ W H show; V itself only for the whole of it."""
    if isinstance(result, FinishedRun):
        seen = V if V is not None or not whole else runs.recording(result)
        return runs.factors(result, seen, title=title or runs.title(result))
    shape = len(result.W), result.H.shape[1]
    if whole:
        n_fft = 2 * (shape[0] - 1)
        grid = objects.magnitude(V, sr, hop_length, n_fft=n_fft)
    else:
        grid = objects.grid(V, shape, sr, hop_length)
    return objects.factor_data(result, grid, pitches, title=title)
