"""Write docs/cli.md from what ``--help`` says."""

from __future__ import annotations

from pathlib import Path

import click

from specnmf.cli import COMMANDS, cli

HEAD = """# The command line

What `specnmf --help` and `specnmf COMMAND --help` say; written by `docs/make_cli.py`.

Results go to stdout, progress and messages to stderr. The exit status is 0 if all was
done, 1 if at least one input failed (the others are done, each failure is one line),
2 for wrong usage, and 130 after Ctrl-C.
"""


def main() -> None:
    """Write the page beside this script."""
    Path(__file__).with_name("cli.md").write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page, as Markdown."""
    shared = {"terminal_width": 88, "help_option_names": ["-h", "--help"]}
    root = click.Context(cli, info_name="specnmf", **shared)
    parts = [HEAD, section("specnmf", cli.get_help(root))]
    for name in COMMANDS:
        command = cli.get_command(root, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=root, **shared)
        parts.append(section(f"specnmf {name}", command.get_help(context)))
    return "\n".join(parts)


def section(title: str, text: str) -> str:
    """One command's help under its name."""
    return f"## {title}\n\n```text\n{text}\n```\n"


if __name__ == "__main__":
    main()
