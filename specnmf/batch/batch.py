"""A batch, from a folder of songs to a folder of runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specnmf.batch import machine
from specnmf.batch.finding import (
    RECORDINGS,
    Song,
    Sought,
    described,
    find_songs,
    listed_songs,
)
from specnmf.batch.gathering import check_flat
from specnmf.batch.planning import Plan, Recipe, check_targets
from specnmf.batch.running import Batch, Processes, Summary, Unwatched, Watcher
from specnmf.batch.settings import AUTO, BatchSettings
from specnmf.batch.stores.manifest import read_history
from specnmf.batch.stores.places import absolute, is_folder, local_copy, open_store
from specnmf.batch.stores.store import Store, Unreadable, ignore, told
from specnmf.checks import check_choice
from specnmf.errors import BatchError, ParameterError
from specnmf.methods.components.options import ComponentOptions
from specnmf.output.products import sha256
from specnmf.tasks.registry import TASKS
from specnmf.tasks.settings import RunSettings, SongSettings
from specnmf.tasks.task import Input, Task

if TYPE_CHECKING:
    from specnmf.batch.cluster import Cluster

#: The task of auto for songs that have a score.
BY_SCORE = "separate"


@dataclass(frozen=True, kw_only=True)
class Request:
    """The arguments of a batch, as `run_batch` explains them."""

    source: str
    output: str = "specnmf_out"
    task: str = AUTO
    settings: Sequence[SongSettings] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    batch: BatchSettings = field(default_factory=BatchSettings)
    names: Sequence[str] | None = None
    command: str = ""  #: For run.json.

    def tasks(self) -> list[Task[Any]]:
        """The possible tasks, preferred ones first."""
        check_choice("task", self.task, (AUTO, *TASKS))
        if self.task != AUTO:
            return [TASKS[self.task]]
        names: list[str] = [self.batch.without_score]
        if self.batch.scores or "score" in self.inputs:
            names.insert(0, BY_SCORE)
        return [TASKS[name] for name in dict.fromkeys(names)]

    def inputs_of(self, tasks: Sequence[Task[Any]]) -> list[Input]:
        """The given inputs of these tasks; ParameterError if one is of no task."""
        known = {each.name: each for task in tasks for each in task.inputs}
        for name in self.inputs:
            if name not in known:
                names = " and ".join(task.name for task in tasks)
                raise ParameterError(f"{name} is not an input of {names}")
        return list(known.values())


def run_batch(
    source: str | Path,
    *,
    output: str | Path = "specnmf_out",
    task: str = AUTO,
    settings: Sequence[SongSettings] = (),
    inputs: Mapping[str, str | Path] | None = None,
    batch: BatchSettings | None = None,
    names: Sequence[str] | None = None,
    watcher: Watcher | None = None,
) -> Summary:
    """The outcome of a task that is run on every song of a folder.

    Each song gets a run folder of its own. The worker processes import the main module
    of the program, as those of ``multiprocessing`` do: in a script, call this under
    ``if __name__ == "__main__":``.

    Parameters
    ----------
    source, output : path or URL
        The folder of the songs, and the folder for the runs.
    task : str
        ``"decompose"``, ``"separate"``, ... or ``"auto"``: songs with a score beside
        them are separated by it, the others get the task ``batch.without_score``.
    settings : sequence of SongSettings
        Settings of the tasks, such as ``[Settings(n_components=4)]``; a task without
        settings here has its defaults.
    inputs : mapping of str to path or URL, optional
        By the name of the task's input, such as ``score``: one file for all songs, or a
        folder with one file for each song, of the song's name. For a song without a
        file there, the file beside it counts, if the task looks for one.
    batch : BatchSettings, optional
        Settings of the batch itself. Its ``report_audio`` applies to all tasks: unlike
        a single run, a batch links to the files, as encoding takes long.
    names : sequence of str, optional
        The songs, relative to the folder; by default all recordings in it.
    watcher : Watcher, optional
        Receives the events of the batch.

    Returns
    -------
    Summary
        Counts, durations and failures; a song that fails raises nothing, but is a
        `Failure` in it.

    Raises
    ------
    AudioError, ParameterError, BatchError
        If the batch cannot start: the folder has no songs, cannot be read, holds
        another batch, or is in use by one.

    Examples
    --------
    >>> import specnmf
    >>> settings = specnmf.Settings(
    ...     n_components=2, max_iter=5, duration=1.0, report=False, figures=False
    ... )
    >>> summary = specnmf.run_batch(
    ...     "audio_examples/drums",
    ...     output="batch",
    ...     task="decompose",
    ...     settings=[settings],
    ...     batch=specnmf.BatchSettings(jobs=1),
    ... )
    >>> summary.done, summary.failed
    (1, 0)
    """
    request = Request(
        source=str(source),
        output=str(output),
        task=task,
        settings=settings,
        inputs={name: str(place) for name, place in (inputs or {}).items()},
        batch=batch or BatchSettings(),
        names=names,
    )
    with begun(make_plan(request), watcher or Unwatched()) as running:
        return running.run()


def make_plan(request: Request, *, unreadable: Unreadable = ignore) -> Plan:
    """The plan of a batch; nothing is written yet.

    ``unreadable`` is called with the name of a folder that cannot be read, and the
    reason.

    Raises
    ------
    BatchError
        If there are no songs, if two songs would share a folder, or if the folder of
        runs holds a batch and neither resume nor overwrite is set.
    AudioError, ParameterError
        If the folder of songs or a file for all cannot be read.
    """
    source, output = map(open_store, map(absolute, (request.source, request.output)))
    settings = request.batch
    if output.has_manifest() and not (settings.resumes or settings.overwrite):
        raise BatchError(
            f"{request.output} holds a batch; use --resume to continue it, "
            "--overwrite to make it again, or another --output"
        )
    recipe, sought = _recipe(request)
    passed_over = Counter[str]()
    if request.names is not None:
        found = listed_songs(source, request.names, sought=sought)
    else:
        found = find_songs(
            source,
            recursive=settings.recursive,
            include=settings.include,
            exclude=settings.exclude,
            sought=sought,
            apart=source.inside(output),
            unreadable=unreadable,
            passed_over=passed_over,
        )
    songs = list(found)
    if not songs:
        raise _no_songs(request, passed_over)
    check_targets(songs)
    _check_apart(songs, recipe.given, output)
    if settings.flat is not None:
        check_flat(settings, songs, source, output, _patterns(recipe))
    history = read_history(output) if settings.resumes else {}
    unused = [
        (each.input.name, request.inputs[each.input.name])
        for each in sought
        if each.folder is not None and not any(map(each.has, songs))
    ]
    return Plan(songs, source, output, recipe, settings, history, passed_over, unused)


def _patterns(recipe: Recipe) -> list[str]:
    """The patterns of the names of sources, of the tasks that write sources."""
    own = recipe.settings.values()
    return [each.name for each in own if isinstance(each, RunSettings) and each.sources]


def _no_songs(request: Request, passed_over: Counter[str]) -> BatchError:
    """The error if there are no songs, with likely causes."""
    if request.names is not None:
        return BatchError("the list of files is empty")
    settings = request.batch
    patterns = settings.include or settings.exclude
    others = f" (ignored: {described(passed_over)})" if passed_over else ""
    hints = [
        "convert other formats, for example with ffmpeg" if passed_over else "",
        "" if settings.recursive else "use --recursive to search subfolders",
        "check --include and --exclude" if patterns else "",
    ]
    kinds = ", ".join(sorted(RECORDINGS))
    return BatchError(
        f"{request.source}: no recordings{others}; "
        f"{'; '.join([*filter(None, hints), f'supported: {kinds}'])}"
    )


def _check_apart(
    songs: Iterable[Song], given: Mapping[str, str], output: Store
) -> None:
    """Raise BatchError if a file for all songs is where a run will be written."""
    for name, place in given.items():
        inside = output.inside(open_store(place)) or ""
        for song in songs:
            if inside.startswith(f"{song.target}/"):
                raise BatchError(
                    f"{place}: the {name} for all songs: it is in the run of "
                    f"{song.name}; copy it elsewhere first"
                )


@contextmanager
def begun(plan: Plan, watcher: Watcher) -> Iterator[Batch]:
    """Yield the batch of a plan, with its workers started and its folder locked.

    BatchError if another batch uses the folder, or it cannot be written.
    """
    with plan.output.lock(), closing(_workers(plan, watcher)) as workers:
        plan.sweep(plan.songs)
        with closing(plan.output.manifest()) as manifest:
            try:
                yield Batch(plan, workers, manifest, watcher)
            except BaseException:
                workers.kill()
                raise
            finally:
                workers.close()
                plan.sweep(plan.songs)


def _workers(plan: Plan, watcher: Watcher) -> Processes | Cluster:
    settings = plan.settings
    if settings.scheduler is not None:
        from specnmf.batch.cluster import Cluster

        return Cluster(settings.scheduler, watcher.said)
    own = plan.recipe.settings.values()
    memory = max(getattr(each, "memory", ComponentOptions.memory) for each in own)
    jobs = machine.n_jobs(settings, memory)
    return Processes(jobs, machine.share(settings, jobs), watcher.said)


def _recipe(request: Request) -> tuple[Recipe, list[Sought]]:
    """The tasks of the songs, and the files to look for beside them."""
    tasks = request.tasks()
    looks_beside = request.batch.scores or request.task != AUTO
    own = {type(settings): settings for settings in request.settings}
    audio = request.batch.report_audio
    settings = {
        task.name: replace(
            own.get(task.settings) or task.settings(), report_audio=audio
        )
        for task in tasks
    }
    given, sought = {}, []
    for each in request.inputs_of(tasks):
        place = request.inputs.get(each.name)
        if place is not None and not is_folder(place):
            given[each.name] = absolute(place)
            continue
        if place is not None:
            sought.append(Sought(each, open_store(absolute(place))))
        if each.beside and looks_beside and _is_taken(each, tasks, settings):
            sought.append(Sought(each))
    recipe = Recipe(
        tasks=tasks,
        settings=settings,
        given=given,
        checksums={name: _sha256(place) for name, place in given.items()},
        command=request.command,
    )
    return recipe, sought


def _is_taken(
    input: Input, tasks: Sequence[Task[Any]], settings: Mapping[str, SongSettings]
) -> bool:
    """Whether a task takes a file beside a song as this input."""
    return any(
        input in task.inputs and task.looks_beside(settings[task.name])
        for task in tasks
    )


def _sha256(place: str) -> str:
    with local_copy(place) as path, told(BatchError, place):
        return sha256(path)
