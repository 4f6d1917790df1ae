"""``specnmf learn``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from specnmf.cli import console
from specnmf.cli.edit import parse_list
from specnmf.cli.options import (
    Command,
    Option,
    Place,
    common_options,
    make_settings,
    options_of,
)
from specnmf.errors import OutputError, ParameterError
from specnmf.methods.labels.options import LABEL_KINDS
from specnmf.methods.learned.options import LearnSettings
from specnmf.options import OUTPUT, WHAT

if TYPE_CHECKING:
    from specnmf.methods.learned.templates import Templates

_what = partial(Option, group=WHAT)

#: Groups listed after learning; the file has them all.
MOST_LISTED = 24


def _pairs(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> Any:
    """A callback that reads NAME=VALUE, repeated; a name may be repeated as well."""
    found: dict[str, list[str]] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not (equals and name.strip() and value.strip()):
            raise click.BadParameter(
                f"expected NAME=VALUE, such as kick=a.wav, got {text!r}", ctx, param
            )
        found.setdefault(name.strip(), []).append(value.strip())
    return found


def _lists(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> Any:
    """A callback that reads NAME=A,B,..., repeated."""
    try:
        return {
            name: [each for text in texts for each in parse_list(text)]
            for name, texts in _pairs(ctx, param, values).items()
        }
    except ParameterError as error:
        raise click.BadParameter(str(error), ctx, param) from error


def make_command() -> click.Command:
    """The command, with the options of `LearnSettings`."""
    return Command(
        "learn",
        callback=_learn,
        params=[
            click.Argument(["sounds"], nargs=-1, metavar="[SOUND]...", type=Place()),
            _what(
                ["--name"],
                multiple=True,
                metavar="NAME=SOUND",
                callback=_pairs,
                help="A sound, and the name of its stem; repeatable.",
            ),
            _what(
                ["--labels"],
                type=Place(path_type=Path),
                help=f"Where each sound is heard in the one SOUND: {LABEL_KINDS}",
            ),
            _what(
                ["--from", "run"],
                type=Place(path_type=Path),
                metavar="RUN",
                help="Take the templates of a finished run.",
            ),
            _what(
                ["--take"],
                multiple=True,
                metavar="NAME=A,B,...",
                callback=_lists,
                help="With --from: the components to take, and the name of their stem; "
                "repeatable. By default all.",
            ),
            _what(
                ["--merge"],
                is_flag=True,
                help="Merge files of templates: SOUND... are such files.",
            ),
            *options_of(LearnSettings),
            Option(
                ["-o", "--output"],
                type=Place(path_type=Path),
                default="templates.npz",
                show_default=True,
                help="The file of the templates.",
                group=OUTPUT,
            ),
            Option(
                ["--figures/--no-figures"],
                default=True,
                help="Draw the templates beside the file, as .png.",
                group=OUTPUT,
            ),
            Option(
                ["--overwrite"],
                is_flag=True,
                help="Replace the file if it exists.",
                group=OUTPUT,
            ),
            *common_options(),
        ],
        help=_HELP,
        epilog="Example: specnmf learn kick.wav snare.wav --frames 8 -o kit.npz",
    )


_HELP = """Learn templates from sounds, for specnmf decompose --templates.

Each SOUND is a recording with one sound alone, or a folder of them. The name of a
recording becomes the name of a stem; recordings in folders within a folder have the
folder's name: violin/a.wav and violin/b.wav are learned for the stem violin.

With --labels, the sounds are learned where they are marked in one recording; with
--from, they are components of a finished run. --merge puts files together.

