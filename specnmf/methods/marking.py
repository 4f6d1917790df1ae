"""What a person marked in a recording, on the frames of its transform."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from specnmf.audio import reading
from specnmf.audio.options import ExcerptOptions, SoundOptions
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Grid
from specnmf.errors import ScoreError
from specnmf.score.marks import Marks, mark
from specnmf.score.regions import load_regions


@dataclass(frozen=True, eq=False)
class Marked:
    """A recording, or its excerpt, and what a person marked in it, if anything."""

    sound: Audio
    grid: Grid
    marks: Marks | None  # on the frames of the grid


def read_marked(path: Path, labels: Path | None, options: SoundOptions) -> Marked:
    """A recording, or its excerpt, with its labels.

    Raises
    ------
    ScoreError
        If the labels cannot be read, or say nothing of the excerpt.
    """
    audio = reading.read(path, start=options.start, duration=options.duration)
    grid = Grid.of(audio, options.n_fft, options.hop_length)
    marks = None if labels is None else _marks(labels, audio, grid, options)
    return Marked(audio, grid, marks)


def _marks(path: Path, audio: Audio, grid: Grid, excerpt: ExcerptOptions) -> Marks:
    """What a file of labels says of each frame of an excerpt."""
    (regions, remarks), asked = load_regions(path), excerpt.duration
    try:
        marks = mark(
            regions,
            grid.times,
            start=excerpt.start,
            duration=audio.duration,
            ends=asked is None or audio.n_samples < round(asked * audio.sr),
        )
        named = (f"{path.name}: {remark}" for remark in remarks)
        return replace(marks, remarks=(*named, *marks.remarks))
    except ScoreError as error:
        raise ScoreError(f"{path}: {error}") from error
