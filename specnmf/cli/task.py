"""The commands of tasks: read options, make a run of each song, print."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from specnmf.cli import console
from specnmf.cli.options import (
    Command,
    Place,
    common_options,
    input_options,
    make_settings,
    options_of,
    output_options,
)
from specnmf.cli.songs import command_line, take_each
from specnmf.cli.standard_input import file_of, named
from specnmf.errors import OutputError
from specnmf.output import folder
from specnmf.output.products import STANDARD_INPUT
from specnmf.tasks.task import Task

if TYPE_CHECKING:
    from specnmf.tasks.run import Run
    from specnmf.tasks.stages import Progress

#: The end of each task's help, before what is said where it takes several songs.
PIPED = """
    SONG may be -, the recording on standard input.
"""

#: The end of the help of tasks that take several songs.
FAILURES = """
    If a song fails, the error is printed, the other songs are still processed, and the
    exit status is 1.
"""


def command_of(task: Task[Any]) -> click.Command:
    """The command of a task."""

    def callback(songs: str | tuple[str, ...], **options: Any) -> None:
        do(task, songs if isinstance(songs, tuple) else (songs,), options)

    songs = click.Argument(
        ["songs"],
        nargs=-1 if task.many else 1,
        required=True,
        metavar="SONG..." if task.many else "SONG",
        type=Place(),
    )
    return Command(
        task.name,
        params=[
            songs,
            *input_options(task),
            *output_options(),
            *options_of(task.settings),
            *common_options(),
        ],
        callback=callback,
        help=f"{task.help}{PIPED}{FAILURES if task.many else ''}",
        epilog=f"Example: specnmf {task.example}",
    )


def do(task: Task[Any], songs: tuple[str, ...], options: dict[str, Any]) -> None:
    """Run a task on each song."""
    settings = make_settings(options, task.settings)
    inputs = {each.name: options[each.name] for each in task.inputs}
    if len(songs) > 1 and options["overwrite"]:
        _check_apart(songs, inputs.values(), options["output"])

    def work(song: str, progress: Progress | None) -> Run:
        from specnmf.tasks.run import run

        with file_of(song, options["output"]) as path:
            return run(
                task,
                path,
                settings,
                inputs=inputs,
                look_beside=song != STANDARD_INPUT,
                output=options["output"],
                overwrite=options["overwrite"],
                command=command_line(),
                called={path: song} if song == STANDARD_INPUT else None,
                progress=progress,
                say=console.sayer(options),
            )

    take_each(songs, options, work, lambda run: task.summary(run.report))


def _check_apart(
    songs: Iterable[str], inputs: Iterable[Path | None], output: Path
) -> None:
    """Raise UsageError if a file for all songs is in a folder that is replaced."""
    for song in songs:
        with suppress(
            OutputError
        ):  # not a name for a folder: that song fails by itself
            target = folder.target(output, named(song)).resolve()
            for path in filter(None, inputs):
                if path.resolve().is_relative_to(target):
                    raise click.UsageError(
                        f"{path} is an input, and in a run that --overwrite would "
                        "replace; copy it elsewhere first"
                    )
