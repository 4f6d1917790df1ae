"""A configuration file: TOML whose keys are the names of options.

What stands at the top is for any command. A table called like a command is for that
one alone, and goes before what stands at the top; so does the command line before both.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click

from specnmf.cli import cli

#: A file beyond this size is refused unread, and one with a longer line unparsed: the
#: parser takes quadratic time for the dots in a key.
MOST_CONFIG_BYTES, LONGEST_LINE = 1 << 16, 4096

#: The values that TOML and options have in common.
Value = str | int | float | bool | list[Any] | dict[str, Any]


class Key(NamedTuple):
    """What a key of the file sets: an option, or the contrary of a flag."""

    option: click.Option
    negated: bool


def read_config(ctx: click.Context, param: click.Parameter, path: Path | None) -> None:
    """Take defaults from a file; the callback of ``--config``.

    Raises
    ------
    click.UsageError
        If it is no TOML, or says what the command cannot do.
    """
    if path is None:
        return
    values = values_for(ctx.command, load(path), path)
    given = {name: as_given(value) for name, value in values.items()}
    ctx.default_map = {**(ctx.default_map or {}), **given}


def load(path: Path) -> dict[str, Any]:
    """What a file holds, as TOML.

    Raises
    ------
    click.UsageError
        If it cannot be read, is too large, or no TOML.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_CONFIG_BYTES + 1)
        if len(data) > MOST_CONFIG_BYTES:
            size = MOST_CONFIG_BYTES >> 10
            raise click.UsageError(f"{path}: larger than {size} KB, expected TOML")
        if any(len(line) > LONGEST_LINE for line in data.splitlines()):
            raise ValueError(f"a line is longer than {LONGEST_LINE} bytes")
        return tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"{path}: no valid TOML: {error}") from error


def values_for(
    command: click.Command,
    content: dict[str, Any],
    path: Path | None,
    *,
    others: bool = False,
) -> dict[str, Value]:
    """What a file says of the options of one command.

    Parameters
    ----------
    command : click.Command
        The command.
    content : dict
        What `load` found.
    path : path
        The file, for messages.
    others : bool
        Whether options of other commands may stand at the top.

    Returns
    -------
    dict
        Values by the names of parameters, flags as the positive option has them.

    Raises
    ------
    click.UsageError
        If a key is unknown, or a value of the wrong kind.
    """
    keys = option_keys(command)
    tables = command_tables(content)
    own = tables.get(str(command.name), {})
    top = {name: content[name] for name in content if name not in tables}
    if others:
        mine = [name for name in top if _spelled(name) in keys or not _owners(name)]
        top = {name: top[name] for name in mine}
    values: dict[str, Value] = {}
    for name, value in [*top.items(), *own.items()]:
        if _spelled(name) not in keys:
            raise click.UsageError(f"{path}: {_unknown(command, name, value)}")
        key = keys[_spelled(name)]
        values[str(key.option.name)] = _checked(key, value, f"{path}: {name}")
    return values


def command_tables(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The tables of a file that are called like a command."""
    return {
        name: value
        for name, value in content.items()
        if name in _names() and isinstance(value, dict)
    }


def as_given(value: Value) -> Any:
    """A value as the command line would give it, so that it is checked alike."""
    if isinstance(value, bool):
        return value
    if isinstance(value, dict):
        return [f"{name}={_joined(each)}" for name, each in value.items()]
    return list(map(str, value)) if isinstance(value, list) else str(value)


def option_keys(command: click.Command) -> dict[str, Key]:
    """Each long option's name without dashes, and what it sets."""
    return {
        flag.removeprefix("--"): Key(param, flag in param.secondary_opts)
        for param in command.params
        if isinstance(param, click.Option) and param.expose_value
        for flag in (*param.opts, *param.secondary_opts)
        if flag.startswith("--")
    }


def configurable() -> Iterator[click.Command]:
    """The commands that take a configuration file."""
    root = click.Context(cli)
    for name in _names():
        command = cli.get_command(root, name)
        if command is not None and any(p.name == "config" for p in command.params):
            yield command


def takes_table(option: click.Option) -> bool:
    """Whether the values of a repeatable option are of the form ``NAME=...``."""
    return option.multiple and "=" in (option.metavar or "")


def _names() -> list[str]:
    """The names of all commands."""
    return cli.list_commands(click.Context(cli))


def _spelled(name: str) -> str:
    return name.replace("_", "-")


def _joined(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ",".join(value)


def _checked(key: Key, value: Any, where: str) -> Value:
    """The value of an option, if it is of a kind that the option has."""
    option = key.option
    if isinstance(value, dict):
        if not takes_table(option):
            raise click.UsageError(f"{where} takes a value, got a table")
        if not all(_is_text(each) for each in value.values()):
            raise click.UsageError(f"{where} takes names or lists of names")
        return value
    if option.multiple:
        values = value if isinstance(value, list) else [value]
        if not all(map(_is_scalar, values)):
            raise click.UsageError(f"{where} takes texts or numbers")
        return values
    if option.is_flag:
        if not isinstance(value, bool):
            raise click.UsageError(f"{where} is true or false")
        return value is not key.negated
    if not _is_scalar(value):
        raise click.UsageError(f"{where} takes one text or number")
    return value  # type: ignore[no-any-return]  # just checked


def _is_text(value: object) -> bool:
    many = value if isinstance(value, list) else [value]
    return all(isinstance(each, str) for each in many)


def _is_scalar(value: object) -> bool:
    """Whether it is a text, or a number that TOML promises to keep."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return -(1 << 63) <= value < 1 << 63
    return isinstance(value, str) or (isinstance(value, float) and math.isfinite(value))


def _unknown(command: click.Command, name: str, value: object) -> str:
    """What is wrong with a key that a command does not have."""
    owners = _owners(name)
    if owners:
        places = " or ".join(f"[{owner}]" for owner in owners)
        return f"{name} is an option of {', '.join(owners)}: put it under {places}"
    known = list(option_keys(command))
    what = "key"
    if isinstance(value, dict):
        what = "table"
        known += [str(other.name) for other in configurable()]
    near = difflib.get_close_matches(_spelled(name), known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown {what} {name!r}{hint}"


def _owners(name: str) -> list[str]:
    """The commands that have an option."""
    key = _spelled(name)
    return [str(other.name) for other in configurable() if key in option_keys(other)]
