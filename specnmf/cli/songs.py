"""Many songs, one after another: what fails is named, and the others are done."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from specnmf.cli import console
from specnmf.errors import SpecnmfError
from specnmf.output import folder

if TYPE_CHECKING:
    from specnmf.tasks.run import Run
    from specnmf.tasks.stages import Progress


def take_each(
    songs: Iterable[str],
    options: dict[str, Any],
    work: Callable[[str, Progress | None], Run],
    describe: Callable[[Run], Iterable[str]],
) -> None:
    """Do the work for each song, and say what came of it.

    Parameters
    ----------
    songs : iterable of str
        Their paths.
    options : dict
        output, as_json, progress, quiet, verbose.
    work : callable
        ``work(song, progress)`` makes its run.
    describe : callable
        The lines about a run that people read.

    Raises
    ------
    click.exceptions.Exit
        With status 1, if any failed.
    """
    runs: list[Run] = []
    failures: list[dict[str, str]] = []
    taken: dict[Path, str] = {}
    shown = options["progress"] and not options["quiet"]
    folder.sweep(Path(options["output"]))
    for song in songs:
        try:
            _check_unique(song, options["output"], taken)
            with console.progress_bar(Path(song).name, shown=shown) as progress:
                run = work(song, progress)
        except (SpecnmfError, MemoryError) as error:
            message = str(error) or f"{song}: not enough memory; use --duration"
            message = message if song in message else f"{song}: {message}"
            failures.append({"input": song, "error": message})
            console.error(message)
            continue
        runs.append(run)
        _say(run, options, describe)
    if options["as_json"]:
        _print_json(runs, failures)
    if failures:
        raise click.exceptions.Exit(1)


def command_line() -> str:
    """The command as it was typed, for run.json."""
    return shlex.join(["specnmf", *sys.argv[1:]])


def _check_unique(song: str, output: Path, taken: dict[Path, str]) -> None:
    target = folder.target(output, song)
    if target in taken:
        raise SpecnmfError(
            f"{song}: would be written to {target} like {taken[target]}; "
            "rename one, or use another --output"
        )
    taken[target] = song


def _say(
    run: Run, options: dict[str, Any], describe: Callable[[Run], Iterable[str]]
) -> None:
    if options["quiet"]:
        return
    for warning in run.report["warnings"]:
        console.warning(f"{run.report['inputs'][0]['path']}: {warning}")
    if options["verbose"]:
        for stage, seconds in run.report["seconds"].items():
            click.echo(f"{stage:12} {seconds:7.2f} s", err=True)
    if not options["as_json"]:
        click.echo(console.one_line(run.folder))
        for line in describe(run):
            click.echo(f"  {console.one_line(line)}")


def _print_json(runs: list[Run], failures: list[dict[str, str]]) -> None:
    entries = [{"output": str(run.folder), **run.report} for run in runs]
    console.json_object({"runs": entries, "failures": failures})