Writes one file of named templates, and a picture of them.
"""


def _learn(**options: Any) -> None:
    _check(options)
    settings = make_settings(options, LearnSettings)
    target: Path = options["output"]
    with console.failing_as(None, options):
        _check_free(target, options)
        with console.progress_bar("learn", options) as progress:
            templates = _templates(options, settings, progress)
        _write(target, templates, figures=options["figures"])
    console.kernel_remarks(options)
    if options["as_json"]:
        console.json_object({**_facts(target, templates), "failures": []})
    elif not options["quiet"]:
        for line in _lines(target, templates):
            console.result(console.one_line(line))


def _check(options: dict[str, Any]) -> None:
    """Raise a usage error unless the sounds come from one place."""
    sounds, named, run = options["sounds"], options["name"], options["run"]
    if options["take"] and run is None:
        raise click.UsageError("--take is for the components of a run; give --from RUN")
    if run is not None and (sounds or named or options["labels"] or options["merge"]):
        raise click.UsageError("--from takes a run and no sounds; leave them out")
    if options["merge"] and (named or options["labels"] or len(sounds) < 2):
        raise click.UsageError("--merge takes two or more files of templates")
    if not (sounds or named or run):
        raise click.UsageError("expected a SOUND, --name NAME=SOUND or --from RUN")


def _check_free(target: Path, options: dict[str, Any]) -> None:
    """Raise OutputError if the files may not be written, before the work."""
    if target.suffix.lower() != ".npz":
        raise OutputError(f"{target}: expected a name that ends in .npz")
    pictures = [target.with_suffix(".png")] if options["figures"] else []
    for path in [target, *pictures]:
        if path.exists() and not options["overwrite"]:
            raise OutputError(f"{path}: exists; use --overwrite or another --output")


def _templates(
    options: dict[str, Any], settings: LearnSettings, progress: Any
) -> Templates:
    from specnmf.methods.learned.templates import merged, read_templates
    from specnmf.record.learn import learn, learn_from_run

    if options["run"] is not None:
        return learn_from_run(options["run"], options["take"] or None)
    if options["merge"]:
        return merged(read_templates(path) for path in options["sounds"])
    labels = options["labels"]
    given = [each for each in (options["sounds"], options["name"]) if each]
    if labels is not None and len(given) > 1:
        raise ParameterError("--labels is for one recording; leave out the others")
    return merged(
        learn(sounds, settings, labels=labels, progress=progress) for sounds in given
    )


def _write(target: Path, templates: Templates, *, figures: bool) -> None:
    """Write the file, and the picture beside it."""
    from specnmf.methods.learned.templates import write_templates

    try:
        target.absolute().parent.mkdir(parents=True, exist_ok=True)
    except OSError as failed:
        raise OutputError(f"{target}: {failed.strerror or failed}") from failed
    write_templates(target, templates)
    if figures:
        from specnmf.output.figures import draw_known_figure

        draw_known_figure(target.parent, templates, name=target.stem)


def _facts(target: Path, templates: Templates) -> dict[str, Any]:
    """What was written, for ``--json``."""
    return {
        "output": str(target),
        "names": list(templates.names),
        "groups": list(templates.groups),
        "n_bins": len(templates.W),
        "n_template_frames": templates.n_template_frames,
        "sr": templates.sr,
        "n_fft": templates.n_fft,
        "hop_length": templates.hop_length,
        "sources": [{"name": n, "sha256": sha} for n, sha in templates.sources],
    }


def _lines(target: Path, templates: Templates) -> list[str]:
    """What was written, for people."""
    from specnmf.notation import counted

    milliseconds = 1000 * templates.n_template_frames * templates.hop_length
    size = counted(templates.n_template_frames, "frame")
    if templates.n_template_frames > 1:
        size += f", {milliseconds / templates.sr:.0f} ms"
    stems = templates.stems
    head = f"  {len(templates.W)} bins to {templates.sr / 2:.0f} Hz, {size}"
    rows = [_row(templates, stem) for stem in stems[:MOST_LISTED]]
    wide, right = (max(len(row[column]) for row in rows) for column in (0, 1))
    listed = [f"  {stem:{wide}}  {n:>{right}}  {own}" for stem, n, own in rows]
    if len(stems) > MOST_LISTED:
        listed.append(f"  and {len(stems) - MOST_LISTED} more groups")
    return [str(target), head, *listed]


def _row(templates: Templates, stem: str) -> tuple[str, str, str]:
    """A group, how many templates it has, and their names."""
    from specnmf.notation import counted

    pairs = zip(templates.names, templates.groups, strict=True)
    own = [name for name, group in pairs if group == stem]
    names = own[0] if len(own) == 1 else f"{own[0]} to {own[-1]}"
    return stem, counted(len(own), "template"), names
