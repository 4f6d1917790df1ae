"""``specnmf evaluate``."""

from __future__ import annotations

import time
from dataclasses import asdict
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

#: The options that do not apply to notes.
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
            help="Evaluate notes instead of sound.",
        ),
        _what(
            ["--mix"],
            type=Place(),
            help="The mixture; by default the sum of the references.",
        ),
        _what(
            ["--match"],
            type=click.Choice(["auto", "name", "best"]),
            default="auto",
            show_default=True,
            help="name: match by name; best: by the best SDR (notes: F); auto: best if "
            "no names agree, else name.",
        ),
        _what(["--v4"], is_flag=True, help="Add the SDR of BSS Eval v4, by museval."),
        _what(
            ["--oracle"],
            is_flag=True,
            help="Add the scores of ideal ratio masks, an upper bound.",
        ),
        _what(
            ["--n-fft"],
            type=int,
            help="Window of the ideal masks in samples; by default as in decompose.",
        ),
        Option(
            ["--report"],
            type=Place(path_type=Path),
            metavar="FILE",
            help="Write report.html with the scores to FILE; ESTIMATES is a run.",
            group=OUTPUT,
        ),
        *common_options(),
    ],
    epilog="Example: specnmf evaluate specnmf_out/song song/stems\n\n"
    "Example: specnmf evaluate --notes specnmf_out/song song/score.mid",
)
def command(estimates: str, references: str, **options: Any) -> None:
    """Evaluate separated sources against the true sources.

    ESTIMATES and REFERENCES are folders of recordings, folders of runs, or two
    recordings. They are matched by name, or by the best SDR if no names agree. All
    values are in dB. SDR, SIR and SAR are those of BSS Eval v3; SDRi and SI-SDRi are
    the improvements of SDR and SI-SDR over the mixture.

    A reference without an estimate counts as silence, -30 dB, unless --only excluded
    it. Silent references do not count in the means. A reference that is the sum of
    others, such as an accompaniment, is not evaluated. A reference with the name mix
    or mixture is the mixture.

    With --notes, both are scores (MIDI, MusicXML or CSV) or folders of runs that hold
    score.mid. Precision, recall and F are those of mir_eval, for onsets within 50 and
    100 ms, and for onsets and offsets; over all notes, and for each part.
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
        raise click.UsageError(
            f"{flags}: for recordings, not for --notes; leave it out"
        )


def _evaluate_notes(
    estimate: str, reference: str, options: dict[str, Any]
) -> NoteEvaluation:
    from specnmf.evaluation.notes import evaluate_notes

    return evaluate_notes(estimate, reference, match=options["match"])


def _evaluate(estimates: str, references: str, options: dict[str, Any]) -> Evaluation:
    from specnmf.evaluation.evaluate import evaluate
    from specnmf.output.products import read_left_out, read_named
    from specnmf.record.record import read_record

    if options["report"] is not None:
        read_record(Path(estimates))  # fails at once if it is not a run
    with console.progress_bar(Path(estimates).name, options) as progress:
        evaluation = evaluate(
            read_named(Path(estimates)) or estimates,
            references,
            mixture=options["mix"],
            match=options["match"],
            v4=options["v4"],
            oracle=options["oracle"],
            n_fft=options["n_fft"],
            left_out=read_left_out(Path(estimates)),
            progress=progress,
        )
    if options["report"] is not None:
        _write_page(Path(estimates), options["report"], evaluation)
    return evaluation


def _write_page(run: Path, page: Path, evaluation: Evaluation) -> None:
    """Write the page of a run with its scores."""
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
