"""Figures of notes, sources and labels on any axes; see `drawing` beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from specnmf.audio.recording import Audio
from specnmf.factor.factorization import Factorization
from specnmf.output.figures import alignment as aligned
from specnmf.output.figures import labels as labelled
from specnmf.output.figures import (
    learned,
    objects,
    runs,
    separation,
    transcription,
)
from specnmf.output.figures import score as scored
from specnmf.output.figures.objects import Seen
from specnmf.output.figures.placing import drawn, factor_data
from specnmf.output.figures.runs import FinishedRun
from specnmf.score.align import Alignment
from specnmf.score.notes import Score
from specnmf.score.regions import Region


def score(
    score: Score | Alignment | FinishedRun,
    V: Seen | None = None,
    *,
    labels: Sequence[str] | None = None,
    sr: int | None = None,
    hop_length: int | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """The notes over the spectrogram, each at its fundamental, drums in lanes.

    Parameters
    ----------
    score : Score, Alignment or Run
        The notes, on the recording's clock.
    V : Spectrogram, Audio or array, shape (n_bins, n_frames)
        The recording.
    labels : sequence of str, optional
        Whose each note is; by default its part's.
    sr, hop_length : int, optional
        Of an array, in Hz and samples.
    title, ax
        As above.

    Raises
    ------
    ParameterError
        If there are not as many labels as notes, or an array has no rate.
    """
    if isinstance(score, FinishedRun):
        V, title = V or runs.recording(score), title or runs.title(score)
        score = runs.notes(score)
    seen = objects.magnitude(V, sr, hop_length)
    data = objects.note_data(score, seen, labels, title=title)
    return drawn(partial(scored.score_figure, data), ax)


def pianoroll(
    score: Score | Alignment | FinishedRun,
    *,
    labels: Sequence[str] | None = None,
    duration: float | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """The notes as a piano roll, drums in lanes below the keys.

    Parameters
    ----------
    score : Score, Alignment or Run
        The notes.
    labels : sequence of str, optional
        Whose each note is; by default its part's.
    duration : float, optional
        Of the recording in seconds; by default that of the notes.
    title, ax
        As above.

    Raises
    ------
    ParameterError
        If there are not as many labels as notes.
    """
    if isinstance(score, FinishedRun):
        title, duration = title or runs.title(score), duration or runs.duration(score)
        score = runs.notes(score)
    data = objects.roll_data(score, labels, duration, title=title)
    return drawn(partial(transcription.roll_figure, data), ax)


def constraints(
    start: Factorization,
    result: Factorization,
    V: Seen | None = None,
    *,
    score: Score | Alignment,
    labels: Sequence[str] | None = None,
    pitches: ArrayLike | None = None,
    sr: int | None = None,
    hop_length: int | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """W and H where a score allows sound, and what was learned there.

    Parameters
    ----------
    start, result : Factorization
        Before and after the updates, each component labelled with its stem.
    V : Spectrogram, Audio or array, shape (n_bins, n_frames)
        The recording; only its scales count.
    score : Score or Alignment
        The notes, on the recording's clock.
    labels : sequence of str, optional
        The stem of each note; by default its part.
    pitches : array, shape (n_components,), optional
        MIDI numbers, NaN without one; estimated by default.
    sr, hop_length : int, optional
        Of an array, in Hz and samples.
    title, ax
        As above.

    Raises
    ------
    ParameterError
        If the shapes do not fit, or an array has no rate.
    """
    fitted = factor_data(
        result, V, sr, hop_length, pitches=pitches, title=title, whole=False
    )
    data = objects.score_data(start, fitted, score, labels)
    return drawn(partial(learned.constraints_figure, data), ax)


def alignment(
    alignment: Alignment,
    original: Score | None = None,
    *,
    duration: float | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """The path from a score to a recording, its tempo and how well the two agree.

    Parameters
    ----------
    alignment : Alignment
        As `specnmf.align` gives it.
    original : Score, optional
        The score on its own clock, to show the notes on both.
    duration : float, optional
        Of the recording in seconds; by default that of the path.
    title, ax
        As above.
    """
    data = objects.AlignmentData(alignment, original, duration, title)
    return drawn(partial(aligned.alignment_figure, data), ax)


def sources(
    sources: Mapping[str, Audio] | FinishedRun,
    *,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """How loud each source is over time, one below the other on one scale.

    Parameters
    ----------
    sources : mapping of str to Audio, or Run
        As `specnmf.separate` gives them.
    title, ax
        As above.

    Raises
    ------
    ParameterError
        If one is no Audio, or there are none.
    """
    if isinstance(sources, FinishedRun):
        title = title or runs.title(sources)
        sources = runs.sources(sources)
    data = objects.SourceData(sources, title)
    return drawn(partial(separation.sources_figure, data), ax)


def labels(
    regions: Iterable[Region] | FinishedRun,
    V: Seen | None = None,
    *,
    found: Iterable[Region] = (),
    sr: int | None = None,
    hop_length: int | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """The spectrogram, and below it where each sound is marked, and was found.

    Parameters
    ----------
    regions : iterable of Region, or Run
        What a person marked.
    V : Spectrogram, Audio or array, shape (n_bins, n_frames)
        The recording.
    found : iterable of Region
        Such as a run of ``label`` leaves in labels.txt.
    sr, hop_length : int, optional
        Of an array, in Hz and samples.
    title, ax
        As above.

    Raises
    ------
    ParameterError
        If an array has no rate.
    """
    if isinstance(regions, FinishedRun):
        V, title = V or runs.recording(regions), title or runs.title(regions)
        regions, found = runs.regions(regions)
    seen = objects.magnitude(V, sr, hop_length)
    data = objects.label_data(regions, found, seen, title=title)
    return drawn(partial(labelled.label_figure, data), ax)
