"""What a person marked in a recording, on the frames of its transform."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from specnmf.audio import reading
from specnmf.audio.options import ExcerptOptions, SoundOptions
from specnmf.audio.recording import Audio, Sound
from specnmf.audio.stft import Grid
from specnmf.errors import ScoreError
from specnmf.score.marks import Marks, mark
from specnmf.score.regions import read_regions


@dataclass(frozen=True, eq=False)
class Marked:
    """A recording, and what a person marked in it.

    Attributes
    ----------
    sound : Audio
        The recording, or its excerpt.
    grid : Grid
        The frames of its transform.
    marks : Marks or None
        What was marked, on these frames; None if nothing was.
    """

    sound: Audio
    grid: Grid
    marks: Marks | None


def read_marked(path: Path, labels: Path | None, options: SoundOptions) -> Marked:
    """A recording with its labels.

    Parameters
    ----------
    path : path
        The recording.
    labels : path or None
        As `read_marks` takes them.
    options : SoundOptions
        start, duration, n_fft, hop_length.
    """
    audio = reading.read(path, start=options.start, duration=options.duration)
    grid = Grid.of(audio, options.n_fft, options.hop_length)
    marks = None if labels is None else read_marks(labels, audio, grid, options)
    return Marked(audio, grid, marks)


def read_marks(path: Path, audio: Sound, grid: Grid, excerpt: ExcerptOptions) -> Marks:
    """What a file of labels says of each frame of a recording, or of its excerpt.

    Parameters
    ----------
    path : path
        As `specnmf.score.regions.read_regions` reads it.
    audio : Audio or other Sound
        The excerpt.
    grid : Grid
        Its frames.
    excerpt : ExcerptOptions
        start and duration, as asked for.

    Raises
    ------
    ScoreError
        If the file cannot be read, or says nothing of the excerpt.
    """
    regions, asked = read_regions(path), excerpt.duration
    try:
        return mark(
            regions,
            grid.times,
            start=excerpt.start,
            duration=audio.duration,
            ends=asked is None or audio.n_samples < round(asked * audio.sr),
        )
    except ScoreError as error:
        raise ScoreError(f"{path}: {error}") from error
