"""``specnmf decompose``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from specnmf.cli.options import (
    audio_options,
    common_options,
    factorisation_options,
    make_settings,
    output_options,
)
from specnmf.cli.songs import command_line, take_each
from specnmf.tasks.decompose import Settings

if TYPE_CHECKING:
    from specnmf.pipeline.run import Progress, Run

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
@audio_options("2048 up to 48 kHz, 4096 up to 96 kHz")
@output_options
@common_options
def command(songs: tuple[str, ...], **options: Any) -> None:
    """Take each SONG apart into components.

    Leaves OUTPUT/SONG/ with run.json, factors.npz, sources/, pianoroll.mid,
    pianoroll.csv and figures/. Songs that cannot be done are named on stderr, and
    the exit status is then 1; the others are done all the same.
    """
    settings = make_settings(options, Settings)

    def decompose(song: str, progress: Progress | None) -> Run:
        from specnmf.pipeline import decomposing

        return decomposing.decompose(
            song,
            settings,
            output=options["output"],
            overwrite=options["overwrite"],
            templates=options["templates"],
            command=command_line(),
            progress=progress,
        )

    take_each(songs, options, decompose, _summary)


def _summary(run: Run) -> Iterator[str]:
    from specnmf.output.report import describe

    entries = run.report["components"]
    if run.report["rank_choice"] is not None:
        yield f"{run.report['rank_choice']['chosen']} components by cross-validation"
    yield from describe(entries[:MOST_LISTED])
    if len(entries) > MOST_LISTED:
        yield f"and {len(entries) - MOST_LISTED} more in run.json"
