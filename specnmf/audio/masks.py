"""Components to sources: masks on the mixture's spectrogram, and back to sound."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import kernels
from specnmf.audio.options import Mask, MaskOptions, PowerOptions
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Complex64, Float32, Grid, Spectrogram, spectra
from specnmf.checks import check_above, check_choice
from specnmf.errors import ParameterError
from specnmf.parallel import Mapper, cut, workers

#: What the blocks of all sources may take: their number of frames follows from it,
#: so that memory grows neither with the song nor with the number of sources.
BLOCK_BYTES = 32 << 20


#: A block is masked in so many pieces, one a thread at a time.
PIECES = 4

#: Models that add up to less count as silence.
SILENCE = 1e-30

#: Blocks of all sources, (n_sources, n_channels, n), with their first sample.
Stream = Generator[tuple[int, Float32], None, None]


class Factors(Protocol):
    """What is needed of a factorisation: V ≈ W H, and a label a component."""

    @property
    def W(self) -> NDArray[np.floating]:
        """Templates, shape (n_bins, n_components)."""

    @property
    def H(self) -> NDArray[np.floating]:
        """Activations, shape (n_components, n_frames)."""

    @property
    def labels(self) -> tuple[str, ...]:
        """A label a component; components of one label make one source."""


class Models(Protocol):
    """What masks are made of: the magnitudes of each source, for any frames."""

    @property
    def names(self) -> tuple[str, ...]:
        """The sources."""

    def magnitudes(self, frames: slice) -> list[Float32 | None]:
        """Each source's, (n_channels or 1, n_frames, n_bins); None if it is silent."""

    def total(self, frames: slice, models: list[Float32]) -> Float32:
        """The sum of the models of these frames."""


class SpectraOf(Protocol):
    """Gives the mixture's transform (n_channels, n_frames, n_bins) of some frames."""

    def __call__(self, frames: slice, /) -> Complex64:
        """The transform of the frames."""


def separate(
    spectrogram: Spectrogram,
    factors: Factors,
    *,
    mask: Mask = MaskOptions.mask,
    power: float = PowerOptions.mask_power,
    threads: int | None = None,
) -> dict[str, Audio]:
    """The sources of a mixture, one for each label, in order.

    Parameters
    ----------
    spectrogram : Spectrogram
        The mixture; its phase is the sources'.
    factors : Factorization
        W (n_bins, n_components) and H (n_components, n_frames). Components of one
        label make one source.
    mask : {"ratio", "binary"}
        Share each time-frequency point in proportion to the sources' models raised
        to ``power``, or give it to the strongest.
    power : float
        1: magnitudes; 2: Wiener's powers.

    Returns
    -------
    dict of str to Audio
        Each with the mixture's channels and length; they add up to the mixture. A
        hop above half the window leaves samples that no frame reaches: those are
        silent in every source.

    Raises
    ------
    ParameterError
        If the factors do not fit the spectrogram, or an option is out of range.

    References
    ----------
    Liutkus and Badeau, "Generalized Wiener filtering with fractional power
    spectrograms", ICASSP 2015.
    """
    models = FactorModels(factors)
    grid, n_channels = spectrogram.grid, spectrogram.X.shape[0]
    _check_fit(factors, grid)
    out = np.empty((len(models.names), n_channels, grid.n_samples), np.float32)
    stream = stream_sources(
        lambda frames: spectrogram.X[:, :, frames].transpose(0, 2, 1),
        grid,
        models,
        n_channels=n_channels,
        mask=mask,
        power=power,
        threads=threads,
    )
    with closing(stream):
        for first, block in stream:
            out[:, :, first : first + block.shape[2]] = block
    pairs = zip(models.names, out, strict=True)
    return {name: Audio(y, grid.sr) for name, y in pairs}


class FactorModels:
    """The models of a factorisation: components of one label are one source.

    Parameters
    ----------
    factors : Factorization
        W (n_bins, n_components), H (n_components, n_frames) and labels.
    names : sequence of str, optional
        The labels in the sources' order; by default as they first appear.
    """

    def __init__(self, factors: Factors, *, names: Sequence[str] = ()) -> None:
        self.factors = factors
        self.components: dict[str, list[int]] = {name: [] for name in names}
        for k, label in enumerate(factors.labels):
            self.components.setdefault(label, []).append(k)

    @property
    def names(self) -> tuple[str, ...]:
        """The labels, in order."""
        return tuple(self.components)

    def magnitudes(self, frames: slice) -> list[Float32 | None]:
        """Each source's W H, shape (1, n_frames, n_bins)."""
        if any(len(own) != 1 for own in self.components.values()):
            return [self._product(own, frames) for own in self.components.values()]
        own = [component for (component,) in self.components.values()]
        W, H = self.factors.W[:, own], self.factors.H[own, frames]
        models = np.empty((len(own), 1, H.shape[1], len(W)), np.float32)
        kernels.outer_products(
            np.ascontiguousarray(H, np.float32),
            np.ascontiguousarray(W.T, np.float32),
            models,
        )
        return list(models)

    def total(self, frames: slice, models: list[Float32]) -> Float32:
        """The whole W H: one product costs less than the sum of all models."""
        return self._product(range(self.factors.W.shape[1]), frames)

    def _product(self, components: Sequence[int], frames: slice) -> Float32:
        W, H = self.factors.W, self.factors.H
        product = H[components, frames].T @ W[:, components].T
        return np.ascontiguousarray(product, np.float32)[np.newaxis]


