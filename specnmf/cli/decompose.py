"""``specnmf decompose``."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from specnmf.cli import console
from specnmf.cli.options import (
    audio_options,
    common_options,
    factorisation_options,
    make_settings,
    output_options,
)
from specnmf.errors import SpecnmfError

if TYPE_CHECKING:
    from specnmf.pipeline import Run
    from specnmf.settings import Settings

#: Components listed after a run; run.json has them all.
MOST_LISTED = 16


@click.command(
    "decompose",
    epilog="Example: specnmf decompose song.wav -k 12 --beta kl -o takes",
)
@click.argument("songs", nargs=-1, required=True, metavar="SONG...", type=click.Path())
@factorisation_options
@click.option(
    "--templates",
    type=click.Path(path_type=Path),
    help="A factors.npz whose templates are held fixed; -k counts them too.",
)
@audio_options
@output_options
@common_options
def command(songs: tuple[str, ...], **options: Any) -> None:
    """Take each SONG apart into components.

    Leaves OUTPUT/SONG/ with run.json, factors.npz, sources/, pianoroll.mid,
    pianoroll.csv and figures/. Songs that cannot be done are named on stderr, and
    the exit status is then 1; the others are done all the same.
    """
    settings = make_settings(options)
    runs: list[Run] = []
    failures: list[dict[str, str]] = []
    taken: dict[Path, str] = {}
    for song in songs:
        target = options["output"] / Path(song).stem
        try:
            if target in taken:
                raise SpecnmfError(
                    f"{song}: would be written to {target} like {taken[target]}; "
                    "rename one, or use another --output"
                )
            taken[target] = song
            run = _decompose(song, settings, options)
        except (SpecnmfError, MemoryError) as error:
            message = str(error) or f"{song}: not enough memory; use --duration"
            message = message if song in message else f"{song}: {message}"
            failures.append({"input": song, "error": message})
            console.error(message)
            continue
        runs.append(run)
        _say(run, options)
    if options["as_json"]:
        _print_json(runs, failures)
    if failures:
        raise click.exceptions.Exit(1)


def _decompose(song: str, settings: Settings, options: dict[str, Any]) -> Run:
    from specnmf import pipeline

    shown = options["progress"] and not options["quiet"]
    with console.progress_bar(Path(song).name, shown=shown) as progress:
        return pipeline.decompose(
            song,
            settings,
            output=options["output"],
            overwrite=options["overwrite"],
            templates=options["templates"],
            command=shlex.join(["specnmf", *sys.argv[1:]]),
            progress=progress,
        )


def _say(run: Run, options: dict[str, Any]) -> None:
    if options["quiet"]:
        return
    for warning in run.report["warnings"]:
        console.warning(f"{run.report['inputs'][0]['path']}: {warning}")
    if options["verbose"]:
        for stage, seconds in run.report["seconds"].items():
            click.echo(f"{stage:12} {seconds:7.2f} s", err=True)
    if not options["as_json"]:
        _print_summary(run)


def _print_summary(run: Run) -> None:
    from specnmf.output.report import describe

    click.echo(console.one_line(run.folder))
    entries = run.report["components"]
    for line in describe(entries[:MOST_LISTED]):
        click.echo(f"  {line}")
    if len(entries) > MOST_LISTED:
        click.echo(f"  and {len(entries) - MOST_LISTED} more in run.json")


def _print_json(runs: list[Run], failures: list[dict[str, str]]) -> None:
    content = {
        "runs": [{"output": str(run.folder), **run.report} for run in runs],
        "failures": failures,
    }
    click.echo(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))
