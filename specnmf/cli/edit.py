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

#: A pan in the notation of mixing desks.
_PAN = re.compile(r"(?:(\d+(?:\.\d*)?)\s*([LR])|([LR])\s*(\d+(?:\.\d*)?)?|C)", re.I)


def parse_gain(text: str) -> float:
    """A gain in dB, such as ``-6``, ``-6dB`` or ``+3 dB``."""
    number = re.sub(r"\s*dB$", "", text.strip(), flags=re.IGNORECASE)
    try:
        return float(number)
    except ValueError:
        raise ParameterError(
            f"expected a gain in dB, such as -6dB, got {text!r}"
        ) from None


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
            f"expected a pan from -1 (left) to 1 (right), or 50L, C, 50R, got {text!r}"
        ) from None


def _pairs(example: str, parse: Callable[[str], Any], *, last: bool = False) -> Any:
    """A callback that reads NAME=VALUE, repeated; ``last``: split at the last =."""

    def read(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> Any:
        found: dict[str, Any] = {}
        for text in values:
            name, equals, value = text.rpartition("=") if last else text.partition("=")
            if not (equals and name.strip() and value.strip()):
                raise click.BadParameter(
                    f"expected a value such as {example}, got {text!r}", ctx, param
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
    """Names separated by commas."""
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
            "Merge stems: NAME becomes the sum of A, B, ...; repeatable.",
        ),
        _option(
            "rename",
            "OLD=NEW",
            _pairs("component_02=flute", str),
            "Rename a stem; repeatable.",
        ),
        _option(
            "drop",
            "NAME,...",
            _names,
            "Add these stems to the stem rest or residual; without one, rest is made.",
        ),
        _option(
            "gain",
            "NAME=DB",
            _pairs("bass=-6dB", parse_gain, last=True),
            "Change the level of a stem, such as bass=-6dB; repeatable.",
        ),
        _option(
            "pan",
            "NAME=PLACE",
            _pairs("bass=-0.5", parse_pan, last=True),
            "Pan a stem: -1 (left) to 1 (right), or 50L, C, 50R; repeatable.",
        ),
        _option("order", "NAME,...", _names, "Put these stems first, in this order."),
        _option(
            "only",
            "NAME,...",
            _names,
            "Write only these stems; '*': all, after an earlier --only.",
        ),
        _option(
            "without",
            "NAME,...",
            _names,
            "Also write mixes/without_NAME, the sum of all other stems; repeatable.",
        ),
        Option(
            ["--input"],
            type=Place(path_type=Path),
            help="The recording, if it was moved or renamed.",
            group=WHAT,
        ),
        *output_options("specnmf_edited"),
        Option(
            ["--in-place"],
            is_flag=True,
            help="Replace RUN itself; your own files in it are kept.",
            group=OUTPUT,
        ),
        *(
            Option([f"--{name}/--no-{name}"], default=None, help=text, group=OUTPUT)
            for name, text in (
                ("sources", "Write the stems; by default as in RUN."),
                ("figures", "Keep the figures; by default as in RUN."),
                ("report", "Write report.html; by default as in RUN."),
            )
        ),
        *common_options(),
    ],
    epilog="Example: specnmf edit specnmf_out/song --merge bass=component_03,5",
)
@click.pass_context
def command(ctx: click.Context, /, run_dir: str, **options: Any) -> None:
    """Edit the stems of a finished RUN without fitting it again.

    Writes a new run, OUTPUT/RUN/. Select stems by name, pattern or number, as with
    --only of other commands; in layers also by layer_2/component_01. --merge, --rename
    and --drop take the names in RUN, all other options the new names.

    The stems still add up to the recording: a merged stem is the sum of its members,
    and the other stems keep every sample. Only gains and pans change that; then
    mixes/mix is the sum of the edited stems. The recording is required, the score is
    not. specnmf rerun also makes edited runs again.
    """
    given = ctx.get_parameter_source("output") != ParameterSource.DEFAULT
    if options["in_place"] and given:
        raise click.UsageError("expected --in-place or --output, got both")
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
            "no edit given; expected at least one of "
            + ", ".join(f"--{name}" for name in names)
        )
    return edits


def _lines(report: dict[str, Any]) -> list[str]:
    """The edits, and the mixes that were written."""
    from specnmf.record.edits import Edits

    done = Edits.from_plain(report["edits"][-1]).sentences()
    return [*done, *(mix["file"] for mix in report["mixes"])]
