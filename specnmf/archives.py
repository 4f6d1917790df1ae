"""Archives of arrays (npz) read safely even if the file is hostile."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from specnmf.errors import SpecnmfError

#: The most arrays in an archive.
MOST_ARRAYS = 1000

#: The longest header of an array, in bytes.
MOST_HEADER = 1 << 14

#: The most bytes of text from a file that a message repeats.
LONGEST_REASON = 200

_HEADERS = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
}


def read_arrays(
    path: Path,
    names: Collection[str] | None = None,
    *,
    most_bytes: int,
    error: type[SpecnmfError],
    expected: str,
    kinds: str = "fiu",
) -> dict[str, NDArray[Any]]:
    """The arrays of an archive, by name; nothing else in it is unpacked.

    NumPy allocates the size that an array's header states before it reads the array, so
    all headers are checked first.

    Parameters
    ----------
    path : path
        The archive.
    names : collection of str, optional
        The names of the arrays; by default all in the archive.
    most_bytes : int
        The most bytes of all arrays together.
    error : type
        The class of the exception.
    expected : str
        What the file should be, for the message.
    kinds : str
        The kinds of dtype allowed: ``f``, ``i``, ``u``, ``b`` and ``U``.

    Raises
    ------
    SpecnmfError
        An ``error`` of one line, if the file is not such an archive, or an array is
        missing, of another kind, or too large.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe may never end
            raise error("not a file")
        with zipfile.ZipFile(path) as archive:
            members = _members(archive, names, error)
            _check(archive, members, most_bytes, error, kinds)
            return {name: _read(archive, name) for name in members}
    except SpecnmfError as refused:
        raise error(f"{path}: {refused}") from refused
    except OSError as failed:
        raise error(f"{path}: {failed.strerror or failed}") from failed
    except Exception as broken:  # a broken archive may raise anything
        raise error(f"{path}: expected {expected} ({_line(broken)})") from broken


def holds(path: Path, name: str) -> bool:
    """Whether an archive that `read_arrays` has read holds another array as well."""
    with zipfile.ZipFile(path) as archive:
        return f"{name}.npy" in archive.NameToInfo


def _members(
    archive: zipfile.ZipFile,
    names: Collection[str] | None,
    error: type[SpecnmfError],
) -> list[str]:
    """The names of the arrays to read."""
    if names is not None:
        return list(names)
    files = dict.fromkeys(archive.namelist())
    if len(files) > MOST_ARRAYS:
        raise error(f"holds {len(files)} arrays, expected at most {MOST_ARRAYS}")
    return [name.removesuffix(".npy") for name in files if name.endswith(".npy")]


def _check(
    archive: zipfile.ZipFile,
    names: Collection[str],
    most_bytes: int,
    error: type[SpecnmfError],
    kinds: str,
) -> None:
    """Raise an error if a header states a kind or size that is not allowed."""
    promised = 0
    for name in names:
        own = _line(name)
        too_large = error(f"{own} is larger than {most_bytes} bytes")
        if archive.getinfo(f"{name}.npy").file_size > most_bytes + MOST_HEADER:
            raise too_large
        with archive.open(f"{name}.npy") as member:
            shape, dtype = _header(member)
        if dtype.kind not in kinds or not dtype.itemsize:
            wanted = "real numbers" if kinds == "fiu" else "numbers or text"
            raise error(f"{own} must hold {wanted}, got {_line(dtype)}")
        if min(shape, default=0) < 0:
            raise error(f"{own} has an impossible shape: {_line(shape)}")
        promised += math.prod(shape) * dtype.itemsize
        if max([promised, *shape]) > most_bytes:  # an empty array may have long sides
            raise too_large


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The shape and the type in the header of an array."""
    shape, _, dtype = _HEADERS[npy.read_magic(member)](member)
    return shape, dtype


def _read(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(f"{name}.npy") as member:
        array: NDArray[Any] = npy.read_array(member, allow_pickle=False)
    return array


def _line(reason: object) -> str:
    """Text from a file, made fit for one line."""
    text = str(reason)[: 2 * LONGEST_REASON]
    words = "".join(c if c.isprintable() else " " for c in text).split()
    return " ".join(words)[:LONGEST_REASON]
