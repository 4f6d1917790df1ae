"""Talk: errors, warnings and progress on stderr, results on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from specnmf.errors import SpecnmfError

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from specnmf.tasks.stages import Progress


def error(message: object) -> None:
    """Print one line that says what went wrong."""
    click.echo(f"error: {one_line(message)}", err=True)


def warning(message: object) -> None:
    """Print one line that says what to know."""
    click.echo(f"warning: {one_line(message)}", err=True)


def note(message: object) -> None:
    """Print one line that says what is going on."""
    click.echo(one_line(message), err=True)


def sayer(options: dict[str, Any]) -> Callable[[str], None]:
    """What says a line about a run that is going on, or keeps quiet."""
    return (lambda line: None) if options["quiet"] else note


def seconds(stage: str, taken: float) -> None:
    """Print how long a stage took."""
    click.echo(f"{stage:12} {taken:7.2f} s", err=True)


def json_object(content: dict[str, Any]) -> None:
    """Print the one object of ``--json``, on stdout.

    Bytes of file names that are no UTF-8 are escaped, as JSON can.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    click.echo(text.encode(errors="backslashreplace"))


def one_line(message: object) -> str:
    """The message with its control characters written out, as names may hold them."""
    return "".join(
        char if char.isprintable() else ascii(char)[1:-1] for char in str(message)
    )


@contextmanager
def failing_as(source: str | None, options: dict[str, Any]) -> Iterator[None]:
    """Exit with status 1 for an error of ours or a lack of memory.

    It is told in a line, and in the object of ``--json``.
    """
    try:
        yield
    except (SpecnmfError, MemoryError) as reason:
        message = str(reason) or f"{source}: not enough memory"
        error(message)
        if options["as_json"]:
            json_object({"failures": [{"input": source, "error": message}]})
        raise click.exceptions.Exit(1) from reason


@contextmanager
def bars(*, shown: bool, noted: bool = False) -> Iterator[Bars | None]:
    """Yield what draws bars on stderr, if that is a terminal and they are wanted.

    A bar that is noted shows its note, another one the time that it took.
    """
    if not (shown and sys.stderr.isatty()):
        yield None
        return
    from rich import progress
    from rich.console import Console

    last = progress.TextColumn("{task.fields[note]}")
    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(bar_width=24),
        progress.MofNCompleteColumn(),
        last if noted else progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(
        *columns, console=Console(stderr=True), transient=True
    ) as drawn:
        yield drawn


@contextmanager
def progress_bar(title: str, options: dict[str, Any]) -> Iterator[Progress | None]:
    """Yield a progress callback that draws a bar for each stage, or None."""
    shown = options["progress"] and not options["quiet"]
    with bars(shown=shown, noted=True) as drawn:
        if drawn is None:
            yield None
            return
        from rich.markup import escape

        tasks: dict[str, TaskID] = {}

        def tell(stage: str, done: int, total: int, note: str) -> None:
            if stage not in tasks:
                name = escape(one_line(f"{title}: {stage}"))
                tasks[stage] = drawn.add_task(name, total=total, note="")
            drawn.update(tasks[stage], completed=done, total=total, note=escape(note))
            drawn.update(tasks[stage], visible=done < total)

        yield tell
