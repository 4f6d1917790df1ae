"""Correlation of signals at many lags, in one pass, block by block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from specnmf.errors import ParameterError
from specnmf.parallel import cut, workers

Array = NDArray[np.float64]

Signal = NDArray[np.floating]

Signals = Sequence[Signal]

Tell = Callable[[int, int], None]

#: Taps of the distortion filters that BSS Eval allows.
FILTER_LENGTH = 512

#: The matrix of the normal equations has the square of this many times L rows.
MOST_REFERENCES = 32

#: The FFT's length, for L up to a quarter of it; signals and blocks that a piece of
#: work takes, and pieces between two sums: they decide the memory.
N_FFT, SIGNALS, BLOCKS, PIECES = 8192, 16, 32, 8


def correlate(
    signals: Signals,
    references: Signals,
    n_lags: int = FILTER_LENGTH,
    *,
    tell: Tell | None = None,
) -> Array:
    """Inner products of signals with delayed references, averaged over channels.

    Shape (n_signals, n_references, n_lags): at [i, j, k] the sum over t of signals[i](t
    + k) references[j](t). All signals (n_channels, n_samples) have the same length.
    ``tell`` is called with the amount done and the total. Raises ParameterError if
    there are more references than MOST_REFERENCES.
    """
    if len(references) > MOST_REFERENCES:
        raise ParameterError(
            f"at most {MOST_REFERENCES} references can be scored at once, "
            f"got {len(references)}; add some together first"
        )
    n_fft = max(N_FFT, 1 << (4 * n_lags - 1).bit_length())
    length = BLOCKS * (n_fft - n_lags + 1)
    groups = cut(slice(0, len(signals)), SIGNALS)
    spans = cut(slice(0, references[0].shape[1]), PIECES * length)
    work = list(product(groups, spans))
    total = np.zeros((len(signals), len(references), n_lags))
    with workers() as mapper:
        for done, (group, span) in enumerate(work, 1):
            correlate_piece = partial(
                _correlate_piece, signals[group], references, n_fft, n_lags
            )
            for part in mapper(correlate_piece, cut(span, length)):
                total[group] += part
            if tell is not None:
                tell(done, len(work))
    return total


def _correlate_piece(
    signals: Signals, references: Signals, n_fft: int, n_lags: int, span: slice
) -> Array:
    """The inner products for the samples of the references in a span."""
    from scipy import fft

    step = n_fft - n_lags + 1
    n_blocks = -(-(span.stop - span.start) // step)
    # Blocks of the references are followed by zeros where those of the signals go
    # on, so that nothing wraps around.
    X = fft.rfft(_blocks(signals, span.start, n_blocks, step, n_fft))
    R = fft.rfft(_blocks(references, span.start, n_blocks, step, step), n_fft)
    products = _by_bin(X) @ _by_bin(R).conj().transpose(0, 2, 1)
    lags = fft.irfft(products, n_fft, axis=0)[:n_lags]
    return np.ascontiguousarray(lags.transpose(1, 2, 0))


def _blocks(
    signals: Signals, first: int, n_blocks: int, step: int, length: int
) -> Array:
    """Averages over channels in blocks, (n_signals, n_blocks, length), float64."""
    count = (n_blocks - 1) * step + length
    mono = np.zeros((len(signals), count))
    for row, signal in zip(mono, signals, strict=True):
        part = signal[:, first : first + count]
        np.mean(part, axis=0, dtype=np.float64, out=row[: part.shape[1]])
    views = np.lib.stride_tricks.sliding_window_view(mono, length, axis=1)
    return views[:, ::step]


def _by_bin(spectra: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Spectra (n_signals, n_blocks, n_bins) as matrices, one a bin."""
    return np.ascontiguousarray(spectra.transpose(2, 0, 1))
