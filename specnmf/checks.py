"""Checks of values: each raises a ParameterError with what was expected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from specnmf.errors import ParameterError


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise ParameterError unless ``value`` is one of ``choices``."""
    if value not in choices:
        raise ParameterError(
            f"{name} must be one of {', '.join(choices)}, got {value!r}"
        )


def check_at_least(name: str, value: float, least: float) -> None:
    """Raise ParameterError unless ``value`` is finite and at least ``least``."""
    if not (is_finite(value) and value >= least):
        raise ParameterError(f"{name} must be at least {least}, got {value}")


def check_above(name: str, value: float, bound: float) -> None:
    """Raise ParameterError unless ``value`` is finite and above ``bound``."""
    if not (is_finite(value) and value > bound):
        raise ParameterError(f"{name} must be above {bound}, got {value}")


def check_at_most(name: str, value: float, most: float) -> None:
    """Raise ParameterError unless ``value`` is finite and at most ``most``."""
    if not (is_finite(value) and value <= most):
        raise ParameterError(f"{name} must be at most {most}, got {value}")


def check_between(name: str, value: float, least: float, most: float) -> None:
    """Raise ParameterError unless ``value`` is within the bounds."""
    if isinstance(value, str) or not least <= value <= most:
        raise ParameterError(f"{name} must lie between {least} and {most}, got {value}")


def check_falling(name: str, values: Sequence[int]) -> None:
    """Raise ParameterError unless all are at least 1, and each is below the last."""
    for value in values:
        check_at_least(name, value, 1)
    if not values or any(b >= a for a, b in pairwise(values)):
        raise ParameterError(
            f"{name} must decrease from layer to layer, such as 32,8,3; "
            f"got {','.join(map(str, values)) or 'none'}"
        )


def is_finite(value: float) -> bool:
    """Whether ``value`` is a finite number; an int too large for a float is not."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def whole_or_auto(value: object, expected: str = "a whole number or auto") -> int | str:
    """The whole number in a value or its text, or auto.

    Raises
    ------
    ParameterError
        If it is neither; ``expected`` completes the message.
    """
    if value == "auto":
        return "auto"
    try:
        return int(str(value))  # a fraction is not cut
    except ValueError as error:
        raise ParameterError(f"expected {expected}, got {value!r}") from error


def whole_numbers(value: object) -> tuple[int, ...]:
    """The numbers of ``32,8,3``.

    Raises
    ------
    ParameterError
        If it is anything else.
    """
    try:
        return tuple(int(part) for part in str(value).split(","))
    except ValueError as error:
        raise ParameterError(
            f"expected whole numbers separated by commas, such as 32,8,3, got {value!r}"
        ) from error
