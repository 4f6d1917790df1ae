"""The command line: options in, one library call, an echo. No domain logic."""

from __future__ import annotations

import os
import pkgutil
import signal
import sys
import warnings
from typing import Any, NoReturn

import click

import specnmf
from specnmf.jit import NOT_KEPT
from specnmf.tasks.registry import TASKS

#: Where the commands that are no tasks are, or what makes them: imported when they are
#: called or listed.
OTHERS = {
    "batch": "specnmf.cli.batch:make_command",
    "evaluate": "specnmf.cli.evaluate:command",
    "rerun": "specnmf.cli.rerun:command",
    "config": "specnmf.cli.config:group",
}

#: Exit statuses of a run that was stopped, as shells give them.
INTERRUPTED = 128 + signal.SIGINT


class LazyGroup(click.Group):
    """The tasks' commands, and others that are imported when they are needed."""

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
    """Take recordings apart by non-negative matrix factorisation."""
    warnings.filterwarnings("ignore", NOT_KEPT)  # commands say it themselves


def main() -> NoReturn:
    """Run the command line; the console script's entry."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        status = cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped: nothing of the unfinished run is left", err=True)
        _leave(INTERRUPTED)
    sys.exit(status)


def _leave(status: int) -> NoReturn:
    """End with a status, come what may.

    If Ctrl-C fell into an import that calls ``exec``, as scipy's do, Python would end
    itself by the signal, whatever `sys.exit` says.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _terminate(number: int, frame: Any) -> NoReturn:
    """Leave by an exception, so that what is unfinished is removed."""
    sys.exit(128 + number)
