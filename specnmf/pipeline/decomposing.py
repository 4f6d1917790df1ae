"""One song, from path to run folder, taken apart into components."""

from __future__ import annotations

import dataclasses
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import masks, pitch, reading, stft
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Grid
from specnmf.audio.writing import check_writable
from specnmf.errors import ParameterError, TemplateError
from specnmf.factor import starts
from specnmf.factor.factorization import Factorization
from specnmf.factor.nmf import nmf
from specnmf.output import folder, report
from specnmf.output.sources import Written, write_sources
from specnmf.pipeline.run import (
    Progress,
    Run,
    Stages,
    audio_entry,
    inputs_entry,
    sound_warnings,
)
from specnmf.pipeline.writing import write_factors, write_run
from specnmf.settings import Settings

#: A templates file that unpacks to more is refused unread.
MOST_TEMPLATE_BYTES = 1 << 30


@dataclass(frozen=True, eq=False)
class _Decomposition:
    """A recording taken apart, in memory."""

    path: Path
    settings: Settings
    audio: Audio
    grid: Grid
    V: NDArray[np.float32]
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
    target = Path(output) / path.stem
    folder.check_free(target, overwrite=overwrite)
    stages = Stages(progress)
    with stages.stage("read"):
        audio = reading.read(path, start=settings.start, duration=settings.duration)
        check_writable(settings.format, audio.sr, audio.n_channels)
    with folder.run_folder(target, overwrite=overwrite) as partial:
        done = _take_apart(path, audio, settings, templates, stages)
        written = _write(done, partial, stages)
        content = {
            "command": command,
            **_content(done, written, templates),
            "seconds": stages.seconds,
        }
        report.write_report(partial / folder.REPORT, content)
    return Run(target, content)


def _take_apart(
    path: Path,
    audio: Audio,
    settings: Settings,
    templates: str | Path | None,
    stages: Stages,
) -> _Decomposition:
    grid = Grid.of(audio, settings.n_fft, settings.hop_length)
    with stages.stage("transform"):
        V = stft.magnitude(audio, grid, threads=settings.threads)
    with stages.stage("factorise", settings.max_iter) as step:
        result = _factorise(V, grid, settings, templates, step)
    pitches = pitch.estimate_pitches(result.W, grid.frequencies)
    return _Decomposition(path, settings, audio, grid, V, result, pitches)


def _write(done: _Decomposition, partial: Path, stages: Stages) -> Written | None:
    models = masks.FactorModels(done.result)
    stream = masks.stream_sources(
        masks.spectra_of(done.audio, done.grid),
        done.grid,
        models,
        n_channels=done.audio.n_channels,
        mask=done.settings.mask,
        power=done.settings.mask_power,
        threads=done.settings.threads,
    )
    return write_run(
        partial,
        stages,
        done.settings,
        sources=lambda step: write_sources(
            partial / "sources",
            done.path,
            done.audio,
            models.names,
            stream,
            done.settings,
            progress=step,
        ),
        notes=lambda folder: write_factors(
            folder, done.result, done.grid, done.pitches
        ),
        figures=lambda folder: _figures(done, folder),
    )


def _factorise(
    V: NDArray[np.float32],
    grid: Grid,
    settings: Settings,
    templates: str | Path | None,
    step: Callable[..., None],
) -> Factorization:
    fixed = np.zeros((grid.n_bins, 0), V.dtype)
    if templates is not None:
        fixed = read_templates(templates, grid).astype(V.dtype)
    n_components = max(settings.n_components, fixed.shape[1])
    _check_rank(n_components, V)
    start = starts.make(V, n_components, init=settings.init, rng=settings.seed)
    W = np.concatenate([fixed, start.W[:, fixed.shape[1] :]], axis=1)
    result = nmf(
        V,
        dataclasses.replace(start, W=W),
        beta=settings.beta,
        solver=settings.solver,
        max_iter=settings.max_iter,
        tol=settings.tol,
        stop=settings.stop,
        fixed=np.arange(n_components) < fixed.shape[1],
        threads=settings.threads,
        callback=lambda i, loss: step(i, note=f"loss {loss:.5g}"),
    )
    # Templates that were given keep their places, so that they can be found again.
    return result.by_energy() if templates is None else result


def _check_rank(n_components: int, V: NDArray[np.float32]) -> None:
    if n_components > min(V.shape):
        raise ParameterError(
            f"at most {min(V.shape)} components fit a spectrogram of {V.shape[0]} bins "
            f"x {V.shape[1]} frames, got {n_components}; use a smaller -k or a "
            "longer excerpt"
        )


def read_templates(path: str | Path, grid: Grid) -> NDArray[np.floating]:
    """The templates of a factors.npz, shape (n_bins, n_templates).

    Raises
    ------
    TemplateError
        If the file is none, or its bins are not those of the recording.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MOST_TEMPLATE_BYTES:
            raise TemplateError(f"{path}: holds over a gigabyte, expected factors.npz")
        with np.load(path, allow_pickle=False) as arrays:
            W, frequencies = arrays["W"], arrays["frequencies"]
            checked = Factorization(W, np.zeros((W.shape[1], 1)))
    except TemplateError:
        raise
    except OSError as error:
        raise TemplateError(f"{path}: {error.strerror or error}") from error
    except Exception as error:  # whatever a broken archive makes numpy raise
        raise TemplateError(
            f"{path}: expected a factors.npz with W and frequencies ({error})"
        ) from error
    fits = frequencies.shape == grid.frequencies.shape
    if not (fits and len(checked.W) == grid.n_bins):
        raise TemplateError(
            f"{path}: holds {len(checked.W)} bins, the recording {grid.n_bins}; "
            "use the --n-fft that made the templates"
        )
    if not np.allclose(frequencies, grid.frequencies, rtol=1e-6):
        raise TemplateError(
            f"{path}: its bins end at {frequencies[-1]:.0f} Hz, the recording's at "
            f"{grid.frequencies[-1]:.0f} Hz; templates serve one sample rate"
        )
    return checked.W


def _figures(done: _Decomposition, folder: Path) -> None:
    from specnmf.output import figures

    figures.draw_figures(
        folder,
        done.V,
        done.result,
        frequencies=done.grid.frequencies,
        times=done.grid.times,
        pitches=done.pitches,
        beta=done.settings.beta,
        figure_format=done.settings.figure_format,
        title=done.path.stem,
    )


def _content(
    done: _Decomposition, written: Written | None, templates: str | Path | None
) -> dict[str, Any]:
    """Everything that run.json says but the command and the seconds."""
    inputs = [done.path] if templates is None else [done.path, Path(templates)]
    components = report.components(done.result, done.pitches)
    if written is not None:
        for entry in components:
            entry["source"] = f"sources/{written.files[entry['label']]}"
            entry["rms"] = written.rms[entry["label"]]
    settings = dataclasses.replace(
        done.settings, n_fft=done.grid.n_fft, hop_length=done.grid.hop_length
    )
    return {
        "inputs": inputs_entry(inputs),
        "audio": audio_entry(done.audio),
        "settings": dataclasses.asdict(settings),
        "seed": settings.seed,
        "versions": report.versions(),
        "iterations": len(done.result.losses),
        "final_loss": float(done.result.losses[-1]),
        "residual_db": None if written is None else written.residual_db,
        "components": components,
        "warnings": sound_warnings(
            done.path,
            done.audio,
            written,
            start=settings.start,
            duration=settings.duration,
        ),
    }
