"""Multichannel Wiener filter: stereo sources told apart by their places as well.

Each source is Gaussian with a variance in each time-frequency point, the share of its
model, and a spatial covariance in each bin, 2 x 2 (Duong, Vincent and Gribonval 2010).
Expectation maximisation finds the covariances; the models stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import masks, neighbours, wiener_kernels
from specnmf.audio.inverse import Source, pack, pairs, whole
from specnmf.audio.models import Models
from specnmf.audio.options import Wiener
from specnmf.audio.resynthesis import Piece, Resynthesis, Stream
from specnmf.audio.stft import Complex64, Float32, Grid
from specnmf.parallel import cut, workers

Float64 = NDArray[np.float64]

T = TypeVar("T")

#: Rounds of expectation maximisation.
ROUNDS = 3

#: The covariances are learned from about so many frames, spread over the recording.
MOST_FRAMES = 512

#: What rounds keep of the spectra and shares of those frames, in bytes; the shares of
#: the rest are made anew in each round.
KEPT_BYTES = 80 << 20

#: The share of a piece's bytes that masks may take; what is filtered takes the rest.
FILTERED = 1 / 3

#: How strongly a bin's covariance is drawn to that of its source as a whole, relative
#: to the mean energy of a bin and the square of the diffuse share.
PRIOR = 0.05

#: The least diffuse share of a source: what is left where it comes from one direction.
DIFFUSE = 1e-3

#: Sources whose covariances, of trace one, differ by less count as at one place. It is
#: the mean of squared distances: two sources .8 dB apart in the level of a channel.
APART = 2e-3

#: With more sources, ``auto`` does not filter: each is heard too briefly.
MOST_SOURCES = 24


@dataclass(frozen=True, eq=False)
class Covariances:
    """The spatial covariances of sources: Hermitian, of trace one.

    Attributes
    ----------
    R : array, shape (n_sources, 4, n_bins), float32
        Both diagonal elements; real and imaginary part of the upper right one.
    apart : float
        The spread of the sources: the mean squared distance of their covariances from
        those of all sources, weighted by energy.
    """

    R: Float32
    apart: float


def stream_sources(
    spectra_of: masks.SpectraOf,
    grid: Grid,
    models: Models,
    *,
    power: float,
    wiener: Wiener,
    threads: int | None = None,
) -> Stream:
    """Yield the sources of a stereo recording block by block; they add up to it.

    As `specnmf.audio.neighbours.stream_sources`, which is used unchanged where the
    sources are not apart.

    Parameters
    ----------
    power : float
        The exponent of the models that gives the variances.
    wiener : {"auto", "always", "never"}
        ``auto`` filters if the models tell the channels apart, and the sources are
        placed apart.

    References
    ----------
    Duong, Vincent and Gribonval, "Under-determined reverberant audio source separation
    using a full-rank spatial covariance model", IEEE TASLP 18(7), 2010.
    """
    found = None
    if wiener != "never":
        found = _found(spectra_of, grid, models, power, wiener == "always", threads)
    if found is None:
        yield from neighbours.stream_sources(
            spectra_of, grid, models, n_channels=2, power=power, threads=threads
        )
        return
    n_sources = len(models.names)
    resynthesis = Resynthesis(grid, n_sources, 2)
    length = masks.piece_length(grid, n_sources, 2, share=FILTERED)

    def filtering(frames: slice) -> Piece:
        X = spectra_of(frames)
        return _filtered(frames, X, _shares(models, frames, X, power), found.R)

    with workers(threads) as mapper:
        for frames in grid.blocks(masks.PIECES * length):
            pieces = mapper(filtering, cut(frames, length))
            yield resynthesis.block(frames, pieces, mapper)


def learn_covariances(
    spectra_of: masks.SpectraOf,
    grid: Grid,
    models: Models,
    *,
    power: float,
    threads: int | None = None,
) -> Covariances:
    """The spatial covariances of the sources of a stereo recording.

    A round is one pass over some frames of the recording; the first takes the sources
    as the masks have them. The threads change no bit of the result.
    """
    n_sources, n_bins = len(models.names), grid.n_bins
    length = masks.piece_length(grid, n_sources, 2)
    pieces = [*cut(slice(0, grid.n_frames), length)]
    pieces = pieces[:: ceil(grid.n_frames / MOST_FRAMES)]
    R = np.zeros((n_sources, 4, n_bins), np.float32)
    R[:, :2] = 0.5

    def shared(frames: slice) -> tuple[Complex64, NDArray[np.intp], Float32]:
        X = spectra_of(frames)
        return X, *_shares(models, frames, X, power)

    n_kept = KEPT_BYTES // (4 * length * n_bins * (4 + n_sources))
    mixture = _kept(shared, pieces[:n_kept])

    def gather(frames: slice) -> Float32:
        X, sounding, shares = mixture(frames)
        own = np.ascontiguousarray(R[sounding])
        out = np.zeros((n_sources, 4, n_bins), np.float32)
        part = np.zeros_like(own)
        wiener_kernels.gather_covariances(
            pairs(X), shares, own, np.float32(posterior), part
        )
        out[sounding] = part
        return out

    with workers(threads) as mapper:
        for number in range(1 + ROUNDS):
            posterior = float(number > 0)
            sums = np.zeros(R.shape)
            for some in _batches(pieces):
                for part in mapper(gather, some):
                    sums += part
            R = _drawn_together(sums)
    return Covariances(R, _spread(R, sums))


def _kept(function: Callable[[slice], T], some: list[slice]) -> Callable[[slice], T]:
    """A function whose results for some frames are kept."""
    keep = {frames.start for frames in some}
    kept: dict[int, T] = {}

    def found(frames: slice) -> T:
        result = kept.get(frames.start)
        if result is None:
            result = function(frames)
            if frames.start in keep:
                kept[frames.start] = result
        return result

    return found


def _batches(pieces: list[slice]) -> Iterator[list[slice]]:
    """Yield as many pieces as are in memory at a time."""
    for first in range(0, len(pieces), masks.PIECES):
        yield pieces[first : first + masks.PIECES]


def _found(
    spectra_of: masks.SpectraOf,
    grid: Grid,
    models: Models,
    power: float,
    always: bool,
    threads: int | None,
) -> Covariances | None:
    """The covariances to filter by; None: the masks are to stay as they are."""
    n_sources = len(models.names)
    if n_sources < 2:
        return None
    if not always and (n_sources > MOST_SOURCES or not _in_stereo(models, grid)):
        return None
    found = learn_covariances(spectra_of, grid, models, power=power, threads=threads)
    return found if always or found.apart > APART else None


def _in_stereo(models: Models, grid: Grid) -> bool:
    """Whether the models have a magnitude for each of two channels."""
    for frames in grid.blocks(1):
        for model in models.magnitudes(frames):
            if model is not None:
                return len(model) == 2
    return False


def _shares(
    models: Models, frames: slice, X: Complex64, power: float
) -> tuple[NDArray[np.intp], Float32]:
    """The sources that sound in some frames, and their shares of both channels' power.

    The shares, (n_sounding, n_frames, n_bins), add up to one.
    """
    magnitudes = masks.never_empty(models.magnitudes(frames), X.shape)
    sounding = [i for i, model in enumerate(magnitudes) if model is not None]
    own = [model for model in magnitudes if model is not None]
    power = masks.bounded(own, power)
    shares = np.empty((len(own), *X.shape[1:]), np.float32)
    total = np.zeros(X.shape[1:], np.float32)
    for share, model in zip(shares, own, strict=True):
        wiener_kernels.add_powers(model, np.float32(power), share, total)
    wiener_kernels.divide(shares, total, np.float32(masks.SILENCE))
    return np.array(sounding), shares


def _filtered(
    frames: slice,
    X: Complex64,
    found: tuple[NDArray[np.intp], Float32],
    covariances: Float32,
) -> Piece:
    """Each source's estimate in some frames."""
    sounding, shares = found
    R = np.ascontiguousarray(covariances[sounding])
    whitened, rest = np.empty_like(X), np.empty_like(X)
    wiener_kernels.whiten(pairs(X), shares, R, pairs(whitened), pairs(rest))
    place = {int(source): k for k, source in enumerate(sounding)}

    def source(index: int) -> Source | None:
        k = place.get(index)
        if k is None:
            return None
        out = np.empty_like(X)
        wiener_kernels.estimate(
            pairs(whitened), pairs(rest), shares[k], R[k], pairs(out)
        )
        return whole(pack(out), X.shape[1])

    return Piece(frames, source)


