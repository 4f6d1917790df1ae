"""The features of a recording for alignment with a score: the loudness of each pitch.

A file is read once for its tuning and once for its pitches, one block at a time, so
memory grows only with the features: 3 MB per minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.reading import PathLike, reading
from specnmf.audio.recording import Audio
from specnmf.audio.stft import hann
from specnmf.audio.tuning import estimate_tuning, window_length
from specnmf.errors import ParameterError
from specnmf.notation import midi_number
from specnmf.parallel import Mapper, cut, workers

Float32 = NDArray[np.float32]

#: Frames per second: an onset is found to within 5 ms.
RATE = 100

#: MIDI pitches, a row each.
N_PITCHES = 128

#: Window lengths in seconds and the pitches from which each is used. A short window
#: tells when; only a long one tells two low pitches apart.
WINDOWS = ((0.186, 21), (0.093, 57), (0.046, 72))

#: Windows of low pitches take one sample of so many, if the frequencies that they need
#: are at most half of what those samples can hold.
THIN = 16

#: The low-pass filter before it: a windowed sinc over so many of those samples.
TAPS = 24

#: Frames that one thread transforms at a time.
FRAMES = 128

#: Samples a channel taken at a time from a recording in memory.
BLOCK = 1 << 18


@dataclass(frozen=True, eq=False)
class Features:
    """The loudness of each pitch of a recording, over time.

    Parameters
    ----------
    magnitudes : array, shape (128, n_frames), float32
        The root of the energy within a semitone of each MIDI pitch, 0 below 21 and
        above half the sample rate. Frames are contiguous (Fortran order).
    rate : float
        Frames per second; frame k is centred on k / rate seconds.
    tuning : float
        Cents from 440 Hz up to the recording's A4, -50 to 50.
    duration : float
        In seconds.

    Raises
    ------
    ParameterError
        If the magnitudes do not have 128 rows.
    """

    magnitudes: Float32
    rate: float
    tuning: float
    duration: float

    def __post_init__(self) -> None:
        if self.magnitudes.ndim != 2 or len(self.magnitudes) != N_PITCHES:
            raise ParameterError(
                f"magnitudes must be ({N_PITCHES}, n_frames), "
                f"got shape {self.magnitudes.shape}"
            )


class _Window(NamedTuple):
    """A window length, the bins used, and their contribution to pitches.

    It takes one sample of ``every`` so many: 1 or THIN.
    """

    hann: Float32
    every: int
    bins: slice
    pitches: slice
    weights: Float32


class _Piece(NamedTuple):
    """Samples (n_channels, n) from ``origin`` on, and the frames that they cover."""

    samples: Float32
    origin: int
    frames: slice


_Blocks = Callable[[], Iterable[Float32]]


def features(audio: Audio, *, threads: int | None = None) -> Features:
    """The features of a recording that a score is aligned to.

    Returns
    -------
    Features
        100 frames a second, as in the first steps of [1]_, with windows in place of
        a filter bank and the tuning followed.

    References
    ----------
    .. [1] S. Ewert, M. Müller and P. Grosche, "High resolution audio synchronization
       using chroma onset features", ICASSP 2009.
    """

    def blocks() -> Iterator[Float32]:
        for span in cut(slice(0, audio.n_samples), BLOCK):
            yield audio.samples[:, span]

    return _features(blocks, audio.sr, threads)


def features_of_file(
    path: PathLike,
    *,
    start: float = 0.0,
    duration: float | None = None,
    threads: int | None = None,
) -> Features:
    """The features of a recording in a file, which need not fit into memory.

    Raises
    ------
    AudioError
        If the file is missing, no audio, or cut short.
    """
    with reading(path) as source:
        sr, span = source.sr, source.span(start, duration)

    def blocks() -> Iterator[Float32]:
        with reading(path) as source:
            yield from source.blocks(*span, dtype="float32")

    return _features(blocks, sr, threads)


def _features(blocks: _Blocks, sr: int, threads: int | None) -> Features:
    tuning = estimate_tuning(blocks(), sr)
    windows = _windows(sr, tuning)
    longest = max(window.every * len(window.hann) for window in windows)
    n_samples = 0

    def counted() -> Iterator[Float32]:
        nonlocal n_samples
        for block in blocks():
            n_samples += block.shape[1]
            yield block

    reach = longest // 2 + THIN * (TAPS // 2 + 1)
    pieces = _pieces(counted(), sr, -(-reach // THIN) * THIN)
    with workers(threads) as mapper:
        found = [_magnitudes(piece, sr, windows, mapper) for piece in pieces]
    magnitudes = np.concatenate(found) if found else np.zeros((0, N_PITCHES))
    return Features(
        magnitudes.astype(np.float32, copy=False).T, RATE, tuning, n_samples / sr
    )


def _pieces(blocks: Iterable[Float32], sr: int, reach: int) -> Iterator[_Piece]:
    """Blocks joined so that each frame has ``reach`` samples on either side."""
    rest: Float32 | None = None
    origin, frame = -reach, 0
    for block in blocks:
        if rest is None:
            rest = np.zeros((len(block), reach), np.float32)
        rest = np.concatenate([rest, block], axis=1)
        ready = origin + rest.shape[1] - reach
        stop = max(frame, -(-ready * RATE // sr))
        yield _Piece(rest, origin, slice(frame, stop))
        frame = stop
        used = min(_centre(frame, sr) - reach - origin, rest.shape[1]) // THIN * THIN
        rest, origin = rest[:, used:], origin + used
    if rest is not None:
        n_samples = origin + rest.shape[1]
        rest = np.pad(rest, ((0, 0), (0, 2 * reach)))
        yield _Piece(rest, origin, slice(frame, 1 + n_samples * RATE // sr))


def _centre(frame: int, sr: int) -> int:
    """The sample at the centre of a frame."""
    return frame * sr // RATE


def _magnitudes(
    piece: _Piece, sr: int, windows: Sequence[_Window], mapper: Mapper
) -> Float32:
    """The magnitudes of a piece's frames, shape (n_frames, 128)."""
    thinned = {1: piece.samples}
    if any(window.every > 1 for window in windows):
        thinned[THIN] = _thinned(piece.samples)

    def transformed(frames: slice) -> Float32:
        energies = np.zeros((frames.stop - frames.start, N_PITCHES), np.float32)
        for window in windows:
            samples = thinned[window.every]
            power = _power(samples, piece.origin, frames, sr, window)
            energies[:, window.pitches] = power @ window.weights
        return np.sqrt(energies)

    found = mapper(transformed, cut(piece.frames, FRAMES))
    return np.concatenate(found) if found else np.zeros((0, N_PITCHES), np.float32)


