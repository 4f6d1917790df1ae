"""Write docs/cli.md from what ``--help`` says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from specnmf.cli import cli

HEAD = """# The command line

The output of `specnmf --help` and of `specnmf COMMAND --help`, written by
`docs/make_cli.py`.

Results go to stdout, progress and messages to stderr. The exit status is 0 if all was
done, 1 if at least one input failed (the others are done, and each failure is one
line), 2 for wrong usage, and 130 after Ctrl-C.
"""


def main() -> None:
    """Write the page beside this script."""
    Path(__file__).with_name("cli.md").write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([HEAD, *sections(cli, "specnmf")])


def sections(
    command: click.Command, name: str, parent: click.Context | None = None
) -> Iterator[str]:
    """A command's help under its name, and after it those of its own commands."""
    shared = {"terminal_width": 88, "help_option_names": ["-h", "--help"]}
    context = click.Context(command, info_name=name, parent=parent, **shared)
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            yield from sections(command.get_command(context, each), each, context)


if __name__ == "__main__":
    main()
