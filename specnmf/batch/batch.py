"""A batch from its folder of songs to its folder of runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from specnmf.batch import machine, work
from specnmf.batch.crew import Crew, Listener
from specnmf.batch.finding import Song, find_songs, listed_songs
from specnmf.batch.planning import Plan, Recipe, check_targets
from specnmf.batch.running import Batch, Summary, Unwatched, Watcher, Workers
from specnmf.batch.stores.manifest import read_history
from specnmf.batch.stores.places import absolute, local_copy, open_store
from specnmf.batch.stores.store import Store, told
from specnmf.batch.work import Job, Outcome
from specnmf.batch.worker import Limits
from specnmf.errors import BatchError
from specnmf.output import report
from specnmf.pipeline.run import settings_hash
from specnmf.settings import BatchSettings, ScoreSettings, Settings


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked of a batch.

    Attributes
    ----------
    source : str
        The folder of songs, a path or an URL.
    output : str
        The folder of runs.
    settings : Settings
        Of songs without a score.
    score_settings : ScoreSettings
        Of songs with one.
    batch : BatchSettings
        How to go about it.
    names : sequence of str or None
        The songs, relative to the folder; None: all that are found in it.
    score : str or None
        A score for all songs.
    templates : str or None
        Templates to hold fixed in songs without a score.
    command : str
        For run.json.
    """

    source: str
    output: str = "specnmf_out"
    settings: Settings = field(default_factory=Settings)
    score_settings: ScoreSettings = field(default_factory=ScoreSettings)
    batch: BatchSettings = field(default_factory=BatchSettings)
    names: Sequence[str] | None = None
    score: str | None = None
    templates: str | None = None
    command: str = ""


def run_batch(
    source: str | Path,
    *,
    output: str | Path = "specnmf_out",
    settings: Settings | None = None,
    score_settings: ScoreSettings | None = None,
    batch: BatchSettings | None = None,
    names: Sequence[str] | None = None,
    score: str | Path | None = None,
    templates: str | Path | None = None,
    watcher: Watcher | None = None,
) -> Summary:
    """Take the songs of a folder apart, each into a run folder of its own.

    The processes that do it import the program's main module, as those of
    `multiprocessing` do: a script calls this under ``if __name__ == "__main__":``.

    Parameters
    ----------
    source, output : path or URL
        The folder of songs, and that of the runs.
    settings, score_settings : Settings, ScoreSettings
        Of songs without a score, and of those with one.
    batch : BatchSettings
        How to go about it.
    names : sequence of str, optional
        The songs, relative to the folder; by default all that are found in it.
    score : path or URL, optional
        A score for all songs.
    templates : path or URL, optional
        Templates to hold fixed in songs without a score.
    watcher : Watcher, optional
        Told how it goes on.

    Returns
    -------
    Summary
        What came of it; a song that failed is a `Failure` in it.

    Raises
    ------
    AudioError, ParameterError, BatchError
        If the batch cannot begin, as `make_plan` and `begun` say.
    """
    request = Request(
        source=str(source),
        output=str(output),
        settings=settings or Settings(),
        score_settings=score_settings or ScoreSettings(),
        batch=batch or BatchSettings(),
        names=names,
        score=None if score is None else str(score),
        templates=None if templates is None else str(templates),
    )
    with begun(make_plan(request), watcher or Unwatched()) as running:
        return running.run()


def make_plan(
    request: Request, *, unreadable: Callable[[str, str], None] | None = None
) -> Plan:
    """What a batch would do: nothing is written yet.

    Parameters
    ----------
    request : Request
        What is asked.
    unreadable : callable, optional
        Called with the name of a folder that cannot be read, and why.

    Raises
    ------
    BatchError
        If two songs want one folder, or the folder of runs is another batch's and it
        is neither to be resumed nor overwritten.
    AudioError, ParameterError
        If the folder of songs, the score or the templates cannot be read.
    """
    source, output = map(open_store, map(absolute, (request.source, request.output)))
    settings = request.batch
    if output.has_manifest() and not (settings.resumes or settings.overwrite):
        raise BatchError(
            f"{request.output} holds a batch; use --resume to go on with it, "
            "--overwrite to make it again, or another --output"
        )
    songs = list(_songs(request, source, output, unreadable))
    if request.score is not None:  # a change of it is a change of all
        stamp = _sha256(absolute(request.score))
        songs = [replace(song, stamps=f"{song.stamps} {stamp}") for song in songs]
    check_targets(songs)
    history = read_history(output) if settings.resumes else {}
    return Plan(songs, source, output, _recipe(request), settings, history)


@contextmanager
def begun(plan: Plan, watcher: Watcher) -> Iterator[Batch]:
    """Yield the batch of a plan, with its workers at hand and its folder locked.

    Raises
    ------
    BatchError
        If another batch is at work in that folder, or it cannot be written.
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


class Processes:
    """Runs jobs in processes on this machine.

    Parameters
    ----------
    capacity : int
        How many processes.
    limits : Limits
        Of each.
    listener : callable
        Called with the progress of songs.
    """

    def __init__(self, capacity: int, limits: Limits, listener: Listener) -> None:
        self.capacity = capacity
        self.crew = Crew(capacity, limits=limits, listener=listener)

    def submit(self, job: Job, /) -> Future[Outcome]:
        """Schedule a job."""
        return self.crew.submit(work.do, job)

    def kill(self) -> None:
        """Stop now, whatever is running."""
        self.crew.kill()

    def close(self) -> None:
        """End the processes, once they have nothing more to do."""
        self.crew.shutdown()


def _workers(plan: Plan, watcher: Watcher) -> Workers:
    settings = plan.settings
    if settings.scheduler is not None:
        from specnmf.batch.cluster import Cluster

        return Cluster(settings.scheduler, watcher.said)
    jobs = machine.n_jobs(settings, plan.recipe.settings)
    return Processes(jobs, machine.share(settings, jobs), watcher.said)


def _songs(
    request: Request,
    source: Store,
    output: Store,
    unreadable: Callable[[str, str], None] | None,
) -> Iterator[Song]:
    settings = request.batch
    scores = settings.scores and request.score is None
    if request.names is not None:
        yield from listed_songs(source, request.names, scores=scores)
        return
    yield from find_songs(
        source,
        recursive=settings.recursive,
        include=settings.include,
        exclude=settings.exclude,
        scores=scores,
        apart=source.inside(output),
        unreadable=unreadable,
    )


def _recipe(request: Request) -> Recipe:
    score, templates = map(_file, (request.score, request.templates))
    return Recipe(
        settings=request.settings,
        settings_hash=settings_hash(request.settings, templates=_sha256(templates)),
        score_settings=request.score_settings,
        score_hash=settings_hash(request.score_settings),
        score=score,
        templates=templates,
        redo=request.batch.overwrite,
        seconds=request.batch.timeout,
        command=request.command,
    )


def _file(place: str | None) -> str | None:
    return None if place is None else absolute(place)


def _sha256(place: str | None) -> str | None:
    if place is None:
        return None
    with local_copy(place) as path, told(BatchError, place):
        return report.sha256(path)
