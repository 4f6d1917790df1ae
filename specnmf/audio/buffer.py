"""Buffer: blocks of samples, handed out in pieces of any length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from specnmf.errors import AudioError

Samples = TypeVar("Samples", NDArray[np.float32], NDArray[np.float64])


class Buffer(Generic[Samples]):
    """Blocks of samples, handed out in pieces of any length; the rest is kept.

    Parameters
    ----------
    blocks : iterator of arrays, shape (..., n)
        One after another in time. They are kept until they are handed out.
    """

    def __init__(self, blocks: Iterator[Samples]) -> None:
        self.blocks: Iterator[Samples] = blocks
        self.rest: Samples | None = None

    def take(self, n: int) -> Samples:
        """The next n samples, shape (..., n).

        Raises
        ------
        AudioError
            If there are fewer.
        """
        pieces = [] if self.rest is None else [self.rest]
        while not pieces or sum(piece.shape[-1] for piece in pieces) < n:
            block = next(self.blocks, None)
            if block is None:
                raise AudioError("the recording became shorter while it was read")
            pieces.append(block)
        joined = np.concatenate(pieces, axis=-1)
        self.rest = joined[..., n:]
        return joined[..., :n]
