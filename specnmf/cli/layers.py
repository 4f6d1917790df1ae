"""``specnmf layers``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from specnmf.cli.options import (
    audio_options,
    common_options,
    layer_options,
    make_settings,
    output_options,
)
from specnmf.cli.songs import command_line, take_each
from specnmf.tasks.layers import LayerSettings

if TYPE_CHECKING:
    from specnmf.pipeline.run import Progress, Run

#: Components listed after a run, and notes of each; tree.json has them all.
MOST_LISTED, MOST_NOTES = 24, 5


@click.command(
    "layers",
    epilog="Example: specnmf layers song.wav --ranks 32,8,3",
)
@click.argument("songs", nargs=-1, required=True, metavar="SONG...", type=click.Path())
@layer_options
@audio_options("2048 up to 48 kHz, 4096 up to 96 kHz")
@output_options
@common_options
def command(songs: tuple[str, ...], **options: Any) -> None:
    """Take each SONG apart in layers: notes, then what sounds together.

    The first layer finds spectra, mostly those of notes. Each further layer finds
    which components of the one below sound at the same time: chords or textures,
    then, with few components, what those have in common, such as a harmony or a
    section. It hears what sounds together, not who plays it: components are no
    instruments.

    Leaves OUTPUT/SONG/ with tree.json, layers.npz, sources/layer_1/ and so on, each
    of which adds up to the recording, run.json, factors.npz, pianoroll.mid,
    pianoroll.csv and figures/. Songs that cannot be done are named on stderr, and the
    exit status is then 1; the others are done all the same.
    """
    settings = make_settings(options, LayerSettings)

    def layers(song: str, progress: Progress | None) -> Run:
        from specnmf.pipeline import layering

        return layering.layers(
            song,
            settings,
            labels=options["labels"],
            output=options["output"],
            overwrite=options["overwrite"],
            command=command_line(),
            progress=progress,
        )

    take_each(songs, options, layers, _summary)


def _summary(run: Run) -> Iterator[str]:
    """The components of the last layer, each with those of the layer below."""
    layers = run.report["layers"]
    top = layers[-1]["components"]
    lines = []
    for node in top:
        lines.append(_line(node))
        for child in layers[-2]["components"] if len(layers) > 1 else ():
            if child["parents"] and child["parents"][0]["name"] == node["name"]:
                lines.append(f"  {_line(child)}")
    yield from lines[:MOST_LISTED]
    if len(lines) > MOST_LISTED:
        yield f"and {len(lines) - MOST_LISTED} more in tree.json"


def _line(node: dict[str, Any]) -> str:
    notes = " ".join(entry["note"] for entry in node["notes"][:MOST_NOTES])
    label = f"{node['label']}: " if node.get("label") else ""
    return f"{node['name']}  {100 * node['energy_share']:3.0f}%  {label}{notes}"
