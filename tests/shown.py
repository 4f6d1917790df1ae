"""What the documentation shows: its blocks, its commands, and how they are run."""

import re
import shlex
import subprocess
import sys

import click
from conftest import ROOT

from specnmf.cli import cli

#: How a shell of the tests calls the command.
SPECNMF = f"""
set -euo pipefail
specnmf() {{ {shlex.quote(sys.executable)} -m specnmf "$@"; }}
"""

#: The last digit of a score may differ between machines.
DECIBELS = re.compile(r"-?\d+\.\d\d")

#: Figures that another machine, or another day, gives otherwise.
CLOCK = re.compile(r"\d+:\d\d:\d\d")
SPEED = re.compile(r"\d+\.\d")


def page(*parts):
    """The text of a page."""
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


def blocks(language, text):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(page):
    """The calls of specnmf in a page's blocks and in its sentences."""
    blocks = re.findall(r"^```\w+\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    prose = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    lines += [
        " ".join(code.split()) for code in re.findall(r"`(specnmf [^`]+)`", prose)
    ]
    calls = [line.strip().removeprefix("$ ") for line in lines]
    return [call for call in calls if re.match(r"specnmf (?!COMMAND)", call)]


def words(line):
    """What the command line makes of a call; files need not be there."""
    line = re.sub(r"--config \S+", "", line)
    command, (name, *arguments) = cli, shlex.split(line, comments=True)
    while isinstance(command, click.Group) and arguments != ["--help"] and arguments:
        name, *arguments = arguments
        command = command.get_command(click.Context(command), name)
        assert command is not None, line
    if not arguments or arguments == ["--help"]:
        return {}
    return command.make_context(name, arguments, **cli.context_settings).params


def run(script, cwd, start=SPECNMF):
    """Run lines as a shell runs them in a clone after the other lines."""
    return subprocess.run(
        ["bash", "-c", start + script],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def run_consoles(text, cwd):
    """Run the commands of a page's console blocks: each prints what the page shows."""
    shown = [part for block in blocks("console", text) for part in block.split("$ ")]
    for part in filter(None, shown):
        command, _, expected = part.partition("\n")
        result = run(command, cwd)
        assert same(result.stdout.split(), expected.split()), result.stdout


def same(words, expected):
    """Whether two texts agree: decibels to a tenth, times and speeds as far as they are
    some."""
    return len(words) == len(expected) and all(map(_agree, words, expected))


def _agree(word, expected):
    for kind in (CLOCK, SPEED):
        if kind.fullmatch(expected):
            return kind.fullmatch(word) is not None
    if DECIBELS.fullmatch(expected):
        return abs(float(word) - float(expected)) <= 0.1
    return word == expected
