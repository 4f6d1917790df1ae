"""report.html: the page of a run, in one file."""

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
        The run, with sources/ and factors.npz.
    report : mapping
        The content of run.json, written or not.
    sound : Audio or other Sound
        The recording.
    shown : Score
        The notes to show; the part of each is its stem.
    audio : {"ogg", "mp3", "link", "none"}
        The form of the sound. If it is not possible, the page states the reason.
    defaults : mapping, optional
        Defaults of the task's settings, to mark changed ones.
    threads : int, optional
        None: one per core.
    progress : callable, optional
        Called with the numbers of finished and of all stems.

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
    """Write the page of a run to a path; otherwise as `write_page`.

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
    # names of files may contain bytes that are not valid in any encoding
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
    """Write the page of a finished run, from its folder, to any path.

    Parameters
    ----------
    path : path
        The path of the page; links to the run's files are relative to it.
    folder : path
        The run.
    audio : {"ogg", "mp3", "link", "none"}
        The form of the sound.
    threads : int, optional
        None: one per core.
    **more
        Attributes of `specnmf.output.page.contents.Shown`: defaults, scores, means.

    Raises
    ------
    OutputError
        If there is no run, its stored data are damaged, or the page cannot be written.
    AudioError
        If the file of a stem is damaged.
    """
    base = Path(os.path.relpath(folder.resolve(), path.resolve().parent)).as_posix()
    run = read_run(folder, base="" if base == "." else f"{base}/", **more)
    write_shown(path, run, audio=audio, threads=threads)
