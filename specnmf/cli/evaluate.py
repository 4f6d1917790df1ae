"""``specnmf evaluate``."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from specnmf.audio.options import check_window
from specnmf.cli import console
from specnmf.cli.options import Command, Option, Place, common_options
from specnmf.errors import ParameterError
from specnmf.options import OUTPUT, WHAT

if TYPE_CHECKING:
    from specnmf.evaluation.note_scores import NoteEvaluation
    from specnmf.evaluation.scores import Evaluation

_what = partial(Option, group=WHAT)

#: The options that notes have no use for.
OF_SOUND = ("mix", "v4", "oracle", "n_fft", "report")


@click.command(
    "evaluate",
    cls=Command,
    params=[
        click.Argument(["estimates"], type=Place()),
        click.Argument(["references"], type=Place()),
        _what(
            ["--notes"],
            is_flag=True,
            help="Score notes, not sound: two files of notes, or a run and one.",
        ),
        _what(
            ["--mix"],
            type=Place(),
            help="What was separated; by default the sum of the references.",
        ),
        _what(
            ["--match"],
            type=click.Choice(["auto", "name", "best"]),
            default="auto",
            show_default=True,
            help="By name, or for the best SDR (notes: F); auto: the latter if no "
            "names agree.",
        ),
        _what(["--v4"], is_flag=True, help="Add the SDR of BSS Eval v4, by museval."),
        _what(
            ["--oracle"],
            is_flag=True,
            help="Add the scores of ideal ratio masks, a bound.",
        ),
        _what(
            ["--n-fft"],
            type=int,
            help="Window of those masks in samples; by default that of decompose.",
        ),
        Option(
            ["--report"],
            type=Place(path_type=Path),
            metavar="FILE",
            help="Write the page of the run, with these scores; of ESTIMATES that are "
            "a run.",
            group=OUTPUT,
        ),
        *common_options(),
    ],
    epilog="Example: specnmf evaluate specnmf_out/song song/stems\n\n"
    "Example: specnmf evaluate --notes specnmf_out/song song/score.mid",
)
def command(estimates: str, references: str, **options: Any) -> None:
    """Score separated sources against the true ones, in dB.

    ESTIMATES and REFERENCES are folders of recordings, folders of runs, or two
    recordings. They are matched by name, else so that the SDR is best. A reference
    without an estimate counts as silence, -30 dB, unless --only left it out. A silent
    reference is left out of the means. A reference that is the sum of others, as an
    accompaniment is, is not scored. SDR, SIR and SAR are those of BSS Eval v3; SDRi and
    SI-SDRi say how far SDR and SI-SDR are above the mixture's. A file among the
    references that is called mix or mixture is taken for what was separated.

    With --notes both are scores, MIDI, MusicXML or CSV, or folders of runs that wrote
    score.mid. Precision, recall and F are mir_eval's: of onsets within 50 and 100 ms,
    and of onsets and offsets; over all notes, and in each part.
    """
    _check(options)
    began = time.perf_counter()
    evaluate = _evaluate_notes if options["notes"] else _evaluate
    with console.failing_as(estimates, options):
        evaluation = evaluate(estimates, references, options)
    console.kernel_remarks(options)
    if options["verbose"]:
        console.seconds("evaluate", time.perf_counter() - began)
    if not options["quiet"]:
        _say(evaluation, as_json=options["as_json"])
    if options["as_json"]:
        paths = {"estimates": estimates, "references": references}
        console.json_object({**paths, **evaluation.as_dict(), "failures": []})


def _check(options: dict[str, Any]) -> None:
    try:
        check_window(options["n_fft"], None)
    except ParameterError as error:
        raise click.UsageError(str(error)) from error
    source = click.get_current_context().get_parameter_source
    given = [name for name in OF_SOUND if source(name) is ParameterSource.COMMANDLINE]
    if options["notes"] and given:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise click.UsageError(f"{flags}: of recordings, not of --notes; leave it out")


def _evaluate_notes(
    estimate: str, reference: str, options: dict[str, Any]
) -> NoteEvaluation:
    from specnmf.evaluation.inputs import read_notes
    from specnmf.evaluation.notes import evaluate_notes

    found, true = read_notes(estimate), read_notes(reference)
    return evaluate_notes(found, true, match=options["match"])


def _evaluate(estimates: str, references: str, options: dict[str, Any]) -> Evaluation:
    from specnmf.evaluation import inputs
    from specnmf.evaluation.evaluate import evaluate
    from specnmf.output.products import read_left_out
    from specnmf.record.record import read_record

    if options["report"] is not None:
        read_record(Path(estimates))  # what is no run has no page: say so at once
    warnings: list[str] = []
    with console.progress_bar(Path(estimates).name, options) as progress:
        found = inputs.read_sources(references, warnings=warnings, progress=progress)
        sources, mixture = inputs.split_mixture(found)
        if options["mix"]:
            mixture = inputs.read_recording(options["mix"], warnings)
        evaluation = evaluate(
            inputs.read_sources(estimates, warnings=warnings, progress=progress),
            sources,
            mixture=mixture,
            match=options["match"],
            v4=options["v4"],
            oracle=options["oracle"],
            n_fft=options["n_fft"],
            left_out=read_left_out(Path(estimates)),
            progress=progress,
        )
    if options["report"] is not None:
        _write_page(Path(estimates), options["report"], evaluation)
    return replace(evaluation, warnings=(*warnings, *evaluation.warnings))


def _write_page(run: Path, page: Path, evaluation: Evaluation) -> None:
    """Write the page of a run, with scores."""
    from specnmf.evaluation.scores import METRICS
    from specnmf.output.page.page import write_run
    from specnmf.record.record import read_record

    defaults = asdict(read_record(run).task.settings())
    rows = {row.estimate: asdict(row) for row in evaluation.sources if row.estimate}
    write_run(
        page,
        run,
        defaults=defaults,
        scores={
            name: {spelled: row[metric] for metric, spelled in METRICS.items()}
            for name, row in rows.items()
        },
        means={METRICS[metric]: value for metric, value in evaluation.mean.items()},
    )


def _say(evaluation: Evaluation | NoteEvaluation, *, as_json: bool) -> None:
    from specnmf.evaluation import note_scores, scores

    for warning in evaluation.warnings:
        console.warning(warning)
    if not as_json:
        if isinstance(evaluation, note_scores.NoteEvaluation):
            lines = note_scores.describe(evaluation)
        else:
            lines = scores.describe(evaluation)
        for line in lines:
            console.result(console.one_line(line))
