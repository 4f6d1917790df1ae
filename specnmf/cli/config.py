"""``specnmf config``."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click

from specnmf.cli import console
from specnmf.cli.config_file import (
    Value,
    as_given,
    command_tables,
    configurable,
    load,
    option_keys,
    values_for,
)

#: Where a value comes from that no file gives.
DEFAULT = "default"


class Effective(NamedTuple):
    """An option, its value in effect, and where that comes from; None: not set."""

    name: str
    help: str
    value: Value | None
    source: str | None


def make_command() -> click.Command:
    """The command."""
    return group


@click.group("config", epilog="Example: specnmf config show decompose")
def group() -> None:
    """Show what a configuration file sets."""


@group.command("show", epilog="Example: specnmf config show separate --config my.toml")
@click.argument("name", metavar="[COMMAND]", required=False)
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    help="A TOML file whose keys are the names of options.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON object on stdout, and nothing else there.",
)
def show(name: str | None, path: Path | None, as_json: bool) -> None:
    """Print all options with their values in effect.

    Those of COMMAND, or of all commands. What is printed is TOML for --config, with a
    table for each command; options that are not set are commented out.
    """
    commands = list(configurable()) if name is None else [_command(name)]
    content = {} if path is None else load(path)
    if path is not None:
        _check_tables(content, path)
    found = {
        str(each.name): _effective(each, content, path, others=name is None)
        for each in commands
    }
    if as_json:
        click.echo(_json(found))
    else:
        click.echo("\n\n".join("\n".join(_table(*each)) for each in found.items()))


def spell_toml(value: Value) -> str:
    """A value as TOML spells it, on one line."""
    if isinstance(value, str):
        # JSON escapes the same characters in the same way, but for the last of ASCII.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return f"[{', '.join(map(spell_toml, value))}]"
    if isinstance(value, dict):
        pairs = (
            f"{_spell_key(key)} = {spell_toml(each)}" for key, each in value.items()
        )
        return f"{{ {', '.join(pairs)} }}"
    return str(value).lower()


def _spell_key(key: str) -> str:
    return key if re.fullmatch("[A-Za-z0-9_-]+", key) else spell_toml(key)


def _command(name: str) -> click.Command:
    known = {str(each.name): each for each in configurable()}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(known)}"
        raise click.UsageError(f"no command {name!r} that has options; {hint}")
    return known[name]


def _check_tables(content: dict[str, Any], path: Path) -> None:
    """Raise UsageError if the table of any command says what it cannot do."""
    known = {str(each.name): each for each in configurable()}
    for name, table in command_tables(content).items():
        if name not in known:
            raise click.UsageError(f"{path}: {name} takes no options from a file")
        values_for(known[name], {name: table}, path)


def _effective(
    command: click.Command, content: dict[str, Any], path: Path | None, *, others: bool
) -> list[Effective]:
    """The options of a command; their values have been checked by their types."""
    given = values_for(command, content, path, others=others)
    ctx = click.Context(command, info_name=command.name)
    found = []
    for name, (option, negated) in option_keys(command).items():
        if negated:
            continue
        value: Value | None = given.get(str(option.name))
        source = None if value is None else str(path)
        if value is not None:
            option.process_value(ctx, as_given(value))
        elif (value := _default(option, ctx)) is not None:
            source = DEFAULT
        found.append(Effective(name, option.help or "", value, source))
    return found


def _default(option: click.Option, ctx: click.Context) -> Value | None:
    """The value of an option that is not given, as a file would name it."""
    value = option.get_default(ctx)
    if option.is_flag:  # one that can be negated may also be left open
        return None if value is None and option.secondary_opts else value is True
    if isinstance(value, Path):
        return str(value)
    return value if isinstance(value, str | int | float) else None


def _table(name: str, options: Iterable[Effective]) -> Iterator[str]:
    """The lines of a command's table."""
    yield f"[{name}]"
    for option in options:
        yield f"# {option.help}"
        if option.value is None:
            yield f"#{option.name} ="
        else:
            where = console.one_line(option.source)
            yield f"{option.name} = {spell_toml(option.value)}  # {where}"


def _json(found: dict[str, list[Effective]]) -> str:
    content = {
        command: {
            option.name: {"value": option.value, "from": option.source}
            for option in options
        }
        for command, options in found.items()
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
