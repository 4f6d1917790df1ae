"""How a batch goes about its songs; what it makes of them is in the tasks' settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from specnmf.errors import ParameterError
from specnmf.options import OUTPUT, RUN, Options, changed, option
from specnmf.output.options import ReportAudio, ReportOptions
from specnmf.sizes import parse_size

#: The task that is chosen for each song.
AUTO = "auto"


class BatchSettings(Options):
    """Which songs to do, and how."""

    recursive: bool = option(
        False, "Look into folders of FOLDER.", flags=("-r", "--recursive")
    )
    include: Sequence[str] = option(
        (), "Only files like '*.wav', 'live/*'; repeatable.", metavar="PATTERN"
    )
    exclude: Sequence[str] = option((), "None of these; repeatable.", metavar="PATTERN")
    scores: bool = option(True, "Use scores beside songs, or none.")
    without_score: Literal["decompose", "separate", "transcribe"] = option(
        "decompose", "What --task auto does with songs that have no score."
    )
    resume: bool = option(
        False,
        "Do what is not done yet, and what has changed.",
        flags=("--resume",),
        group=OUTPUT,
    )
    retry_failed: bool = option(
        False,
        "Resume, with what failed before.",
        flags=("--retry-failed",),
        group=OUTPUT,
    )
    checksum: bool = option(
        False,
        "Detect changed files by content, not size and time.",
        flags=("--checksum",),
        group=OUTPUT,
    )
    overwrite: bool = option(
        False,
        "Replace finished runs; files of your own in them are kept.",
        flags=("--overwrite",),
        group=OUTPUT,
    )
    report_audio: ReportAudio = changed(
        ReportOptions,
        "report_audio",
        default="link",
        help="The sound of each report.html. link: the files in sources/; ogg, mp3: in "
        "the page, which takes longer; none.",
    )
    jobs: int | None = option(
        None,
        "Songs at a time; by default one a core.",
        flags=("-j", "--jobs"),
        least=1,
        group=RUN,
    )
    timeout: float | None = option(
        None, "The most seconds for a song.", above=0, group=RUN
    )
    max_memory: int | None = option(
        None,
        "For a song; by default its share of the machine's.",
        least=1,
        parse=parse_size,
        metavar="SIZE",
        group=RUN,
    )
    scheduler: str | None = option(
        None,
        "A Dask cluster to use: tcp://host:8786.",
        metavar="ADDRESS",
        group=RUN,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.resumes and self.overwrite:
            raise ParameterError(
                "resume leaves finished runs as they are, overwrite makes them again; "
                "use one of them"
            )

    @property
    def resumes(self) -> bool:
        """Whether it goes on from what an earlier batch did."""
        return self.resume or self.retry_failed
