"""Templates of a run, out of its factors.npz, whoever made the file."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from specnmf.audio.stft import Grid
from specnmf.errors import SpecnmfError, TemplateError
from specnmf.factor.factorization import Factorization
from specnmf.score.loading import label

#: An array that takes more is no template's: this holds 500 of a window of 2**17.
MOST_BYTES = 1 << 27

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


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
    try:
        with zipfile.ZipFile(path) as archive:
            W, frequencies = _array(archive, "W"), _array(archive, "frequencies")
        return Factorization(W, np.zeros((W.shape[-1], 1))).W, frequencies
    except SpecnmfError as error:
        raise TemplateError(f"{path}: {error}") from error
    except OSError as error:
        raise TemplateError(f"{path}: {error.strerror or error}") from error
    except Exception as error:  # whatever a broken archive makes them raise
        raise TemplateError(
            f"{path}: expected a factors.npz with W and frequencies "
            f"({label(str(error))})"
        ) from error


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[np.floating]:
    """An array of numbers in the archive, of a modest size."""
    with archive.open(f"{name}.npy") as member:
        _check_header(member, name)
    with archive.open(f"{name}.npy") as member:
        array: NDArray[np.floating] = npy.read_array(member, allow_pickle=False)
    return array


def _check_header(member: IO[bytes], name: str) -> None:
    """Raise TemplateError if a header promises what templates are not.

    numpy makes room for all that a header promises before it reads any of it.
    """
    shape, _, dtype = _HEADERS[npy.read_magic(member)](member)
    if dtype.kind not in "fiu":
        raise TemplateError(f"{name} must hold real numbers, got {label(str(dtype))}")
    if math.prod(shape) * dtype.itemsize > MOST_BYTES or min(shape, default=0) < 0:
        raise TemplateError(
            f"{name} of shape {label(str(shape))} is larger than templates are"
        )
