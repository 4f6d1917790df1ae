"""Many songs, one after another: failures are reported, the others are done."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from specnmf.cli import console
from specnmf.cli.standard_input import named
from specnmf.errors import SpecnmfError
from specnmf.output import folder
from specnmf.output.products import STANDARD_INPUT

if TYPE_CHECKING:
    from specnmf.tasks.run import Run
    from specnmf.tasks.stages import Progress


class Done(NamedTuple):
    """A run, and the text that is printed about it."""

    run: Run
    title: str  #: The prefix of its warnings.
    lines: Iterable[str]  #: For people.
    facts: Mapping[str, Any]  #: For ``--json``, beside the report.


def take_each(
    songs: Sequence[str],
    options: dict[str, Any],
    work: Callable[[str, Progress | None], Run],
    describe: Callable[[Run], Iterable[str]],
) -> None:
    """Do the work for each song and print the outcomes; exit with 1 if any failed.

    ``work(song, progress)`` makes a song's run; ``describe(run)`` gives the lines about
    it that people read.
    """
    taken: dict[Path, str] = {}
    folder.sweep(Path(options["output"]))

    def do(song: str, progress: Progress | None) -> Done:
        target = folder.target(options["output"], named(song))
        check_unique(song, target, taken, "rename one, or use another --output")
        run = work(song, progress)
        return Done(run, run.report["inputs"][0]["path"], describe(run), {})

    do_each(songs, options, do, "not enough memory; use --duration")


def do_each(
    names: Sequence[str],
    options: dict[str, Any],
    work: Callable[[str, Progress | None], Done],
    no_memory: str = "not enough memory",
) -> None:
    """Make a run of each of these files or folders, and print the outcomes.

    If any failed, exit with status 1 at the end.
    """
    entries: list[dict[str, Any]] = []
    failures: list[dict[str, str]] = []
    for name in names:
        try:
            with console.progress_bar(Path(name).name, options) as progress:
                done = work(name, progress)
        except (SpecnmfError, MemoryError) as error:
            message = str(error) or f"{name}: {no_memory}"
            known = name in message or name == STANDARD_INPUT
            message = message if known else f"{name}: {message}"
            failures.append({"input": name, "error": message})
            console.error(message)
            continue
        output = {"output": str(done.run.folder)}
        entries.append({**output, **done.facts, **done.run.report})
        _say(done, options)
    console.kernel_remarks(options)
    if options["as_json"]:
        console.json_object({"runs": entries, "failures": failures})
    if failures:
        raise click.exceptions.Exit(1)


def command_line() -> str:
    """The command line, for run.json."""
    return shlex.join(["specnmf", *sys.argv[1:]])


def check_unique(name: str, target: Path, taken: dict[Path, str], remedy: str) -> None:
    """Reserve a folder for a run; raise SpecnmfError if another run has it."""
    if target in taken:
        raise SpecnmfError(
            f"{name}: its run would be {target}, like that of {taken[target]}; {remedy}"
        )
    taken[target] = name


def _say(done: Done, options: dict[str, Any]) -> None:
    if options["quiet"]:
        return
    for warning in done.run.report["warnings"]:
        console.warning(f"{done.title}: {warning}")
    if options["verbose"]:
        for stage, seconds in done.run.report["seconds"].items():
            console.seconds(stage, seconds)
    if not options["as_json"]:
        console.result(console.one_line(done.run.folder))
        for line in done.lines:
            console.result(f"  {console.one_line(line)}")
