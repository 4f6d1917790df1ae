"""``specnmf batch``."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from specnmf.batch.settings import BatchSettings
from specnmf.cli import console
from specnmf.cli.display import batch_display, clock
from specnmf.cli.options import (
    SIZE,
    audio_options,
    common_options,
    content_options,
    make_settings,
    recipe_options,
)
from specnmf.cli.songs import command_line
from specnmf.errors import SpecnmfError
from specnmf.tasks.decompose import Settings
from specnmf.tasks.separate import ScoreSettings

if TYPE_CHECKING:
    from specnmf.batch.batch import Request
    from specnmf.batch.planning import Plan
    from specnmf.batch.running import Batch, Summary

#: Failures listed in the end; batch.jsonl has them all.
MOST_LISTED = 20


@click.command(
    "batch",
    epilog="Example: specnmf batch recordings/ --recursive -j 4 --resume -o runs",
)
@click.argument("folder", metavar="FOLDER", required=False)
@click.option(
    "-j",
    "--jobs",
    type=int,
    help="Songs at a time; by default one a core, as far as the memory goes.",
)
@click.option("-r", "--recursive", is_flag=True, help="Look into folders of FOLDER.")
@click.option(
    "--include",
    multiple=True,
    metavar="PATTERN",
    help="Only files such as '*.wav' or 'live/*'; repeatable.",
)
@click.option(
    "--exclude", multiple=True, metavar="PATTERN", help="None of these; repeatable."
)
@click.option(
    "--files-from",
    metavar="FILE",
    help="Only the files that FILE (-: standard input) names, relative to FOLDER.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, do nothing.")
@click.option(
    "--resume", is_flag=True, help="Do what is not done yet, and what has changed."
)
@click.option("--retry-failed", is_flag=True, help="Resume, with what failed before.")
@click.option(
    "--checksum", is_flag=True, help="Tell changed files by content, not size and time."
)
@click.option("--overwrite", is_flag=True, help="Make finished runs again.")
@click.option("--timeout", type=float, help="The most seconds for a song.")
@click.option(
    "--max-memory",
    type=SIZE,
    help="The most that a job may take; by default its share of the machine's.",
)
@click.option(
    "--scheduler", metavar="ADDRESS", help="Have a Dask cluster do it: tcp://host:8786."
)
@click.option(
    "-o",
    "--output",
    default="specnmf_out",
    show_default=True,
    help="The folder for runs, a path or an URL.",
)
@click.option(
    "--scores/--no-scores",
    default=BatchSettings.scores,
    help="Separate songs that have a score beside them, or decompose all.",
)
@click.option("--score", help="A score for all songs: takes of the same piece.")
@click.option(
    "--templates", help="A factors.npz to hold fixed in songs without a score."
)
@recipe_options
@audio_options("that of decompose or separate")
@content_options
@common_options
def command(folder: str | None, **options: Any) -> None:
    """Take apart every song in FOLDER, by the score beside it if there is one.

    FOLDER and OUTPUT may be URLs, such as s3://bucket/songs; the folders within FOLDER
    come back in OUTPUT. A song that fails stops no other: batch.jsonl in OUTPUT says
    what became of each, batch_logs/ more about failures, and the exit status is 1.
    Ctrl-C lets running songs finish, a second one ends them; --resume goes on.
    """
    if folder is None and options["files_from"] is None:
        raise click.UsageError("expected a FOLDER, or --files-from")
    from specnmf.batch import crew

    if options["scheduler"] is None and not options["dry_run"]:
        crew.prepare()  # while we load and look
    try:
        summary, status = _run(_request(folder or ".", options), options)
    except SpecnmfError as error:
        console.error(error)
        if options["as_json"]:
            console.json_object({"failures": [{"input": folder, "error": str(error)}]})
        raise click.exceptions.Exit(1) from error
    if summary is not None:
        _say_summary(summary, options)
        status = status or int(summary.failed > 0)
    raise click.exceptions.Exit(status)


def _request(folder: str, options: dict[str, Any]) -> Request:
    from specnmf.batch.batch import Request
    from specnmf.batch.finding import read_list

    listed = options["files_from"]
    return Request(
        source=folder,
        output=options["output"],
        settings=make_settings(options, Settings),
        score_settings=make_settings(options, ScoreSettings),
        batch=make_settings(options, BatchSettings),
        names=None if listed is None else list(read_list(listed)),
        score=options["score"],
        templates=options["templates"],
        command=command_line(),
    )


def _run(request: Request, options: dict[str, Any]) -> tuple[Summary | None, int]:
    """What came of it, None of a dry run; and the exit status, if it was stopped."""
    from specnmf.batch.batch import begun, make_plan

    if request.batch.scheduler is not None:  # what matters of it is an error of ours
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
    plan = make_plan(request, unreadable=_warn)
    if options["dry_run"]:
        _say_plan(plan, options)
        return None, 0
    talk = {name: options[name] for name in ("quiet", "verbose")}
    shown = options["progress"] and not options["quiet"]
    with (
        batch_display(len(plan.songs), shown=shown, **talk) as display,
        begun(plan, display) as batch,
        _stopped_by_signals(batch) as received,
    ):
        return batch.run(), 128 + received[-1] if received else 0


@contextmanager
def _stopped_by_signals(batch: Batch) -> Iterator[list[int]]:
    """Let Ctrl-C stop a batch, in two steps, and SIGTERM at once; yield what came."""
    received: list[int] = []

    def stop(number: int, frame: object) -> None:
        received.append(number)
        batch.stop()
        if number == signal.SIGTERM:
            batch.stop()

    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, stop) for number in numbers]
    try:
        yield received
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _warn(name: str, reason: str) -> None:
    console.warning(f"{name}: {reason}; left out")


def _say_plan(plan: Plan, options: dict[str, Any]) -> None:
    """List each song, what would be done with it, and where it would go."""
    if options["as_json"]:
        entries = [
            {
                "song": song.name,
                "verdict": plan.verdict(song),
                "command": "separate" if plan.recipe.is_scored(song) else "decompose",
                "score": plan.recipe.score or song.score,
                "output": plan.output.location(song.target),
            }
            for song in plan.songs
        ]
        console.json_object({"songs": entries, "failures": []})
        return
    for song in plan.songs:
        score = plan.recipe.score or song.score
        what = "decompose" if score is None else f"separate by {score}"
        line = f"{plan.verdict(song):6}  {song.name} -> {song.target}: {what}"
        click.echo(console.one_line(line))
    click.echo(f"{len(plan.songs)} songs")


def _say_summary(summary: Summary, options: dict[str, Any]) -> None:
    if options["as_json"]:
        console.json_object(
            {
                "output": options["output"],
                **_counts(summary),
                "seconds": round(summary.seconds, 3),
                "duration": round(summary.duration, 3),
                "speed": round(summary.speed, 3),
                "failures": [
                    {"input": each.song, "error": each.error, "log": each.log}
                    for each in summary.failures
                ],
            }
        )
    elif not options["quiet"]:
        for line in describe(summary):
            click.echo(console.one_line(line))


def describe(summary: Summary) -> Iterator[str]:
    """The lines about a batch that people read."""
    for name, count in _counts(summary).items():
        if count or name in ("songs", "done"):
            yield f"{name:8} {count:7}"
    yield f"{'sound':8} {clock(summary.duration):>7}"
    yield f"{'took':8} {clock(summary.seconds):>7}"
    if summary.duration:
        yield f"{'speed':8} {summary.speed:7.1f}  times as fast as it plays"
    for each in summary.failures[:MOST_LISTED]:
        yield f"failed: {each.song}: {each.error}"
    if len(summary.failures) > MOST_LISTED:
        yield f"and {len(summary.failures) - MOST_LISTED} more in batch.jsonl"


def _counts(summary: Summary) -> dict[str, int]:
    names = ("songs", "done", "failed", "skipped", "left")
    return {name: getattr(summary, name) for name in names}
