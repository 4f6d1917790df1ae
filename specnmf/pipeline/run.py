"""What every run has: its stages, its folder's report, its warnings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from specnmf.audio import reading
from specnmf.audio.recording import Sound
from specnmf.output import report
from specnmf.output.sources import Written
from specnmf.pipeline.compiling import watched

#: ``progress(stage, done, total, note)``, as a stage goes on.
Progress = Callable[[str, int, int, str], None]

#: A worse null test than this is worth a warning.
MOST_RESIDUAL_DB = -90.0


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes
    ----------
    folder : path
        Where it is.
    report : dict
        What its run.json says.
    """

    folder: Path
    report: dict[str, Any]


@dataclass
class Stages:
    """Times the stages of a run, and tells the caller where it is."""

    tell: Progress | None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, total: int = 1) -> Iterator[Callable[..., None]]:
        """Time a block; what it gets is called as ``step(done, total, note)``."""
        began = time.perf_counter()

        def step(done: int, total: int = total, note: str = "") -> None:
            if self.tell is not None:
                self.tell(name, done, total, note)

        step(0)
        yield step
        step(total)
        self.seconds[name] = round(time.perf_counter() - began, 3)

    @contextmanager
    def compiling(self) -> Iterator[None]:
        """Tell of kernels that are compiled in a block, and how long that took in all.

        It is done once on a machine; the stages in which it happens take longer by it.
        """

        def tell(going_on: bool) -> None:
            if self.tell is not None:
                self.tell("compile", int(not going_on), 1, "once on this machine")

        with watched(tell) as compilation:
            yield
        if compilation.seconds:
            self.seconds["compile"] = round(compilation.seconds, 3)


def inputs_entry(paths: Iterable[Path]) -> list[dict[str, str]]:
    """Each input with its SHA-256, for run.json."""
    return [{"path": str(path), "sha256": report.sha256(path)} for path in paths]


def audio_entry(audio: Sound) -> dict[str, Any]:
    """What there is to say of a recording, for run.json."""
    return {
        "sr": audio.sr,
        "n_channels": audio.n_channels,
        "n_samples": audio.n_samples,
        "duration": audio.duration,
    }


def sound_warnings(
    path: Path,
    audio: Sound,
    written: Written | None,
    *,
    start: float,
    duration: float | None,
) -> list[str]:
    """What to know of a recording, and of what was written from it."""
    whole = start == 0 and duration is None
    found = [
        *audio.findings(),
        *reading.remarks(path, audio.n_samples if whole else None),
    ]
    if duration is not None and audio.n_samples < round(duration * audio.sr):
        found.append(f"the excerpt ends with the recording, {audio.duration:.2f} s")
    if written is not None and written.residual_db > MOST_RESIDUAL_DB:
        found.append(
            f"null test: the sources add up to the input at {written.residual_db:.0f} "
            "dB only; --format wav --subtype float keeps more"
        )
    if written is not None and written.held:
        found.append(
            f"full scale: {written.held} samples of single sources reached it and "
            "the rest went to other sources; --subtype float keeps them apart"
        )
    return found
