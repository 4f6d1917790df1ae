"""Masks: each source's share of the mixture's spectrogram."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np

from specnmf.audio import kernels
from specnmf.audio.inverse import Source, mirrored, pack, whole
from specnmf.audio.models import FactorModels, Factors, Models
from specnmf.audio.options import Mask, MaskOptions, PowerOptions
from specnmf.audio.recording import Audio
from specnmf.audio.resynthesis import Piece, Resynthesis, Stream, gather
from specnmf.audio.separated import Separated
from specnmf.audio.stft import Complex64, Float32, Grid, Spectrogram, spectra
from specnmf.checks import check_above, check_choice
from specnmf.errors import ParameterError
from specnmf.parallel import cut, workers

#: What the blocks of all sources may take: their number of frames follows from it,
#: so that memory grows neither with the song nor with the number of sources.
BLOCK_BYTES = 32 << 20

#: A block is masked in so many pieces, one a thread at a time.
PIECES = 4

#: Models that add up to less count as silence.
SILENCE = 1e-30

#: The largest power that differs from an infinite one.
MOST_POWER = 1e9

#: Gives the mixture's transform (n_channels, n_frames, n_bins) of some frames.
SpectraOf = Callable[[slice], Complex64]


def separate(
    spectrogram: Spectrogram,
    factors: Factors,
    *,
    mask: Mask = MaskOptions.mask,
    power: float = PowerOptions.mask_power,
    threads: int | None = None,
) -> Separated:
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
    Separated
        A dict of str to Audio, which a notebook shows as a player. Each has the
        mixture's channels and length; they add up to the mixture. A hop above half the
        window leaves samples that no frame reaches: those are silent in every source.

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
    stream = stream_sources(
        lambda frames: spectrogram.X[:, :, frames].transpose(0, 2, 1),
        grid,
        models,
        n_channels=n_channels,
        mask=mask,
        power=power,
        threads=threads,
    )
    sources = gather(stream, models.names, n_channels, grid)
    sources.describe(factors, grid)
    return sources


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
    """Yield the sources block by block, in order of time; options as of `separate`.

    Each block, (n_sources, n_channels, n), comes with its first sample, and is valid
    until the next one is asked for.
    """
    check_choice("mask", mask, get_args(Mask))
    check_above("power", power, 0)
    n_sources = len(models.names)
    resynthesis = Resynthesis(grid, n_sources, n_channels)
    length = piece_length(grid, n_sources, n_channels)
    single = None
    # Two channels: the frames of a pair have one gain, for rounding reaches both.
    plain = mask == "ratio" and power == 1 and n_channels == 2
    if plain and isinstance(models, FactorModels):
        single = _single_components(models)

    def masking(frames: slice) -> Piece:
        X = spectra_of(frames)
        piece = None if single is None else single(frames, X)
        if piece is not None:
            return piece
        magnitudes = never_empty(models.magnitudes(frames), X.shape)
        sounding = [model for model in magnitudes if model is not None]
        if mask == "binary":
            return _binary_masks(frames, X, magnitudes)
        if power == 1:
            total = models.total(frames, sounding)
        else:
            total = sum_of_powers(sounding, power)
        return _ratio_masks(frames, X, magnitudes, total)

    with workers(threads) as mapper:
        for frames in grid.blocks(PIECES * length):
            pieces = mapper(masking, cut(frames, length))
            yield resynthesis.block(frames, pieces, mapper)


def piece_length(
    grid: Grid, n_sources: int, n_channels: int, *, share: float = 1.0
) -> int:
    """Frames a piece, so that all sources' blocks fit into a share of BLOCK_BYTES."""
    per_frame = 4 * n_sources * (grid.n_bins + 3 * n_channels * grid.hop_length)
    return max(4, int(share * BLOCK_BYTES) // (PIECES * per_frame))


def _check_fit(factors: Factors, grid: Grid) -> None:
    shape = factors.W.shape[0], factors.H.shape[1]
    if shape != (grid.n_bins, grid.n_frames):
        raise ParameterError(
            f"the spectrogram has {grid.n_bins} bins and {grid.n_frames} frames, "
            f"the factors have {shape[0]} and {shape[1]}"
        )


def never_empty(
    models: list[Float32 | None], shape: tuple[int, ...]
) -> list[Float32 | None]:
    """The models; where all sources are silent, all share what there is alike."""
    if any(model is not None for model in models):
        return models
    alike = np.ones((1, *shape[1:]), np.float32)
    return [alike.copy() for _ in models]


def bounded(models: list[Float32], power: float) -> float:
    """A power that float32 holds; the models may be scaled, in place, to be at most 1.

    What counts is their ratio in each point, which stays.
    """
    if power > 2:
        _scale_to_largest(models)
    return min(power, MOST_POWER)


def sum_of_powers(models: list[Float32], power: float) -> Float32:
    """The sum of the models raised to a power; the models are raised in place."""
    power = bounded(models, power)
    total = np.zeros_like(models[0])
    for model in models:
        for channel, own in zip(total, model, strict=True):
            kernels.add_power(own, np.float32(power), channel)
    return total


def _scale_to_largest(models: list[Float32]) -> None:
    """Divide the models, in place, by the largest of them in each point."""
    largest = models[0].copy()
    for model in models:
        np.maximum(largest, model, out=largest)
    for model in models:
        np.divide(model, largest, out=model, where=largest > 0)


def _single_components(
    models: FactorModels,
) -> Callable[[slice, Complex64], Piece | None] | None:
    """Makes ratio masks where each source is one component; None if one is not.

    The mixture over the model is packed once, and multiplied by each template. The
    function gives None for frames in which a bin has sound, but no model.
    """
    factors = models.single()
    if factors is None:
        return None
    WT, H = factors
    masks = mirrored(WT)

    def masking(frames: slice, X: Complex64) -> Piece | None:
        total = models.total(frames, [])
        silent = total < SILENCE
        if silent.any():
            if X[np.broadcast_to(silent, X.shape)].any():
                return None
            total[silent] = 1
        packed = pack(np.divide(X, total, order="C"))
        gains = np.ascontiguousarray(H[:, frames])
        return Piece(frames, lambda index: Source(packed, masks[index], gains[index]))

    return masking


def _ratio_masks(
    frames: slice, X: Complex64, models: list[Float32 | None], total: Float32
) -> Piece:
    """Each source's share of the mixture in some frames."""
    share_equally([model for model in models if model is not None], total)
    # Divided once here, the mixture need only be multiplied for each source.
    shared, n_frames = np.divide(X, total, order="C"), X.shape[1]

    def source(index: int) -> Source | None:
        model = models[index]
        if model is None:
            return None
        return whole(pack(shared, model), n_frames)

    return Piece(frames, source)


def _binary_masks(frames: slice, X: Complex64, models: list[Float32 | None]) -> Piece:
    """Each point of the mixture in some frames, for the strongest source there."""
    sounding = {i: model for i, model in enumerate(models) if model is not None}
    places = list(sounding)
    strongest = np.argmax(list(sounding.values()), axis=0)
    winner = np.ascontiguousarray(np.broadcast_to(strongest, X.shape))

    def source(index: int) -> Source | None:
        if index not in places:
            return None
        out = np.empty(X.shape, np.complex64)
        kernels.apply_winner(X, winner, places.index(index), out)
        return whole(pack(out), X.shape[1])

    return Piece(frames, source)


def share_equally(models: list[Float32], total: Float32) -> None:
    """Where no source sounds, give each the same share, in place."""
    silent = total < SILENCE
    if silent.any():
        for model in models:
            model[silent] = 1
        total[silent] = len(models)
