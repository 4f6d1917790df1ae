"""Merging, gains and pans: the effect of an edit on samples.

All operations act on the samples as written. So unedited stems keep every sample, and
stems that add up to the recording still do. At integer subtypes sums are exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Samples of a stem, (n, n_channels): integers at full scale 2^(bits - 1), or float32.
Frames = NDArray[Any]


class NewStem(NamedTuple):
    """A stem after an edit.

    Attributes
    ----------
    name : str
        Its name.
    members : tuple of int
        The old stems that are added up, in their order.
    gain : float
        In dB.
    pan : float
        From -1 (left) to 1 (right).
    """

    name: str
    members: tuple[int, ...]
    gain: float = 0.0
    pan: float = 0.0

    @property
    def is_as_it_was(self) -> bool:
        """Whether it has the samples of one old stem."""
        return len(self.members) == 1 and not (self.gain or self.pan)


def add_up(
    frames: Sequence[Frames], stems: Sequence[NewStem], bits: int | None
) -> tuple[list[Frames], int]:
    """The sums of the stems' members; the total stays the same.

    The excess of a sum over full scale goes to the other stems, from the first on.

    Parameters
    ----------
    frames : sequence of array, each (n, n_channels)
        The old stems; not changed.
    stems : sequence of NewStem
        The new stems.
    bits : int or None
        Bits of integer samples; None: floats.

    Returns
    -------
    sums : list of array
        The new stems, of the same type.
    held : int
        The number of samples beyond full scale.
    """
    sums = [_sum([frames[m] for m in stem.members]) for stem in stems]
    merged = [len(stem.members) > 1 for stem in stems]
    if bits is None or not any(map(_beyond, sums, merged, [bits] * len(sums))):
        return [_like(total, frames[0]) for total in sums], 0
    return _held([total.astype(np.int64) for total in sums], bits, frames[0])


def level(
    frames: Sequence[Frames], stems: Sequence[NewStem], bits: int | None
) -> tuple[list[Frames], int]:
    """The stems with gains and pans; samples beyond full scale are clipped.

    Parameters and results are those of `add_up`, but the frames are those of the new
    stems.
    """
    out, held = [], 0
    for own, stem in zip(frames, stems, strict=True):
        if not (stem.gain or stem.pan):
            out.append(own)
            continue
        moved = own @ matrix(stem.gain, stem.pan, own.shape[1]).T
        kept, n_held = clipped(moved, bits)
        out.append(kept.astype(own.dtype))
        held += n_held
    return out, held


def mixed(frames: Sequence[Frames], bits: int | None) -> tuple[Frames, int]:
    """The sum of stems, and the number of samples clipped at full scale."""
    total, held = clipped(_sum(frames), bits)
    return total.astype(frames[0].dtype), held


def clipped(total: Frames, bits: int | None) -> tuple[Frames, int]:
    """Values, rounded and clipped if integers, and the number of clipped ones."""
    if bits is None:
        return total, 0
    low, high = limits(bits)
    if total.dtype.kind == "f":
        total = np.rint(total)
    if low <= total.min(initial=0) and total.max(initial=0) <= high:
        return total, 0
    kept = np.clip(total, low, high)
    return kept, int((kept != total).sum())


def limits(bits: int) -> tuple[int, int]:
    """The smallest and the largest integer of a number of bits."""
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1


def matrix(gain: float, pan: float, n_channels: int) -> NDArray[np.float64]:
    """The matrix of a gain in dB and a pan, (n_channels, n_channels).

    The pan is that of the Web Audio API's StereoPannerNode for two channels: it keeps
    the centre unchanged, and moves the sound of one side to the other at equal power.
    """
    factor = 10 ** (gain / 20)
    moved = np.eye(n_channels)
    if pan:
        away, near = (1, 0) if pan < 0 else (0, 1)
        angle = (1 - abs(pan)) * math.pi / 2
        moved[away, away] = math.sin(angle)
        moved[near, away] = math.cos(angle)
    return factor * moved


def _sum(frames: Sequence[Frames]) -> Frames:
    """The sum in a type that can hold it; a single stem is returned itself."""
    if len(frames) == 1:
        return frames[0]
    kind = {"int16": np.int32}.get(frames[0].dtype.name, np.int64)
    wide = np.float64 if frames[0].dtype.kind == "f" else kind
    total = frames[0].astype(wide)
    for own in frames[1:]:
        np.add(total, own, out=total)
    return total


def _beyond(total: Frames, merged: bool, bits: int | None) -> bool:
    if not merged or bits is None:
        return False
    low, high = limits(bits)
    return bool(total.min(initial=0) < low or total.max(initial=0) > high)


def _held(
    sums: list[NDArray[np.int64]], bits: int, like: Frames
) -> tuple[list[Frames], int]:
    """Sums clipped at full scale; the excess goes to the first stems with room."""
    low, high = limits(bits)
    kept = [np.clip(total, low, high) for total in sums]
    missing = sum(total - own for total, own in zip(sums, kept, strict=True))
    held = sum(int((total != own).sum()) for total, own in zip(sums, kept, strict=True))
    for own in kept:
        more = np.clip(own + missing, low, high) - own
        own += more
        missing -= more
    return [_like(own, like) for own in kept], held


def _like(total: Frames, like: Frames) -> Frames:
    return total.astype(like.dtype, copy=False)
