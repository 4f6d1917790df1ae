"""The archives of two runs, compared array by array."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.errors import OutputError
from specnmf.tasks.task import Task

#: The arrays of an archive, and their sizes in bytes.
Sizes = dict[str, int]


def sizes(run_dir: Path, task: Task[Any]) -> dict[str, Sizes]:
    """The arrays in each archive of a run, without unpacking them.

    Raises
    ------
    OutputError
        If an archive is missing, or was changed since the run.
    """
    needed = task.archives()
    return {name: _members(run_dir / name, needed[name]) for name in needed}


def difference(then: Path, now: Path, archives: dict[str, Sizes]) -> float:
    """The largest relative difference of arrays in archives of equal sizes.

    Parameters
    ----------
    then, now : path
        The run folders.
    archives : dict
        The result of `sizes` for both.

    Returns
    -------
    float
        Relative to the largest value of the older array; infinite if shapes, types or
        labels differ.

    Raises
    ------
    OutputError
        If an older archive was changed since the run.
    """
    return max(_difference(then / name, now / name) for name in archives)


def _members(path: Path, needed: set[str]) -> dict[str, int]:
    """The arrays in an archive, and their sizes in bytes."""
    try:
        if not path.is_file():
            raise OutputError(f"{path}: no such file; it is needed for the comparison")
        with zipfile.ZipFile(path) as archive:
            sizes = {member.filename: member.file_size for member in archive.infolist()}
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}") from error
    except Exception as error:  # a broken archive can make zipfile raise anything
        raise _edited(path, error) from error
    if not needed <= sizes.keys():
        raise _edited(path, f"{' and '.join(sorted(needed - sizes.keys()))} missing")
    return sizes


def _edited(path: Path, reason: object) -> OutputError:
    return OutputError(f"{path}: the file has changed since the run ({reason})")


def _difference(then: Path, now: Path) -> float:
    """The largest relative difference in archives whose arrays have equal sizes."""
    with np.load(now, allow_pickle=False) as made:
        try:
            with np.load(then, allow_pickle=False) as kept:
                return max(_relative(kept[name], made[name]) for name in made)
        except Exception as error:  # a broken archive can make numpy raise anything
            raise _edited(then, error) from error


def _relative(then: NDArray[Any], now: NDArray[Any]) -> float:
    """The largest difference of two arrays, relative to the largest value."""
    if then.dtype != now.dtype or then.shape != now.shape:
        return np.inf
    if np.array_equal(then, now):
        return 0.0
    if then.dtype.kind != "f":
        return np.inf
    with np.errstate(all="ignore"):
        largest = np.abs(then).max().astype(np.float64)
        difference = np.abs(then - now).max() / largest
    return float(difference) if np.isfinite(difference) else np.inf
