"""Arrays given by the caller: an error names the argument that is not an array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.errors import ParameterError


def array_of(name: str, values: ArrayLike) -> NDArray[Any]:
    """Values as an array, or a ParameterError that names them."""
    try:
        return np.asarray(values)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{name} must be an array of numbers: {error}") from error


def numbers(name: str, values: ArrayLike) -> NDArray[Any]:
    """Values as an array of real numbers; objects are converted if they are numbers."""
    array = array_of(name, values)
    if array.dtype.kind == "O":
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ParameterError(
                f"{name} must be an array of numbers: {error}"
            ) from error
    if array.dtype.kind not in "fiub":
        hint = "; use np.abs" if array.dtype.kind == "c" else ""
        raise ParameterError(f"{name} must be real numbers, got {array.dtype}{hint}")
    return array
