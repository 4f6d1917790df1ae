"""One song, from path to run folder, taken apart in layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import masks, pitch, reading, stft
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Float32, Grid
from specnmf.audio.writing import check_writable
from specnmf.factor.iterate import Counted
from specnmf.factor.layers import tree
from specnmf.factor.layers.hierarchical import hierarchical_nmf
from specnmf.factor.layers.model import Layers
from specnmf.factor.layers.neural import neural_nmf
from specnmf.factor.options import BETAS
from specnmf.methods.layers.stems import LayerModels
from specnmf.output import folder, report
from specnmf.output.sources import Written, write_sources
from specnmf.parallel import workers
from specnmf.pipeline import layer_report
from specnmf.pipeline.layer_report import Layered
from specnmf.pipeline.marking import read_marks
from specnmf.pipeline.run import Progress, Run, Stages, check_room
from specnmf.pipeline.writing import write_factors, write_run
from specnmf.score.marks import Marks, runs
from specnmf.score.regions import Region, write_regions
from specnmf.tasks.layers import LayerSettings

#: The file of the tree.
TREE = "tree.json"

#: Seconds over which the labels that are heard are averaged.
SMOOTHED = 1.0


def layers(
    path: str | Path,
    settings: LayerSettings | None = None,
    *,
    labels: str | Path | None = None,
    output: str | Path = "specnmf_out",
    overwrite: bool = False,
    command: str = "",
    called: Mapping[Path, str] | None = None,
    progress: Progress | None = None,
) -> Run:
    """Take a recording apart in layers, and leave everything in a folder.

    The first layer finds spectra, mostly notes; each further one finds which
    components of the layer below sound together: chords or textures, then, with few
    components, what those have in common, such as a harmony or a section.

    Parameters
    ----------
    path : path
        The recording.
    settings : LayerSettings, optional
        The options.
    labels : path, optional
        Regions with names, which the last layer is to follow: a label track of
        Audacity's, or CSV. Frames outside all regions count as unknown.
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
    path, settings = Path(path), settings or LayerSettings()
    labels = None if labels is None else Path(labels)
    target = folder.target(output, path)
    folder.check_free(target, overwrite=overwrite)
    stages = Stages(progress)
    with stages.stage("read"):
        audio = reading.read(path, start=settings.start, duration=settings.duration)
        check_writable(settings.format, audio.sr, audio.n_channels)
        grid = Grid.of(audio, settings.n_fft, settings.hop_length)
        marks = None if labels is None else read_marks(labels, audio, grid, settings)
    with folder.run_folder(target, overwrite=overwrite) as partial:
        with stages.compiling():
            done = _take_apart(path, labels, settings, audio, grid, marks, stages)
            written = _write(done, partial, stages)
        content = {
            "command": command,
            **layer_report.content(done, written, called),
            "seconds": stages.seconds,
        }
        report.write_report(partial / TREE, {"layers": content["layers"]})
        report.write_report(partial / folder.REPORT, content)
    return Run(target, content)


def _take_apart(
    path: Path,
    labels: Path | None,
    settings: LayerSettings,
    audio: Audio,
    grid: Grid,
    marks: Marks | None,
    stages: Stages,
) -> Layered:
    with stages.stage("transform"):
        V = stft.magnitude(audio, grid, threads=settings.threads)
    check_room(settings.ranks[0], V, instead="smaller --ranks")
    found, iterations = _factorise(V, marks, settings, stages)
    with workers(1):
        found = tree.by_energy(found)
        grown = tree.grow_tree(found)
    pitches = pitch.estimate_pitches(found.A[0], grid.frequencies)
    return Layered(
        path,
        labels,
        settings,
        audio,
        grid,
        marks,
        V,
        found,
        grown,
        pitches,
        iterations,
    )


def _factorise(
    V: Float32, marks: Marks | None, settings: LayerSettings, stages: Stages
) -> tuple[Layers, int]:
    """The layers, and how many iterations they took.

    Learned together from a random start, all layers describe the sound that the last
    one is left with, and the first no longer finds notes: so they start from those
    that were found one after another.
    """
    options: dict[str, Any] = {
        "max_iter": settings.max_iter,
        "tol": settings.tol,
        "rng": settings.seed,
        "threads": settings.threads,
    }
    together = settings.method == "neural"
    total = settings.max_iter * (len(settings.ranks) + together)
    with stages.stage("factorise", total) as step:
        tell = Counted(lambda i, loss: step(min(i, total), note=f"loss {loss:.5g}"))
        found = hierarchical_nmf(
            V,
            settings.ranks,
            beta=settings.beta,
            solver=settings.solver,
            callback=tell,
            **options,
            **_said(V, marks, settings, settings.beta),
        )
        if together:
            found = neural_nmf(
                V,
                settings.ranks,
                start=found,
                restarts=1,
                callback=tell,
                **options,
                **_said(V, marks, settings, BETAS["euclidean"]),
            )
    return found, tell.count


