"""report.html: a run to hear and see, in one file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from specnmf.audio.recording import Sound
from specnmf.errors import OutputError
from specnmf.output.options import ReportAudio
from specnmf.output.page.contents import Shown, contents_with_sound, read_run
from specnmf.output.page.render import render
from specnmf.score.notes import Score

#: The name of the page in a run folder.
PAGE = "report.html"


def write_page(
    folder: Path,
    report: Mapping[str, Any],
    sound: Sound,
    shown: Score,
    *,
    audio: ReportAudio = "ogg",
    defaults: Mapping[str, Any] | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the page of a run into its folder.

    Parameters
    ----------
    folder : path
        The run's, with sources/ and factors.npz.
    report : mapping
        What run.json says, or will say.
    sound : Audio or other Sound
        The recording.
    shown : Score
        The notes to show; the part of each is its stem.
    audio : {"ogg", "mp3", "link", "none"}
        Where the sound is. Where it cannot be there, the page says why.
    defaults : mapping, optional
        Of the task's settings, to tell which are not.
    threads : int, optional
        None: one a core.
    progress : callable, optional
        Called with the stems done and in all.

    Raises
    ------
    AudioError
        If the file of a stem is damaged.
    OutputError
        If the page cannot be written.
    """
    run = Shown(
        folder=folder, report=report, sound=sound, notes=shown, defaults=defaults
    )
    write_shown(folder / PAGE, run, audio=audio, threads=threads, progress=progress)


def write_shown(
    path: Path,
    run: Shown,
    *,
    audio: ReportAudio = "ogg",
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the page of a run to a path; the rest is as for `write_page`.

    Raises
    ------
    AudioError
        If the file of a stem is damaged.
    OutputError
        If the page cannot be written.
    """
    contents, sounds = contents_with_sound(
        run, audio, threads=threads, progress=progress
    )
    page = render(contents, sounds)
    # names of files may hold bytes that no encoding has
    data = page.html.encode("utf-8", errors="replace")
    try:
        path.write_bytes(data)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error


def write_run(
    path: Path,
    folder: Path,
    *,
    audio: ReportAudio = "ogg",
    threads: int | None = None,
    **more: Any,
) -> None:
    """Write the page of a finished run, from its folder, to any place.

    Parameters
    ----------
    path : path
        The page; where the run's files are linked to, they are as seen from there.
    folder : path
        The run.
    audio : {"ogg", "mp3", "link", "none"}
        Where the sound is.
    threads : int, optional
        None: one a core.
    **more
        Attributes of `specnmf.output.page.contents.Shown`: defaults, scores, means.

    Raises
    ------
    OutputError
        If there is no run, what it has stored is damaged, or the page cannot be
        written.
    AudioError
        If the file of a stem is damaged.
    """
    base = Path(os.path.relpath(folder.resolve(), path.resolve().parent)).as_posix()
    run = read_run(folder, base="" if base == "." else f"{base}/", **more)
    write_shown(path, run, audio=audio, threads=threads)
