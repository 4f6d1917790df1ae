"""Messages: errors, warnings and progress on stderr, results on stdout."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from specnmf.errors import SpecnmfError

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from specnmf.tasks.stages import Progress


#: The errors that kept results from being printed.
lost: list[OSError] = []


def error(message: object) -> None:
    """Print an error, on one line."""
    _talk(f"error: {one_line(message)}")


def warning(message: object) -> None:
    """Print a warning, on one line."""
    _talk(f"warning: {one_line(message)}")


def note(message: object) -> None:
    """Print a note about progress, on one line."""
    _talk(one_line(message))


def sayer(options: dict[str, Any]) -> Callable[[str], None]:
    """A function that prints notes about a run, or nothing with ``--quiet``."""
    return (lambda line: None) if options["quiet"] else note


def seconds(stage: str, taken: float) -> None:
    """Print the duration of a stage."""
    _talk(f"{stage:12} {taken:7.2f} s")


def _talk(line: str) -> None:
    """Print on stderr; a closed stderr stops nothing."""
    with suppress(OSError):
        click.echo(line, err=True)


def result(text: str | bytes) -> None:
    """Print on stdout; if that fails, report it once and continue."""
    try:
        click.echo(text)
    except OSError as reason:
        lose_results(reason)


def lose_results(reason: OSError) -> None:
    """Stop printing results, as stdout cannot be written; `lost` records it.

    A reader that has closed the pipe, such as ``head``, is not an error.
    """
    if reason.errno != errno.EPIPE:
        error(f"results cannot be printed: {reason.strerror or reason}")
    lost.append(reason)
    with suppress(OSError, ValueError):  # the rest of its buffer goes there
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def is_of_echo(reason: OSError) -> bool:
    """Whether an error comes from printing, not from a file."""
    trace = reason.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = None if trace is None else trace.tb_frame.f_code.co_filename
    return where == click.utils.__file__


def json_object(content: dict[str, Any]) -> None:
    """Print the one object of ``--json`` on stdout.

    Bytes of file names that are not UTF-8 are escaped.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    result(text.encode(errors="backslashreplace"))


def one_line(message: object) -> str:
    """The message with control characters escaped: file names may contain them."""
    return "".join(
        char if char.isprintable() else ascii(char)[1:-1] for char in str(message)
    )


def kernel_remarks(options: dict[str, Any]) -> None:
    """Print, once at the end, why compiled kernels could not be stored."""
    from specnmf.jit import remarks

    for remark in () if options["quiet"] else remarks():
        warning(remark)


@contextmanager
def failing_as(source: str | None, options: dict[str, Any]) -> Iterator[None]:
    """Exit with status 1 after a `SpecnmfError` or a lack of memory.

    The error is printed on one line, and in the object of ``--json``.
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
    """Yield a display of bars on stderr, if that is a terminal and they are wanted.

    A bar shows its note, or the elapsed time if it has none.
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