def _power(
    samples: Float32, origin: int, frames: slice, sr: int, window: _Window
) -> Float32:
    """The power spectra of some frames, summed over channels."""
    from scipy import fft

    n_fft = len(window.hann)
    centres = np.array([_centre(k, sr) for k in range(frames.start, frames.stop)])
    first = (centres - origin) // window.every - n_fft // 2
    views = np.lib.stride_tricks.sliding_window_view(samples, n_fft, axis=1)
    spectra = fft.rfft(views[:, first] * window.hann)[..., window.bins]
    power: Float32 = (spectra.real**2 + spectra.imag**2).sum(axis=0)
    return power


def _thinned(samples: Float32) -> Float32:
    """One sample of THIN, without the frequencies that it cannot hold."""
    t = (np.arange(TAPS * THIN) - TAPS * THIN // 2) / THIN
    taps = np.sinc(0.8 * t) * np.cos(np.pi * t / TAPS) ** 2
    taps = (taps / taps.sum()).astype(np.float32).reshape(TAPS, THIN)
    n = samples.shape[1] // THIN
    rows = samples[:, : n * THIN].reshape(len(samples), n, THIN)
    half = TAPS // 2
    parts = np.pad(np.einsum("cnk,jk->cjn", rows, taps), ((0, 0), (0, 0), (half, half)))
    summed = np.zeros((len(samples), n), np.float32)
    for j in range(TAPS):
        summed += parts[:, j, j : j + n]
    return summed


def _windows(sr: int, tuning: float) -> list[_Window]:
    firsts = [first for _, first in WINDOWS]
    windows = []
    for (seconds, first), stop in zip(WINDOWS, [*firsts[1:], N_PITCHES], strict=True):
        n_fft, every = window_length(seconds, sr), 1
        weights = _weights(n_fft, sr, np.arange(first, stop), tuning)
        highest = int(np.flatnonzero(weights.any(axis=1)).max(initial=0))
        if 4 * highest * THIN <= n_fft:
            n_fft, every = n_fft // THIN, THIN
        window = hann(n_fft) * np.float32(4 / n_fft)
        bins = slice(1, 2 + int(np.flatnonzero(weights.any(axis=1)).max(initial=0)))
        used = np.ascontiguousarray(weights[bins])
        windows.append(_Window(window, every, bins, slice(first, stop), used))
    return windows


def _weights(n_fft: int, sr: int, pitches: NDArray[np.int64], tuning: float) -> Float32:
    """The contribution of each bin to each pitch: a triangle of two semitones."""
    frequencies = np.arange(1, n_fft // 2 + 1) * (sr / n_fft)
    positions = midi_number(frequencies) - tuning / 100
    distances = np.abs(positions[:, np.newaxis] - pitches)
    triangles = np.maximum(0, 1 - distances)
    # low pitches lie closer than the bins: each takes the bin nearest to it
    thin = (triangles > 0).sum(axis=0) < 2
    nearest = (distances == distances.min(axis=0)) & (distances < 2)
    weights = np.where(thin, nearest, triangles)
    return np.pad(weights, ((1, 0), (0, 0))).astype(np.float32)
