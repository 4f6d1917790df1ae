"""``specnmf edit``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from specnmf.cli import console
from specnmf.cli.options import Command, Option, Place, common_options, output_options
from specnmf.cli.songs import Done, command_line, do_each
from specnmf.errors import ParameterError
from specnmf.options import OUTPUT, WHAT

if TYPE_CHECKING:
    from specnmf.record.edits import Edits
    from specnmf.tasks.stages import Progress

#: A pan as mixing desks show it.
_PAN = re.compile(r"(?:(\d+(?:\.\d*)?)\s*([LR])|([LR])\s*(\d+(?:\.\d*)?)?|C)", re.I)


def parse_gain(text: str) -> float:
    """A gain in dB, such as ``-6``, ``-6dB`` or ``+3 dB``."""
    number = re.sub(r"\s*dB$", "", text.strip(), flags=re.IGNORECASE)
    try:
        return float(number)
    except ValueError:
        raise ParameterError(f"a gain is in dB, such as -6dB, got {text!r}") from None


def parse_pan(text: str) -> float:
    """A pan from -1 to 1, or such as ``50L``, ``C`` and ``R``."""
    place = _PAN.fullmatch(text.strip())
    if place is not None:
        before, side, first, after = place.groups()
        if not (side or first):
            return 0.0
        amount = float(before or after or 100) / 100
        return -amount if (side or first).upper() == "L" else amount
    try:
        return float(text)
    except ValueError:
        raise ParameterError(
            f"a pan is from -1 (left) to 1, or such as 50L, got {text!r}"
        ) from None


def _pairs(example: str, parse: Callable[[str], Any], *, last: bool = False) -> Any:
    """A callback that reads NAME=VALUE, repeated; ``last``: split at the last =."""

    def read(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> Any:
        found: dict[str, Any] = {}
        for text in values:
            name, equals, value = text.rpartition("=") if last else text.partition("=")
            if not (equals and name.strip() and value.strip()):
                raise click.BadParameter(
                    f"expected such as {example}, got {text!r}", ctx, param
                )
            if name.strip() in found:
                raise click.BadParameter(f"{name.strip()} is given twice", ctx, param)
            try:
                found[name.strip()] = parse(value.strip())
            except ParameterError as error:
                raise click.BadParameter(str(error), ctx, param) from error
        return found

    return read


def _names(
    ctx: click.Context, param: click.Parameter, values: Sequence[str]
) -> tuple[str, ...]:
    """A callback that reads NAME,..., repeated."""
    try:
        return tuple(name for text in values for name in parse_list(text))
    except ParameterError as error:
        raise click.BadParameter(str(error), ctx, param) from error


def parse_list(text: str) -> tuple[str, ...]:
    """Names with commas between them."""
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise ParameterError(f"expected names such as bass,drums, got {text!r}")
    return names


def _option(name: str, metavar: str, callback: Any, help: str) -> Option:
    return Option(
        [f"--{name}"],
        multiple=True,
        metavar=metavar,
        callback=callback,
        help=help,
        group=WHAT,
    )


@click.command(
    "edit",
    cls=Command,
    params=[
        click.Argument(["run_dir"], required=True, metavar="RUN", type=Place()),
        _option(
            "merge",
            "NAME=A,B,...",
            _pairs("bass=component_03,component_05", parse_list),
            "Add stems up, to one of this name; repeatable.",
        ),
        _option(
            "rename",
            "OLD=NEW",
            _pairs("component_02=flute", str),
            "Give a stem another name; repeatable.",
        ),
        _option(
            "drop",
            "NAME,...",
            _names,
            "Add stems to the rest, or residual; a new rest if there is none.",
        ),
        _option(
            "gain",
            "NAME=DB",
            _pairs("bass=-6dB", parse_gain, last=True),
            "Make a stem louder or softer, such as bass=-6dB; repeatable.",
        ),
        _option(
            "pan",
            "NAME=PLACE",
            _pairs("bass=-0.5", parse_pan, last=True),
            "Move a stem: from -1, left, to 1, or such as 50L; repeatable.",
        ),
        _option("order", "NAME,...", _names, "Put these stems first, in this order."),
        _option(
            "only",
            "NAME,...",
            _names,
            "Write only these stems; '*' writes all that an earlier --only left out.",
        ),
        _option(
            "without",
            "NAME,...",
            _names,
            "Also write mixes/without_NAME, the sum of all others; repeatable.",
        ),
        Option(
            ["--input"],
            type=Place(path_type=Path),
            help="Where the recording is now.",
            group=WHAT,
        ),
        *output_options("specnmf_edited"),
        Option(
            ["--in-place"],
            is_flag=True,
            help="Replace RUN itself; files of your own in it are kept.",
            group=OUTPUT,
        ),
        *(
            Option([f"--{name}/--no-{name}"], default=None, help=text, group=OUTPUT)
            for name, text in (
                ("sources", "Write the stems this time or not."),
                ("figures", "Keep the figures or not."),
                ("report", "Write report.html this time or not."),
            )
        ),
        *common_options(),
    ],
    epilog="Example: specnmf edit specnmf_out/song --merge bass=component_03,5",
)
@click.pass_context
def command(ctx: click.Context, /, run_dir: str, **options: Any) -> None:
    """Change a finished RUN without fitting it again.

    The new run is in OUTPUT/RUN/. Stems have the names, patterns or numbers by which
    --only of other commands finds them, in layers also layer_2/component_01. What is
    merged, renamed and dropped goes by the names in RUN, all else by the new ones.

    The stems still add up to the recording: a merged stem is the sum of its members,
    and the others keep every sample. Only gains and pans change that; then mixes/mix
    is the sum of the stems as they are now. The recording has to be there, the score
    has not. specnmf rerun makes an edited run again.
    """
    given = ctx.get_parameter_source("output") != ParameterSource.DEFAULT
    if options["in_place"] and given:
        raise click.UsageError("--in-place and --output are given, expected one")
    edits = _edits(options)

    def do(name: str, progress: Progress | None) -> Done:
        from specnmf.record.edit import edit_run

        run = edit_run(
            name,
            edits,
            output=options["output"],
            in_place=options["in_place"],
            overwrite=options["overwrite"],
            input=options["input"],
            sources=options["sources"],
            figures=options["figures"],
            report=options["report"],
            command=command_line(),
            progress=progress,
            say=console.sayer(options),
        )
        return Done(run, name, _lines(run.report), {})

    do_each([run_dir], options, do)


def _edits(options: dict[str, Any]) -> Edits:
    from specnmf.record.edits import Edits

    names = ("merge", "rename", "drop", "gain", "pan", "order", "only", "without")
    try:
        edits = Edits(**{name: options[name] for name in names})
    except ParameterError as error:
        raise click.UsageError(str(error)) from error
    if not edits:
        raise click.UsageError(
            "no edit given, expected some of "
            + ", ".join(f"--{name}" for name in names)
        )
    return edits


def _lines(report: dict[str, Any]) -> list[str]:
    """What was done, and the mixes that came of it."""
    from specnmf.record.edits import Edits

    done = Edits.from_plain(report["edits"][-1]).sentences()
    return [*done, *(mix["file"] for mix in report["mixes"])]
