"""``specnmf rerun``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from specnmf.cli import console
from specnmf.cli.options import Command, Option, Place, common_options, output_options
from specnmf.cli.songs import Done, check_unique, command_line, do_each
from specnmf.options import OUTPUT, WHAT

if TYPE_CHECKING:
    from specnmf.record.rerun import Rerun
    from specnmf.tasks.stages import Progress


@click.command(
    "rerun",
    cls=Command,
    params=[
        click.Argument(
            ["run_dirs"],
            nargs=-1,
            required=True,
            metavar="RUN_DIR...",
            type=Place(),
        ),
        Option(
            ["--input", "inputs"],
            multiple=True,
            type=Place(path_type=Path),
            help="An input that was moved or renamed; give all, in the order of "
            "run.json.",
            group=WHAT,
        ),
        *output_options("specnmf_rerun"),
        Option(
            ["--sources/--no-sources"],
            default=None,
            help="Write the sources; by default as in the run.",
            group=OUTPUT,
        ),
        Option(
            ["--figures/--no-figures"],
            default=None,
            help="Draw the figures; by default as in the run.",
            group=OUTPUT,
        ),
        *common_options(),
    ],
    epilog="Example: specnmf rerun specnmf_out/song",
)
def command(run_dirs: tuple[str, ...], **options: Any) -> None:
    """Repeat runs and compare the results.

    Settings, seed and inputs come from run.json in RUN_DIR; inputs that have changed
    since are refused. The exit status is 1 if any run fails or differs.
    """
    if options["inputs"] and len(run_dirs) > 1:
        raise click.UsageError(
            "--input works with one RUN_DIR only; rerun the others separately"
        )
    taken: dict[Path, str] = {}
    identical: list[bool] = []

    def do(run_dir: str, progress: Progress | None) -> Done:
        again = _rerun(run_dir, options, taken, progress)
        identical.append(again.identical)
        lines = [f"{_compared(again)} {_verdict(run_dir, again)}"]
        return Done(again, run_dir, lines, _facts(run_dir, again))

    do_each(run_dirs, options, do)
    if not all(identical):
        raise click.exceptions.Exit(1)


def _rerun(
    run_dir: str,
    options: dict[str, Any],
    taken: dict[Path, str],
    progress: Progress | None,
) -> Rerun:
    from specnmf.record.record import read_record
    from specnmf.record.rerun import rerun

    inputs = options["inputs"] or None
    target = read_record(run_dir, inputs=inputs).target(options["output"])
    check_unique(run_dir, target, taken, "use another --output")
    return rerun(
        run_dir,
        output=options["output"],
        overwrite=options["overwrite"],
        inputs=inputs,
        sources=options["sources"],
        figures=options["figures"],
        command=command_line(),
        progress=progress,
        say=console.sayer(options),
    )


def _compared(again: Rerun) -> str:
    """The results that were compared: factors or notes."""
    from specnmf.tasks.registry import TASKS

    archive = next(iter(TASKS[again.report["kind"]].archives()))
    return archive.removesuffix(".npz")


def _verdict(run_dir: str, again: Rerun) -> str:
    """Whether the results are the same, and possible causes of a difference."""
    if again.identical:
        return f"identical to {run_dir}"
    changes = ", ".join(
        f"{name} {then} then, {now} now" for name, (then, now) in again.versions.items()
    )
    is_amount = math.isfinite(again.difference)
    amount = f"by {again.difference:.1g}" if is_amount else "in shape or labels"
    return f"differ from {run_dir} {amount} ({changes or 'same versions'})"


def _facts(run_dir: str, again: Rerun) -> dict[str, Any]:
    return {
        "rerun_of": run_dir,
        "identical": again.identical,
        "difference": again.difference if math.isfinite(again.difference) else None,
        "changed_versions": {
            name: {"then": then, "now": now}
            for name, (then, now) in again.versions.items()
        },
    }
