"""One song, from path to run folder, taken apart by what a person marked in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import masks, pitch, reading, stft
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Grid
from specnmf.audio.writing import check_writable
from specnmf.factor.options import BETAS
from specnmf.methods.labels.fitting import Labelled, fit_labelled
from specnmf.output import folder, report
from specnmf.output.sources import Written, write_sources
from specnmf.pipeline.marking import read_marks
from specnmf.pipeline.run import (
    Progress,
    Run,
    Stages,
    run_entries,
    sound_warnings,
)
from specnmf.pipeline.writing import write_factors, write_run
from specnmf.score.grouping import safe_names
from specnmf.score.marks import Marks, runs
from specnmf.score.regions import write_regions
from specnmf.tasks.label import LabelSettings


@dataclass(frozen=True, eq=False)
class _Labelling:
    """A recording taken apart by its labels, in memory."""

    path: Path
    labels_path: Path
    settings: LabelSettings
    audio: Audio
    grid: Grid
    V: NDArray[np.float32]
    marks: Marks
    result: Labelled
    pitches: NDArray[np.float64]

    @cached_property
    def files(self) -> dict[str, str]:
        """What each source's file is called, without its ending."""
        return safe_names(self.result.names)


def label(
    path: str | Path,
    labels: str | Path,
    settings: LabelSettings | None = None,
    *,
    output: str | Path = "specnmf_out",
    overwrite: bool = False,
    command: str = "",
    called: Mapping[Path, str] | None = None,
    progress: Progress | None = None,
) -> Run:
    """Take a recording apart by labels, and leave everything in a folder.

    Parameters
    ----------
    path : path
        The recording.
    labels : path
        Where which sound is heard, as `specnmf.score.regions.read_regions` reads it,
        on the recording's clock.
    settings : LabelSettings, optional
        The options.
    output : path
        The folder for runs; this one's is named like the recording's stem.
    overwrite : bool
        Replace a finished run.
    command : str
        Kept in run.json.
    called : mapping of path to str, optional
        What run.json calls inputs that are copies from elsewhere.
    progress : callable, optional
        Called as ``progress(stage, done, total, note)``.

    Returns
    -------
    Run
        The folder and its report.

    Raises
    ------
    AudioError, ScoreError, ParameterError, OutputError
        With nothing left behind.
    """
    path, labels, settings = Path(path), Path(labels), settings or LabelSettings()
    target = folder.target(output, path)
    folder.check_free(target, overwrite=overwrite)
    stages = Stages(progress)
    with stages.stage("read"):
        audio = reading.read(path, start=settings.start, duration=settings.duration)
        check_writable(settings.format, audio.sr, audio.n_channels)
        grid = Grid.of(audio, settings.n_fft, settings.hop_length)
        marks = read_marks(labels, audio, grid, settings)
    with folder.run_folder(target, overwrite=overwrite) as partial:
        with stages.compiling():
            done = _take_apart(path, labels, audio, grid, marks, settings, stages)
            written = _write(done, partial, stages)
        content = {
            "command": command,
            **_content(done, written, called),
            "seconds": stages.seconds,
        }
        report.write_report(partial / folder.REPORT, content)
    return Run(target, content)


def _take_apart(
    path: Path,
    labels: Path,
    audio: Audio,
    grid: Grid,
    marks: Marks,
    settings: LabelSettings,
    stages: Stages,
) -> _Labelling:
    with stages.stage("transform"):
        V = stft.magnitude(audio, grid, threads=settings.threads)
    with stages.stage("fit", settings.max_iter) as step:
        result = fit_labelled(
            V,
            marks.heard,
            marks.annotated,
            marks.names,
            settings,
            frame_seconds=grid.hop_length / grid.sr,
            callback=lambda i, loss: step(i, note=f"loss {loss:.5g}"),
        )
    pitches = pitch.estimate_pitches(result.factorization.W, grid.frequencies)
    return _Labelling(path, labels, settings, audio, grid, V, marks, result, pitches)


