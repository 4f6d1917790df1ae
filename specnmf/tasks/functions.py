"""The tasks as functions: what each command does, in memory or into a run folder.

All take a song that is a path, an `Audio` or an array with its rate, and options in the
command's words.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike

from specnmf.audio import masks
from specnmf.audio.options import Mask
from specnmf.audio.reading import PathLike, SongLike, check_no_rate
from specnmf.audio.separated import Separated
from specnmf.audio.stft import Spectrogram
from specnmf.errors import OutputError, ParameterError
from specnmf.factor.factorization import Factorization
from specnmf.methods.learned.templates import Templates
from specnmf.options import Options, declaration, from_plain
from specnmf.score.align import Alignment
from specnmf.score.notes import Score
from specnmf.score.regions import Region
from specnmf.tasks.decompose import Decompose, Settings
from specnmf.tasks.drums import Drums, DrumSettings
from specnmf.tasks.label import Label, LabelSettings
from specnmf.tasks.layers import Layers, LayerSettings
from specnmf.tasks.memory import fit_song, notes_of, stems_of
from specnmf.tasks.run import Run, run
from specnmf.tasks.separate import ScoreSettings, Separate
from specnmf.tasks.stages import Progress
from specnmf.tasks.task import Task
from specnmf.tasks.transcribe import Transcribe, TranscribeSettings

AnySettings = TypeVar("AnySettings", bound=Options)

#: How an input that is given as an object is written, for a run records files.
_WRITING = {
    "score": "specnmf.write_score(path, score)",
    "labels": "specnmf.write_regions(path, regions)",
}


@overload
def decompose(
    song: SongLike,
    settings: Settings | None = None,
    *,
    sr: int | None = None,
    templates: PathLike | Templates | Factorization | ArrayLike | None = None,
    output: None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Separated: ...
@overload
def decompose(
    song: PathLike,
    settings: Settings | None = None,
    *,
    templates: PathLike | None = None,
    output: PathLike,
    overwrite: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Run: ...
def decompose(
    song: SongLike,
    settings: Settings | None = None,
    *,
    sr: int | None = None,
    templates: PathLike | Templates | Factorization | ArrayLike | None = None,
    output: PathLike | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Separated | Run:
    """The components of a recording, as ``specnmf decompose`` finds them.

    Without ``output`` nothing is written and all components are in memory, each as
    large as the recording; of long recordings leave a run with ``output``.

    Parameters
    ----------
    song : path, Audio or array of floats
        The recording; an array is (n_samples,) or (n_channels, n_samples).
    settings : Settings, optional
        The options.
    sr : int, optional
        The sample rate of an array in Hz.
    templates : path, Templates, Factorization or array, optional
        Known templates: those of `learn`, or their file; or templates without names,
        such as a factors.npz or an array, (n_bins, n_templates). They are held fixed
        unless ``adapt`` is given. ``n_free`` components are learned beside them; by
        default none, or, beside those without names, what is missing to
        ``n_components``.
    output : path, optional
        A folder for runs: the song's own run folder in it is written, as the command
        does. The song and all else that is given are then paths.
    overwrite : bool
        Replace a finished run in ``output``. Files in it that no run wrote, or a person
        changed, are kept.
    progress : callable, optional
        Called as ``progress(stage, done, total, note)``.
    **options
        Fields of `Settings`, such as ``n_components=8, beta="kl"``; they override
        those in ``settings``. Options of files (figures, report, format, ...) have an
        effect only with ``output``.

    Returns
    -------
    Separated
        A dict of str to `Audio`: component_01 and so on, the most energetic first; with
        templates of `learn`, one for each group, and ``rest`` for what is learned
        beside them. Each has the recording's rate, channels and length; they add up to
        it. It has the factors, pitches and notes as well.
    Run
        With ``output``: the folder and its report.

    Raises
    ------
    AudioError
        If the recording cannot be read, or an array comes without its rate.
    TemplateError
        If the templates are none, or do not fit the recording.
    ParameterError
        If there is no such option, or it is out of range.
    OutputError
        If the run cannot be written; nothing is left behind.

    Examples
    --------
    >>> import specnmf
    >>> drums = specnmf.decompose(
    ...     "audio_examples/drums/drums.flac", n_components=3, duration=2.0
    ... )
    >>> list(drums)
    ['component_01', 'component_02', 'component_03']
    >>> drums["component_01"]
    Audio(1 channel, 44100 Hz, 2.0 s)

    An array, as librosa.load gives it:

    >>> import numpy as np
    >>> t = np.arange(22050) / 22050
    >>> y = np.where(t < 0.5, np.sin(2 * np.pi * 440 * t), np.sin(2 * np.pi * 660 * t))
    >>> tones = specnmf.decompose(y, sr=22050, n_components=2)
    >>> sorted(tones.pitches.round().tolist())
    [69.0, 76.0]

    A run, as the command leaves it:

    >>> run = specnmf.decompose(
    ...     "audio_examples/drums/drums.flac",
    ...     n_components=3, duration=2.0, output="runs", figures=False, report=False,
    ... )
    >>> run
    Run('runs/drums', kind='decompose')
    """
    found = _do(
        Decompose(),
        song,
        _settings(Settings, settings, options),
        sr=sr,
        inputs={"templates": templates},
        output=output,
        overwrite=overwrite,
        progress=progress,
    )
    return found if isinstance(found, Run) else stems_of(found)


@overload
def separate(
    song: Spectrogram,
    score: Factorization,
    *,
    mask: Mask = ...,
    power: float = ...,
    threads: int | None = ...,
) -> Separated: ...
@overload
def separate(
    song: SongLike,
    score: PathLike | Score | Alignment | None = None,
    settings: ScoreSettings | None = None,
    *,
    sr: int | None = None,
    output: None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Separated: ...
@overload
def separate(
    song: PathLike,
    score: PathLike | None = None,
    settings: ScoreSettings | None = None,
    *,
    output: PathLike,
    overwrite: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Run: ...
def separate(
    song: SongLike | Spectrogram,
    score: PathLike | Score | Alignment | Factorization | None = None,
    settings: ScoreSettings | None = None,
    *,
    sr: int | None = None,
    output: PathLike | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Separated | Run:
    """The stems of a recording, as ``specnmf separate`` finds them.

    With a score these are its parts, hands, pitches or notes; without one the notes are
    heard, and put into voices. Without ``output`` nothing is written and all stems are
    in memory, each as large as the recording; of long recordings leave a run with
    ``output``.

    ``separate(spectrogram, factors, mask="ratio", power=1.0, threads=None)`` gives the
    sources of a `Spectrogram` by a `Factorization`: one for each label.

    Parameters
    ----------
    song : path, Audio, array of floats or Spectrogram
        The recording; an array is (n_samples,) or (n_channels, n_samples).
    score : path, Score or Alignment, optional
        MIDI, MusicXML or CSV, or what `read_score` gives, in any tempo; or an
        `Alignment`, which is taken as it is. Without one the notes are heard; only with
        ``output`` is a score beside the song looked for first, as the command does.
        For a spectrogram: its `Factorization`, W (n_bins, n_components) and H
        (n_components, n_frames).
    settings : ScoreSettings, optional
        The options.
    sr : int, optional
        The sample rate of an array in Hz.
    output : path, optional
        A folder for runs: the song's own run folder in it is written, as the command
        does. The song and the score are then paths.
    overwrite : bool
        Replace a finished run in ``output``. Files in it that no run wrote, or a person
        changed, are kept.
    progress : callable, optional
        Called as ``progress(stage, done, total, note)``.
    **options
        Fields of `ScoreSettings`, such as ``by="hand", voices=4``; they override those
        in ``settings``. Options of files (figures, report, format, ...) have an effect
        only with ``output``. For a spectrogram: mask ("ratio" or "binary"), power (1:
        ratio of magnitudes; 2: Wiener's ratio of powers) and threads.

    Returns
    -------
    Separated
        A dict of str to `Audio`, by the names of the stems. Each has the recording's
        rate, channels and length; they add up to it. It has the notes and the factors
        as well.
    Run
        With ``output``: the folder and its report.

    Raises
    ------
    AudioError
        If the recording cannot be read, or an array comes without its rate.
    ScoreError
        If the score cannot be read or is another piece's, or no note is heard.
    ParameterError
        If there is no such option, or it is out of range, or the factors do not fit the
        spectrogram.
    OutputError
        If the run cannot be written; nothing is left behind.

    References
    ----------
    Ewert and Müller, "Using score-informed constraints for NMF-based source
    separation", ICASSP 2012; Liutkus and Badeau, "Generalized Wiener filtering with
    fractional power spectrograms", ICASSP 2015.

    Examples
    --------
    >>> import specnmf
    >>> chorale = "audio_examples/chorale/chorale"
    >>> stems = specnmf.separate(
    ...     f"{chorale}.flac", f"{chorale}.mid", duration=3.0, max_iter=5
    ... )
    >>> list(stems)
    ['bass', 'tenor', 'alto', 'soprano']

    The sources of a spectrogram:

    >>> spectrogram = specnmf.stft("audio_examples/drums/drums.flac")
    >>> result = specnmf.nmf(spectrogram.magnitude(), 2, rng=0, max_iter=20)
    >>> specnmf.separate(spectrogram, result)
    Separated('component_01', 'component_02': Audio(1 channel, 44100 Hz, 10.2 s) each)
    """
    if isinstance(song, Spectrogram):
        for name, given in (("settings", settings), ("sr", sr), ("output", output)):
            if given is not None:
                raise ParameterError(
                    f"{name} is for a recording, got a Spectrogram; leave it out"
                )
        factors: Any = () if score is None else (score,)  # or by name: factors=
        return masks.separate(song, *factors, **options)
    found = _do(
        Separate(),
        song,
        _settings(ScoreSettings, settings, options),
        sr=sr,
        inputs={"score": score},
        output=output,
        overwrite=overwrite,
        progress=progress,
    )
    return found if isinstance(found, Run) else stems_of(found)


@overload
def transcribe(
    song: SongLike,
    settings: TranscribeSettings | None = None,
    *,
    sr: int | None = None,
    output: None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Score: ...
@overload
def transcribe(
    song: PathLike,
    settings: TranscribeSettings | None = None,
    *,
    output: PathLike,
    overwrite: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Run: ...
def transcribe(
    song: SongLike,
    settings: TranscribeSettings | None = None,
    *,
    sr: int | None = None,
    output: PathLike | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Score | Run:
    """The notes of a recording, heard without a score, in voices or hands.

    Parameters
    ----------
    song : path, Audio or array of floats
        The recording; an array is (n_samples,) or (n_channels, n_samples).
    settings : TranscribeSettings, optional
        The options.
    sr : int, optional
        The sample rate of an array in Hz.
    output : path, optional
        A folder for runs: the song's own run folder in it is written, as the command
        does. The song is then a path.
    overwrite : bool
        Replace a finished run in ``output``. Files in it that no run wrote, or a person
        changed, are kept.
    progress : callable, optional
        Called as ``progress(stage, done, total, note)``.
    **options
        Fields of `TranscribeSettings`; they override those in ``settings``. Among them:
        ``by``: "part" (voice_1, the highest, and so on) or "hand" (right and left);
        ``voices``: how many, 1 to 16, or "auto": by how many notes sound at once, at
        most four; ``transcriber``: "builtin" (a network of our own), "basic-pitch"
        (that of Bittner et al. [1]_, which must be installed) or "auto": builtin.

    Returns
    -------
    Score
        The notes, with their cents and how sure each is, on the clock of the song, of
        an excerpt too.
    Run
        With ``output``: the folder and its report.

    Raises
    ------
    AudioError
        If the recording cannot be read, or an array comes without its rate.
    ScoreError
        If no note is heard.
    ParameterError
        If there is no such option, or it is out of range; or if basic-pitch is asked
        for and not installed, or damaged.
    OutputError
        If the run cannot be written; nothing is left behind.

    References
    ----------
    .. [1] R. Bittner, J. Bosch, D. Rubinstein, G. Meseguer-Brocal and S. Ewert, "A
       lightweight instrument-agnostic model for polyphonic note transcription and
       multipitch estimation", ICASSP 2022.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> t = np.arange(22050) / 22050
    >>> y = sum(0.1 / k * np.sin(2 * np.pi * 440 * k * t) for k in range(1, 6))
    >>> score = specnmf.transcribe(y * np.exp(-t), sr=22050, transcriber="builtin")
    >>> [note.pitch for note in score.notes]
    [69]
    """
    found = _do(
        Transcribe(),
        song,
        _settings(TranscribeSettings, settings, options),
        sr=sr,
        inputs={},
        output=output,
        overwrite=overwrite,
        progress=progress,
    )
    return found if isinstance(found, Run) else notes_of(found)


@overload
def label(
    song: SongLike,
    labels: PathLike | Iterable[Region],
    settings: LabelSettings | None = None,
    *,
    sr: int | None = None,
    output: None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Separated: ...
@overload
def label(
    song: PathLike,
    labels: PathLike,
    settings: LabelSettings | None = None,
    *,
    output: PathLike,
    overwrite: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Run: ...
def label(
    song: SongLike,
    labels: PathLike | Iterable[Region],
    settings: LabelSettings | None = None,
    *,
    sr: int | None = None,
    output: PathLike | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Separated | Run:
    """The sounds of a recording, found by regions that mark where each is heard.

    Without ``output`` nothing is written and all sounds are in memory, each as large as
    the recording; of long recordings leave a run with ``output``.

    Parameters
    ----------
    song : path, Audio or array of floats
        The recording; an array is (n_samples,) or (n_channels, n_samples).
    labels : path or sequence of Region
        Where each sound is heard, on the clock of the song: an Audacity label track, a
        CSV, or regions (start and end in seconds, name).
    settings : LabelSettings, optional
        The options.
    sr : int, optional
        The sample rate of an array in Hz.
    output : path, optional
        A folder for runs: the song's own run folder in it is written, as the command
        does. The song and the labels are then paths.
    overwrite : bool
        Replace a finished run in ``output``. Files in it that no run wrote, or a person
        changed, are kept.
    progress : callable, optional
        Called as ``progress(stage, done, total, note)``.
    **options
        Fields of `LabelSettings`, such as ``n_rest=0``; they override those in
        ``settings``. Options of files (figures, report, format, ...) have an effect
        only with ``output``.

    Returns
    -------
    Separated
        A dict of str to `Audio`: each sound by its name, and the rest. Each has the
        recording's rate, channels and length; they add up to it.
    Run
        With ``output``: the folder and its report.

    Raises
    ------
    AudioError
        If the recording cannot be read, or an array comes without its rate.
    ScoreError
        If the labels cannot be read, or say nothing of the recording.
    ParameterError
        If there is no such option, or it is out of range.
    OutputError
        If the run cannot be written; nothing is left behind.

    Examples
    --------
    >>> import specnmf
    >>> regions = specnmf.read_regions("audio_examples/greensleeves/labels.txt")
    >>> sounds = specnmf.label(
    ...     "audio_examples/greensleeves/greensleeves.flac",
    ...     regions,
    ...     n_rest=0,
    ...     duration=6.0,
    ...     max_iter=5,
    ... )
    >>> list(sounds)
    ['guitar', 'recorder']
    """
    found = _do(
        Label(),
        song,
        _settings(LabelSettings, settings, options),
        sr=sr,
        inputs={"labels": labels},
        output=output,
        overwrite=overwrite,
        progress=progress,
    )
    return found if isinstance(found, Run) else stems_of(found)


@overload
def drums(
    song: SongLike,
    settings: DrumSettings | None = None,
    *,
    sr: int | None = None,
    score: PathLike | Score | Alignment | None = None,
    kit: PathLike | None = None,
    output: None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Separated: ...
@overload
def drums(
    song: PathLike,
    settings: DrumSettings | None = None,
    *,
    score: PathLike | None = None,
    kit: PathLike | None = None,
    output: PathLike,
    overwrite: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Run: ...
def drums(
    song: SongLike,
    settings: DrumSettings | None = None,
    *,
    sr: int | None = None,
    score: PathLike | Score | Alignment | None = None,
    kit: PathLike | None = None,
    output: PathLike | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Separated | Run:
    """The drums of a recording, each as a stem, and the rest.

    Without ``output`` nothing is written and all stems are in memory, each as large as
    the recording; of long recordings leave a run with ``output``.

    Parameters
    ----------
    song : path, Audio or array of floats
        The recording; an array is (n_samples,) or (n_channels, n_samples).
    settings : DrumSettings, optional
        The options.
    sr : int, optional
        The sample rate of an array in Hz.
    score : path, Score or Alignment, optional
        The strokes; by default they are heard.
    kit : path, optional
        The sounds to start from: a folder of one-shots that are named after drums, or
        templates of ``specnmf learn``; by default built-in kits.
    output : path, optional
        A folder for runs: the song's own run folder in it is written, as the command
        does. The song and all else that is given are then paths.
    overwrite : bool
        Replace a finished run in ``output``. Files in it that no run wrote, or a person
        changed, are kept.
    progress : callable, optional
        Called as ``progress(stage, done, total, note)``.
    **options
        Fields of `DrumSettings`, such as ``drums=("kick", "snare")``; they override
        those in ``settings``. Options of files (figures, report, format, ...) have an
        effect only with ``output``.

    Returns
    -------
    Separated
        A dict of str to `Audio`: each drum by its name, and the rest. Each has the
        recording's rate, channels and length; they add up to it. Its ``notes`` are the
        strokes, on General MIDI's drum notes.
    Run
        With ``output``: the folder and its report.

    Raises
    ------
    AudioError
        If the recording, or a one-shot, cannot be read, or an array comes without its
        rate.
    ScoreError
        If the score cannot be read, or has no drums.
    TemplateError
        If the kit holds no drums, or does not fit the recording.
    ParameterError
        If there is no such option, or it is out of range.
    OutputError
        If the run cannot be written; nothing is left behind.

    Examples
    --------
    >>> import specnmf
    >>> stems = specnmf.drums(
    ...     "audio_examples/drums/drums.flac", duration=3.0, max_iter=10
    ... )
    >>> list(stems)
    ['kick', 'snare', 'hihat', 'rest']
    """
    found = _do(
        Drums(),
        song,
        _settings(DrumSettings, settings, options),
        sr=sr,
        inputs={"score": score, "kit": kit},
        output=output,
        overwrite=overwrite,
        progress=progress,
    )
    return found if isinstance(found, Run) else stems_of(found)


@overload
def layers(
    song: SongLike,
    ranks: Sequence[int] | None = None,
    settings: LayerSettings | None = None,
    *,
    sr: int | None = None,
    labels: PathLike | Iterable[Region] | None = None,
    output: None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Separated: ...
@overload
def layers(
    song: PathLike,
    ranks: Sequence[int] | None = None,
    settings: LayerSettings | None = None,
    *,
    labels: PathLike | None = None,
    output: PathLike,
    overwrite: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Run: ...
def layers(
    song: SongLike,
    ranks: Sequence[int] | None = None,
    settings: LayerSettings | None = None,
    *,
    sr: int | None = None,
    labels: PathLike | Iterable[Region] | None = None,
    output: PathLike | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Separated | Run:
    """A recording in layers: its notes, and which of them sound together.

    Without ``output`` nothing is written and the components of all layers are in
    memory, each as large as the recording; of long recordings leave a run with
    ``output``, or ask for few layers as sound with ``stems``.

    Parameters
    ----------
    song : path, Audio or array of floats
        The recording; an array is (n_samples,) or (n_channels, n_samples).
    ranks : sequence of int, optional
        Components of each layer, from the sound up, each fewer; by default those of the
        settings.
    settings : LayerSettings, optional
        The options.
    sr : int, optional
        The sample rate of an array in Hz.
    labels : path or sequence of Region, optional
        Regions with names that the last layer is to follow, on the clock of the song.
    output : path, optional
        A folder for runs: the song's own run folder in it is written, as the command
        does. The song and the labels are then paths.
    overwrite : bool
        Replace a finished run in ``output``. Files in it that no run wrote, or a person
        changed, are kept.
    progress : callable, optional
        Called as ``progress(stage, done, total, note)``.
    **options
        Fields of `LayerSettings`, such as ``method="neural"``; they override those in
        ``settings``. Options of files (figures, report, format, ...) have an effect
        only with ``output``.

    Returns
    -------
    Separated
        A dict of str to `Audio`: layer_1/component_01 and so on. Each has the
        recording's rate, channels and length; those of each layer add up to it. With
        ``fmin`` or ``fmax`` each layer has ``outside``, too. Its ``layers`` are the
        `Layers`, its ``factors`` those of the first.
    Run
        With ``output``: the folder and its report.

    Raises
    ------
    AudioError
        If the recording cannot be read, or an array comes without its rate.
    ScoreError
        If the labels cannot be read, or say nothing of the recording.
    ParameterError
        If there is no such option, or it is out of range.
    OutputError
        If the run cannot be written; nothing is left behind.

    Examples
    --------
    >>> import specnmf
    >>> found = specnmf.layers(
    ...     "audio_examples/chorale/chorale.flac", [4, 2], duration=3.0, max_iter=20
    ... )
    >>> list(found)[-2:]
    ['layer_2/component_01', 'layer_2/component_02']
    >>> found.layers.ranks
    (4, 2)
    """
    chosen = options if ranks is None else {**options, "ranks": ranks}
    found = _do(
        Layers(),
        song,
        _settings(LayerSettings, settings, chosen),
        sr=sr,
        inputs={"labels": labels},
        output=output,
        overwrite=overwrite,
        progress=progress,
    )
    if isinstance(found, Run):
        return found
    stems = stems_of(found)
    stems.layers = found.layers
    return stems


def _do(
    task: Task[Any],
    song: SongLike,
    settings: Any,
    *,
    sr: int | None,
    inputs: Mapping[str, Any],
    output: PathLike | None,
    overwrite: bool,
    progress: Progress | None,
) -> Any:
    """The `Run` of a song where there is an output, else what was fitted."""
    if output is None:
        return fit_song(task, song, settings, sr=sr, inputs=inputs, progress=progress)
    if not isinstance(song, str | os.PathLike):
        raise OutputError(
            "a run records its file, got no path; write the audio first: "
            "specnmf.write(path, audio)"
        )
    check_no_rate(song, sr)
    return run(
        task,
        Path(song),
        settings,
        inputs={name: _file(name, given) for name, given in inputs.items()},
        output=Path(output),
        overwrite=overwrite,
        progress=progress,
    )


def _file(name: str, given: Any) -> Path | None:
    """The path of an input of a run, if it is given."""
    if given is None:
        return None
    if not isinstance(given, str | os.PathLike):
        how = _WRITING.get(name, "specnmf.decompose(..., output=...)")
        if isinstance(given, Templates):
            how = "specnmf.write_templates(path, templates)"
        raise OutputError(
            f"a run records its files, got no path for {name}; write them first: {how}"
        )
    return Path(given)


def _settings(
    kind: type[AnySettings], settings: AnySettings | None, options: Mapping[str, Any]
) -> AnySettings:
    """Settings of a kind, with some options in place of theirs."""
    base = kind() if settings is None else settings
    if not isinstance(base, kind):
        raise ParameterError(
            f"settings must be {kind.__name__}, got {type(base).__name__}"
        )
    if not options:
        return base
    parsers = {each.name: declaration(each).parse for each in fields(kind)}
    plain = {name: _value(each, parsers.get(name)) for name, each in options.items()}
    return from_plain(kind, {**asdict(base), **plain})


def _value(value: Any, parse: Callable[[Any], Any] | None) -> Any:
    """An option's value: text as on the command line is read, arrays become lists."""
    if isinstance(value, str) and parse is not None:
        return parse(value)
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
