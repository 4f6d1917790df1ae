"""Values from a run.json that is not trusted: checked, or ignored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

#: The most characters of a text, and entries of a list, on a page.
MOST_LETTERS, MOST_ENTRIES = 500, 4096


def text(value: object, most: int = MOST_LETTERS) -> str:
    """A text, truncated; empty for other values."""
    if not isinstance(value, str):
        return ""
    return value if len(value) <= most else f"{value[: most - 1]}…"


def number(value: object) -> float | None:
    """A finite number; None for other values."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and value.bit_length() > 1000:  # beyond floats
        return None
    return float(value) if math.isfinite(value) else None


def whole(value: object) -> int | None:
    """A whole number, such as a number of notes; None for other values."""
    found = number(value)
    return int(found) if found is not None and found.is_integer() else None


def table(value: object) -> Mapping[str, Any]:
    """An object; an empty one for other values."""
    return value if isinstance(value, Mapping) else {}


def entries(value: object) -> Sequence[Any]:
    """The entries of a list, up to `MOST_ENTRIES`; empty for other values."""
    return value[:MOST_ENTRIES] if isinstance(value, list | tuple) else ()


def tables(value: object) -> list[Mapping[str, Any]]:
    """The objects in a list."""
    return [each for each in entries(value) if isinstance(each, Mapping)]


def texts(value: object) -> list[str]:
    """The texts in a list, truncated."""
    return [text(each) for each in entries(value) if isinstance(each, str)]


def rounded(value: float | None, digits: int = 4) -> float | None:
    """A number, rounded to a number of significant digits."""
    return None if value is None else float(f"{value:.{digits}g}")
