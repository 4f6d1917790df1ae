"""``specnmf open``."""

from __future__ import annotations

import os
import sys
import threading
import traceback
import webbrowser
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from specnmf.cli import console
from specnmf.cli.options import Command, Option, Place, common_options
from specnmf.cli.songs import command_line
from specnmf.errors import OutputError
from specnmf.options import OUTPUT, RUN, WHAT
from specnmf.output import folder
from specnmf.tasks.registry import TASKS

if TYPE_CHECKING:
    from specnmf.record.record import Record
    from specnmf.studio.session import Session

#: The folder for runs of songs that are opened.
RUNS = Path("specnmf_out")

#: Tasks that need no file beside the song.
_ALONE = [name for name in TASKS if not any(i.required for i in TASKS[name].inputs)]


@click.command(
    "open",
    cls=Command,
    params=[
        click.Argument(["source"], metavar="RUN_DIR|SONG", type=Place()),
        Option(
            ["--task"],
            type=click.Choice(_ALONE),
            help="Task for SONG; by default separate, or the task of its run.",
            group=WHAT,
        ),
        Option(
            ["--input"],
            type=Place(path_type=Path),
            help="The recording of RUN_DIR, if it was moved or renamed.",
            group=WHAT,
        ),
        Option(
            ["-o", "--output"],
            type=Place(path_type=Path),
            default="specnmf_edited",
            show_default=True,
            help="Folder for saved runs.",
            group=OUTPUT,
        ),
        Option(
            ["--host"],
            default="127.0.0.1",
            show_default=True,
            help="Address to serve on; any other than 127.0.0.1 admits other machines.",
            group=RUN,
        ),
        Option(
            ["--port"],
            type=click.IntRange(0, 65535),
            default=0,
            show_default=True,
            help="Port to serve on; 0: a free port.",
            group=RUN,
        ),
        Option(
            ["--browser/--no-browser"],
            default=True,
            help="Open the page in a browser.",
            group=RUN,
        ),
        *common_options(),
    ],
    epilog="Example: specnmf open specnmf_out/song",
)
def command(source: str, **options: Any) -> None:
    """Open a run in a browser, to listen and to edit.

    RUN_DIR is the folder of a run. A SONG is separated first, into specnmf_out, or its
    run there is opened.

    The page is report.html with tools: rename, merge, drop and level stems, correct
    notes or mark regions, and separate again with them. Save writes the run that
    specnmf edit would write. The link is printed and works on this machine only. Press
    Ctrl-C to stop.
    """
    with console.failing_as(source, options):
        _open(_run_of(Path(source), options), options)


def _run_of(source: Path, options: dict[str, Any]) -> Path:
    """The folder of a run; for a song, the folder of its run, old or new."""
    if not source.is_file():
        return source
    if options["input"] is not None:
        raise click.UsageError(
            f"--input needs the folder of a run, got the recording {source}"
        )
    target = folder.target(RUNS, source)
    if (target / "run.json").exists():
        _check_made_from(target, source, options["task"])
        if not options["quiet"]:
            console.note(f"opening {target}, the run of {source}")
        return target
    return _separate(source, options)


def _check_made_from(target: Path, song: Path, task: str | None) -> None:
    """Raise OutputError if a run is of another song or another task."""
    from specnmf.output.products import sha256
    from specnmf.record.record import SONG, read_record

    record: Record = read_record(target)
    kind = record.task.name
    if record.checksums[SONG] != sha256(song):
        what = "another recording"
    elif task not in (None, kind):
        what = f"{kind}, not of {task}"
    else:
        return
    raise OutputError(
        f"{target} holds a run of {what}; open it with specnmf open {target}, or make "
        f"another run: specnmf {task or 'separate'} {song} -o OUTPUT"
    )


def _separate(song: Path, options: dict[str, Any]) -> Path:
    """Make a run of a song, as its command would."""
    from specnmf.tasks.run import run

    task = TASKS[options["task"] or "separate"]
    folder.sweep(RUNS)
    with console.progress_bar(song.name, options) as progress:
        made = run(
            task,
            song,
            output=RUNS,
            command=command_line(),
            progress=progress,
            say=console.sayer(options),
        )
    for warning in () if options["quiet"] else made.report["warnings"]:
        console.warning(f"{song}: {warning}")
    return made.folder


def _open(run_dir: Path, options: dict[str, Any]) -> None:
    """Serve a run until Ctrl-C, and report unsaved changes."""
    from specnmf.studio.address import listen
    from specnmf.studio.scratch import scratch_beside
    from specnmf.studio.session import Place as SessionPlace
    from specnmf.studio.session import Session

    listening, address = listen(options["host"], options["port"])
    if not address.is_loopback:
        console.warning(
            "anyone with the link can hear and change the run, also from other "
            "machines; the connection is not encrypted"
        )
    with closing(listening), scratch_beside(run_dir) as scratch:
        place = SessionPlace(
            folder=run_dir,
            scratch=scratch,
            output=options["output"],
            command=command_line(),
            recording=options["input"],
        )
        session = Session(place, unforeseen=traceback.print_exception)
        try:
            _serve(session, listening, address, options)
        except KeyboardInterrupt:
            pass  # the usual way to stop
        finally:
            session.close()
    if session.dirty and not options["quiet"]:
        console.note("some changes were not saved")


def _serve(
    session: Session, listening: Any, address: Any, options: dict[str, Any]
) -> None:
    from specnmf.studio.server import serve

    def ready(link: str, once: str) -> None:
        if options["as_json"]:
            folder = str(session.place.folder)
            console.json_object({"url": link, "folder": folder})
        else:
            console.result(link)
        if options["browser"] and _has_browser():
            threading.Thread(target=webbrowser.open, args=(once,), daemon=True).start()

    serve(session, listening, address, ready)


def _has_browser() -> bool:
    """Whether a browser with a window is likely, not one in the terminal."""
    shown = {"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"} & os.environ.keys()
    return sys.platform in ("darwin", "win32") or bool(shown)
