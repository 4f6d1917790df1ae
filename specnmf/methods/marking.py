"""The marked regions of a recording, on the frames of its transform."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.options import ExcerptOptions, SoundOptions
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Grid
from specnmf.errors import ScoreError
from specnmf.score.marks import Marks, bounded, mark
from specnmf.score.regions import UNBOUNDED, Region, load_labels

#: Bins to each side over which a window spreads a partial.
SPREAD = 2


@dataclass(frozen=True, eq=False)
class Marked:
    """A recording or its excerpt, with its marked regions, if any."""

    sound: Audio
    grid: Grid
    marks: Marks | None  # on the frames of the grid


def marked(
    audio: Audio,
    labels: str | os.PathLike[str] | Iterable[Region] | None,
    options: SoundOptions,
    *,
    tier: str | None = None,
    bounds: bool = False,
) -> Marked:
    """A recording or its excerpt with its labels: a file of them, or regions.

    Of a file, ``tier`` takes the labels of one tier, and ``bounds`` the frequencies of
    selections.

    Raises
    ------
    ScoreError
        If the labels cannot be read, or none is in the excerpt.
    """
    grid = Grid.of(audio, options.n_fft, options.hop_length)
    if labels is None:
        return Marked(audio, grid, None)
    if not isinstance(labels, str | os.PathLike):
        regions = [_region(*each) for each in labels]
        return Marked(audio, grid, _mark(regions, audio, grid, options))
    path = Path(labels)
    found = load_labels(path, tier=tier)
    try:
        marks = _mark(found.regions, audio, grid, options)
    except ScoreError as error:
        raise ScoreError(f"{path}: {error}") from error
    remarks = found.remarks
    if bounds:
        marks = bounded(marks, found.bounds)
    elif found.bounds:
        remarks += (UNBOUNDED,)
    named = (f"{path.name}: {remark}" for remark in remarks)
    return Marked(audio, grid, replace(marks, remarks=(*named, *marks.remarks)))


def _mark(
    regions: Iterable[Region], audio: Audio, grid: Grid, excerpt: ExcerptOptions
) -> Marks:
    """The regions of each frame of an excerpt."""
    asked = excerpt.duration
    return mark(
        regions,
        grid.times,
        start=excerpt.start,
        duration=audio.duration,
        ends=asked is None or audio.n_samples < round(asked * audio.sr),
    )


def _region(start: float, end: float, name: str) -> Region:
    """A region, if it lasts and has a name, else a ScoreError."""
    if not (0 <= start < end < math.inf and name):
        raise ScoreError(
            "a region is a start, a later end in seconds and a name, got "
            f"{start!r}, {end!r} and {name!r}"
        )
    return Region(float(start), float(end), name)


def bins_within(marks: Marks, grid: Grid) -> NDArray[np.bool_] | None:
    """The bins between the bounds of each sound, (n_names, n_bins); None: no bounds.

    Wider by what the window spreads a partial.

    Raises
    ------
    ScoreError
        If the bounds of a sound are above all frequencies of the recording.
    """
    if not marks.bounds:
        return None
    within = np.ones((len(marks.names), grid.n_bins), bool)
    spread = SPREAD * grid.sr / grid.n_fft
    for row, name in enumerate(marks.names):
        low, high = marks.bounds.get(name, (0.0, math.inf))
        if low >= grid.sr / 2:
            raise ScoreError(
                f"selections of {name} lie above {low:g} Hz, but the recording ends at "
                f"{grid.sr / 2:g} Hz; are they of another recording?"
            )
        f = grid.frequencies
        within[row] = (f >= low - spread) & (f <= high + spread)
    return within
