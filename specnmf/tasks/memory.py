"""A task done in memory: what `specnmf.tasks.run` does, but nothing is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.reading import SongLike, check_no_rate, reading
from specnmf.audio.recording import BLOCK, Audio, audio_of
from specnmf.audio.resynthesis import Buffer
from specnmf.audio.separated import Separated
from specnmf.output.selection import Group, select
from specnmf.output.sources import exact_samples, share_rest
from specnmf.parallel import cut
from specnmf.score.notes import Score
from specnmf.subnormals import flush_to_zero
from specnmf.tasks.run import sound_remarks
from specnmf.tasks.stages import Progress, Stages
from specnmf.tasks.task import AnyResult, Result, Song, Sources, Task

#: What a recording in memory is called.
UNNAMED = Path("recording")


def fit_song(
    task: Task[Any],
    song: SongLike,
    settings: Any,
    *,
    sr: int | None,
    inputs: Mapping[str, Any],
    progress: Progress | None,
) -> AnyResult[Any]:
    """What a task makes of a song, before anything is written.

    Parameters
    ----------
    task : Task
        What to do.
    song : path, Audio or array of floats
        The recording.
    settings : SongSettings
        Of the task's kind.
    sr : int or None
        The sample rate of an array.
    inputs : mapping of str to object
        By the names of the task's inputs: paths, what such files hold, or None.
    progress : callable or None
        Called as ``progress(stage, done, total, note)``.
    """
    path, held = UNNAMED, None
    if isinstance(song, str | os.PathLike):
        path = Path(song)
        check_no_rate(path, sr)
    else:
        held = audio_of(song, sr)
    given = {name: _plain(each) for name, each in inputs.items() if each is not None}
    for each in task.inputs:
        if each.required and each.name not in given:
            raise each.missing(path)
    asked = Song(path, settings, given, Stages(progress), _expecting(settings), held)
    with asked.stages.stage("read") as step:
        material = task.read(asked, step)
    with asked.stages.compiling():
        return task.fit(asked, material)


def _plain(given: Any) -> Any:
    """An input as tasks take it: a path as a `Path`, all else as it is."""
    return Path(given) if isinstance(given, str | os.PathLike) else given


def _expecting(settings: Any) -> Callable[[Sequence[Group]], None]:
    """Raises a ParameterError where ``only`` does not find what there will be."""

    def expect(groups: Sequence[Group]) -> None:
        select(groups, settings.only)

    return expect


def stems_of(result: Result[Any]) -> Separated:
    """The stems of a fitted song in memory: the samples that a run writes as floats."""
    sounds: dict[str, Audio] = {}
    if result.settings.sources:
        groups = result.sources()
        named = [Group(group.names, group.within) for group in groups]
        chosen = select(named, result.settings.only)
        with result.song.stages.stage("sources"):
            for group, name, numbers in zip(groups, named, chosen, strict=True):
                samples = _samples(result, group, numbers)
                for number, y in zip(numbers, samples, strict=True):
                    sounds[name.path(number)] = Audio(y, result.sound.sr)
    found = Separated(sounds, notes=result.shown())
    found.describe(result.stems.factors, result.stems.grid, result.stems.pitches)
    found.remarks = (*sound_remarks(result), *result.remarks)
    return found


@flush_to_zero()
def _samples(
    result: Result[Any], group: Sources, numbers: Sequence[int]
) -> NDArray[np.float32]:
    """Some of the sources of a group, (n_sources, n_channels, n_samples)."""
    sound = result.sound
    out = np.empty((len(numbers), sound.n_channels, sound.n_samples), np.float32)
    if not numbers:
        return out
    with _mixture(result) as mixture, closing(group.stems.stream(result.settings)) as s:
        for first, block in s:
            n = block.shape[2]
            share_rest(block, mixture.take(n))
            out[:, :, first : first + n] = block[numbers]
    return out


@contextmanager
def _mixture(result: Result[Any]) -> Iterator[Buffer[NDArray[np.float64]]]:
    """The exact samples of the recording, from the beginning of the excerpt."""
    song, sound = result.song, result.sound
    if isinstance(sound, Audio) and song.held is not None:
        spans = cut(slice(0, sound.n_samples), BLOCK)
        yield Buffer(sound.samples[:, span].astype(np.float64) for span in spans)
    else:
        with reading(song.path) as source:
            yield exact_samples(source, song.settings.start)


def notes_of(result: Any) -> Score:
    """The notes of a transcribed song, on its whole recording's clock."""
    from specnmf.tasks.hearing import later

    score = later(result.heard.score, result.settings.start)
    return Score(score.notes, (*sound_remarks(result), *result.remarks))
