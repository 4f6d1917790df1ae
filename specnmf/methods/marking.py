"""The marked regions of a recording, on the frames of its transform."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from specnmf.audio.options import ExcerptOptions, SoundOptions
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Grid
from specnmf.errors import ScoreError
from specnmf.score.marks import Marks, mark
from specnmf.score.regions import Region, load_regions


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
) -> Marked:
    """A recording or its excerpt with its labels: a file of them, or regions.

    Of a file, ``tier`` takes the labels of one tier.

    Raises
    ------
    ScoreError
        If the labels cannot be read, or none is in the excerpt.
    """
    grid = Grid.of(audio, options.n_fft, options.hop_length)
    marks = None if labels is None else _marks(labels, tier, audio, grid, options)
    return Marked(audio, grid, marks)


def _marks(
    labels: str | os.PathLike[str] | Iterable[Region],
    tier: str | None,
    audio: Audio,
    grid: Grid,
    excerpt: ExcerptOptions,
) -> Marks:
    """The labels of each frame of an excerpt."""
    if not isinstance(labels, str | os.PathLike):
        return _mark([_region(*each) for each in labels], audio, grid, excerpt)
    path = Path(labels)
    regions, remarks = load_regions(path, tier=tier)
    try:
        marks = _mark(regions, audio, grid, excerpt)
    except ScoreError as error:
        raise ScoreError(f"{path}: {error}") from error
    named = (f"{path.name}: {remark}" for remark in remarks)
    return replace(marks, remarks=(*named, *marks.remarks))


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
