"""The part of V that is factorised: a band of bins, above a steady background.

What is left out has two stems of its own, so that all stems add up to the recording:
``outside``, the bins beyond the band, and ``background``, the level that each bin
keeps most of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.band import band_of
from specnmf.audio.options import BandOptions
from specnmf.audio.stft import Float32, Grid
from specnmf.factor.factorization import Factorization

#: The names of the stems of what is left out.
BACKGROUND, OUTSIDE = "background", "outside"
LEFT_OUT = (BACKGROUND, OUTSIDE)

#: The least level of a bin outside the band, as a share of the loudest, and at all: a
#: bin without any model would be divided among all stems.
LEAST, LEAST_AT_ALL = 1e-6, 1e-9

#: Bins whose percentiles are found at a time.
BINS = 32


@dataclass(frozen=True, eq=False)
class Scope:
    """What of V is factorised.

    Attributes
    ----------
    band : slice
        The bins.
    n_bins : int
        All bins of V.
    background : array, shape (n_bins,), float32, or None
        The steady level of each bin of the band, zero outside; None: nothing is
        subtracted.
    outside : array, shape (n_bins,), float32, or None
        The level of each bin outside the band, zero within; None: the band is all.
    """

    band: slice
    n_bins: int
    background: Float32 | None = None
    outside: Float32 | None = None

    @classmethod
    def of(
        cls, V: Float32, grid: Grid, options: BandOptions, *, whiten: float = 0.0
    ) -> Scope:
        """What is asked for of V, (n_bins, n_frames), or of a sample of its frames."""
        band = band_of(grid, options)
        scope = cls(band, grid.n_bins)
        if whiten > 0:
            scope = replace(scope, background=scope.placed(_levels(V, band, whiten)))
        if band.stop - band.start < grid.n_bins:
            scope = replace(scope, outside=_outside(V, band))
        return scope

    @property
    def names(self) -> tuple[str, ...]:
        """The stems of what is left out."""
        arrays = (self.background, self.outside)
        return tuple(
            name for name, own in zip(LEFT_OUT, arrays, strict=True) if own is not None
        )

    def seen(self, V: Float32) -> Float32:
        """What is factorised of some frames, (n_bins, n): V itself if that is all."""
        if not self.names:
            return V
        own = V[self.band]
        if self.background is not None:
            own = np.maximum(own - self.background[self.band, np.newaxis], 0)
        return np.asfortranarray(own)  # frames are contiguous, as those of V

    def silenced(self, V: Float32) -> Float32:
        """V with zeros outside the band: V itself if that is all."""
        if self.outside is None:
            return V
        own = np.zeros(V.shape, V.dtype, order="F")  # as V: frames are contiguous
        own[self.band] = V[self.band]
        return own

    def placed(self, W: NDArray[np.floating]) -> NDArray[np.floating]:
        """Templates of the band, (n_band, ...), among all bins; zeros elsewhere."""
        out = np.zeros((self.n_bins, *W.shape[1:]), W.dtype)
        out[self.band] = W
        return out

    def completed(self, factors: Factorization) -> Factorization:
        """A model of what is seen, or of V silenced, as a model of all of V.

        The components come first, then those of what is left out, which are constant.
        """
        if not self.names:
            return factors
        levels = [own for own in (self.background, self.outside) if own is not None]
        is_whole = len(factors.W) == self.n_bins
        W = [self.placed(factors.W[self.band] if is_whole else factors.W)]
        H = [factors.H]
        for level in levels:
            most = float(level.max()) or 1.0
            W.append((level / most)[:, np.newaxis])
            H.append(np.full((1, factors.H.shape[1]), most, factors.H.dtype))
        return replace(
            factors,
            W=np.ascontiguousarray(np.hstack(W), factors.W.dtype),
            H=np.vstack(H),
            labels=(*factors.labels, *self.names),
        )


def names_left_out(
    grid: Grid, options: BandOptions, *, whiten: float = 0.0
) -> tuple[str, ...]:
    """The stems of what options leave out of a recording on a grid."""
    band = band_of(grid, options)
    is_out = whiten > 0, band.stop - band.start < grid.n_bins
    return tuple(name for name, out in zip(LEFT_OUT, is_out, strict=True) if out)


def left_out(labels: Sequence[str]) -> tuple[str, ...]:
    """Those of a model's labels that `Scope.completed` has added at the end."""
    for n in range(len(LEFT_OUT), 0, -1):
        last = tuple(labels[-n:])
        if last in (LEFT_OUT[-n:], LEFT_OUT[:n]):
            return last
    return ()


def n_components_of(factors: Factorization) -> int:
    """How many components come before what is left out of the factorisation.

    What is left out is constant; a sound that a person calls outside is not.
    """
    n = factors.n_components
    for label in reversed(left_out(factors.labels)):
        activation = factors.H[n - 1]
        if label != factors.labels[n - 1] or np.ptp(activation) > 0:
            break
        n -= 1
    return n


def components_of(factors: Factorization) -> Factorization:
    """A model without what is left out of the factorisation."""
    n = n_components_of(factors)
    if n == factors.n_components:
        return factors
    return replace(
        factors, W=factors.W[:, :n], H=factors.H[:n], labels=factors.labels[:n]
    )


def _levels(V: Float32, band: slice, whiten: float) -> Float32:
    """The level that each bin of a band stays below a percentage of the time."""
    levels = np.empty(band.stop - band.start, np.float32)
    for first in range(band.start, band.stop, BINS):
        own = slice(first, min(first + BINS, band.stop))
        levels[own.start - band.start : own.stop - band.start] = np.percentile(
            V[own], whiten, axis=1
        )
    return levels


def _outside(V: Float32, band: slice) -> Float32:
    """The root mean square of each bin outside a band, with a least level."""
    squares = np.einsum("fn,fn->f", V, V, dtype=np.float64)
    level = np.sqrt(squares / V.shape[1])
    level[band] = 0
    level = np.maximum(level, max(LEAST * float(level.max()), LEAST_AT_ALL))
    level[band] = 0
    outside: Float32 = level.astype(np.float32)
    return outside
