"""Learn templates from sounds, from a labelled recording, or from a finished run."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.reading import PathLike, SongLike
from specnmf.audio.recording import Audio, audio_of
from specnmf.audio.stft import Grid
from specnmf.errors import AudioError, ParameterError, TemplateError
from specnmf.evaluation.inputs import SUFFIXES
from specnmf.factor.factorization import Factorization
from specnmf.methods.learned.learning import (
    learned_by_labels,
    learned_from,
    named,
    read_sound,
)
from specnmf.methods.learned.options import LearnSettings
from specnmf.methods.learned.storing import PATTERN_W
from specnmf.methods.learned.templates import Templates, merged
from specnmf.options import from_plain
from specnmf.output.products import sha256
from specnmf.output.stored import MODEL, read_factors, stored_model
from specnmf.record.record import SONG, read_record
from specnmf.score.regions import Region

#: What sounds may be given as.
Sounds = PathLike | Sequence[PathLike] | Mapping[str, SongLike | Sequence[SongLike]]

#: ``progress(stage, done, total, note)``.
Progress = Callable[[str, int, int, str], None]

#: How many names of components an error lists.
LISTED = 12


class Sound(NamedTuple):
    """A recording to learn from, and the group of its templates."""

    group: str
    song: Path | Audio

    @property
    def title(self) -> str:
        """What messages call it."""
        return str(self.song) if isinstance(self.song, Path) else self.group


def learn(
    sounds: Sounds,
    settings: LearnSettings | None = None,
    *,
    labels: PathLike | Iterable[Region] | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Templates:
    """Templates of sounds, as ``specnmf learn`` learns them.

    Parameters
    ----------
    sounds : path, sequence of paths, or mapping of str to recordings
        Recordings, each with one sound alone, or folders of them. The name of a file
        becomes a group; the recordings in a folder within a folder have the folder's
        name as their group. A mapping gives the groups names: each has a recording (a
        path, an `Audio`), or a sequence of them.
    settings : LearnSettings, optional
        The options.
    labels : path or sequence of Region, optional
        Where each sound is heard in the one recording that ``sounds`` then is.
    progress : callable, optional
        Called as ``progress(stage, done, total, note)``.
    **options
        Fields of `LearnSettings`, such as ``n_components=8, n_template_frames=8``; they
        override those in ``settings``.

    Returns
    -------
    Templates
        In order of the sounds; those of one sound by energy. Their grid is that of the
        first sound.

    Raises
    ------
    AudioError
        If there is no recording, or one cannot be read.
    ScoreError
        If the labels cannot be read, or say nothing of the recording.
    TemplateError
        If a sound is silent, or its rate and window do not fit those of the first.
    ParameterError
        If there is no such option, or it is out of range.

    References
    ----------
    Smaragdis, Raj and Shashanka, "Supervised and semi-supervised separation of sounds
    from single-channel mixtures", ICA 2007.

    Examples
    --------
    >>> import specnmf
    >>> stems = "audio_examples/drums/stems"
    >>> kit = specnmf.learn(stems, n_components=1, duration=2.0)
    >>> kit
    Templates(3 templates of 1 frame, 3 groups, 1025 bins, 44100 Hz)
    >>> kit.names
    ('hihat', 'kick', 'snare')
    >>> song = "audio_examples/drums/drums.flac"
    >>> list(specnmf.decompose(song, templates=kit, duration=2.0))
    ['hihat', 'kick', 'snare']
    """
    chosen = _settings(settings, options)
    found = list(_found(sounds))
    if labels is not None:
        return _by_labels(found, labels, chosen)
    parts = []
    for number, sound in enumerate(found):
        if progress is not None:
            progress("learn", number, len(found), sound.title)
        parts.append(_learned(sound, chosen))
    if progress is not None:
        progress("learn", len(found), len(found), "")
    return _together(parts, found)


def learn_from_run(
    run: PathLike, components: Mapping[str, Sequence[str]] | None = None
) -> Templates:
    """Templates of a finished run.

    Parameters
    ----------
    run : path
        The folder of a run that has a factors.npz.
    components : mapping of str to sequence of str, optional
        The labels of components, by the group that they become; by default all, with
        their labels as groups.

    Raises
    ------
    OutputError
        If it is not a finished run, or has no factors.
    ParameterError
        If there is no such component, or two groups have the same.
    TemplateError
        If they are no templates.
    """
    record = read_record(Path(run))
    factors = read_factors(record.folder).factors
    labels = np.array(factors.labels)
    if components is None:
        components = {label: [label] for label in dict.fromkeys(factors.labels)}
    places: list[int] = []
    groups: list[str] = []
    for group, wanted in components.items():
        for label in wanted:
            found = np.flatnonzero(labels == label).tolist()
            if not found:
                raise ParameterError(
                    f"{run}: no component {label!r}; it has {_listed(factors.labels)}"
                )
            places += found
            groups += [group] * len(found)
    if len(set(places)) < len(places):
        raise ParameterError("a component is given twice; keep it in one group")
    grid = Grid(_rate(record.content), 0, *_window(record.used))
    try:
        own = named(_templates_of(record.folder, factors)[:, places], groups, grid)
        source = record.song.name, record.checksums[SONG]
        return dataclasses.replace(own, sources=(source,))
    except TemplateError as error:
        raise TemplateError(f"{run}: {error}") from error


def _templates_of(folder: Path, factors: Factorization) -> NDArray[np.floating]:
    """The templates of a run, those of several frames where it has such."""
    if (folder / MODEL).exists():
        stored = stored_model(folder)
        if PATTERN_W in stored:
            shape = (*factors.W.shape, None)
            return stored.floats(PATTERN_W, shape, np.float32, least=0)
    return factors.W[:, :, np.newaxis]


def _settings(
    settings: LearnSettings | None, options: Mapping[str, Any]
) -> LearnSettings:
    """The settings, with some options in place of theirs."""
    base = settings or LearnSettings()
    return from_plain(LearnSettings, {**dataclasses.asdict(base), **options})


def _by_labels(
    found: Sequence[Sound],
    labels: PathLike | Iterable[Region],
    settings: LearnSettings,
) -> Templates:
    if len(found) != 1:
        raise ParameterError(
            f"labels are for one recording, got {len(found)}; leave out the others"
        )
    (sound,) = found
    learned = learned_by_labels(_audio(sound, settings), labels, settings)
    return dataclasses.replace(learned, sources=_sources(found))


def _learned(sound: Sound, settings: LearnSettings) -> Templates:
    try:
        return learned_from(_audio(sound, settings), sound.group, settings)
    except (TemplateError, ParameterError) as error:
        raise type(error)(f"{sound.title}: {error}") from error


def _audio(sound: Sound, settings: LearnSettings) -> Audio:
    if isinstance(sound.song, Path):
        return read_sound(sound.song, settings)
    return sound.song.excerpt(settings.start, settings.duration)


def _together(parts: Sequence[Templates], found: Sequence[Sound]) -> Templates:
    """The templates of all sounds, numbered within their groups."""
    for part, sound in zip(parts, found, strict=True):
        try:
            merged([parts[0], part])
        except TemplateError as error:
            raise TemplateError(f"{sound.title}: {error}") from error
    all_of = merged(parts)
    order = sorted(
        range(all_of.n_templates), key=lambda k: all_of.stems.index(all_of.groups[k])
    )
    grid = Grid(all_of.sr, 0, all_of.n_fft, all_of.hop_length)
    own = named(all_of.W[:, order], [all_of.groups[k] for k in order], grid)
    return dataclasses.replace(own, sources=_sources(found))


def _sources(found: Iterable[Sound]) -> tuple[tuple[str, str], ...]:
    """The name and the SHA-256 of each file."""
    return tuple(
        (each.song.name, sha256(each.song))
        for each in found
        if isinstance(each.song, Path)
    )


def _found(sounds: Sounds) -> Iterator[Sound]:
    """The recordings to learn from, with their groups."""
    if isinstance(sounds, Mapping):
        for group, given in sounds.items():
            if isinstance(given, str | os.PathLike | Audio | np.ndarray):
                yield from _called(group, given)
                continue
            for song in given:
                yield from _called(group, song)
        return
    for path in [sounds] if isinstance(sounds, str | os.PathLike) else sounds:
        if not isinstance(path, str | os.PathLike):
            raise AudioError(
                "expected paths, or a mapping of names to recordings, got "
                f"{type(path).__name__}"
            )
        yield from _in(Path(path))


def _called(group: str, song: SongLike) -> Iterator[Sound]:
    """A recording, or all of a folder, in a group."""
    if not isinstance(song, str | os.PathLike):
        yield Sound(group, audio_of(song, None))
    elif Path(song).is_dir():
        for file in _recordings(Path(song)):
            yield Sound(group, file)
    else:
        yield Sound(group, Path(song))


def _in(path: Path) -> Iterator[Sound]:
    """The recordings at a path; those in folders within it have their names."""
    if not path.is_dir():
        yield Sound(path.stem, path)
        return
    folders = [each for each in _listing(path) if each.is_dir()]
    files = _recordings(path, needed=not folders)
    for file in files:
        yield Sound(file.stem, file)
    for folder in folders:
        for file in _recordings(folder, needed=not (files or len(folders) > 1)):
            yield Sound(folder.name, file)


def _recordings(folder: Path, *, needed: bool = True) -> list[Path]:
    """The recordings in a folder, by name."""
    files = [each for each in _listing(folder) if each.suffix.lower() in SUFFIXES]
    files = [each for each in files if each.is_file()]
    if needed and not files:
        raise AudioError(
            f"{folder}: no recordings in it, expected wav, flac, ogg or mp3 files"
        )
    return files


def _listing(folder: Path) -> list[Path]:
    """What is in a folder, by name; nothing that is hidden."""
    try:
        return sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    except OSError as error:
        raise AudioError(f"{folder}: cannot be listed ({error.strerror})") from error


def _rate(content: Mapping[str, Any]) -> int:
    """The sample rate in a run.json."""
    audio = content.get("audio")
    sr = audio.get("sr") if isinstance(audio, dict) else None
    if not isinstance(sr, int):
        raise TemplateError(f"expected the sample rate in run.json, got {sr!r:.40}")
    return sr


def _window(used: Any) -> tuple[int, int]:
    """Window and hop of a run, as they were used."""
    if used.n_fft is None or used.hop_length is None:
        raise TemplateError("expected the window in run.json, got none")
    return used.n_fft, used.hop_length


def _listed(labels: Sequence[str]) -> str:
    names = list(dict.fromkeys(labels))
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
