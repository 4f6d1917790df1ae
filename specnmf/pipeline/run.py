"""What every run has: its stages, its folder's report, its warnings."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import reading
from specnmf.audio.recording import Sound
from specnmf.audio.stft import Grid
from specnmf.errors import ParameterError
from specnmf.output import report
from specnmf.output.sources import Written
from specnmf.pipeline.compiling import watched
from specnmf.tasks.decompose import Settings
from specnmf.tasks.label import LabelSettings
from specnmf.tasks.layers import LayerSettings
from specnmf.tasks.separate import ScoreSettings
from specnmf.tasks.settings import RunSettings

#: ``progress(stage, done, total, note)``, as a stage goes on.
Progress = Callable[[str, int, int, str], None]

#: What run.json calls a run, by the settings that it takes.
KINDS: Mapping[str, type[RunSettings]] = {
    "decompose": Settings,
    "separate": ScoreSettings,
    "layers": LayerSettings,
    "label": LabelSettings,
}

#: Hexadecimal digits of a hash of settings: 64 bits, for it only tells the few settings
#: of one folder from each other, where a clash is as good as impossible.
HASH_DIGITS = 16

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


def settings_hash(settings: RunSettings, *, templates: str | None = None) -> str:
    """What tells runs of a recording apart: a hash of all that decides what they hold.

    Parameters
    ----------
    settings : Settings or ScoreSettings
        As asked for, before the recording decides what they leave open. ``threads``
        does not count.
    templates : str, optional
        The SHA-256 of the templates held fixed, if any.

    Returns
    -------
    str
        The first 16 hexadecimal digits of the SHA-256 of all that in JSON.
    """
    values = dataclasses.asdict(settings)
    del values["threads"]
    content = {
        "kind": kind_of(settings),
        "settings": {name: _canonical(value) for name, value in values.items()},
        "templates": templates,
    }
    text = json.dumps(content, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:HASH_DIGITS]


def kind_of(settings: RunSettings) -> str:
    """What run.json calls a run with such settings."""
    return next(name for name, kind in KINDS.items() if isinstance(settings, kind))


def _canonical(value: Any) -> Any:
    """The same for 1 and 1.0, which are the same setting."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def check_room(n_components: int, V: NDArray[np.float32], *, instead: str) -> None:
    """Raise ParameterError if V is too small for so many components.

    Parameters
    ----------
    n_components : int
        As many as are asked for.
    V : array, shape (n_bins, n_frames)
        The spectrogram.
    instead : str
        What to use for fewer.
    """
    if n_components > min(V.shape):
        raise ParameterError(
            f"at most {min(V.shape)} components fit a spectrogram of {V.shape[0]} bins "
            f"x {V.shape[1]} frames, got {n_components}; use {instead} or a longer "
            "excerpt"
        )


def settings_entries(asked: RunSettings, used: RunSettings) -> dict[str, Any]:
    """The settings of a run for run.json, and what was asked for where it differs.

    Parameters
    ----------
    asked, used : Settings or ScoreSettings
        Before and after the recording decided what they leave open.
    """
    before, after = dataclasses.asdict(asked), dataclasses.asdict(used)
    differing = {name: before[name] for name in before if before[name] != after[name]}
    return {"settings": after, "asked": differing}


def run_entries(
    asked: RunSettings,
    grid: Grid,
    paths: Iterable[Path],
    called: Mapping[Path, str] | None,
    audio: Sound,
) -> dict[str, Any]:
    """What run.json says first of a run that has its settings alone to tell it by.

    Parameters
    ----------
    asked : RunSettings
        As asked for.
    grid : Grid
        Where the frames lie, which the recording may have decided.
    paths, called
        The inputs, as `inputs_entry` takes them.
    audio : Audio or other Sound
        The recording.
    """
    used = dataclasses.replace(asked, n_fft=grid.n_fft, hop_length=grid.hop_length)
    return {
        "kind": kind_of(asked),
        "settings_hash": settings_hash(asked),
        "inputs": inputs_entry(paths, called),
        "audio": audio_entry(audio),
        **settings_entries(asked, used),
        "seed": asked.seed,
        "versions": report.versions(),
    }


def inputs_entry(
    paths: Iterable[Path], called: Mapping[Path, str] | None
) -> list[dict[str, str]]:
    """Each input with its SHA-256, for run.json.

    Parameters
    ----------
    paths : iterable of path
        The files.
    called : mapping of path to str, optional
        Where those are from that are copies.
    """
    places = called or {}
    return [
        {"path": places.get(path, str(path)), "sha256": report.sha256(path)}
        for path in paths
    ]


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
