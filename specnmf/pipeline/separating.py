"""One song, from path to run folder, taken apart by its score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import features, reading, stft
from specnmf.audio.features import Features
from specnmf.audio.recording import Audio
from specnmf.audio.writing import check_writable
from specnmf.errors import ScoreError
from specnmf.methods import by_score as separation
from specnmf.methods.stems import ScoreStems, StemFactors
from specnmf.output import folder, report
from specnmf.output.sources import Written, write_sources
from specnmf.pipeline.run import (
    Progress,
    Run,
    Stages,
    run_entries,
    sound_warnings,
)
from specnmf.pipeline.writing import write_factors, write_run
from specnmf.score import align, midi, notelist
from specnmf.score.align import Alignment
from specnmf.score.notes import Score
from specnmf.score.reading import read_score
from specnmf.tasks.separate import ScoreSettings

#: The kinds of score that are looked for beside a recording.
SUFFIXES = (".mid", ".midi", ".musicxml", ".mxl", ".xml", ".csv")

#: A score that explains less of the sound is worth a warning.
LEAST_EXPLAINED = 0.7


@dataclass(frozen=True, eq=False)
class _Separation:
    """A recording taken apart by its score, in memory."""

    path: Path
    score_path: Path
    settings: ScoreSettings
    audio: Audio
    original: Score
    alignment: Alignment
    score: Score
    labels: tuple[str, ...]
    stems: ScoreStems
    components: StemFactors


def separate(
    path: str | Path,
    score: str | Path,
    settings: ScoreSettings | None = None,
    *,
    output: str | Path = "specnmf_out",
    overwrite: bool = False,
    command: str = "",
    called: Mapping[Path, str] | None = None,
    progress: Progress | None = None,
) -> Run:
    """Take a recording apart by its score, and leave everything in a folder.

    Parameters
    ----------
    path : path
        The recording.
    score : path
        Its score: MIDI, MusicXML or CSV, in any tempo.
    settings : ScoreSettings, optional
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
    path, score, settings = Path(path), Path(score), settings or ScoreSettings()
    target = folder.target(output, path)
    folder.check_free(target, overwrite=overwrite)
    stages = Stages(progress)
    with stages.stage("read"):
        audio = reading.read(path, start=settings.start, duration=settings.duration)
        check_writable(settings.format, audio.sr, audio.n_channels)
        written_score = read_score(score)
    with folder.run_folder(target, overwrite=overwrite) as partial:
        with stages.compiling():
            done = _take_apart(path, score, audio, written_score, settings, stages)
            written = _write(done, partial, stages)
        content = {
            "command": command,
            **_content(done, written, called),
            "seconds": stages.seconds,
        }
        report.write_report(partial / folder.REPORT, content)
    return Run(target, content)


def score_beside(path: str | Path) -> Path:
    """The score that lies beside a recording and has its name.

    Raises
    ------
    ScoreError
        If there is none.
    """
    for suffix in SUFFIXES:
        for spelled in (suffix, suffix.upper()):
            beside = Path(path).with_suffix(spelled)
            if beside.is_file():
                return beside
    raise ScoreError(
        f"{path}: no score given, and none beside it ({', '.join(SUFFIXES)}); "
        "use --score"
    )


def _take_apart(
    path: Path,
    score_path: Path,
    audio: Audio,
    score: Score,
    settings: ScoreSettings,
    stages: Stages,
) -> _Separation:
    with stages.stage("align"):
        heard = _features(path, audio, settings)
        aligned = align.align(
            score, heard, mode=settings.align, transpose=settings.transpose
        )
        excerpt = _excerpt(aligned.score, settings.start, audio.duration)
    labels = separation.label_notes(excerpt, settings)
    with stages.stage("fit", settings.max_iter) as step:
        stems = separation.fit_stems(
            audio,
            excerpt,
            labels,
            settings,
            tuning=aligned.tuning,
            callback=lambda i, loss: step(i, note=f"loss {loss:.5g}"),
        )
    return _Separation(
        path,
        score_path,
        settings,
        audio,
        score,
        aligned,
        excerpt,
        labels,
        stems,
        stems.components(),
    )


def _features(path: Path, audio: Audio, settings: ScoreSettings) -> Features:
    """The whole recording's, for a score is that of the whole."""
    if settings.start == 0 and settings.duration is None:
        return features.features(audio, threads=settings.threads)
    return features.features_of_file(path, threads=settings.threads)


def _excerpt(score: Score, start: float, duration: float) -> Score:
    """The notes that sound in an excerpt, on its own clock."""
    notes = []
    for note in score.notes:
        since = max(0.0, note.start - start)
        until = note.start + note.duration - start
        if until > 0 and since < duration:
            notes.append(note._replace(start=since, duration=until - since))
    if not notes:
        raise ScoreError(
            f"no note of the score sounds in the {duration:.1f} s from {start:g} s on; "
            "choose another excerpt, or use --align always"
        )
    return Score(tuple(notes))


