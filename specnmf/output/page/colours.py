"""Colours: one for each stem, which tell neighbours apart on light and on dark."""

from __future__ import annotations

import math

from specnmf.methods.stems import RESTS

#: Those of Okabe and Ito, "Color universal design", 2008, that can be seen on both.
HUES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")

#: Of what is left over.
GREY = "#8a8a8a"

#: Turns between neighbours: no two of any number of colours come close.
_TURN = (math.sqrt(5) - 1) / 2

#: Lightness and colourfulness of further colours, in Oklab.
_LIGHTNESS, _CHROMA = (0.62, 0.72, 0.54), 0.13


def colours(names: list[str]) -> list[str]:
    """The colour of each stem, as ``#rrggbb``, by its place; rests are grey."""
    found, used = [], 0
    for name in names:
        if name.casefold() in RESTS:
            found.append(GREY)
            continue
        found.append(HUES[used] if used < len(HUES) else _further(used))
        used += 1
    return found


def _further(place: int) -> str:
    """A colour of any place: equally light ones, a turn of the hues apart."""
    hue = 2 * math.pi * ((place * _TURN) % 1)
    lightness = _LIGHTNESS[place % len(_LIGHTNESS)]
    a, b = _CHROMA * math.cos(hue), _CHROMA * math.sin(hue)
    return "#" + "".join(f"{_byte(each):02x}" for each in _linear(lightness, a, b))


def _linear(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    """Linear red, green and blue of a colour in Oklab: Ottosson, 2020."""
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )


def _byte(linear: float) -> int:
    """A linear share as a byte of sRGB."""
    share = min(1.0, max(0.0, linear))
    curved = 12.92 * share if share <= 0.0031308 else 1.055 * share ** (1 / 2.4) - 0.055
    return round(255 * curved)
