"""One song, from path to run folder, taken apart into components."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import masks, pitch
from specnmf.audio.writing import check_writable
from specnmf.factor import starts
from specnmf.factor.factorization import Factorization
from specnmf.factor.nmf import nmf
from specnmf.factor.rank import RankChoice, choose_rank
from specnmf.methods.components.material import Material, open_material
from specnmf.methods.components.templates import count_templates, read_templates
from specnmf.output import folder, report
from specnmf.output.sources import Written, write_sources
from specnmf.pipeline.run import (
    Progress,
    Run,
    Stages,
    audio_entry,
    check_room,
    inputs_entry,
    kind_of,
    settings_entries,
    settings_hash,
    sound_warnings,
)
from specnmf.pipeline.writing import write_factors, write_run
from specnmf.tasks.decompose import Settings


@dataclass(frozen=True, eq=False)
class _Decomposition:
    """A recording taken apart, with settings that name a number of components."""

    path: Path
    asked: Settings
    settings: Settings
    choice: RankChoice | None
    material: Material
    result: Factorization
    pitches: NDArray[np.float64]


def decompose(
    path: str | Path,
    settings: Settings | None = None,
    *,
    output: str | Path = "specnmf_out",
    overwrite: bool = False,
    templates: str | Path | None = None,
    command: str = "",
    called: Mapping[Path, str] | None = None,
    progress: Progress | None = None,
) -> Run:
    """Take a recording apart, and leave everything in a folder.

    Parameters
    ----------
    path : path
        The recording.
    settings : Settings, optional
        The options.
    output : path
        The folder for runs; this one's is named like the recording's stem.
    overwrite : bool
        Replace a finished run.
    templates : path, optional
        A factors.npz whose templates are held fixed; what is missing to
        ``n_components`` is learned beside them.
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
    AudioError, TemplateError, ParameterError, OutputError
        With nothing left behind.
    """
    path, settings = Path(path), settings or Settings()
    target = folder.target(output, path)
    folder.check_free(target, overwrite=overwrite)
    stages = Stages(progress)
    n_components = max(settings.most_components, count_templates(templates))
    with stages.stage("read") as step:
        material = open_material(path, settings, n_components, step)
        sound = material.sound
        check_writable(settings.format, sound.sr, sound.n_channels)
    with folder.run_folder(target, overwrite=overwrite) as partial:
        with stages.compiling():
            done = _take_apart(path, material, settings, templates, stages)
            written = _write(done, partial, stages)
        content = {
            "command": command,
            **_content(done, written, templates, called),
            "seconds": stages.seconds,
        }
        report.write_report(partial / folder.REPORT, content)
    return Run(target, content)


def _take_apart(
    path: Path,
    material: Material,
    settings: Settings,
    templates: str | Path | None,
    stages: Stages,
) -> _Decomposition:
    given = np.zeros((material.grid.n_bins, 0), np.float32)
    if templates is not None:
        given = read_templates(templates, material.grid).astype(np.float32)
    V = material.transform(stages)
    asked, choice = settings, _choose(V, settings, stages)
    if choice is not None:
        settings = dataclasses.replace(settings, n_components=choice.chosen)
    learned = _best(V, given, settings, material.n_starts, stages)
    del V  # its room is needed
    fixed = np.arange(learned.n_components) < given.shape[1]
    result = material.refine(learned, fixed, stages)
    # Templates that were given keep their places, so that they can be found again.
    result = result.by_energy() if templates is None else result
    pitches = pitch.estimate_pitches(result.W, material.grid.frequencies)
    return _Decomposition(path, asked, settings, choice, material, result, pitches)


def _choose(
    V: NDArray[np.float32], settings: Settings, stages: Stages
) -> RankChoice | None:
    """The number of components, if it was left open."""
    if settings.n_components != "auto":
        return None
    with stages.stage("choose"):
        return choose_rank(
            V, beta=settings.beta, rng=settings.seed, threads=settings.threads
        )


def _write(done: _Decomposition, partial: Path, stages: Stages) -> Written | None:
    return write_run(
        partial,
        stages,
        done.settings,
        sources=lambda step: _sources(done, partial / "sources", step),
        notes=lambda folder: write_factors(
            folder, done.result, done.material.grid, done.pitches
        ),
        figures=lambda folder: _figures(done, folder),
    )


def _sources(
    done: _Decomposition, folder: Path, step: Callable[[int, int], None]
) -> Written:
    models = masks.FactorModels(done.result)
    with done.material.spectra(len(models.names)) as spectra_of:
        stream = masks.stream_sources(
            spectra_of,
            done.material.grid,
            models,
            n_channels=done.material.sound.n_channels,
            mask=done.settings.mask,
            power=done.settings.mask_power,
            threads=done.settings.threads,
        )
        return write_sources(
            folder,
            done.path,
            done.material.sound,
            models.names,
            stream,
            done.settings,
            start=done.settings.start,
            threads=done.settings.threads,
            progress=step,
        )


def _best(
    V: NDArray[np.float32],
    given: NDArray[np.float32],
    settings: Settings,
    n_starts: int,
    stages: Stages,
) -> Factorization:
    """The factorisation of the lowest cost among those of a few seeds."""
    chance = settings.init == "random" and given.shape[1] < settings.most_components
    seeds = range(settings.seed, settings.seed + (n_starts if chance else 1))
    with stages.stage("factorise", len(seeds) * settings.max_iter) as step:
        found = [
            _factorise(
                V,
                given,
                dataclasses.replace(settings, seed=seed),
                _telling(step, number * settings.max_iter),
            )
            for number, seed in enumerate(seeds)
        ]
    return min(found, key=lambda result: float(result.losses[-1]))


def _telling(step: Callable[..., None], before: int) -> Callable[[int, float], None]:
    """A solver's callback that tells of its iterations and those before."""
    return lambda i, loss: step(before + i, note=f"loss {loss:.5g}")


