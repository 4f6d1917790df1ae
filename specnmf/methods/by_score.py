"""Stems from a recording and its score, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

from specnmf.audio.features import features
from specnmf.audio.reading import SongLike, sound_of
from specnmf.audio.recording import Audio
from specnmf.audio.resynthesis import gather
from specnmf.audio.separated import Separated
from specnmf.factor.iterate import Callback
from specnmf.methods.book.fitting import fit_book
from specnmf.methods.partials.fitting import fit_partials
from specnmf.methods.partials.model import RESIDUAL
from specnmf.methods.score_options import ScoreOptions
from specnmf.methods.stems import ScoreStems
from specnmf.score import align as alignment
from specnmf.score.align import Alignment
from specnmf.score.grouping import safe_names, stem_labels, stem_order
from specnmf.score.notes import Score
from specnmf.score.options import Align, By


def align(
    score: Score,
    song: SongLike,
    *,
    sr: int | None = None,
    mode: Align = "auto",
    transpose: int | Literal["auto"] = 0,
    threads: int | None = None,
) -> Alignment:
    """A score brought to the clock of a recording.

    Parameters
    ----------
    score : Score
        In any tempo.
    song : path, Audio or array of floats
        The recording; an array is (n_samples,) or (n_channels, n_samples).
    sr : int, optional
        The sample rate of an array in Hz.
    mode : {"auto", "always", "never"}
        ``auto`` leaves a score alone that is already on the recording's clock,
        ``always`` warps it, ``never`` only says how well the two agree.
    transpose : int or "auto"
        Semitones that the recording sounds above the score; ``auto`` finds them.

    Returns
    -------
    Alignment
        ``separate`` takes it as a score; its ``score`` is on the recording's clock.

    Raises
    ------
    AudioError
        If the recording cannot be read, or an array comes without its rate.
    ScoreError
        If the two are different pieces, or in different keys.

    Examples
    --------
    >>> import specnmf
    >>> score = specnmf.read_score("audio_examples/chorale/chorale.mid")
    >>> aligned = specnmf.align(score, "audio_examples/chorale/chorale.flac")
    >>> aligned
    Alignment(Score(77 notes, 4 parts, 12.8 s), confidence 1.00, times kept)
    """
    recording = features(sound_of(song, sr), threads=threads)
    return alignment.align(score, recording, mode=mode, transpose=transpose)


def separate_by_score(
    song: SongLike,
    score: Score,
    *,
    sr: int | None = None,
    by: By = ScoreOptions.by,
    groups: Mapping[str, Sequence[str]] | None = None,
    tuning: float = 0.0,
    **options: Any,
) -> Separated:
    """The stems of a recording, found by a score on its clock.

    `separate` does the same and more, as the command does: it reads and aligns the
    score. This function takes the notes where they are.

    Parameters
    ----------
    song : path, Audio or array of floats
        The recording; an array is (n_samples,) or (n_channels, n_samples).
    score : Score
        On the recording's clock, such as `align` gives it.
    sr : int, optional
        The sample rate of an array in Hz.
    by : {"part", "hand", "pitch", "note"}
        What makes a stem.
    groups : mapping of str to sequence of str, optional
        Stems to put together, by the name of what they make.
    tuning : float
        Cents by which A4 lies above 440 Hz, as `align` finds it.
    **options
        model, residual, split, n_fft, hop_length, mask, mask_power, max_iter, tol and
        threads, as in `ScoreSettings`.

    Returns
    -------
    Separated
        A dict of str to Audio, which a notebook shows as a player, with notes and
        factors. Each has the recording's channels and length; they add up to it. All of
        them are in memory: of long recordings leave a run by `separate`.

    Raises
    ------
    AudioError
        If the recording cannot be read, or an array comes without its rate.
    ScoreError
        If no note sounds within the recording.
    ParameterError
        If an option is out of range, or a group names what there is not.

    Examples
    --------
    >>> import specnmf
    >>> audio = specnmf.read("audio_examples/chorale/chorale.flac", duration=2.0)
    >>> score = specnmf.read_score("audio_examples/chorale/chorale.mid")
    >>> stems = specnmf.separate_by_score(
    ...     audio,
    ...     score.excerpt(0.0, 2.0),
    ...     groups={"men": ["tenor", "bass"], "women": ["soprano", "alto"]},
    ...     max_iter=5,
    ... )
    >>> list(stems)
    ['men', 'women']
    """
    audio = sound_of(song, sr)
    settings = ScoreOptions(by=by, groups=groups or {}, **options)
    labels = label_notes(score, settings)
    stems = fit_stems(audio, score, labels, settings, tuning=tuning)
    stream = stems.stream(settings)
    found = gather(stream, stems.names, audio.n_channels, stems.grid)
    found.notes = named(score, labels)
    found.describe(stems.factors, stems.grid, stems.pitches)
    return found


def named(score: Score, labels: Sequence[str]) -> Score:
    """The same notes; the part of each is its stem."""
    owned = zip(score.notes, labels, strict=True)
    return Score(tuple(note._replace(part=label) for note, label in owned))


def label_notes(score: Score, options: ScoreOptions) -> tuple[str, ...]:
    """The stem of each note, by a name that a file may have."""
    groups = options.groups or None
    labels = stem_labels(score, options.by, groups=groups, split=options.split)
    safe = safe_names(labels)
    return tuple(safe[label] for label in labels)


def fit_stems(
    audio: Audio,
    score: Score,
    labels: Sequence[str],
    options: ScoreOptions,
    *,
    stems: Sequence[str] | None = None,
    tuning: float = 0.0,
    rest: str = RESIDUAL,
    callback: Callback | None = None,
) -> ScoreStems:
    """Fit the model that the options ask for, as each model's own function does."""
    fit = partial(fit_partials, rest=rest) if options.model == "partials" else fit_book
    order = stems or stem_order(score, labels, by=options.by)
    return fit(
        audio, score, labels, options, stems=order, tuning=tuning, callback=callback
    )
