"""Estimates and references: read from files, and made comparable."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from specnmf.arrays import numbers
from specnmf.audio import media
from specnmf.audio.reading import PathLike, load, remarks
from specnmf.audio.recording import Audio, Float32
from specnmf.errors import AudioError, ParameterError, ScoreError
from specnmf.evaluation.bss_eval import cancels
from specnmf.evaluation.sums import left_out
from specnmf.score.notes import Score
from specnmf.score.reading import read_score

Recording = Audio | ArrayLike | PathLike
Sources = Mapping[str, Recording] | PathLike
Sounds = dict[str, Float32]
Sound = TypeVar("Sound")
Progress = Callable[[str, int, int, str], None]

#: The suffixes of recordings; other files in a folder are ignored.
SUFFIXES = (
    ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au",
    ".caf", ".rf64", ".w64", *media.SUFFIXES,
)  # fmt: skip

_CUT = "longer than the references: cut"
_PADDED = "shorter than the longest reference: padded with zeros"

#: A reference with this name is the mixture.
MIXTURES = ("mix", "mixture")

#: The file of the transcribed notes in the folder of a run.
TRANSCRIBED = "score.mid"


def recording(given: Recording, warnings: list[str]) -> Audio | ArrayLike:
    """A recording in memory; a path is read, doubts are added to the warnings."""
    if isinstance(given, str | os.PathLike):
        return read_recording(given, warnings)
    return given


def read_recording(path: PathLike, warnings: list[str]) -> Audio:
    """A recording; doubts about it are added to the warnings."""
    audio = load(path)
    warnings += [f"{path}: {remark}" for remark in remarks(path, audio.n_samples)]
    return audio


def loaded(
    given: Sources, warnings: list[str], *, progress: Progress | None = None
) -> dict[str, Audio | ArrayLike]:
    """The sources by name, in memory; paths are read, doubts added to the warnings."""
    if isinstance(given, str | os.PathLike):
        return dict(read_sources(given, warnings=warnings, progress=progress))
    return {name: recording(each, warnings) for name, each in given.items()}


def read_sources(
    path: PathLike,
    *,
    warnings: list[str] | None = None,
    progress: Progress | None = None,
) -> dict[str, Audio]:
    """The recordings at a path by the stems of their names, in that order.

    The path is that of a recording, a folder of recordings, or the folder of a run.
    Doubts about a recording are added to the warnings. Raises AudioError if there is no
    recording, one cannot be read, or two have the same stem.
    """
    sources: dict[str, Audio] = {}
    said = [] if warnings is None else warnings
    files = _source_files(Path(path))
    for name, file in files.items():
        sources[name] = read_recording(file, said)
        if progress is not None:
            progress(f"read {path}", len(sources), len(files), name)
    return sources


def _source_files(path: Path) -> dict[str, Path]:
    if not path.exists():
        raise AudioError(f"{path}: no such file or folder")
    if not path.is_dir():
        return {path.stem: path}
    folder = path / "sources" if (path / "sources").is_dir() else path
    try:
        files = sorted(folder.iterdir())
    except OSError as error:
        raise AudioError(f"{folder}: cannot be listed ({error.strerror})") from error
    found: dict[str, Path] = {}
    for file in files:
        if file.suffix.lower() not in SUFFIXES or file.name.startswith("."):
            continue
        if file.stem in found:
            raise AudioError(
                f"{folder}: {found[file.stem].name} and {file.name} have the same "
                "name; keep one of them"
            )
        found[file.stem] = file
    if not found:
        raise AudioError(
            f"{folder}: no recordings in it, expected the wav, flac, ogg or mp3 files "
            "of one song's sources"
        )
    return found


def read_notes(given: Score | PathLike) -> Score:
    """A score, or the one in a file or in the folder of a run.

    Raises ScoreError if there is none, or it cannot be read.
    """
    if isinstance(given, Score):
        return given
    folder = Path(given)
    if not folder.is_dir():
        return read_score(folder)
    if not (folder / TRANSCRIBED).is_file():
        raise ScoreError(f"{folder}: no {TRANSCRIBED} in it, expected a run's notes")
    return read_score(folder / TRANSCRIBED)


def split_mixture(
    references: dict[str, Sound],
) -> tuple[dict[str, Sound], Sound | None]:
    """The references without the one named mix or mixture; and that one, or None."""
    rest = {k: audio for k, audio in references.items() if k.lower() not in MIXTURES}
    if not rest or len(rest) == len(references):
        return references, None
    return rest, next(audio for k, audio in references.items() if k not in rest)


@dataclass(frozen=True, eq=False)
class Material:
    """References, estimates and mixture: (n_channels, n_samples), all of the same rate.

    The warnings tell what was changed for that. If no mixture is given, it is the sum
    of the references.
    """

    references: Sounds
    estimates: Sounds
    mixture: Float32
    sr: int | None
    warnings: tuple[str, ...]
    is_mixture_given: bool = True

    @property
    def rate(self) -> int:
        """The sample rate in Hz; ParameterError if it is unknown."""
        if self.sr is None:
            raise ParameterError(
                "v4 and oracle need the sample rate of arrays; give sr in Hz"
            )
        return self.sr


def prepare(
    estimates: Mapping[str, Audio | ArrayLike],
    references: Mapping[str, Audio | ArrayLike],
    mixture: Audio | ArrayLike | None = None,
    sr: int | None = None,
    *,
    by_name: bool = True,
) -> Material:
    """Bring recordings to the same shape, with the length of the longest reference.

    If the numbers of channels differ, all are averaged to one channel. References that
    are sums of others are left out; names of estimates may decide which. Without a
    mixture, the sum of the references is taken. Raises ParameterError if there is
    nothing to compare, sample rates differ, or an array has the wrong shape or samples
    that are not finite.
    """
    if not references or not estimates:
        which = "references" if estimates else "estimates"
        raise ParameterError(f"{which} are empty, expected at least one source")
    kinds = {"reference": references, "estimate": estimates, "mixture": {}}
    if mixture is not None:
        kinds["mixture"] = {"": mixture}
    sr = _common_rate(kinds, sr)
    sounds = {
        kind: {name: _samples(f"{kind} {name}".strip(), y) for name, y in group.items()}
        for kind, group in kinds.items()
    }
    warnings: list[str] = []
    sounds = _of_one_width(sounds, warnings)
    n = max(y.shape[1] for y in sounds["reference"].values())
    sounds = {k: _of_one_length(k, group, n, warnings) for k, group in sounds.items()}
    stems = sounds["reference"]
    out, said = left_out(stems, list(estimates), by_name=by_name)
    stems = {name: y for name, y in stems.items() if name not in out}
    mixed = sounds["mixture"].get("")
    if mixed is None:
        mixed = np.asarray(sum(stems.values()))
    return Material(
        stems,
        sounds["estimate"],
        mixed,
        sr,
        (*warnings, *said),
        is_mixture_given=mixture is not None,
    )


def _common_rate(
    kinds: Mapping[str, Mapping[str, Audio | ArrayLike]], sr: int | None
) -> int | None:
    """The sample rate of all that have one, or None."""
    stated = [] if sr is None else [("sr", sr)]
    stated += [
        (f"{kind} {name}".strip(), recording.sr)
        for kind, group in kinds.items()
        for name, recording in group.items()
        if isinstance(recording, Audio)
    ]
    for (known, sr), (label, other) in pairwise(stated):
        if other != sr:
            raise ParameterError(
                f"{label} is at {other} Hz, {known} at {sr} Hz; "
                "resample one of them first"
            )
    return stated[0][1] if stated else None


def _samples(label: str, recording: Audio | ArrayLike) -> Float32:
    if isinstance(recording, Audio):
        return recording.samples
    samples = np.atleast_2d(numbers(label, recording).astype(np.float32))
    if samples.ndim != 2 or 0 in samples.shape:
        raise ParameterError(
            f"{label} must be (n_channels, n_samples), got shape {samples.shape}"
        )
    if not np.isfinite(samples).all():
        raise ParameterError(f"{label} holds NaN or infinite samples; repair it first")
    return samples


def _of_one_width(sounds: dict[str, Sounds], warnings: list[str]) -> dict[str, Sounds]:
    """All with the same number of channels: their own if it is the same, otherwise one.

    If nothing would remain of a reference, mono recordings are copied to all channels
    instead.
    """
    widths = {len(y) for group in sounds.values() for y in group.values()}
    if len(widths) == 1:
        return sounds
    cancelled = any(map(cancels, sounds["reference"].values()))
    if cancelled and len(widths) == 2 and min(widths) == 1:
        n = max(widths)
        warnings.append(f"numbers of channels differ: mono is copied to all {n}")
        return {
            kind: {k: np.repeat(y, n // len(y), axis=0) for k, y in group.items()}
            for kind, group in sounds.items()
        }
    warnings.append("numbers of channels differ: all are averaged to one channel")
    return {
        kind: {name: y.mean(axis=0, keepdims=True) for name, y in group.items()}
        for kind, group in sounds.items()
    }


def _of_one_length(kind: str, group: Sounds, n: int, warnings: list[str]) -> Sounds:
    """All cut or padded with zeros to the same length."""
    excess: dict[int, list[str]] = {}
    for name, y in group.items():
        excess.setdefault(y.shape[1] - n, []).append(f"{kind} {name}".strip())
    for more, labels in excess.items():
        if more:
            change = _CUT if more > 0 else _PADDED
            warnings.append(f"{', '.join(labels)}: {abs(more)} samples {change}")
    return {
        name: np.pad(y[:, :n], ((0, 0), (0, max(0, n - y.shape[1]))))
        for name, y in group.items()
    }