def spectra_of(audio: Audio, grid: Grid) -> SpectraOf:
    """The transform of a recording, computed anew for the frames asked for."""
    return lambda frames: spectra(audio.samples, grid, frames)


def stream_sources(
    spectra_of: SpectraOf,
    grid: Grid,
    models: Models,
    *,
    n_channels: int,
    mask: Mask = MaskOptions.mask,
    power: float = PowerOptions.mask_power,
    threads: int | None = None,
) -> Stream:
    """Yield the sources block by block, in order of time.

    Yields
    ------
    first : int
        The first sample of the block.
    block : array, shape (n_sources, n_channels, n), float32
        Valid until the next block is asked for.

    Raises
    ------
    ParameterError
        As `separate`.
    """
    check_choice("mask", mask, get_args(Mask))
    check_above("power", power, 0)
    n_sources = len(models.names)
    resynthesis = _Resynthesis(grid, n_sources, n_channels)
    length = piece_length(grid, n_sources, n_channels)

    def masking(frames: slice) -> _Masks:
        X = spectra_of(frames)
        magnitudes = _never_empty(models.magnitudes(frames), X.shape)
        sounding = [model for model in magnitudes if model is not None]
        if mask == "binary":
            return _BinaryMasks(frames, X, magnitudes)
        if power == 1:
            total = models.total(frames, sounding)
        else:
            total = _sum_of_powers(sounding, power)
        return _RatioMasks(frames, X, magnitudes, total)

    with workers(threads) as mapper:
        for frames in grid.blocks(PIECES * length):
            pieces = mapper(masking, cut(frames, length))
            yield resynthesis.block(frames, pieces, mapper)


def stream_of(
    audio: Audio,
    grid: Grid,
    models: Models,
    *,
    mask: Mask = MaskOptions.mask,
    power: float = PowerOptions.mask_power,
    threads: int | None = None,
) -> Stream:
    """Yield the sources that models make of a recording, as `stream_sources`."""
    return stream_sources(
        spectra_of(audio, grid),
        grid,
        models,
        n_channels=audio.n_channels,
        mask=mask,
        power=power,
        threads=threads,
    )


def crossfade(
    one: Stream,
    other: Stream,
    weights: Callable[[int, int], Float32],
) -> Stream:
    """Yield a mixture of two streams of the same sources.

    Parameters
    ----------
    one, other : generators
        As from `stream_sources`; they add up to the same recording, and so does
        what comes out.
    weights : callable
        ``weights(first, n)`` is how much of the other is heard, 0 to 1, in n
        samples from the first.
    """
    with closing(one), closing(other):
        rest = _Rest(other)
        for first, block in one:
            n = block.shape[2]
            yield first, block + weights(first, n) * (rest.take(n) - block)


