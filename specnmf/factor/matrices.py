"""Matrices that are handed over, checked before anything is computed from them.

A product with infinity or NaN warns on some processors and not on others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.arrays import numbers
from specnmf.errors import ParameterError

Array = NDArray[np.floating]
Doubles = NDArray[np.float64]
Booleans = NDArray[np.bool_]


def matrix(name: str, values: ArrayLike, *, form: str = "a matrix") -> Array:
    """Values as a matrix in float32 if they are, else in float64.

    ParameterError names them if they are none; so do those below.
    """
    array = numbers(name, values)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    if array.ndim != 2 or 0 in array.shape:
        raise ParameterError(f"{name} must be {form}, got shape {array.shape}")
    return array


def non_negative(
    name: str,
    values: ArrayLike,
    *,
    form: str = "a matrix",
    expected: str = "finite and non-negative",
    least: float = 0.0,
) -> Array:
    """Values as `matrix` returns them, finite and none of them below ``least``.

    ParameterError says what is ``expected``.
    """
    array = matrix(name, values, form=form)
    with np.errstate(invalid="ignore"):  # some processors warn of NaN here
        low, high = float(array.min()), float(array.max())
    if not (least <= low and -np.inf < low and high < np.inf):  # false for NaN as well
        raise ParameterError(
            f"{name} must be {expected}, got values from {low} to {high}"
        )
    return array


def finite(name: str, values: ArrayLike) -> Array:
    """Values as `matrix` returns them, finite and of any sign."""
    return non_negative(name, values, expected="finite", least=-np.inf)
