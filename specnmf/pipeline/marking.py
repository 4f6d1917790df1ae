"""What a person marked in a recording, for the runs that heed it."""

from __future__ import annotations

from pathlib import Path

from specnmf.audio.recording import Sound
from specnmf.audio.stft import Grid
from specnmf.errors import ScoreError
from specnmf.score.marks import Marks, mark
from specnmf.score.regions import read_regions
from specnmf.tasks.settings import RunSettings


def read_marks(path: Path, audio: Sound, grid: Grid, settings: RunSettings) -> Marks:
    """What a file of labels says of each frame of a recording, or of its excerpt.

    Parameters
    ----------
    path : path
        As `specnmf.score.regions.read_regions` reads it.
    audio : Audio or other Sound
        The excerpt.
    grid : Grid
        Its frames.
    settings : RunSettings
        start and duration, as asked for.

    Raises
    ------
    ScoreError
        If the file cannot be read, or says nothing of the excerpt.
    """
    regions, asked = read_regions(path), settings.duration
    try:
        return mark(
            regions,
            grid.times,
            start=settings.start,
            duration=audio.duration,
            ends=asked is None or audio.n_samples < round(asked * audio.sr),
        )
    except ScoreError as error:
        raise ScoreError(f"{path}: {error}") from error
