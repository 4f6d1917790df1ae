"""Talk: errors, warnings and progress on stderr, results on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
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
def progress_bar(title: str, *, shown: bool) -> Iterator[Progress | None]:
    """Yield a progress callback that draws on stderr, if that is a terminal."""
    if not (shown and sys.stderr.isatty()):
        yield None
        return
    from rich import progress
    from rich.console import Console
    from rich.markup import escape

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(bar_width=24),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[note]}"),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(
        *columns, console=Console(stderr=True), transient=True
    ) as bars:
        tasks: dict[str, progress.TaskID] = {}

        def tell(stage: str, done: int, total: int, note: str) -> None:
            if stage not in tasks:
                name = escape(one_line(f"{title}: {stage}"))
                tasks[stage] = bars.add_task(name, total=total, note="")
            bars.update(tasks[stage], completed=done, total=total, note=escape(note))
            bars.update(tasks[stage], visible=done < total)

        yield tell
