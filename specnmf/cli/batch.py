"""``specnmf batch``."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from specnmf.batch.settings import AUTO, BatchSettings
from specnmf.cli import console
from specnmf.cli.display import batch_display, clock
from specnmf.cli.options import (
    Command,
    Option,
    Place,
    common_options,
    make_settings,
    options_of,
)
from specnmf.cli.songs import command_line
from specnmf.options import OUTPUT, WHAT, hints_of
from specnmf.tasks.registry import TASKS
from specnmf.tasks.task import Task

if TYPE_CHECKING:
    from specnmf.batch.batch import Request
    from specnmf.batch.planning import Plan
    from specnmf.batch.running import Batch, Summary

#: The number of failures that are listed at the end; batch.jsonl has them all.
MOST_LISTED = 20


_what = partial(Option, group=WHAT)


def make_command() -> click.Command:
    """The command, with the options of all registered tasks."""
    own = _own_options()
    return Command(
        "batch",
        params=[*own, *_task_options(own)],
        callback=run_batch,
        help=run_batch.__doc__,
        epilog="Example: specnmf batch recordings/ --recursive -j 4 --resume -o runs",
    )


def _own_options() -> list[click.Parameter]:
    """The argument and the options of the batch itself."""
    inputs = dict.fromkeys(each.name for task in TASKS.values() for each in task.inputs)
    return [
        click.Argument(["folder"], metavar="FOLDER", required=False, type=Place()),
        _what(
            ["--task"],
            type=click.Choice([AUTO, *TASKS]),
            default=AUTO,
            show_default=True,
            metavar="TASK",
            help="decompose, separate ...; auto: separate songs that have a score "
            "beside them, and see --without-score for the others.",
        ),
        *(
            _what(
                [f"--{name}", f"--{name}-from", name],
                metavar="PLACE",
                type=Place(),
                help="One file for all songs, or a folder with one for each song.",
            )
            for name in inputs
        ),
        _what(
            ["--files-from"],
            metavar="FILE",
            type=Place(),
            help="Take only the files of FOLDER that FILE lists; -: standard input.",
        ),
        _what(["--dry-run"], is_flag=True, help="List the songs and tasks, then exit."),
        Option(
            ["-o", "--output"],
            type=Place(),
            default="specnmf_out",
            show_default=True,
            help="Folder for the runs; may be a URL.",
            group=OUTPUT,
        ),
        *options_of(BatchSettings),
        *common_options(),
    ]


def _task_options(own: Iterable[click.Parameter]) -> list[click.Parameter]:
    """The options of all tasks, hidden: the help of each task describes them.

    They have no default here, so that each task uses its own.
    """
    taken = set().union(*map(_names_of, own))
    unseen = {"hidden": True, "default": None, "show_default": False}
    found = []
    for task in TASKS.values():
        for each in options_of(task.settings, **unseen):
            if taken.isdisjoint(_names_of(each)):
                taken |= _names_of(each)
                found.append(each)
    return found


def _names_of(param: click.Parameter) -> set[str]:
    """The names of a parameter, in Python and on the command line."""
    return {str(param.name), *param.opts, *param.secondary_opts}


def run_batch(folder: str | None, **options: Any) -> None:
    """Run a task on every song in FOLDER.

    Takes the options of the task too: see `specnmf decompose --help`. FOLDER and OUTPUT
    may be URLs (s3://bucket/songs). OUTPUT has the same subfolders as FOLDER.

    If a song fails, the others are still processed, and the exit status is 1; the
    reasons are in batch.jsonl and batch_logs/ in OUTPUT. Press Ctrl-C once to finish
    the running songs and stop, twice to stop at once.
    """
    if folder is None and options["files_from"] is None:
        raise click.UsageError("expected a FOLDER or --files-from")
    from specnmf.batch import crew

    if options["scheduler"] is None and not options["dry_run"]:
        crew.prepare()  # in the background, while this process finds the songs
    with console.failing_as(folder, options):
        summary, status = _run(_request(folder or ".", options), options)
    if summary is not None:
        _say_summary(summary, options)
        status = status or int(summary.failed > 0)
    raise click.exceptions.Exit(status)


def _request(folder: str, options: dict[str, Any]) -> Request:
    from specnmf.batch.batch import Request
    from specnmf.batch.finding import read_list

    listed = options["files_from"]
    request = Request(
        source=folder,
        output=options["output"],
        task=options["task"],
        inputs=_given(options, TASKS.values()),
        batch=make_settings(options, BatchSettings),
        names=None if listed is None else list(read_list(listed)),
        command=command_line(),
    )
    tasks = request.tasks()
    _check_known(tasks)
    settings = [make_settings(options, task.settings) for task in tasks]
    return replace(request, inputs=_given(options, tasks), settings=settings)


def _given(options: dict[str, Any], tasks: Iterable[Task[Any]]) -> dict[str, str]:
    """The given locations of the tasks' inputs, by the names of the inputs."""
    names = [each.name for task in tasks for each in task.inputs]
    return {name: options[name] for name in names if options[name] is not None}


def _check_known(tasks: Sequence[Task[Any]]) -> None:
    """Raise UsageError if an option is given that only other tasks have."""
    ctx = click.get_current_context()
    own = _option_names(tasks) | {*hints_of(BatchSettings)}
    others = _option_names(TASKS.values()) - own
    for param in ctx.command.params:
        typed = ctx.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE
        if typed and param.name in others:
            names = " and ".join(task.name for task in tasks)
            raise click.UsageError(f"{param.opts[-1]} is not an option of {names}")


def _option_names(tasks: Iterable[Task[Any]]) -> set[str]:
    """The names of the options that tasks have: their settings and inputs."""
    return {
        name
        for task in tasks
        for name in (*hints_of(task.settings), *(each.name for each in task.inputs))
    }


def _run(request: Request, options: dict[str, Any]) -> tuple[Summary | None, int]:
    """The summary (None after a dry run), and an exit status if it was stopped."""
    from specnmf.batch.batch import begun, make_plan

    if request.batch.scheduler is not None:  # we report its errors ourselves
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
    plan = make_plan(
        request,
        unreadable=lambda name, why: console.warning(f"{name}: {why}; skipped"),
    )
    _say_passed_over(plan, options)
    if options["dry_run"]:
        _say_plan(plan, options)
        return None, 0
    talk = {name: options[name] for name in ("quiet", "verbose")}
    shown = options["progress"] and not options["quiet"]
    with (
        batch_display(len(plan.songs), shown=shown, **talk) as display,
        begun(plan, display) as batch,
        _stopped_by_signals(batch) as received,
    ):
        return batch.run(), 128 + received[-1] if received else 0


def _say_passed_over(plan: Plan, options: dict[str, Any]) -> None:
    """Report files that are not used, and folders of inputs that match no song."""
    if options["quiet"]:
        return
    if plan.passed_over:
        from specnmf.batch.finding import described

        console.note(f"ignored files: {described(plan.passed_over)}")
    for name, place in plan.unused:
        console.warning(f"{place}: no {name} has the name of a song")


@contextmanager
def _stopped_by_signals(batch: Batch) -> Iterator[list[int]]:
    """Stop a batch by Ctrl-C, in two steps, or SIGTERM, at once; yield the signals."""
    received: list[int] = []

    def stop(number: int, frame: object) -> None:
        received.append(number)
        batch.stop()
        if number == signal.SIGTERM:
            batch.stop()

    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, stop) for number in numbers]
    try:
        yield received
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _say_plan(plan: Plan, options: dict[str, Any]) -> None:
    """List each song with its task and the folder of its run."""
    entries = []
    for song in plan.songs:
        inputs = plan.recipe.inputs_of(song)
        entry = {
            "song": song.name,
            "verdict": plan.verdict(song),
            "command": plan.recipe.task_of(song).name,
            "score": inputs.get("score"),
            "inputs": inputs,
            "output": plan.output.location(song.target),
        }
        entries.append(entry)
        if not options["as_json"]:
            what = " by ".join([plan.recipe.task_of(song).name, *inputs.values()])
            line = f"{entry['verdict']:6}  {song.name} -> {song.target}: {what}"
            console.result(console.one_line(line))
    if options["as_json"]:
        others = dict(plan.passed_over)
        console.json_object({"songs": entries, "passed_over": others, "failures": []})
    else:
        n_songs = len(plan.songs)
        console.result("1 song" if n_songs == 1 else f"{n_songs} songs")