def _write(done: _Separation, partial: Path, stages: Stages) -> Written | None:
    return write_run(
        partial,
        stages,
        done.settings,
        sources=lambda step: write_sources(
            partial / "sources",
            done.path,
            done.audio,
            done.stems.names,
            done.stems.stream(done.settings),
            done.settings,
            start=done.settings.start,
            threads=done.settings.threads,
            progress=step,
        ),
        notes=lambda folder: _write_notes(done, folder),
        figures=lambda folder: _figures(done, folder),
    )


def _write_notes(done: _Separation, folder: Path) -> None:
    """The aligned score as it is written, and as it was found to be played."""
    midi.write_midi(folder / "aligned.mid", done.score)
    notelist.write_csv(folder / "aligned.csv", done.score)
    parts = done.components
    write_factors(folder, parts.factorization, done.stems.grid, parts.pitches)


def _figures(done: _Separation, folder: Path) -> None:
    from specnmf.output import figures

    grid, parts = done.stems.grid, done.components
    V = stft.magnitude(done.audio, grid, threads=done.settings.threads)
    figures.draw_figures(
        folder,
        V,
        parts.factorization,
        frequencies=grid.frequencies,
        times=grid.times,
        pitches=parts.pitches,
        beta=1.0 if done.settings.model == "partials" else 2.0,
        figure_format=done.settings.figure_format,
        title=done.path.stem,
        only=("spectrogram", "reconstruction", "loss"),
    )
    aligned, warped = done.alignment, done.alignment.warped
    data = figures.ScoreFigureData(
        V=V,
        frequencies=grid.frequencies,
        times=grid.times,
        score=done.score,
        labels=done.labels,
        factorization=parts.factorization,
        pitches=parts.pitches,
        names=parts.names,
        title=done.path.stem,
        start=parts.start,
        original=done.original if warped else None,
        path=aligned.path - (0.0, done.settings.start) if warped else None,
        agreement=aligned.agreement - (done.settings.start, 0.0) if warped else None,
        confidence=aligned.confidence,
        remarks=aligned.remarks,
        envelopes=_envelopes(done),
    )
    figures.draw_score_figures(folder, data, figure_format=done.settings.figure_format)


def _envelopes(done: _Separation) -> dict[str, NDArray[np.floating]]:
    """How loud the model of each stem is over time."""
    result = done.components.factorization
    n_frames = result.H.shape[1]
    envelopes: dict[str, NDArray[np.floating]] = {
        name: np.zeros(n_frames) for name in done.stems.names
    }
    for label, template, activation in zip(
        result.labels, result.W.T, result.H, strict=True
    ):
        envelopes[label] += np.linalg.norm(template) * activation
    return envelopes


def _content(
    done: _Separation, written: Written | None, called: Mapping[Path, str] | None
) -> dict[str, Any]:
    """Everything that run.json says but the command and the seconds."""
    parts, grid = done.components, done.stems.grid
    return {
        **run_entries(
            done.settings, grid, [done.path, done.score_path], called, done.audio
        ),
        "alignment": _alignment_entry(done.alignment),
        "iterations": len(done.stems.losses),
        "final_loss": float(done.stems.losses[-1]),
        "residual_db": None if written is None else written.residual_db,
        "explained": done.stems.explained,
        "stems": _stem_entries(done, written),
        "components": report.components(parts.factorization, parts.pitches),
        "warnings": [
            *sound_warnings(
                done.path,
                done.audio,
                written,
                start=done.settings.start,
                duration=done.settings.duration,
            ),
            *done.alignment.remarks,
            *_doubts(done.stems.explained),
        ],
    }


def _doubts(explained: float | None) -> Iterator[str]:
    if explained is not None and explained < LEAST_EXPLAINED:
        yield (
            f"the score explains {explained:.0%} of the sound, the stems share the "
            "rest: is it this recording's, and complete? --residual keeps it apart"
        )


def _alignment_entry(alignment: Alignment) -> dict[str, Any]:
    return {
        "confidence": round(float(alignment.confidence), 3),
        "warped": bool(alignment.warped),
        "transposition": int(alignment.transposition),
        "tuning_cents": round(float(alignment.tuning), 1),
        "remarks": list(alignment.remarks),
    }


def _stem_entries(done: _Separation, written: Written | None) -> list[dict[str, Any]]:
    entries = []
    for name in done.stems.names:
        entry: dict[str, Any] = {"label": name, "notes": done.labels.count(name)}
        if written is not None:
            entry["source"] = f"sources/{written.files[name]}"
            entry["rms"] = written.rms[name]
        entries.append(entry)
    return entries
