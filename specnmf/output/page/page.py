"""report.html: a run to hear and see, in one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from specnmf.audio.recording import Sound
from specnmf.output.options import ReportAudio
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
        Where the sound is.
    threads : int, optional
        None: one a core.
    progress : callable, optional
        Called with the stems done and in all.
    """
    (folder / PAGE).write_text("<!doctype html><title>report</title>\n")