def _write(done: _Labelling, partial: Path, stages: Stages) -> Written | None:
    return write_run(
        partial,
        stages,
        done.settings,
        sources=lambda step: _sources(done, partial / "sources", step),
        notes=lambda folder: _write_notes(done, folder),
        figures=lambda folder: _figures(done, folder),
    )


def _sources(
    done: _Labelling, folder: Path, step: Callable[[int, int], None]
) -> Written:
    models = masks.FactorModels(done.result.factorization, names=done.result.names)
    power = done.settings.mask_power
    stream = masks.stream_of(
        done.audio,
        done.grid,
        models,
        mask=done.settings.mask,
        power=power,
        threads=done.settings.threads,
    )
    names = [done.files[name] for name in models.names]
    return write_sources(
        folder,
        done.path,
        done.audio,
        names,
        stream,
        done.settings,
        start=done.settings.start,
        threads=done.settings.threads,
        progress=step,
    )


def _write_notes(done: _Labelling, folder: Path) -> None:
    """Where each sound was found, as labels that may be mended; and the factors."""
    found = runs(
        done.result.active,
        done.marks.names,
        done.grid.times,
        duration=done.audio.duration,
        start=done.settings.start,
    )
    write_regions(folder / "labels.txt", found)
    write_factors(folder, done.result.factorization, done.grid, done.pitches)


def _figures(done: _Labelling, folder: Path) -> None:
    from specnmf.output import figures

    settings, grid = done.settings, done.grid
    figures.draw_figures(
        folder,
        done.V,
        done.result.factorization,
        frequencies=grid.frequencies,
        times=grid.times,
        pitches=done.pitches,
        beta=BETAS["kl"],
        figure_format=settings.figure_format,
        title=done.path.stem,
        only=("spectrogram", "reconstruction", "loss"),
    )
    data = figures.LabelFigureData(
        V=done.V,
        frequencies=grid.frequencies,
        times=grid.times,
        names=done.marks.names,
        heard=done.marks.heard,
        annotated=done.marks.annotated,
        activity=done.result.activity,
        active=done.result.active,
        title=done.path.stem,
    )
    figures.draw_label_figure(folder, data, figure_format=settings.figure_format)


def _content(
    done: _Labelling, written: Written | None, called: Mapping[Path, str] | None
) -> dict[str, Any]:
    """Everything that run.json says but the command and the seconds."""
    result, grid = done.result.factorization, done.grid
    return {
        **run_entries(
            done.settings, grid, [done.path, done.labels_path], called, done.audio
        ),
        "annotated_seconds": _seconds(done, done.marks.annotated),
        "iterations": len(result.losses),
        "final_loss": float(result.losses[-1]),
        "residual_db": None if written is None else written.residual_db,
        "labels": _label_entries(done, written),
        "components": report.components(result, done.pitches),
        "warnings": [
            *sound_warnings(
                done.path,
                done.audio,
                written,
                start=done.settings.start,
                duration=done.settings.duration,
            ),
            *done.marks.remarks,
            *done.result.remarks,
        ],
    }


def _label_entries(done: _Labelling, written: Written | None) -> list[dict[str, Any]]:
    """What there is to say of each sound, and of the rest."""
    heard, active = done.marks.heard, done.result.active
    alone = heard & (heard.sum(axis=0) == 1)
    entries = []
    for row, name in enumerate(done.result.names):
        entry: dict[str, Any] = {"label": name}
        if row < len(heard):
            entry["seconds_marked"] = _seconds(done, heard[row])
            entry["seconds_alone"] = _seconds(done, alone[row])
            entry["seconds_predicted"] = _seconds(done, active[row])
        if written is not None:
            file = done.files[name]
            entry["source"] = f"sources/{written.files[file]}"
            entry["rms"] = written.rms[file]
        entries.append(entry)
    return entries


def _seconds(done: _Labelling, frames: NDArray[np.bool_]) -> float:
    """How long some frames last together."""
    hop = done.grid.hop_length / done.grid.sr
    return round(float(np.count_nonzero(frames)) * hop, 3)
