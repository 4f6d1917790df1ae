"""``specnmf evaluate``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from specnmf.audio.options import check_window
from specnmf.cli import console
from specnmf.cli.options import Command, Option, common_options
from specnmf.errors import ParameterError, SpecnmfError
from specnmf.options import WHAT

if TYPE_CHECKING:
    from specnmf.evaluation.scores import Evaluation


def make_command() -> click.Command:
    """The command."""
    return Command(
        "evaluate",
        params=[
            click.Argument(["estimates"], type=click.Path()),
            click.Argument(["references"], type=click.Path()),
            Option(
                ["--mix"],
                type=click.Path(),
                help="What was separated; by default the sum of the references.",
                group=WHAT,
            ),
            Option(
                ["--match"],
                type=click.Choice(["auto", "name", "best"]),
                default="auto",
                show_default=True,
                help="By name, or for the best SDR; auto: the latter if no names "
                "agree.",
                group=WHAT,
            ),
            Option(
                ["--v4"],
                is_flag=True,
                help="Add the SDR of BSS Eval v4, by museval.",
                group=WHAT,
            ),
            Option(
                ["--oracle"],
                is_flag=True,
                help="Add the scores of ideal ratio masks, a bound.",
                group=WHAT,
            ),
            Option(
                ["--n-fft"],
                type=int,
                help="Window of those masks in samples; by default that of decompose.",
                group=WHAT,
            ),
            *common_options(),
        ],
        callback=command,
        help=command.__doc__,
        epilog="Example: specnmf evaluate specnmf_out/song song/stems",
    )


def command(estimates: str, references: str, **options: Any) -> None:
    """Score separated sources against the true ones, in dB.

    ESTIMATES and REFERENCES are folders of recordings, folders of runs, or two
    recordings. They are matched by name, else so that the SDR is best. A reference
    without an estimate counts as silence, -30 dB; a silent reference is left out of
    the means. SDR, SIR and SAR are those of BSS Eval v3; SDRi and SI-SDRi say how
    far SDR and SI-SDR are above the mixture's. A file among the references that is
    called mix or mixture is taken for what was separated.
    """
    try:
        check_window(options["n_fft"], None)
    except ParameterError as error:
        raise click.UsageError(str(error)) from error
    began = time.perf_counter()
    try:
        evaluation = _evaluate(estimates, references, options)
    except (SpecnmfError, MemoryError) as error:
        message = str(error) or f"{estimates}: not enough memory"
        console.error(message)
        if options["as_json"]:
            console.json_object({"failures": [{"input": estimates, "error": message}]})
        raise click.exceptions.Exit(1) from error
    if options["verbose"]:
        click.echo(f"{'evaluate':12} {time.perf_counter() - began:7.2f} s", err=True)
    if not options["quiet"]:
        _say(evaluation, as_json=options["as_json"])
    if options["as_json"]:
        paths = {"estimates": estimates, "references": references}
        console.json_object({**paths, **evaluation.as_dict(), "failures": []})


def _evaluate(estimates: str, references: str, options: dict[str, Any]) -> Evaluation:
    from specnmf.audio.reading import read
    from specnmf.evaluation.evaluate import evaluate
    from specnmf.evaluation.inputs import read_sources, split_mixture

    shown = options["progress"] and not options["quiet"]
    with console.progress_bar(Path(estimates).name, shown=shown) as progress:
        sources, mixture = split_mixture(read_sources(references, progress=progress))
        return evaluate(
            read_sources(estimates, progress=progress),
            sources,
            mixture=read(options["mix"]) if options["mix"] else mixture,
            match=options["match"],
            v4=options["v4"],
            oracle=options["oracle"],
            n_fft=options["n_fft"],
            progress=progress,
        )


def _say(evaluation: Evaluation, *, as_json: bool) -> None:
    from specnmf.evaluation.scores import describe

    for warning in evaluation.warnings:
        console.warning(warning)
    if not as_json:
        for line in describe(evaluation):
            click.echo(console.one_line(line))