def _said(
    V: Float32, marks: Marks | None, settings: LayerSettings, beta: float
) -> dict[str, Any]:
    """The labels, which at weight 1 weigh as much as V, by how costs grow with it."""
    if marks is None:
        return {}
    weight = float(np.power(V, max(beta, 0.0), dtype=np.float64).sum())
    return {
        "labels": marks.heard,
        "label_mask": marks.annotated,
        "label_weight": settings.label_weight * weight / marks.heard.sum(),
    }


def _write(done: Layered, partial: Path, stages: Stages) -> dict[int, Written]:
    """Write all but the report; what became of the sources of each layer."""
    written: dict[int, Written] = {}

    def write_sound(step: Callable[..., None]) -> Written:
        for number, layer in enumerate(done.written_layers):
            telling = _telling(done, number, step)
            written[layer] = _sources(done, layer, partial, telling)
        return layer_report.together(written)

    write_run(
        partial,
        stages,
        done.settings,
        sources=write_sound,
        notes=lambda folder: _write_factors(done, folder),
        figures=lambda folder: _figures(done, folder),
    )
    return written


def _telling(
    done: Layered, before: int, step: Callable[..., None]
) -> Callable[[int, int], None]:
    """Tell of the samples of this layer, and of those before, which are done."""
    n_layers = len(done.written_layers)
    return lambda now, total: step(before * total + now, n_layers * total)


def _sources(
    done: Layered, layer: int, partial: Path, step: Callable[[int, int], None]
) -> Written:
    own = partial / "sources" / f"layer_{layer + 1}"
    own.mkdir()
    models = LayerModels(done.layers, layer)
    power = done.settings.mask_power
    stream = masks.stream_of(
        done.audio,
        done.grid,
        models,
        mask=done.settings.mask,
        power=power,
        threads=done.settings.threads,
    )
    return write_sources(
        own,
        done.path,
        done.audio,
        models.names,
        stream,
        done.settings,
        start=done.settings.start,
        threads=done.settings.threads,
        progress=step,
    )


def _write_factors(done: Layered, folder: Path) -> None:
    """The first layer as any run leaves it, all layers, and where labels are heard."""
    write_factors(folder, done.first, done.grid, done.pitches)
    found = done.layers
    arrays: dict[str, NDArray[Any]] = {
        **{f"A_{number}": A for number, A in enumerate(found.A, 1)},
        **{f"S_{number}": S for number, S in enumerate(found.S, 1)},
        "frequencies": done.grid.frequencies,
        "times": done.grid.times,
        "losses": found.losses,
    }
    if done.marks is not None and found.B is not None:
        arrays["B"] = found.B
        arrays["labels"] = np.array(done.marks.names, dtype=np.str_)
        write_regions(folder / "labels.txt", _predicted(done, done.marks))
    with (folder / "layers.npz").open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # numpy's stub lacks **


def _predicted(done: Layered, marks: Marks) -> tuple[Region, ...]:
    """The regions in which each label is the one most heard."""
    from scipy.ndimage import uniform_filter1d

    length = max(1, round(SMOOTHED * done.grid.sr / done.grid.hop_length))
    heard = uniform_filter1d(done.layers.predictions(), length, axis=1, mode="constant")
    active = (heard > 0) & (heard == heard.max(axis=0))
    return runs(
        active,
        marks.names,
        done.grid.times,
        duration=done.audio.duration,
        start=done.settings.start,
    )


def _figures(done: Layered, folder: Path) -> None:
    from specnmf.output import figures

    figures.draw_figures(
        folder,
        done.V,
        done.first,
        frequencies=done.grid.frequencies,
        times=done.grid.times,
        pitches=done.pitches,
        beta=done.settings.beta,
        figure_format=done.settings.figure_format,
        title=done.path.stem,
        only=("spectrogram", "templates", "activations", "reconstruction"),
    )
    together = done.settings.method == "neural"
    data = figures.LayerFigureData(
        layers=done.layers,
        tree=done.tree,
        frequencies=done.grid.frequencies,
        times=done.grid.times,
        pitches=done.pitches,
        labels=layer_report.top_labels(done),
        title=done.path.stem,
        together=together,
        beta=BETAS["euclidean"] if together else done.settings.beta,
    )
    figures.draw_layer_figures(folder, data, figure_format=done.settings.figure_format)
