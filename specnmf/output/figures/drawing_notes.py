"""Figures of notes, sources and labels on any axes: see `drawing`."""

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
    """The notes over the spectrogram, each at its fundamental; drums in lanes.

    Parameters
    ----------
    score : Score, Alignment or Run
        The notes, in the recording's time.
    V : Spectrogram, Audio or array, shape (n_bins, n_frames)
        The recording.
    labels : sequence of str, optional
        The stem of each note; by default its part.
    sr : int, optional
        Sample rate in Hz, required if ``V`` is an array.
    hop_length : int, optional
        Hop in samples, if ``V`` is an array; by default a quarter of the window.
    title : str
        Title of a new figure, such as the name of the recording.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure, which pyplot shows.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax``, or the first panel of the new figure; its ``figure`` is the figure.

    Raises
    ------
    ParameterError
        If the numbers of labels and notes differ, or ``sr`` is missing.

    Examples
    --------
    >>> import specnmf
    >>> score = specnmf.Score(
    ...     [
    ...         specnmf.Note(0.0, 0.5, 60, part="cello"),
    ...         specnmf.Note(0.5, 1.0, 67, part="flute"),
    ...     ]
    ... )
    >>> audio = specnmf.read("audio_examples/chorale/chorale.flac", duration=1.0)
    >>> ax = specnmf.figures.score(score, audio)
    >>> ax.figure.savefig("score.png")
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
    """The notes as a piano roll, with drums in lanes below.

    Parameters
    ----------
    score : Score, Alignment or Run
        The notes.
    labels : sequence of str, optional
        The stem of each note; by default its part.
    duration : float, optional
        Length of the recording in seconds; by default that of the notes.
    title : str
        Title of a new figure, such as the name of the recording.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure, which pyplot shows.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax``, or the first panel of the new figure; its ``figure`` is the figure.

    Raises
    ------
    ParameterError
        If the numbers of labels and notes differ.

    Examples
    --------
    >>> import specnmf
    >>> score = specnmf.Score(
    ...     [
    ...         specnmf.Note(0.0, 0.5, 60, part="cello"),
    ...         specnmf.Note(0.5, 1.0, 67, part="flute"),
    ...     ]
    ... )
    >>> ax = specnmf.figures.pianoroll(score)
    >>> ax.figure.savefig("pianoroll.png")
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
    """The constraints of a score on W and H, and the learned W and H.

    Parameters
    ----------
    start, result : Factorization
        Before and after the fit; the label of each component is its stem.
    V : Spectrogram, Audio or array, shape (n_bins, n_frames)
        The recording, for the axes.
    score : Score or Alignment
        The notes, in the recording's time.
    labels : sequence of str, optional
        The stem of each note; by default its part.
    pitches : array, shape (n_components,), optional
        MIDI numbers, NaN for unpitched components; estimated by default.
    sr : int, optional
        Sample rate in Hz, required if ``V`` is an array.
    hop_length : int, optional
        Hop in samples, if ``V`` is an array; by default a quarter of the window.
    title : str
        Title of a new figure, such as the name of the recording.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure, which pyplot shows.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax``, or the first panel of the new figure; its ``figure`` is the figure.

    Raises
    ------
    ParameterError
        If the shapes do not fit, or ``sr`` is missing.

    Examples
    --------
    >>> import specnmf
    >>> score = specnmf.Score(
    ...     [
    ...         specnmf.Note(0.0, 0.5, 60, part="cello"),
    ...         specnmf.Note(0.5, 1.0, 67, part="flute"),
    ...     ]
    ... )
    >>> audio = specnmf.read("audio_examples/chorale/chorale.flac", duration=1.0)
    >>> spectrogram = specnmf.stft(audio)
    >>> layout = specnmf.fmp_layout(score, spectrogram.grid)
    >>> result = specnmf.nmf(
    ...     spectrogram.magnitude(), layout.start, support=layout.support, max_iter=10
    ... )
    >>> labels = specnmf.stem_labels(score, by="part")
    >>> start, result = (
    ...     specnmf.by_stem(each, layout, labels) for each in (layout.start, result)
    ... )
    >>> ax = specnmf.figures.constraints(start, result, spectrogram, score=score)
    >>> ax.figure.savefig("constraints.png")
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
    """The path from a score to a recording, with tempo and agreement.

    Parameters
    ----------
    alignment : Alignment
        The result of `specnmf.align`.
    original : Score, optional
        The score in its own time, to show both.
    duration : float, optional
        Length of the recording in seconds; by default that of the path.
    title : str
        Title of a new figure, such as the name of the recording.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure, which pyplot shows.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax``, or the first panel of the new figure; its ``figure`` is the figure.

    Examples
    --------
    >>> import specnmf
    >>> audio = specnmf.read("audio_examples/chorale/chorale.flac", duration=8.0)
    >>> score = specnmf.read_score("audio_examples/chorale/chorale.mid")
    >>> alignment = specnmf.align(score, audio)
    >>> ax = specnmf.figures.alignment(alignment, score)
    >>> ax.figure.savefig("alignment.png")
    """
    data = objects.AlignmentData(alignment, original, duration, title)
    return drawn(partial(aligned.alignment_figure, data), ax)


def sources(
    sources: Mapping[str, Audio] | FinishedRun,
    *,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """The level of each source over time, on one scale.

    Parameters
    ----------
    sources : mapping of str to Audio, or Run
        The result of `specnmf.separate`, or a finished run.
    title : str
        Title of a new figure, such as the name of the recording.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure, which pyplot shows.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax``, or the first panel of the new figure; its ``figure`` is the figure.

    Raises
    ------
    ParameterError
        If there are no sources, or one is not an `Audio`.

    Examples
    --------
    >>> import specnmf
    >>> audio = specnmf.read("audio_examples/drums/drums.flac", duration=1.0)
    >>> spectrogram = specnmf.stft(audio)
    >>> result = specnmf.nmf(spectrogram.magnitude(), 3, max_iter=10)
    >>> ax = specnmf.figures.sources(specnmf.separate(spectrogram, result))
    >>> ax.figure.savefig("sources.png")
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
    """The spectrogram, with the marked and the found regions of each sound below.

    Parameters
    ----------
    regions : iterable of Region, or Run
        The marked regions.
    V : Spectrogram, Audio or array, shape (n_bins, n_frames)
        The recording.
    found : iterable of Region
        The found regions, as in labels.txt of a run of ``label``.
    sr : int, optional
        Sample rate in Hz, required if ``V`` is an array.
    hop_length : int, optional
        Hop in samples, if ``V`` is an array; by default a quarter of the window.
    title : str
        Title of a new figure, such as the name of the recording.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure, which pyplot shows.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax``, or the first panel of the new figure; its ``figure`` is the figure.

    Raises
    ------
    ParameterError
        If ``V`` is an array and ``sr`` is missing.

    Examples
    --------
    >>> import specnmf
    >>> audio = specnmf.read("audio_examples/greensleeves/greensleeves.flac")
    >>> regions = specnmf.read_regions("audio_examples/greensleeves/labels.txt")
    >>> ax = specnmf.figures.labels(regions, audio)
    >>> ax.figure.savefig("labels.png")
    """
    if isinstance(regions, FinishedRun):
        V, title = V or runs.recording(regions), title or runs.title(regions)
        regions, found = runs.regions(regions)
    seen = objects.magnitude(V, sr, hop_length)
    data = objects.label_data(regions, found, seen, title=title)
    return drawn(partial(labelled.label_figure, data), ax)
