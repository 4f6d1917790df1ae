"""Facts out of a run.json that anybody may have written: checked, or passed over."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

#: Letters of a text, and entries of a list, that a page shows.
MOST_LETTERS, MOST_ENTRIES = 500, 4096


def text(value: object, most: int = MOST_LETTERS) -> str:
    """A text, cut; of anything else the empty one."""
    if not isinstance(value, str):
        return ""
    return value if len(value) <= most else f"{value[: most - 1]}…"


def number(value: object) -> float | None:
    """A finite number; of anything else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and value.bit_length() > 1000:  # beyond floats
        return None
    return float(value) if math.isfinite(value) else None


def whole(value: object) -> int | None:
    """A whole number of seconds, notes and the like; of anything else None."""
    found = number(value)
    return int(found) if found is not None and found.is_integer() else None


def table(value: object) -> Mapping[str, Any]:
    """An object; of anything else an empty one."""
    return value if isinstance(value, Mapping) else {}


def entries(value: object) -> Sequence[Any]:
    """The entries of a list, up to `MOST_ENTRIES`; of anything else none."""
    return value[:MOST_ENTRIES] if isinstance(value, list | tuple) else ()


def tables(value: object) -> list[Mapping[str, Any]]:
    """The objects in a list."""
    return [each for each in entries(value) if isinstance(each, Mapping)]


def texts(value: object) -> list[str]:
    """The texts in a list, cut."""
    return [text(each) for each in entries(value) if isinstance(each, str)]


def rounded(value: float | None, digits: int = 4) -> float | None:
    """A number with so many significant digits, which is what a page needs of it."""
    return None if value is None else float(f"{value:.{digits}g}")
