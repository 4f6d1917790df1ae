"""``specnmf separate``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from specnmf.cli.options import (
    audio_options,
    common_options,
    make_settings,
    output_options,
    score_options,
)
from specnmf.cli.songs import command_line, take_each
from specnmf.tasks.separate import ScoreSettings

if TYPE_CHECKING:
    from specnmf.pipeline.run import Progress, Run

#: Stems listed after a run; run.json has them all.
MOST_LISTED = 24


@click.command(
    "separate",
    epilog="Example: specnmf separate song.wav --score song.mid --by hand",
)
@click.argument("songs", nargs=-1, required=True, metavar="SONG...", type=click.Path())
@click.option(
    "--score",
    type=click.Path(path_type=Path),
    help="MIDI, MusicXML or CSV; by default the file beside the song.",
)
@score_options
@audio_options("the one that suits the recording")
@output_options
@common_options
def command(songs: tuple[str, ...], **options: Any) -> None:
    """Take each SONG apart by its score, into parts, hands, pitches or notes.

    The score may be in any tempo: it is aligned to the recording. Leaves
    OUTPUT/SONG/ with sources/, aligned.mid, aligned.csv, run.json, factors.npz,
    pianoroll.mid, pianoroll.csv and figures/. Songs that cannot be done are named on
    stderr, and the exit status is then 1; the others are done all the same.
    """
    settings = make_settings(options, ScoreSettings)

    def separate(song: str, progress: Progress | None) -> Run:
        from specnmf.pipeline import separating

        return separating.separate(
            song,
            options["score"] or separating.score_beside(song),
            settings,
            output=options["output"],
            overwrite=options["overwrite"],
            command=command_line(),
            progress=progress,
        )

    take_each(songs, options, separate, _summary)


def _summary(run: Run) -> Iterator[str]:
    alignment, stems = run.report["alignment"], run.report["stems"]
    done = "warped to the recording" if alignment["warped"] else "in time as it was"
    yield f"score {done}, confidence {alignment['confidence']:.2f}"
    width = max(len(entry["label"]) for entry in stems[:MOST_LISTED])
    for entry in stems[:MOST_LISTED]:
        yield f"{entry['label']:{width}}  {entry['notes']:5} notes"
    if len(stems) > MOST_LISTED:
        yield f"and {len(stems) - MOST_LISTED} more in run.json"