def _factorise(
    V: NDArray[np.float32],
    given: NDArray[np.float32],
    settings: Settings,
    callback: Callable[[int, float], None],
) -> Factorization:
    n_given = given.shape[1]
    n_components = max(settings.most_components, n_given)
    check_room(n_components, V, instead="a smaller -k")
    start = starts.make(V, n_components, init=settings.init, rng=settings.seed)
    W = np.concatenate([given, start.W[:, n_given:]], axis=1)
    return nmf(
        V,
        dataclasses.replace(start, W=W),
        beta=settings.beta,
        solver=settings.solver,
        max_iter=settings.max_iter,
        tol=settings.tol,
        stop=settings.stop,
        fixed=np.arange(n_components) < n_given,
        threads=settings.threads,
        callback=callback,
    )


def _figures(done: _Decomposition, folder: Path) -> None:
    from specnmf.output import figures

    with done.material.magnitudes() as V:
        figures.draw_figures(
            folder,
            V,
            done.result,
            frequencies=done.material.grid.frequencies,
            times=done.material.grid.times,
            pitches=done.pitches,
            beta=done.settings.beta,
            figure_format=done.settings.figure_format,
            title=done.path.stem,
            step="pass" if done.material.streamed else "iteration",
        )
    if done.choice is not None:
        figures.draw_rank_figure(
            folder,
            done.choice,
            figure_format=done.settings.figure_format,
            title=done.path.stem,
        )


def _content(
    done: _Decomposition,
    written: Written | None,
    templates: str | Path | None,
    called: Mapping[Path, str] | None,
) -> dict[str, Any]:
    """Everything that run.json says but the command and the seconds."""
    paths = [done.path] if templates is None else [done.path, Path(templates)]
    inputs = inputs_entry(paths, called)
    components = report.components(done.result, done.pitches)
    if written is not None:
        for entry in components:
            entry["source"] = f"sources/{written.files[entry['label']]}"
            entry["rms"] = written.rms[entry["label"]]
    grid, sound = done.material.grid, done.material.sound
    settings = dataclasses.replace(
        done.settings, n_fft=grid.n_fft, hop_length=grid.hop_length
    )
    held = inputs[1]["sha256"] if templates is not None else None
    return {
        "kind": kind_of(settings),
        "settings_hash": settings_hash(done.asked, templates=held),
        "inputs": inputs,
        "audio": audio_entry(sound),
        **settings_entries(done.asked, settings),
        "streamed": done.material.streamed,
        "seed": settings.seed,
        "rank_choice": _choice_entry(done.choice),
        "versions": report.versions(),
        "iterations": len(done.result.losses),
        "final_loss": float(done.result.losses[-1]),
        "residual_db": None if written is None else written.residual_db,
        "components": components,
        "warnings": sound_warnings(
            done.path,
            sound,
            written,
            start=settings.start,
            duration=settings.duration,
        ),
    }


def _choice_entry(choice: RankChoice | None) -> dict[str, Any] | None:
    if choice is None:
        return None
    return {
        "chosen": choice.chosen,
        "ranks": choice.ranks.tolist(),
        "held_out_db": choice.means.tolist(),
        "standard_errors_db": choice.errors.tolist(),
    }
