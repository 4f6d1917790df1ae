"""Templates of a run, out of its factors.npz, whoever made the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specnmf.archives import read_arrays
from specnmf.audio.stft import Grid
from specnmf.errors import SpecnmfError, TemplateError
from specnmf.factor.factorization import Factorization

#: What takes more is no template: this holds 500 of a window of 2**17.
MOST_BYTES = 1 << 27


def read_templates(path: str | Path, grid: Grid) -> NDArray[np.floating]:
    """The templates of a factors.npz, shape (n_bins, n_templates).

    Raises
    ------
    TemplateError
        If the file is none, or its bins are not those of the recording.
    """
    path = Path(path)
    W, frequencies = _load(path)
    if not (frequencies.shape == grid.frequencies.shape and len(W) == grid.n_bins):
        raise TemplateError(
            f"{path}: holds {len(W)} bins, the recording {grid.n_bins}; "
            "use the --n-fft that made the templates"
        )
    if not np.allclose(frequencies, grid.frequencies, rtol=1e-6):
        raise TemplateError(
            f"{path}: its bins end at {frequencies[-1]:.0f} Hz, the recording's at "
            f"{grid.frequencies[-1]:.0f} Hz; templates serve one sample rate"
        )
    return W


def count_templates(path: str | Path | None) -> int:
    """The number of templates in a factors.npz, else a TemplateError; 0 without one."""
    return 0 if path is None else _load(Path(path))[0].shape[1]


def _load(path: Path) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """W and the frequencies of its bins; nothing else in the archive is unpacked."""
    arrays = read_arrays(
        path,
        ("W", "frequencies"),
        most_bytes=MOST_BYTES,
        error=TemplateError,
        expected="a factors.npz with W and frequencies",
    )
    W = arrays["W"]
    try:
        W = Factorization(W, np.zeros((W.shape[-1] if W.ndim else 1, 1))).W
    except SpecnmfError as error:
        raise TemplateError(f"{path}: {error}") from error
    return W, arrays["frequencies"]