def _drawn_together(sums: Float64) -> Float32:
    """Covariances of trace one from their sums over frames, (n_sources, 4, n_bins).

    The more a source as a whole comes from one direction, the more all its bins have
    the covariance of the whole. With reverberation, each bin has its own.
    """
    energy = sums[:, 0] + sums[:, 1]
    whole = sums.sum(axis=2, keepdims=True)
    unheard = energy.sum(axis=1) <= 0
    whole[unheard] = np.array([[0.5], [0.5], [0.0], [0.0]])
    whole = whole / (whole[:, 0] + whole[:, 1])[:, np.newaxis]
    prior = PRIOR / np.maximum(_diffuse_share(whole[:, :, 0]), DIFFUSE) ** 2
    weight = prior * np.maximum(energy.mean(axis=1), 1e-30)
    R = sums + weight[:, np.newaxis, np.newaxis] * whole
    R /= (R[:, 0] + R[:, 1])[:, np.newaxis]
    R *= 1 - DIFFUSE
    R[:, :2] += DIFFUSE / 2
    return np.asarray(R, np.float32)


def _diffuse_share(R: Float64) -> Float64:
    """Twice the smaller eigenvalue of covariances of trace one, (n, 4)."""
    distance = np.hypot(R[:, 0] - R[:, 1], 2 * np.hypot(R[:, 2], R[:, 3]))
    return np.asarray(1 - np.minimum(distance, 1))


def _spread(R: Float32, sums: Float64) -> float:
    """The mean squared distance of the covariances from those of all sources."""
    energy = np.maximum(sums[:, 0] + sums[:, 1], 0)
    total = np.maximum(energy.sum(axis=0), 1e-30)
    mean = (energy[:, np.newaxis] * R).sum(axis=0) / total
    squares = (R - mean) ** 2
    distance = squares.sum(axis=1) + squares[:, 2:].sum(axis=1)
    return float((energy * distance).sum() / max(energy.sum(), 1e-30))
