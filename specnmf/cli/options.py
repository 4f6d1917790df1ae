"""Options of commands, made from the declared settings, and turned back into them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from pathlib import Path
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin

import click

from specnmf.cli.config_file import read_config
from specnmf.errors import ParameterError
from specnmf.options import (
    GROUPS,
    OUTPUT,
    RUN,
    WHAT,
    Declaration,
    Options,
    check_types,
    declaration,
    hints_of,
)
from specnmf.tasks.task import Task

AnyOptions = TypeVar("AnyOptions", bound=Options)


class Option(click.Option):
    """An option under a heading of the help."""

    def __init__(self, *args: Any, group: str = RUN, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group


class Command(click.Command):
    """A command whose help lists options under headings, the common ones first."""

    def format_options(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the options, group by group."""
        groups: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                groups.setdefault(getattr(param, "group", RUN), []).append(record)
        for group, records in groups.items():
            if records:
                with formatter.section(group):
                    formatter.write_dl(records)


class Place(click.Path):
    """The path of a file or folder; an empty string is not a path."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """The path, checked."""
        if not str(value) or "\0" in str(value):
            self.fail(f"expected a path, got {str(value)!r}", param, ctx)
        return super().convert(value, param, ctx)


class Parsed(click.ParamType):  # type: ignore[type-arg]  # generic from 8.2 on
    """The result of a function of a value; its ParameterError is a usage error.

    Parameters
    ----------
    parse : callable
        Takes a string, or a value from a configuration file.
    metavar : str
        The placeholder in the help.
    """

    name = "value"

    def __init__(self, parse: Callable[[Any], Any], metavar: str) -> None:
        self.parse, self.metavar = parse, metavar

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """The result of the function."""
        try:
            return self.parse(value)
        except ParameterError as error:
            self.fail(str(error), param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """The placeholder in the help."""
        return self.metavar


def options_of(kind: type[Options], **changes: Any) -> list[click.Parameter]:
    """A command's options, from a class that declares them.

    Parameters
    ----------
    kind : type
        The class.
    **changes
        Given to each option, such as ``hidden``.
    """
    hints = hints_of(kind)
    return [_option(each, hints[each.name], changes) for each in fields(kind)]


def _option(field: Field[Any], hint: Any, changes: dict[str, Any]) -> click.Parameter:
    declared = declaration(field)
    name = field.name.replace("_", "-")
    settings: dict[str, Any] = {
        "help": declared.help,
        "group": declared.group,
        "metavar": declared.metavar,
        **_of_type(hint, declared, field.default),
    }
    is_switch = bool in (hint, *get_args(hint))
    switch = f"--{name}/--no-{name}" if is_switch else f"--{name}"
    return Option([*(declared.flags or (switch,)), field.name], **settings | changes)


def _of_type(hint: Any, declared: Declaration, default: Any) -> dict[str, Any]:
    """The arguments of click that describe an option's values."""
    if NoneType in get_args(hint):
        hint = next(part for part in get_args(hint) if part is not NoneType)
    if hint is bool:
        return {"is_flag": True, "default": default}
    if get_origin(hint) in (Mapping, Sequence) and default in (MISSING, ()):
        return {"multiple": True, "callback": _gathered(declared.parse)}
    shown = declared.shown or default
    values = {"default": shown, "show_default": shown is not None}
    if declared.parse is not None:
        return {**values, "type": Parsed(declared.parse, declared.metavar or "VALUE")}
    if get_origin(hint) is Literal:
        return {**values, "type": click.Choice(get_args(hint))}
    return {**values, "type": hint}


def _gathered(parse: Callable[[Any], Any] | None) -> Callable[..., Any]:
    """A callback that joins the values of a repeatable option."""

    def gather(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
        if parse is None or not value:
            return value or None
        try:
            return parse(value)
        except ParameterError as error:
            raise click.BadParameter(str(error), ctx, param) from error

    return gather


def input_options(task: Task[Any]) -> list[click.Parameter]:
    """The options for the files that a task takes besides the song."""
    return [
        Option(
            [f"--{each.name}"],
            type=Place(path_type=Path),
            required=each.required and not each.beside,
            help=each.help,
            group=WHAT,
        )
        for each in task.inputs
    ]


def output_options(default: str = "specnmf_out") -> list[click.Parameter]:
    """The options for the output folder."""
    return [
        Option(
            ["-o", "--output"],
            type=Place(path_type=Path),
            default=default,
            show_default=True,
            help="Folder for the runs.",
            group=OUTPUT,
        ),
        Option(
            ["--overwrite"],
            is_flag=True,
            help="Replace finished runs; your own files in them are kept.",
            group=OUTPUT,
        ),
    ]


def common_options() -> list[click.Parameter]:
    """The options of every command: configuration and messages."""
    return [
        Option(
            ["--config"],
            type=Place(path_type=Path),
            is_eager=True,
            expose_value=False,
            callback=read_config,
            help="TOML file that sets options; options given here override it.",
        ),
        Option(
            ["--json", "as_json"],
            is_flag=True,
            help="Print one JSON object and nothing else.",
        ),
        Option(["--progress/--no-progress"], default=True, help="Show progress bars."),
        Option(["-v", "--verbose"], is_flag=True, help="Print the time of each stage."),
        Option(["-q", "--quiet"], is_flag=True, help="Print errors only."),
    ]


def make_settings(options: Mapping[str, Any], kind: type[AnyOptions]) -> AnyOptions:
    """The settings among a command's options; options not given have defaults.

    Raises
    ------
    click.UsageError
        If a value is of the wrong type or out of its range.
    """
    names = hints_of(kind)
    given = {
        name: value
        for name, value in options.items()
        if name in names and value is not None
    }
    try:
        check_types(kind, given)
        return kind(**given)
    except ParameterError as error:
        raise click.UsageError(str(error)) from error
