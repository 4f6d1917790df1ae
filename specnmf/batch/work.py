"""One job of a batch, from a song to its run folder, on any worker."""

from __future__ import annotations

import json
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from specnmf import jit
from specnmf.batch import worker
from specnmf.batch.stores.places import local_copy, open_store
from specnmf.batch.stores.store import Store
from specnmf.errors import SpecnmfError, WorkerError
from specnmf.output import report
from specnmf.output.products import MOST_REPORT, REPORT, sha256
from specnmf.tasks.run import run
from specnmf.tasks.settings import SongSettings
from specnmf.tasks.task import Task

#: The error of a song that is too large.
NO_MEMORY = "not enough memory; use fewer --jobs, more --max-memory, or --duration"

#: The least seconds between two reports of a song's progress.
QUIET = 0.1

#: One song at a time in a process, however many threads a cluster gives it: the threads
#: of a run are its own.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Job:
    """A song, and the task to run on it."""

    task: Task[Any]
    name: str  #: The song's name in its batch.
    song: str  #: Its path or URL.
    inputs: Mapping[str, str]  #: The location of each input of the task.
    output: str  #: The folder of runs.
    target: str  #: The run's name in that folder.
    settings: SongSettings
    redo: bool = False  #: Make a run with the same settings and inputs again.
    overwrite: bool = True  #: Replace a run with others.
    seconds: float | None = None  #: The time limit.
    command: str = ""  #: For run.json.


class Said(NamedTuple):
    """The progress of a song."""

    name: str
    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class Outcome:
    """The outcome of a job."""

    name: str
    error: str | None = None  #: The reason of a failure, on one line.
    log: str = ""  #: The traceback of a failure, and the output of the process.
    kept: bool = False  #: The run existed, with the same settings and inputs.
    seconds: float = 0.0  #: The duration of the job.
    duration: float = 0.0  #: Of the recording, in seconds.
    facts: dict[str, Any] = field(default_factory=dict)  #: For the manifest.
    warnings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()  #: About the process, not the song.


def do(job: Job, say: Callable[[Said], None] = worker.say) -> Outcome:
    """Do a job; failures become part of the outcome and stop nothing else."""
    began = time.perf_counter()
    try:
        with _one_at_a_time:
            outcome = _do(job, _Progress(job, say))
    except SpecnmfError as error:
        outcome = _failed(job, str(error))
    except MemoryError:
        outcome = _failed(job, NO_MEMORY)
    except Exception as error:  # a bug, but it affects this song only
        outcome = _failed(job, f"internal error: {spell(error)}")
    seconds = round(time.perf_counter() - began, 3)
    return replace(outcome, seconds=seconds, remarks=tuple(jit.remarks()))


def spell(error: BaseException) -> str:
    """An error's type and message, on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _failed(job: Job, error: str) -> Outcome:
    return Outcome(job.name, error=error, log=traceback.format_exc())


def _done(job: Job, content: dict[str, Any], *, kept: bool) -> Outcome:
    """The outcome of a run with this report."""
    return Outcome(
        job.name,
        kept=kept,
        duration=float(content["audio"]["duration"]),
        facts={
            "kind": content["kind"],
            "output": job.target,
            "sha256": [entry["sha256"] for entry in content["inputs"]],
            "iterations": content.get("iterations"),
            "residual_db": content.get("residual_db"),
        },
        warnings=tuple(content["warnings"]),
    )


class _Progress:
    """Reports the progress of a song, and ends the song when its time is up."""

    def __init__(self, job: Job, say: Callable[[Said], None]) -> None:
        self.job, self.say = job, say
        self.began, self.said = time.monotonic(), 0.0

    def __call__(self, stage: str, done: int, total: int, note: str) -> None:
        now = time.monotonic()
        seconds = self.job.seconds
        if seconds is not None and now - self.began > seconds:
            raise WorkerError(f"took longer than {seconds:g} s")
        if done == 0 or now - self.said > QUIET:
            self.said = now
            self.say(Said(self.job.name, stage, done, total))


def _do(job: Job, progress: _Progress) -> Outcome:
    output = open_store(job.output)
    with _files(job) as (song, *inputs):
        found = None if job.redo else _finished(job, song, inputs, output)
        if found is not None:
            return found
        places = dict(zip([song, *inputs], _places(job), strict=True))
        with output.making(job.target, overwrite=job.overwrite) as folder:
            made = run(
                job.task,
                song,
                job.settings,
                inputs=dict(zip(job.inputs, inputs, strict=True)),
                look_beside=False,
                output=folder,
                overwrite=job.overwrite,
                command=job.command,
                called=places,
                progress=progress,
            )
        return _done(job, made.report, kept=False)


def _places(job: Job) -> list[str]:
    """The locations of the song and its inputs."""
    return [job.song, *job.inputs.values()]


@contextmanager
def _files(job: Job) -> Iterator[list[Path]]:
    """Yield local paths of the song and its inputs; errors use the job's names."""
    with ExitStack() as stack:
        paths = [stack.enter_context(local_copy(place)) for place in _places(job)]
        try:
            yield paths
        except SpecnmfError as error:
            message = str(error)
            for path, place in zip(paths, _places(job), strict=True):
                message = message.replace(str(path), place)
            if message == str(error):
                raise
            raise type(error)(message) from error


def _finished(
    job: Job, song: Path, inputs: Sequence[Path], output: Store
) -> Outcome | None:
    """The outcome of the existing run, if it is the run of this job."""
    text = output.read(f"{job.target}/{REPORT}", MOST_REPORT)
    if text is None:
        return None
    try:
        content = json.loads(text)
        checksums = map(sha256, inputs)
        own = dict(zip(job.inputs, checksums, strict=True))
        asked = report.settings_hash(job.task.name, job.settings, own)
        if content["settings_hash"] != asked:
            return None
        same = content["inputs"][0]["sha256"] == sha256(song)
        return _done(job, content, kept=True) if same else None
    except (ValueError, KeyError, TypeError, RecursionError, IndexError):
        return None  # of another program
    except OSError:  # an input is missing
        return None
