"""Sizes of memory as text: ``2G``, ``512M``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from specnmf.errors import ParameterError

#: The bytes that each letter stands for.
SIZES: Mapping[str, int] = {
    "": 1,
    "K": 1 << 10,
    "M": 1 << 20,
    "G": 1 << 30,
    "T": 1 << 40,
}


def parse_size(size: int | str) -> int:
    """The number of bytes in ``2G``, ``512M`` or a plain number.

    Raises
    ------
    ParameterError
        If ``size`` is neither.
    """
    match = re.fullmatch(
        r"(\d{1,15}(?:\.\d{1,15})?)([KMGT]?)", str(size).strip().upper()
    )
    if match is None or float(match[1]) == 0:
        raise ParameterError(f"a size must be like 2G, 512M or bytes, got {size!r}")
    return int(float(match[1]) * SIZES[match[2]])


def spell_size(n_bytes: float) -> str:
    """A size in whole M, rounded up, as `parse_size` reads it."""
    return f"{math.ceil(n_bytes / SIZES['M'])}M"
