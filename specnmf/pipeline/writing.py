"""What every run writes: sources, factors, notes and figures."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import pitch
from specnmf.audio.stft import Grid
from specnmf.factor.factorization import Factorization
from specnmf.output import pianoroll, report
from specnmf.output.sources import Written
from specnmf.parallel import n_threads
from specnmf.pipeline.run import Stages
from specnmf.score import midi, notelist
from specnmf.tasks.settings import RunSettings


def write_run(
    partial: Path,
    stages: Stages,
    settings: RunSettings,
    *,
    sources: Callable[[Callable[..., None]], Written],
    notes: Callable[[Path], None],
    figures: Callable[[Path], None],
) -> Written | None:
    """Write all but the report; what became of the sources, None without them.

    Drawing is Python's work and masking the kernels', so they go on side by side where
    there is more than one thread.

    Parameters
    ----------
    partial : path
        The folder of the run.
    sources : callable
        Writes the sources; it is handed what to call as it goes on.
    notes, figures : callable
        Write the factors and notes, and the figures, into a folder.
    """

    def write_views() -> None:
        with stages.stage("piano roll"):
            notes(partial)
        if settings.figures:
            (partial / "figures").mkdir()
            with stages.stage("figures"):
                figures(partial / "figures")

    def write_sound() -> Written | None:
        if not settings.sources:
            return None
        (partial / "sources").mkdir()
        with stages.stage("sources") as step:
            return sources(step)

    if n_threads(settings.threads) == 1:
        write_views()
        return write_sound()
    with ThreadPoolExecutor(1, thread_name_prefix="specnmf-views") as aside:
        views = aside.submit(write_views)
        written = write_sound()
        views.result()
    return written


def write_factors(
    partial: Path, result: Factorization, grid: Grid, pitches: NDArray[np.float64]
) -> None:
    """Write factors.npz, and the activations as notes."""
    times, frequencies = grid.times, grid.frequencies
    report.write_factors(
        partial / "factors.npz", result, frequencies=frequencies, times=times
    )
    score = pianoroll.transcribe(
        result.H,
        times,
        pitches,
        result.labels,
        gains=np.linalg.norm(result.W, axis=0),
        centroids=pitch.centroids(result.W, frequencies),
    )
    midi.write_midi(partial / "pianoroll.mid", score)
    notelist.write_csv(partial / "pianoroll.csv", score)
