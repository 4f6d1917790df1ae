"""Wiener filter over neighbouring bins: partials told apart that share a bin.

A ratio mask divides each bin on its own. But the window spreads a partial over some
bins in a known shape. Where a model tells the frequencies of partials more precisely
than to a bin, the bins of a frame are correlated Gaussian numbers, and two partials at
one or two bins' distance are told apart by the shapes that they leave.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import masks, neighbour_kernels
from specnmf.audio.inverse import Source, pack, pairs, whole
from specnmf.audio.models import Models
from specnmf.audio.resynthesis import Piece, Resynthesis, Stream
from specnmf.audio.stft import Complex64, Float32, Grid
from specnmf.parallel import cut, workers

#: The power of models that are standard deviations.
POWER = 2.0

#: Points of the fine grid a bin.
FINE = 4

#: Bins on each side of a frequency to which the Hann window spreads it.
HALF_WIDTH = 2

#: The correlations count by this share; the rest of each source is as if by bins alone.
CORRELATED = 0.97

#: The share of a bin's power above its variance that counts as noise without a place.
UNEXPLAINED = 0.3

#: The share of a piece's bytes that masks may take; covariances take the rest.
FILTERED = 1 / 3

#: Above this frequency, in Hz, ratio masks are used.
HIGHEST = 3000.0


@runtime_checkable
class FineModels(Models, Protocol):
    """Models that know the frequencies of partials more precisely than to a bin."""

    def densities(self, frames: slice, n_bins: int) -> Float32:
        """The power of each source on the fine grid of the first bins.

        Of shape (n_sources, n_channels, n_frames, FINE, n_bins): point r of bin k is
        at k + r / FINE bins.
        """


def stream_sources(
    spectra_of: masks.SpectraOf,
    grid: Grid,
    models: Models,
    *,
    n_channels: int,
    power: float,
    threads: int | None = None,
) -> Stream:
    """Yield the sources of a mixture block by block; they add up to it.

    As `specnmf.audio.masks.stream_sources` by ratio masks. Where the models are fine
    and the power is 2, that of variances, neighbouring bins are filtered together.

    References
    ----------
    Liutkus, Badeau and Richard, "Gaussian processes for underdetermined source
    separation", IEEE TSP 59(7), 2011; Yoshii, Tomioka, Mochihashi and Goto, "Infinite
    positive semidefinite tensor factorization for source separation of mixture
    signals", ICML 2013.
    """
    if not isinstance(models, FineModels) or power != POWER:
        return masks.stream_sources(
            spectra_of,
            grid,
            models,
            n_channels=n_channels,
            power=power,
            threads=threads,
        )
    return _stream(spectra_of, grid, models, n_channels, threads)


def _stream(
    spectra_of: masks.SpectraOf,
    grid: Grid,
    models: FineModels,
    n_channels: int,
    threads: int | None,
) -> Stream:
    n_sources = len(models.names)
    n_low = min(grid.n_bins, round(HIGHEST * grid.n_fft / grid.sr))
    resynthesis = Resynthesis(grid, n_sources, n_channels)
    length = masks.piece_length(grid, n_sources, n_channels, share=FILTERED)

    def filtering(frames: slice) -> Piece:
        X = spectra_of(frames)
        magnitudes = masks.never_empty(models.magnitudes(frames), X.shape)
        sounding = [model for model in magnitudes if model is not None]
        total = masks.sum_of_powers(sounding, POWER)
        densities = models.densities(frames, n_low)
        filtered = _filter(X, magnitudes, total, densities)
        # Now that the variances are known, where all are silent they become equal.
        masks.share_equally(sounding, total)
        shared: Complex64 = np.divide(X, total, order="C")

        def source(index: int) -> Source | None:
            model = magnitudes[index]
            if model is None:
                return None
            out = np.multiply(shared, model)
            filtered(index, out)
            return whole(pack(out), X.shape[1])

        return Piece(frames, source)

    with workers(threads) as mapper:
        for frames in grid.blocks(masks.PIECES * length):
            pieces = mapper(filtering, cut(frames, length))
            yield resynthesis.block(frames, pieces, mapper)


def _filter(
    X: Complex64,
    variances: list[Float32 | None],
    total: Float32,
    densities: Float32,
) -> Callable[[int, Complex64], None]:
    """A function that sets a source's first bins to its estimate."""
    n_channels, n_frames, n_low = *X.shape[:2], densities.shape[4]
    shape = n_channels, n_frames, neighbour_kernels.OFFSETS, n_low
    matrices: dict[int, Float32] = {}
    sums = np.zeros(shape, np.float32)
    for index, own in enumerate(variances):
        if own is None:
            continue
        matrix = matrices[index] = np.empty(shape, np.float32)
        for channel, t in np.ndindex(n_channels, n_frames):
            variance = own[min(channel, len(own) - 1), t]
            density = densities[index, min(channel, densities.shape[1] - 1), t]
            neighbour_kernels.covariances(
                density,
                taps(),
                variance,
                np.float32(CORRELATED),
                matrix[channel, t],
            )
        sums += matrix
    z = np.empty((n_channels, n_frames, n_low, 2), np.float32)
    rest = np.empty_like(z)
    mixture = pairs(X)
    factors = np.empty(shape[2:], np.float32)
    for place in np.ndindex(n_channels, n_frames):
        neighbour_kernels.solve(
            mixture[place],
            sums[place],
            np.float32(UNEXPLAINED),
            factors,
            z[place],
            rest[place],
        )

    def source(index: int, out: Complex64) -> None:
        own, estimate = variances[index], pairs(out)
        assert own is not None
        for channel, t in np.ndindex(n_channels, n_frames):
            neighbour_kernels.filter_source(
                matrices[index][channel, t],
                own[min(channel, len(own) - 1), t],
                total[min(channel, len(total) - 1), t],
                z[channel, t],
                rest[channel, t],
                estimate[channel, t],
            )

    return source


@cache
def taps() -> NDArray[np.float32]:
    """What a point of the fine grid adds to the covariances of the bins around it.

    Of shape (OFFSETS, 2 HALF_WIDTH + 1, FINE): the product of the window's main lobe
    at a bin and at the bin j above it, if the point is u bins and r points from the
    first of them.
    """
    n_offsets = neighbour_kernels.OFFSETS
    u = np.arange(-HALF_WIDTH, HALF_WIDTH + 1)[:, np.newaxis]
    distance = u + np.arange(FINE) / FINE
    above = distance - np.arange(n_offsets)[:, np.newaxis, np.newaxis]
    return (main_lobe(distance) * main_lobe(above)).astype(np.float32)


def main_lobe(offset: NDArray[np.float64]) -> NDArray[np.float64]:
    """The main lobe of a Hann window's transform at offsets in bins; 1 at 0."""
    at_one = np.abs(np.abs(offset) - 1) < 1e-9
    inner = np.where(at_one, 0.0, offset)
    lobe = np.where(at_one, 0.5, np.sinc(inner) / (1 - inner**2))
    return np.where(np.abs(offset) < HALF_WIDTH, lobe, 0.0)