class _Rest:
    """A stream, handed out in pieces of any length."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.held: Float32 | None = None

    def take(self, n: int) -> Float32:
        """The next n samples of all sources."""
        pieces = [] if self.held is None else [self.held]
        while not pieces or sum(piece.shape[2] for piece in pieces) < n:
            pieces.append(next(self.stream)[1].copy())
        joined = np.concatenate(pieces, axis=2)
        self.held = joined[:, :, n:]
        return joined[:, :, :n]


def piece_length(grid: Grid, n_sources: int, n_channels: int) -> int:
    """Frames a piece, so that all sources' blocks fit into BLOCK_BYTES."""
    per_frame = 4 * n_sources * (grid.n_bins + 3 * n_channels * grid.hop_length)
    return max(4, BLOCK_BYTES // (PIECES * per_frame))


def _check_fit(factors: Factors, grid: Grid) -> None:
    shape = factors.W.shape[0], factors.H.shape[1]
    if shape != (grid.n_bins, grid.n_frames):
        raise ParameterError(
            f"the spectrogram has {grid.n_bins} bins and {grid.n_frames} frames, "
            f"the factors have {shape[0]} and {shape[1]}"
        )


def _never_empty(
    models: list[Float32 | None], shape: tuple[int, ...]
) -> list[Float32 | None]:
    """The models; where all sources are silent, all share what there is alike."""
    if any(model is not None for model in models):
        return models
    alike = np.ones((1, *shape[1:]), np.float32)
    return [alike.copy() for _ in models]


def _sum_of_powers(models: list[Float32], power: float) -> Float32:
    """The sum of the models raised to a power; the models are raised in place."""
    total = np.zeros_like(models[0])
    for model in models:
        for channel, own in zip(total, model, strict=True):
            kernels.add_power(own, np.float32(power), channel)
    return total


class _RatioMasks:
    """Each source's share of the mixture in some frames."""

    def __init__(
        self,
        frames: slice,
        X: Complex64,
        models: list[Float32 | None],
        total: Float32,
    ) -> None:
        _share_equally([model for model in models if model is not None], total)
        self.frames, self.models = frames, models
        # Divided once here, the mixture need only be multiplied for each source.
        self.X = np.divide(X, total, order="C")

    def source(self, index: int) -> Complex64 | None:
        """The spectrum of one source, (n_channels, n_frames, n_bins); None: silent."""
        model = self.models[index]
        if model is None:
            return None
        out = np.empty(self.X.shape, np.complex64)
        kernels.multiply(_pairs(self.X), model, _pairs(out))
        return out


class _BinaryMasks:
    """Each point of the mixture in some frames, for the strongest source there."""

    def __init__(
        self, frames: slice, X: Complex64, models: list[Float32 | None]
    ) -> None:
        self.frames, self.X = frames, X
        sounding = {i: model for i, model in enumerate(models) if model is not None}
        self.sounding = list(sounding)
        strongest = np.argmax(list(sounding.values()), axis=0)
        self.winner = np.ascontiguousarray(np.broadcast_to(strongest, X.shape))

    def source(self, index: int) -> Complex64 | None:
        """The spectrum of one source, (n_channels, n_frames, n_bins); None: silent."""
        if index not in self.sounding:
            return None
        out = np.empty(self.X.shape, np.complex64)
        kernels.apply_winner(self.X, self.winner, self.sounding.index(index), out)
        return out


def _share_equally(models: list[Float32], total: Float32) -> None:
    """Where no source sounds, give each the same share, in place."""
    silent = total < SILENCE
    if silent.any():
        for model in models:
            model[silent] = 1
        total[silent] = len(models)


def _pairs(X: Complex64) -> Float32:
    """Complex numbers as pairs of floats, on the last axis."""
    return X.view(np.float32).reshape(*X.shape, 2)


_Masks = _RatioMasks | _BinaryMasks


class _Resynthesis:
    """Overlap-add of consecutive blocks for all sources at once.

    Parameters
    ----------
    grid : Grid
        Of the mixture.
    n_sources, n_channels : int
        How many there are.
    """

    def __init__(self, grid: Grid, n_sources: int, n_channels: int) -> None:
        self.grid, self.window = grid, grid.window
        overlap = max(0, grid.n_fft - grid.hop_length)
        self.tails = np.zeros((n_sources, n_channels, overlap), np.float32)

    def block(
        self, frames: slice, pieces: list[_Masks], mapper: Mapper
    ) -> tuple[int, Float32]:
        """The samples that no later frame reaches, with the first one's number."""
        start = frames.start * self.grid.hop_length - self.grid.n_fft // 2
        first, last = self._finished(frames)
        gain = self._gain(start + first, last - first)
        out = np.empty((*self.tails.shape[:2], last - first), np.float32)

        def resynthesise(source: int) -> None:
            summed = self._overlap_add(frames, pieces, source)
            np.multiply(summed[:, first:last], gain, out=out[source])

        mapper(resynthesise, range(len(self.tails)))
        return start + first, out

    def _finished(self, frames: slice) -> tuple[int, int]:
        """The part of a block's span that is inside the song and complete."""
        grid = self.grid
        origin = frames.start * grid.hop_length - grid.n_fft // 2
        first = max(0, -origin)
        if frames.stop == grid.n_frames:
            return first, grid.n_samples - origin
        return first, max(first, (frames.stop - frames.start) * grid.hop_length)

    def _overlap_add(self, frames: slice, pieces: list[_Masks], source: int) -> Float32:
        """Add a block's frames to the tail of the last; keep the new tail."""
        from scipy import fft

        hop, tail = self.grid.hop_length, self.tails[source]
        advance = (frames.stop - frames.start) * hop
        summed = np.zeros((len(tail), advance + self.grid.n_fft), np.float32)
        summed[:, : tail.shape[1]] = tail
        for piece in pieces:
            spectrum = piece.source(source)
            if spectrum is None:
                continue
            y = fft.irfft(spectrum, self.grid.n_fft, axis=-1, overwrite_x=True)
            place = summed[:, (piece.frames.start - frames.start) * hop :]
            kernels.overlap_add(y, self.window, hop, place)
        tail[:] = summed[:, advance : advance + tail.shape[1]]
        return summed

    def _gain(self, start: int, n: int) -> Float32:
        """One over the sum of squared windows at n samples; zero where that is."""
        sums = np.zeros(n, np.float32)
        origin = start + self.grid.n_fft // 2
        kernels.add_windows(
            self.window**2, self.grid.hop_length, self.grid.n_frames, origin, sums
        )
        sums[sums < 1e-9] = np.inf
        return np.reciprocal(sums, out=sums)