def _say_summary(summary: Summary, options: dict[str, Any]) -> None:
    if options["as_json"]:
        console.json_object(
            {
                "output": options["output"],
                **_counts(summary),
                "passed_over": dict(summary.passed_over),
                "gathered": summary.gathered,
                "seconds": round(summary.seconds, 3),
                "duration": round(summary.duration, 3),
                "speed": round(summary.speed, 3),
                "failures": [
                    {"input": each.song, "error": each.error, "log": each.log}
                    for each in summary.failures
                ],
            }
        )
    elif not options["quiet"]:
        for line in describe(summary):
            console.result(console.one_line(line))
        if summary.gathered:
            line = f"sources  {summary.gathered:7}  in {options['flat']}"
            console.result(console.one_line(line))


def describe(summary: Summary) -> Iterator[str]:
    """The lines about a batch that people read."""
    for name, count in _counts(summary).items():
        if count or name in ("songs", "done"):
            yield f"{name:8} {count:7}"
    yield f"{'sound':8} {clock(summary.duration):>7}"
    yield f"{'took':8} {clock(summary.seconds):>7}"
    if summary.duration:
        yield f"{'speed':8} {summary.speed:7.1f}  times real time"
    for each in summary.failures[:MOST_LISTED]:
        yield f"failed: {each.song}: {each.error}"
    if len(summary.failures) > MOST_LISTED:
        yield f"and {len(summary.failures) - MOST_LISTED} more in batch.jsonl"


def _counts(summary: Summary) -> dict[str, int]:
    names = ("songs", "done", "failed", "skipped", "left")
    return {name: getattr(summary, name) for name in names}
