"""Stored arrays of a run, which are not trusted and checked on access."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from specnmf.errors import OutputError, ParameterError
from specnmf.factor.matrices import non_negative
from specnmf.score.grouping import safe_names

#: The longest name.
LONGEST_NAME = 1000

#: The shape of an array; None: any number.
Shape = tuple[int | None, ...]


class StoredArrays:
    """Arrays of an archive, by name.

    Each access states the expected type, shape and range, and other arrays are refused
    with an error of one line: compiled loops, which use the arrays, check nothing.

    Parameters
    ----------
    arrays : mapping of str to array
        The arrays as read.
    name : str
        The name of the archive, for messages.
    prefix : str
        The common prefix of all names.
    """

    def __init__(
        self, arrays: Mapping[str, NDArray[Any]], name: str, prefix: str = ""
    ) -> None:
        self.arrays, self.name, self.prefix = arrays, name, prefix

    def __contains__(self, name: str) -> bool:
        return self.prefix + name in self.arrays

    def within(self, prefix: str) -> StoredArrays:
        """The arrays with a prefix, by the rest of their names."""
        return StoredArrays(self.arrays, self.name, self.prefix + prefix)

    def refuse(self, expected: str, found: object) -> NoReturn:
        """Raise an OutputError with the expected and the found."""
        raise OutputError(
            f"{self.name}: expected {expected}, got {found}; "
            "make the run again with specnmf rerun"
        )

    def floats(
        self,
        name: str,
        shape: Shape,
        dtype: type[np.floating] = np.float64,
        *,
        least: float = -math.inf,
        most: float = math.inf,
        missing: bool = False,
    ) -> NDArray[Any]:
        """Finite numbers of exactly this type, between two bounds.

        With ``missing``, NaN is allowed and stands for unknown values.

        Raises
        ------
        OutputError
            If the array is missing or different; the same holds for the methods below.
        """
        array = self._taken(name, shape, "f")
        if array.dtype != dtype:
            self._refuse(name, f"hold {np.dtype(dtype)}", array.dtype)
        known = array[~np.isnan(array)] if missing else array
        self._check_bounds(name, known, least, most)
        return array

    def matrix(self, name: str) -> NDArray[np.floating]:
        """A non-negative matrix, in single or double precision."""
        values = self._taken(name, (None, None), "f")
        try:
            return non_negative(self.prefix + name, values)
        except ParameterError as error:
            raise OutputError(f"{self.name}: {error}") from error

    def integers(
        self, name: str, shape: Shape, *, least: int = 0, most: int = 1 << 40
    ) -> NDArray[np.int64]:
        """Whole numbers between two bounds."""
        array = self._taken(name, shape, "iu")
        self._check_bounds(name, array, least, most)
        return array.astype(np.int64)

    def indices(self, name: str, shape: Shape, *, below: int) -> NDArray[np.int64]:
        """Whole numbers from 0, below a bound."""
        return self.integers(name, shape, most=below - 1)

    def integer(self, name: str, *, least: int = 0, most: int = 1 << 40) -> int:
        """A whole number."""
        return int(self.integers(name, (), least=least, most=most))

    def packed(self, name: str, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """True or false, eight in a byte, as `numpy.packbits` packs them."""
        count = math.prod(shape)
        packed = self._taken(name, (-(-count // 8),), "u")
        if packed.dtype != np.uint8:
            self._refuse(name, "hold bytes", packed.dtype)
        return np.unpackbits(packed, count=count).reshape(shape).astype(bool)

    def switches(self, name: str, shape: Shape) -> NDArray[np.bool_]:
        """True or false."""
        return self._taken(name, shape, "b")

    def files(self, name: str) -> tuple[str, ...]:
        """Different names of files, as `safe_names` makes them."""
        names = self.texts(name)
        unsafe = next((own for own in names if safe_names([own])[own] != own), None)
        if unsafe is not None:
            self._refuse(name, "hold names of files", repr(unsafe[:LONGEST_NAME]))
        if len(set(names)) < len(names):
            self._refuse(name, "hold different names", "the same twice")
        return names

    def texts(self, name: str) -> tuple[str, ...]:
        """Names."""
        array = np.ascontiguousarray(self._taken(name, (None,), "U"))
        codes = array.view(np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
        if (codes > sys.maxunicode).any():
            self._refuse(name, "hold text", "other values")
        texts = tuple(map(str, array.tolist()))
        longest = max(map(len, texts), default=0)
        if longest > LONGEST_NAME:
            self._refuse(name, f"have names of {LONGEST_NAME} letters", longest)
        return texts

    def _taken(self, name: str, shape: Shape, kinds: str) -> NDArray[Any]:
        """An array of a shape and of one of the kinds of dtype."""
        if name not in self:
            self.refuse(self.prefix + name, "none")
        array = self.arrays[self.prefix + name]
        if array.dtype.kind not in kinds:
            self._refuse(name, f"hold {_KINDS[kinds]}", array.dtype)
        fits = len(shape) == array.ndim and all(
            expected in (None, found)
            for expected, found in zip(shape, array.shape, strict=True)
        )
        if not fits:
            wanted = ", ".join("any" if side is None else str(side) for side in shape)
            self._refuse(name, f"have the shape ({wanted})", array.shape)
        return array

    def _check_bounds(
        self, name: str, array: NDArray[Any], least: float, most: float
    ) -> None:
        if not array.size:
            return
        low, high = array.min(), array.max()
        # false for NaN, too
        if not (least <= low and high <= most and -math.inf < low and high < math.inf):
            wanted = f"lie between {least:g} and {most:g}"
            self._refuse(name, wanted, f"{low:g} to {high:g}")

    def _refuse(self, name: str, expected: str, found: object) -> NoReturn:
        name = self.prefix + name
        raise OutputError(f"{self.name}: {name} must {expected}, got {found}")


_KINDS = {
    "u": "bytes",
    "f": "floats",
    "iu": "whole numbers",
    "b": "booleans",
    "U": "text",
}


def text_array(texts: Iterable[str]) -> NDArray[np.str_]:
    """Names as an array, which may be empty."""
    return np.array(list(texts), dtype=np.str_)


def compact(values: NDArray[np.integer], most: int) -> NDArray[np.unsignedinteger]:
    """Whole numbers from 0 to ``most`` in the smallest sufficient type."""
    return values.astype(np.min_scalar_type(max(0, most)))
