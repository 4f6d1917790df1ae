"""selections.txt: when and at which frequencies each stem sounds, for Raven."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Grid
from specnmf.factor.factorization import Factorization
from specnmf.score.selections import Selection, write_selections

#: The file.
SELECTIONS = "selections.txt"

#: The share of a template's energy that is left out below its band, and above.
TAIL = 0.05

#: Activities of a stem that are nearer than this, in seconds, are one.
GAP = 0.05


def write_activity(
    folder: Path,
    activities: Iterable[tuple[float, float, int]],
    factors: Factorization,
    grid: Grid,
) -> None:
    """Write a selection table of the activities of stems.

    Parameters
    ----------
    folder : path
        The run.
    activities : iterable of (float, float, int)
        Start and end in seconds on the recording's clock, and the component.
    factors : Factorization
        The components; the label of each is its stem.
    grid : Grid
        Of the analysis.
    """
    bands = bands_of(factors.W, grid)
    boxes = (
        Selection(start, end, *bands[component], factors.labels[component])
        for start, end, component in activities
    )
    write_selections(folder / SELECTIONS, merged(boxes))


def bands_of(W: NDArray[np.floating], grid: Grid) -> list[tuple[float, float]]:
    """The band in Hz that holds the energy of each template but for its tails."""
    energy = np.cumsum(np.square(W, dtype=np.float64), axis=0)
    width = grid.sr / grid.n_fft
    bands = []
    for own in energy.T:
        first, last = np.searchsorted(own, (TAIL * own[-1], (1 - TAIL) * own[-1]))
        low = max(0.0, (first - 0.5) * width)
        bands.append((low, min((last + 0.5) * width, grid.sr / 2)))
    return bands


def merged(boxes: Iterable[Selection]) -> Iterator[Selection]:
    """Yield selections; those of one name that overlap, or nearly, are one box."""
    by_name: dict[str, list[Selection]] = {}
    for box in sorted(boxes):
        own = by_name.setdefault(box.name, [])
        if own and box.start <= own[-1].end + GAP:
            own[-1] = _around((own[-1], box))
        else:
            own.append(box)
    for own in by_name.values():
        yield from own


def _around(boxes: Sequence[Selection]) -> Selection:
    """The smallest box that holds all."""
    return Selection(
        min(box.start for box in boxes),
        max(box.end for box in boxes),
        min(box.low for box in boxes),
        max(box.high for box in boxes),
        boxes[0].name,
    )
