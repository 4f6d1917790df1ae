"""A configuration file: TOML whose keys are the names of options.

Keys at the top level apply to every command that has the option. A table with the name
of a command applies to that command only, and overrides the top level. Options on the
command line override both.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from specnmf.cli import cli

#: Larger files are not read, and files with longer lines are not parsed: the parser
#: takes quadratic time for the dots in a key.
MOST_CONFIG_BYTES, LONGEST_LINE = 1 << 16, 4096

#: The values that TOML and options have in common.
Value = str | int | float | bool | list[Any] | dict[str, Any]


def read_config(ctx: click.Context, param: click.Parameter, path: Path | None) -> None:
    """Take defaults from a file; the callback of ``--config``."""
    if path is not None:
        values = values_for(ctx.command, load(path), path)
        given = {name: as_given(value) for name, value in values.items()}
        ctx.default_map = {**(ctx.default_map or {}), **given}


def load(path: Path) -> dict[str, Any]:
    """The content of a file; UsageError if it is unreadable, too large or not TOML."""
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
        raise click.UsageError(f"{path}: not valid TOML: {error}") from error


def values_for(
    command: click.Command,
    content: Mapping[str, Any],
    path: Path | None,
    *,
    others: bool = False,
) -> dict[str, Value]:
    """The values that a file sets for a command, by the names of its parameters.

    ``others`` says whether options of other commands are allowed at the top level. An
    unknown key and a value of the wrong type raise UsageError.
    """
    keys, tables = option_keys(command), command_tables(content)
    top = {name: content[name] for name in content if name not in tables}
    if others:
        top = {n: top[n] for n in top if _spelled(n) in keys or not _owners(n)}
    values: dict[str, Value] = {}
    for name, value in [*top.items(), *tables.get(str(command.name), {}).items()]:
        if _spelled(name) not in keys:
            raise click.UsageError(f"{path}: {_unknown(command, name, value)}")
        option, negated = keys[_spelled(name)]
        wrong = _mismatch(option, value)
        if wrong is not None:
            raise click.UsageError(f"{path}: {name} {wrong}")
        if option.multiple and not isinstance(value, list | dict):
            value = [value]
        values[str(option.name)] = value is not negated if option.is_flag else value
    return values


def command_tables(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The tables of a file that have the name of a command."""
    names = cli.list_commands(click.Context(cli))
    tables = {name: content[name] for name in content if name in names}
    return {name: each for name, each in tables.items() if isinstance(each, dict)}


def as_given(value: Value) -> Any:
    """A value as the command line would give it, so that it gets the same checks."""
    if isinstance(value, bool):
        return value
    if isinstance(value, dict):
        members = (v if isinstance(v, str) else ",".join(v) for v in value.values())
        return [f"{name}={own}" for name, own in zip(value, members, strict=True)]
    return list(map(str, value)) if isinstance(value, list) else str(value)


def option_keys(command: click.Command) -> dict[str, tuple[click.Option, bool]]:
    """Each long option's name without dashes: the option, and whether it negates."""
    return {
        flag.removeprefix("--"): (param, flag in param.secondary_opts)
        for param in command.params
        if isinstance(param, click.Option) and param.expose_value
        for flag in (*param.opts, *param.secondary_opts)
        if flag.startswith("--")
    }


def configurable() -> list[click.Command]:
    """The commands that take a configuration file."""
    root = click.Context(cli)
    commands = (cli.get_command(root, name) for name in cli.list_commands(root))
    return [c for c in commands if c and any(p.name == "config" for p in c.params)]


def _spelled(name: str) -> str:
    return name.replace("_", "-")


def _mismatch(option: click.Option, value: Any) -> str | None:
    """The problem with the type of a value, if there is one."""
    if isinstance(value, dict):
        if not (option.multiple and "=" in (option.metavar or "")):
            return "takes a value, got a table"
        members = [v if isinstance(v, list) else [v] for v in value.values()]
        texts = all(isinstance(each, str) for own in members for each in own)
        return None if texts else "takes a name or a list of names"
    if option.multiple:
        values = value if isinstance(value, list) else [value]
        return None if all(map(_is_scalar, values)) else "takes strings or numbers"
    if option.is_flag:
        return None if isinstance(value, bool) else "takes true or false"
    return None if _is_scalar(value) else "takes one string or number"


def _is_scalar(value: object) -> bool:
    """Whether it is a string, or a number in the range that TOML guarantees."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return -(1 << 63) <= value < 1 << 63
    return isinstance(value, str) or (isinstance(value, float) and math.isfinite(value))


def _unknown(command: click.Command, name: str, value: object) -> str:
    """The message about a key that a command does not have."""
    owners = _owners(name)
    if owners:
        places = " or ".join(f"[{owner}]" for owner in owners)
        return f"{name} is an option of {', '.join(owners)}: put it under {places}"
    known, what = list(option_keys(command)), "key"
    if isinstance(value, dict):
        known, what = [*known, *(str(c.name) for c in configurable())], "table"
    near = difflib.get_close_matches(_spelled(name), known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown {what} {name!r}{hint}"


def _owners(name: str) -> list[str]:
    """The commands that have an option."""
    key = _spelled(name)
    return [str(other.name) for other in configurable() if key in option_keys(other)]
