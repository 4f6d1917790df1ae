"""``specnmf label``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from specnmf.cli.options import (
    audio_options,
    common_options,
    label_options,
    make_settings,
    output_options,
)
from specnmf.cli.songs import command_line, take_each
from specnmf.tasks.label import LabelSettings

if TYPE_CHECKING:
    from specnmf.pipeline.run import Progress, Run


@click.command(
    "label",
    epilog="Example: specnmf label song.wav --labels song.txt",
)
@click.argument("song", type=click.Path())
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    required=True,
    help="Where which sound is heard: an Audacity label track, or CSV start,end,name.",
)
@label_options
@audio_options("2048 up to 48 kHz, then in proportion")
@output_options
@common_options
def command(song: str, **options: Any) -> None:
    """Take SONG apart by labels that say where which sound is heard.

    Mark regions by the name of what is heard there, as many as you like, best where
    a sound is heard alone. Where there is any region, what is not marked counts as
    absent; regions called rest mark where none of the sounds is heard. Everywhere else,
    it is found out.

    Leaves OUTPUT/SONG/ with sources/ (each label and the rest), labels.txt (where each
    is heard, for Audacity), run.json, factors.npz, pianoroll.mid, pianoroll.csv and
    figures/.
    """
    settings = make_settings(options, LabelSettings)

    def label(song: str, progress: Progress | None) -> Run:
        from specnmf.pipeline import labelling

        return labelling.label(
            song,
            options["labels"],
            settings,
            output=options["output"],
            overwrite=options["overwrite"],
            command=command_line(),
            progress=progress,
        )

    take_each([song], options, label, _summary)


def _summary(run: Run) -> Iterator[str]:
    entries = [e for e in run.report["labels"] if "seconds_marked" in e]
    seconds, whole = run.report["annotated_seconds"], run.report["audio"]["duration"]
    yield f"{seconds:.1f} of {whole:.1f} s annotated"
    width = max(len(entry["label"]) for entry in entries)
    for entry in entries:
        yield (
            f"{entry['label']:{width}}  marked {entry['seconds_marked']:6.1f} s, "
            f"alone {entry['seconds_alone']:6.1f} s, "
            f"found {entry['seconds_predicted']:6.1f} s"
        )
