"""The command line: read options, make one library call, print. No domain logic."""

from __future__ import annotations

import os
import pkgutil
import signal
import sys
import warnings
from contextlib import suppress
from typing import Any, NoReturn

import click

import specnmf
from specnmf.jit import NOT_KEPT
from specnmf.tasks.registry import TASKS

#: Where to find the commands that are not tasks, or the functions that make them. They
#: are imported when they are called or listed.
OTHERS = {
    "batch": "specnmf.cli.batch:make_command",
    "learn": "specnmf.cli.learn:make_command",
    "evaluate": "specnmf.cli.evaluate:command",
    "edit": "specnmf.cli.edit:command",
    "rerun": "specnmf.cli.rerun:command",
    "open": "specnmf.cli.open:command",
    "config": "specnmf.cli.config:group",
}

#: Exit statuses of a run that was stopped, as shells give them.
INTERRUPTED = 128 + signal.SIGINT


class LazyGroup(click.Group):
    """The commands of tasks, and others, which are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, in the order of the help."""
        return [*TASKS, *OTHERS]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of a name, or None."""
        if name in TASKS:
            from specnmf.cli.task import command_of

            return command_of(TASKS[name])
        if name not in OTHERS:
            return None
        found = pkgutil.resolve_name(OTHERS[name])
        command: click.Command = found if isinstance(found, click.Command) else found()
        return command


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
    epilog="Example: specnmf decompose song.wav",
)
@click.version_option(specnmf.__version__, prog_name="specnmf")
def cli() -> None:
    """Separate audio sources and decompose spectrograms by NMF.

    NMF is non-negative matrix factorisation.
    """
    warnings.filterwarnings("ignore", NOT_KEPT)  # commands print it themselves


def main() -> NoReturn:
    """Run the command line; the entry point of the console script."""
    try:
        try:
            status = _run()
        finally:
            _give_signals_back()
    except (click.Abort, KeyboardInterrupt):
        with suppress(OSError):
            click.echo("stopped; the unfinished run was removed", err=True)
        _leave(INTERRUPTED)
    sys.exit(status)


def _run() -> int:
    """Run the command line; return the exit status."""
    try:
        _take_signals()
        _open_streams()
        status = cli(standalone_mode=False)
    except click.ClickException as error:
        with suppress(OSError):
            error.show()
        return error.exit_code
    except OSError as error:
        from specnmf.cli import console

        if not console.is_of_echo(error):
            raise
        console.lose_results(error)
        status = 1
    return status or _lost()


def _take_signals() -> None:
    """Turn signals into exceptions; until now, Ctrl-C ended the process at once."""
    signal.signal(signal.SIGTERM, _terminate)
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _give_signals_back() -> None:
    """Let signals end the process at once: nothing is left to remove or to say.

    An exception while Python ends, in what libraries do there, would print a traceback.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) in (signal.default_int_handler, _terminate):
            signal.signal(number, signal.SIG_DFL)


def _open_streams() -> None:
    """Open standard streams that are closed: the next file would take their number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            file = os.open(os.devnull, os.O_RDWR)
            os.dup2(file, number)
            if file != number:
                os.close(file)
            mode = "w" if number else "r"
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115


def _lost() -> int:
    """The exit status: 1 if results could not be printed."""
    console = sys.modules.get("specnmf.cli.console")
    return int(console is not None and bool(console.lost))


def _leave(status: int) -> NoReturn:
    """End the process with a status, in every case.

    If Ctrl-C interrupts an import that calls ``exec``, as scipy's do, Python ends
    itself by the signal and ignores `sys.exit`.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(status)


def _terminate(number: int, frame: Any) -> NoReturn:
    """Exit by an exception, so that unfinished runs are removed."""
    sys.exit(128 + number)
