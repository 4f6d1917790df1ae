"""``specnmf config``."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
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
from specnmf.cli.options import Place


class Effective(NamedTuple):
    """The effective value of an option and its origin; None: it is not set."""

    value: Value | None
    source: str | None
    help: str


@click.group("config", epilog="Example: specnmf config show decompose")
def group() -> None:
    """Show the options that a configuration file sets."""


@group.command("show", epilog="Example: specnmf config show separate --config my.toml")
@click.argument("name", metavar="[COMMAND]", required=False)
@click.option(
    "--config",
    "path",
    type=Place(path_type=Path),
    help="TOML file that sets options; options given here override it.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object and nothing else."
)
def show(name: str | None, path: Path | None, as_json: bool) -> None:
    """Print the effective value of every option.

    Prints the options of COMMAND, or of all commands, as TOML for --config, with a
    table for each command. Options that are not set are commented out.
    """
    known = {str(each.name): each for each in configurable()}
    if name is not None and name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(known)}"
        raise click.UsageError(f"no command {name!r} with options; {hint}")
    content = {} if path is None else load(path)
    for table, own in command_tables(content).items():
        if table not in known:
            raise click.UsageError(
                f"{path}: [{table}]: this command takes no options from a file"
            )
        values_for(known[table], {table: own}, path)  # as a check
    found = {
        each: _effective(known[each], content, path, others=name is None)
        for each in (known if name is None else [name])
    }
    if as_json:
        console.result(_json(found))
    else:
        console.result("\n\n".join("\n".join(_table(*each)) for each in found.items()))


def spell_toml(value: Value) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, str):
        # JSON escapes the same characters in the same way, except for DEL.
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


def _effective(
    command: click.Command,
    content: Mapping[str, Any],
    path: Path | None,
    *,
    others: bool,
) -> dict[str, Effective]:
    """The options of a command; their types have checked the values."""
    given = values_for(command, content, path, others=others)
    ctx = click.Context(command, info_name=command.name)
    found = {}
    for name, (option, negated) in option_keys(command).items():
        value, source = given.get(str(option.name)), str(path)
        if value is not None:
            option.process_value(ctx, as_given(value))
        else:
            value, source = _default(option, ctx), "default"
        if not negated:
            known = source if value is not None else None
            found[name] = Effective(value, known, option.help or "")
    return found


def _default(option: click.Option, ctx: click.Context) -> Value | None:
    """The value of an option that is not given, as a file would write it."""
    value = option.get_default(ctx)
    if option.is_flag:  # a flag with a negative form may also be unset
        return None if value is None and option.secondary_opts else value is True
    if isinstance(value, Path):
        return str(value)
    return value if isinstance(value, str | int | float) else None


def _table(name: str, options: Mapping[str, Effective]) -> Iterator[str]:
    """The lines of a command's table."""
    yield f"[{name}]"
    for key, option in options.items():
        yield f"# {option.help}"
        if option.value is None:
            yield f"#{key} ="
        else:
            where = console.one_line(option.source)
            yield f"{key} = {spell_toml(option.value)}  # {where}"


def _json(found: Mapping[str, Mapping[str, Effective]]) -> str:
    content = {
        command: {
            name: {"value": option.value, "from": option.source}
            for name, option in options.items()
        }
        for command, options in found.items()
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
