"""Templates of a run, from its factors.npz, which is not trusted."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.archives import holds, read_arrays
from specnmf.arrays import array_of
from specnmf.audio.stft import Grid
from specnmf.errors import SpecnmfError, TemplateError
from specnmf.factor.factorization import Factorization
from specnmf.methods.components.scope import left_out

#: The largest size of templates: enough for 500 at a window of 2**17.
MOST_BYTES = 1 << 27


def templates_of(
    given: str | os.PathLike[str] | Factorization | ArrayLike, grid: Grid
) -> NDArray[np.floating]:
    """Templates, shape (n_bins, n_templates), out of a file or as they are.

    Raises
    ------
    TemplateError
        If they are no templates, or their bins are not those of the recording.
    """
    if isinstance(given, str | os.PathLike):
        return read_templates(Path(given), grid)
    W = _checked(given, "templates")
    if len(W) != grid.n_bins:
        raise TemplateError(
            f"templates: {len(W)} bins, the recording has {grid.n_bins}; use the n_fft "
            "that made the templates"
        )
    return W


def read_templates(path: str | Path, grid: Grid) -> NDArray[np.floating]:
    """The templates of a factors.npz, shape (n_bins, n_templates).

    Raises
    ------
    TemplateError
        If the file is not a factors.npz, or its bins are not those of the recording.
    """
    path = Path(path)
    W, frequencies = _load(path)
    if not (frequencies.shape == grid.frequencies.shape and len(W) == grid.n_bins):
        raise TemplateError(
            f"{path}: the templates have {len(W)} bins and {len(frequencies)} "
            f"frequencies, the recording {grid.n_bins}; use the --n-fft of the "
            "templates"
        )
    if not np.allclose(frequencies, grid.frequencies, rtol=1e-6):
        raise TemplateError(
            f"{path}: the bins end at {frequencies[-1]:.0f} Hz, those of the recording "
            f"at {grid.frequencies[-1]:.0f} Hz; templates and recording must have the "
            "same sample rate"
        )
    return W


def count_templates(
    given: str | os.PathLike[str] | Factorization | ArrayLike | None,
) -> int:
    """The number of templates that are given, else a TemplateError; 0 without any."""
    if given is None:
        return 0
    if isinstance(given, str | os.PathLike):
        return int(_load(Path(given))[0].shape[1])
    return int(_checked(given, "templates").shape[1])


def _load(path: Path) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """W and the frequencies of its bins; the rest of the archive is not unpacked."""
    arrays = read_arrays(
        path,
        ("W", "frequencies"),
        most_bytes=MOST_BYTES,
        error=TemplateError,
        expected="a factors.npz with W and frequencies",
    )
    return _components(path, _checked(arrays["W"], str(path))), arrays["frequencies"]


def _components(path: Path, W: NDArray[np.floating]) -> NDArray[np.floating]:
    """Templates of a run without those of what it left out of the factorisation."""
    if not holds(path, "labels"):
        return W
    labels = read_arrays(
        path,
        ("labels",),
        most_bytes=MOST_BYTES,
        error=TemplateError,
        expected="a factors.npz with names as its labels",
        kinds="U",
    )["labels"]
    names = labels.tolist() if labels.shape == W.shape[1:] else []
    return W[:, : W.shape[1] - len(left_out(names))]


def _checked(given: Factorization | ArrayLike, name: str) -> NDArray[np.floating]:
    """Templates, (n_bins, n_templates), or a TemplateError that begins with a name."""
    try:
        W = given.W if isinstance(given, Factorization) else array_of("W", given)
        return Factorization(W, np.zeros((W.shape[-1] if W.ndim else 1, 1))).W
    except SpecnmfError as error:
        raise TemplateError(f"{name}: {error}") from error
