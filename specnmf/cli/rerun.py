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
            help="Where an input is now; repeated for each, in the order of run.json.",
            group=WHAT,
        ),
        *output_options("specnmf_rerun"),
        Option(
            ["--sources/--no-sources"],
            default=None,
            help="Write the sources this time or not.",
            group=OUTPUT,
        ),
        Option(
            ["--figures/--no-figures"],
            default=None,
            help="Draw the figures this time or not.",
            group=OUTPUT,
        ),
        *common_options(),
    ],
    epilog="Example: specnmf rerun specnmf_out/song",
)
def command(run_dirs: tuple[str, ...], **options: Any) -> None:
    """Make runs again, and compare their factors.

    Settings, seed and inputs are those that run.json in RUN_DIR names; inputs that are
    not the same files any more are refused. The exit status is 1 if any run could not
    be made again, or came out different.
    """
    if options["inputs"] and len(run_dirs) > 1:
        raise click.UsageError(
            "--input is for one RUN_DIR; make the others on their own"
        )
    taken: dict[Path, str] = {}
    identical: list[bool] = []

    def do(run_dir: str, progress: Progress | None) -> Done:
        again = _rerun(run_dir, options, taken, progress)
        identical.append(again.identical)
        lines = [f"{_compared(again)} {_verdict(run_dir, again)}"]
        return Done(again.run, run_dir, lines, _facts(run_dir, again))

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
    """What of the runs was compared: factors, or notes."""
    from specnmf.tasks.registry import TASKS

    archive = next(iter(TASKS[again.run.report["kind"]].archives()))
    return archive.removesuffix(".npz")


def _verdict(run_dir: str, again: Rerun) -> str:
    """Whether the factors are the same, and what may have changed them."""
    if again.identical:
        return f"identical to {run_dir}"
    changes = ", ".join(
        f"{name} {then} then, {now} now" for name, (then, now) in again.versions.items()
    )
    is_amount = math.isfinite(again.difference)
    amount = f"by {again.difference:.1g}" if is_amount else "in shape or labels"
    return f"differ from {run_dir} {amount} ({changes or 'versions are the same'})"


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
