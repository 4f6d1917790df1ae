"""``specnmf rerun``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from specnmf.cli import console
from specnmf.cli.options import Command, Option, common_options, output_options
from specnmf.cli.songs import command_line
from specnmf.errors import SpecnmfError
from specnmf.options import OUTPUT, WHAT

if TYPE_CHECKING:
    from specnmf.record.rerun import Rerun


def make_command() -> click.Command:
    """The command."""
    return Command(
        "rerun",
        params=[
            click.Argument(
                ["run_dirs"],
                nargs=-1,
                required=True,
                metavar="RUN_DIR...",
                type=click.Path(),
            ),
            Option(
                ["--input", "inputs"],
                multiple=True,
                type=click.Path(path_type=Path),
                help="Where an input is now; repeated for each, in the order of "
                "run.json.",
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
        callback=command,
        help=command.__doc__,
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
    done: list[tuple[str, Rerun]] = []
    failures: list[dict[str, str]] = []
    taken: dict[Path, str] = {}
    for run_dir in run_dirs:
        try:
            again = _rerun(run_dir, options, taken)
        except (SpecnmfError, MemoryError) as error:
            message = str(error) or "not enough memory"
            message = message if run_dir in message else f"{run_dir}: {message}"
            failures.append({"input": run_dir, "error": message})
            console.error(message)
            continue
        done.append((run_dir, again))
        _say(run_dir, again, options)
    if options["as_json"]:
        _print_json(done, failures)
    if failures or not all(again.identical for _, again in done):
        raise click.exceptions.Exit(1)


def _rerun(run_dir: str, options: dict[str, Any], taken: dict[Path, str]) -> Rerun:
    from specnmf.record.record import read_record
    from specnmf.record.rerun import rerun

    inputs = options["inputs"] or None
    target = read_record(run_dir, inputs=inputs).target(options["output"])
    if target in taken:
        raise SpecnmfError(
            f"{run_dir}: would be written to {target} like {taken[target]}; "
            "use another --output"
        )
    taken[target] = run_dir
    shown = options["progress"] and not options["quiet"]
    with console.progress_bar(Path(run_dir).name, shown=shown) as progress:
        return rerun(
            run_dir,
            output=options["output"],
            overwrite=options["overwrite"],
            inputs=inputs,
            sources=options["sources"],
            figures=options["figures"],
            command=command_line(),
            progress=progress,
        )


def _say(run_dir: str, again: Rerun, options: dict[str, Any]) -> None:
    if options["quiet"]:
        return
    for warning in again.run.report["warnings"]:
        console.warning(f"{run_dir}: {warning}")
    if options["verbose"]:
        for stage, seconds in again.run.report["seconds"].items():
            click.echo(f"{stage:12} {seconds:7.2f} s", err=True)
    if not options["as_json"]:
        click.echo(console.one_line(again.run.folder))
        click.echo(f"  factors {console.one_line(_verdict(run_dir, again))}")


def _verdict(run_dir: str, again: Rerun) -> str:
    """Whether the factors are the same, and what may have changed them."""
    if again.identical:
        return f"identical to {run_dir}"
    changes = ", ".join(
        f"{name} {then} then, {now} now" for name, (then, now) in again.versions.items()
    )
    amount = f"by {again.difference:.1g}" if _is_amount(again) else "in shape or labels"
    return f"differ from {run_dir} {amount} ({changes or 'versions are the same'})"


def _is_amount(again: Rerun) -> bool:
    return math.isfinite(again.difference)


def _print_json(done: list[tuple[str, Rerun]], failures: list[dict[str, str]]) -> None:
    runs = [
        {
            "output": str(again.run.folder),
            "rerun_of": run_dir,
            "identical": again.identical,
            "difference": again.difference if _is_amount(again) else None,
            "changed_versions": {
                name: {"then": then, "now": now}
                for name, (then, now) in again.versions.items()
            },
            **again.run.report,
        }
        for run_dir, again in done
    ]
    content = {"runs": runs, "failures": failures}
    console.json_object(content)
