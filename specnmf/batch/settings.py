"""The settings of a batch itself; tasks have settings of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from specnmf.errors import ParameterError
from specnmf.options import OUTPUT, RUN, Options, changed, option
from specnmf.output.options import ReportAudio, ReportOptions
from specnmf.sizes import parse_size

#: The choice of a task for each song.
AUTO = "auto"


class BatchSettings(Options):
    """The settings of a batch: which songs to process, and how.

    Examples
    --------
    >>> import specnmf
    >>> batch = specnmf.BatchSettings(recursive=True, jobs=2, exclude=["*/stems/*"])
    >>> batch.jobs
    2
    """

    recursive: bool = option(
        False, "Search the subfolders of FOLDER too.", flags=("-r", "--recursive")
    )
    include: Sequence[str] = option(
        (),
        "Take only files that match, such as '*.wav' or 'live/*'; repeatable.",
        metavar="PATTERN",
    )
    exclude: Sequence[str] = option(
        (), "Skip files that match; repeatable.", metavar="PATTERN"
    )
    scores: bool = option(True, "Use the scores beside the songs.")
    without_score: Literal["decompose", "separate", "transcribe"] = option(
        "decompose", "The task of --task auto for songs without a score."
    )
    resume: bool = option(
        False,
        "Continue a batch: do songs that are not done or have changed.",
        flags=("--resume",),
        group=OUTPUT,
    )
    retry_failed: bool = option(
        False,
        "Resume, and retry songs that failed.",
        flags=("--retry-failed",),
        group=OUTPUT,
    )
    checksum: bool = option(
        False,
        "Detect changed files by content instead of size and time.",
        flags=("--checksum",),
        group=OUTPUT,
    )
    overwrite: bool = option(
        False,
        "Replace finished runs; your own files in them are kept.",
        flags=("--overwrite",),
        group=OUTPUT,
    )
    flat: str | None = option(
        None,
        "Also copy the sources of all songs into this folder; names need {song}, such "
        "as --name {song}_{stem}.",
        metavar="FOLDER",
        group=OUTPUT,
    )
    report_audio: ReportAudio = changed(
        ReportOptions,
        "report_audio",
        default="link",
        help="Audio of each report.html. link: play the files in sources/; ogg, mp3: "
        "embed, which takes longer; none: no audio.",
    )
    jobs: int | None = option(
        None,
        "Number of songs at a time; by default one per core.",
        flags=("-j", "--jobs"),
        least=1,
        group=RUN,
    )
    timeout: float | None = option(
        None, "Time limit for each song, in seconds.", above=0, group=RUN
    )
    max_memory: int | None = option(
        None,
        "Memory limit for each song; by default its share of the memory.",
        least=1,
        parse=parse_size,
        metavar="SIZE",
        group=RUN,
    )
    scheduler: str | None = option(
        None,
        "Run on a Dask cluster, such as tcp://host:8786.",
        metavar="ADDRESS",
        group=RUN,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.resumes and self.overwrite:
            raise ParameterError(
                "resume keeps finished runs, overwrite replaces them; use one of them"
            )

    @property
    def resumes(self) -> bool:
        """Whether the batch continues an earlier one."""
        return self.resume or self.retry_failed
