"""What figures show of a finished run, read from its folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import reading, stft
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Grid
from specnmf.errors import ParameterError
from specnmf.factor.factorization import Factorization
from specnmf.factor.layers.model import Layers
from specnmf.factor.options import BETAS, parse_beta
from specnmf.factor.rank import RankChoice
from specnmf.output.figures.factor_data import FigureData
from specnmf.output.figures.objects import Magnitude, Seen, magnitude
from specnmf.output.stored import read_archive, read_factors, read_shown
from specnmf.score.notes import Score
from specnmf.score.regions import Region, read_regions

#: All layers of a run of `layers`.
LAYERS = "layers.npz"


@runtime_checkable
class FinishedRun(Protocol):
    """A run, as `specnmf.Run` is one."""

    @property
    def folder(self) -> Path:
        """Where it is."""

    @property
    def report(self) -> Mapping[str, Any]:
        """What its run.json says."""


def title(run: FinishedRun) -> str:
    """The name of the recording."""
    return Path(run.report["inputs"][0]["path"]).stem


def duration(run: FinishedRun) -> float:
    """Of what was taken apart, in seconds."""
    return float(run.report["audio"]["duration"])


def beta(run: FinishedRun, usual: float) -> float:
    """Which cost it was."""
    settings = run.report["settings"]
    book = str(settings.get("model", "")).startswith("fmp")
    if book or settings.get("method") == "neural":
        return BETAS["euclidean"]
    return float(parse_beta(settings["beta"])) if "beta" in settings else usual


def recording(run: FinishedRun) -> Magnitude:
    """The recording, or its excerpt, at the path that run.json names.

    Raises
    ------
    AudioError
        If it is not there.
    """
    settings = run.report["settings"]
    excerpt = {name: settings[name] for name in ("start", "duration")}
    audio = reading.read(run.report["inputs"][0]["path"], **excerpt)
    own = Grid.of(audio, settings.get("n_fft"), settings.get("hop_length"))
    return Magnitude(stft.magnitude(audio, own), own.frequencies, own.times)


def factors(run: FinishedRun, V: Seen | None = None, *, title: str = "") -> FigureData:
    """V ≈ W H; nothing stands for V unless it is given."""
    found, frequencies, times = read_factors(run.folder)
    nothing = np.broadcast_to(np.float32(0), (len(found.W), found.H.shape[1]))
    return FigureData(
        V=nothing if V is None else magnitude(V, None, None).V,
        frequencies=frequencies,
        times=times,
        factorization=found,
        pitches=_pitches(run),
        title=title,
    )


def layers(
    run: FinishedRun,
) -> tuple[Layers, Magnitude, NDArray[np.float64], tuple[str, ...]]:
    """The layers, their scales, the pitches of the first and labels of the last."""
    held = read_archive(run.folder / LAYERS).arrays
    numbers = range(1, 1 + sum(name.startswith("A_") for name in held))
    A, S = ([held[f"{factor}_{number}"] for number in numbers] for factor in "AS")
    nothing = np.broadcast_to(np.float32(0), (len(A[0]), S[0].shape[1]))
    last = run.report["layers"][-1]["components"][: len(S[-1])]  # not outside
    return (
        Layers(A, S, held.get("B"), held["losses"]),
        Magnitude(nothing, held["frequencies"], held["times"]),
        _pitches(run)[: len(S[0])],
        tuple(node.get("label") or "" for node in last),
    )


def fitted(run: FinishedRun) -> Factorization | Layers:
    """What has the losses."""
    if (run.folder / LAYERS).is_file():
        return layers(run)[0]
    return factors(run).factorization


def choice(run: FinishedRun) -> RankChoice:
    """How the number of components was found.

    Raises
    ------
    ParameterError
        If it was given.
    """
    entry = run.report.get("rank_choice")
    if entry is None:
        raise ParameterError(
            f"{run.folder}: the number of components was not chosen automatically; "
            "decompose with --components auto"
        )
    return RankChoice(
        np.array(entry["ranks"]),
        np.array(entry["held_out_db"]),
        np.array(entry["standard_errors_db"]),
        entry["chosen"],
    )


def notes(run: FinishedRun) -> Score:
    """The notes of the run; the part of each is its stem."""
    return read_shown(run.folder)


def regions(run: FinishedRun) -> tuple[list[Region], list[Region]]:
    """What was marked and what was found, on the excerpt's clock.

    Raises
    ------
    ParameterError
        If it is no run of labels.
    """
    roles, found = run.report["roles"], run.folder / "labels.txt"
    if "labels" not in roles or not found.is_file():
        raise ParameterError(
            f"{run.folder}: expected a run of label, got one without labels"
        )
    start = run.report["settings"]["start"]
    path = run.report["inputs"][roles.index("labels")]["path"]
    marked = read_regions(path, tier=run.report["settings"].get("tier"))
    return _earlier(marked, start), _earlier(read_regions(found), start)


def sources(run: FinishedRun) -> dict[str, Audio]:
    """The sound of the sources that were written, by the names of their files.

    Raises
    ------
    ParameterError
        If there are none.
    """
    folder = run.folder / "sources"
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if not paths:
        raise ParameterError(f"{run.folder}: no sources to show")
    names = [path.relative_to(folder).with_suffix("").as_posix() for path in paths]
    return dict(zip(names, map(reading.read, paths), strict=True))


def _pitches(run: FinishedRun) -> NDArray[np.float64]:
    """MIDI numbers of the components; NaN without a pitch."""
    found = (entry["pitch"] for entry in run.report["components"])
    return np.array([np.nan if pitch is None else pitch for pitch in found])


def _earlier(regions: tuple[Region, ...], start: float) -> list[Region]:
    """Regions on the clock of an excerpt from ``start`` on."""
    return [
        Region(max(0.0, since - start), until - start, name)
        for since, until, name in regions
        if until > start
    ]
