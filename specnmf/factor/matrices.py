"""Matrices given by the caller, checked before anything is computed from them.

A product with infinity or NaN warns on some processors and not on others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.arrays import array_of, numbers
from specnmf.errors import ParameterError

Array = NDArray[np.floating]
Doubles = NDArray[np.float64]
Booleans = NDArray[np.bool_]

#: Masks of both factors, or None.
Support = tuple[ArrayLike | None, ArrayLike | None]


def matrix(name: str, values: ArrayLike, *, form: str = "a matrix") -> Array:
    """Values as a matrix, in float32 if they are float32, otherwise in float64.

    Raises ParameterError with the name if they are not a matrix, as do the functions
    below.
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
    """Values as from `matrix`, finite and not below ``least``.

    ``expected`` completes the message of the ParameterError.
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
    """Values as from `matrix`, finite, of any sign."""
    return non_negative(name, values, expected="finite", least=-np.inf)


def mask(
    name: str, values: ArrayLike | None, shape: tuple[int, ...], *, default: bool
) -> Booleans:
    """Booleans of a shape; without values all are the default."""
    if values is None:
        return np.full(shape, default)
    array = array_of(name, values)
    if array.dtype != np.bool_ or array.shape != shape:
        raise ParameterError(
            f"{name} must be booleans of shape {shape}, "
            f"got {array.dtype} of shape {array.shape}"
        )
    return array


def supports(
    W_shape: tuple[int, ...], H_shape: tuple[int, ...], support: Support
) -> tuple[Booleans, Booleans]:
    """The entries of both factors that may be nonzero; by default all.

    Numbers count as true where they are not zero.
    """
    W_mask, H_mask = (
        None if m is None else array_of("support", m) != 0 for m in support
    )
    return (
        mask("support of W", W_mask, W_shape, default=True),
        mask("support of H", H_mask, H_shape, default=True),
    )
