"""The frames of V, cut into spans that threads take and blocks that caches hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from specnmf.parallel import cut

#: A span is what one thread works on; more would cost memory for partial sums.
MOST_SPANS = 16

#: A block of V and its model in bytes: small enough for a core's own cache.
BLOCK_BYTES = 1 << 20


def spans(n_frames: int, least: int = 64) -> list[slice]:
    """At most MOST_SPANS spans of equal length, whatever the number of threads."""
    length = max(least, -(-n_frames // MOST_SPANS))
    return list(cut(slice(0, n_frames), length))


def blocks(span: slice, n_bins: int, itemsize: int) -> Iterator[slice]:
    """The span in blocks of frames."""
    return cut(span, max(16, BLOCK_BYTES // (n_bins * itemsize)))


def scratch_for(span: slice, VT: NDArray[np.floating]) -> NDArray[np.floating]:
    """Room for the model of one block: fresh memory for each would cost page faults."""
    first = next(blocks(span, VT.shape[1], VT.itemsize))
    return np.empty((first.stop - first.start, VT.shape[1]), VT.dtype)


def add_up(parts: Iterable[NDArray[np.floating]]) -> NDArray[np.floating]:
    """The sum of the spans' shares, always in the same order."""
    return reduce(np.add, parts)
