"""Inverse transforms of sources: many masks of one packed mixture."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import inverse_kernels
from specnmf.audio.stft import Complex64, Float32, Grid

#: Windows that the kernels transform: powers of two from here on.
LEAST_LENGTH = 64


class Packed(NamedTuple):
    """Spectra of real frames, two in one complex spectrum.

    Rows are frames, and in each frame channels.

    Attributes
    ----------
    planes : array, shape (n_pairs, 2, n_fft), float32
        Real and imaginary parts of A + i B, for each pair of rows, over all bins.
    heard : array, shape (n_rows,), int8
        Whether there is anything in a row, as `inverse_kernels.pack` tells.
    """

    planes: Float32
    heard: NDArray[np.int8]


class Source(NamedTuple):
    """A source's spectra in some frames: a mask and gains of packed spectra.

    Attributes
    ----------
    packed : Packed
        The spectra.
    mask : array, shape (n_fft,), float32
        Multiplies each of them.
    gains : array, shape (n_frames,), float32
        Multiply the frames.
    """

    packed: Packed
    mask: Float32
    gains: Float32


def pack(X: Complex64, masks: Float32 | None = None) -> Packed:
    """Pack the spectra of frames in pairs.

    Parameters
    ----------
    X : array, shape (n_channels, n_frames, n_bins)
        Contiguous.
    masks : array, shape (n_channels or 1, n_frames, n_bins), optional
        Multiply the spectra.
    """
    n_rows, n_fft = X.shape[0] * X.shape[1], 2 * (X.shape[2] - 1)
    planes = np.empty(((n_rows + 1) // 2, 2, n_fft), np.float32)
    heard = np.empty(n_rows, np.int8)
    none = np.empty((0, *X.shape[1:]), np.float32)
    inverse_kernels.pack(pairs(X), none if masks is None else masks, planes, heard)
    return Packed(planes, heard)


def whole(packed: Packed, n_frames: int) -> Source:
    """Packed spectra as they are."""
    n_fft = packed.planes.shape[2]
    return Source(packed, np.ones(n_fft, np.float32), np.ones(n_frames, np.float32))


def mirrored(mask: Float32) -> Float32:
    """A mask of the bins up to half the rate, (..., n_bins), over all of them."""
    return np.concatenate([mask, mask[..., -2:0:-1]], axis=-1)


def pairs(X: Complex64) -> Float32:
    """Complex numbers as pairs of floats, on the last axis."""
    return X.view(np.float32).reshape(*X.shape, 2)


class Inverse:
    """The inverse transform of a grid's frames, windowed and added up.

    The kernels take windows of a power of two, SciPy any other.
    """

    def __init__(self, grid: Grid) -> None:
        n = grid.n_fft
        self.hop_length, self.window = grid.hop_length, grid.window / np.float32(n)
        self.is_compiled = n >= LEAST_LENGTH and n & (n - 1) == 0
        if self.is_compiled:
            roots = np.exp(2j * np.pi * np.arange(n) / n).astype(np.complex64)
            powers = np.outer(np.arange(1, 8), np.arange(n // 8)) % n
            self.roots = pairs(roots)
            self.twiddles = np.ascontiguousarray(self.roots[powers.ravel()].T)

    def add(self, source: Source, begin: int, out: Float32) -> None:
        """Add a source's frames to samples, (n_channels, n), from one on."""
        (planes, heard), mask, gains = source
        if self.is_compiled:
            inverse_kernels.add_pairs(
                planes,
                mask,
                gains,
                heard,
                self.window,
                self.hop_length,
                self.twiddles,
                self.roots,
                begin,
                out,
            )
            return
        frames = self._transformed(planes, mask)
        for row in np.flatnonzero(heard):
            t, c = divmod(int(row), len(out))
            place = out[c, begin + t * self.hop_length :][: len(self.window)]
            like = heard[row] == inverse_kernels.ALIKE
            place += (gains[t] * self.window) * frames[row - 1 if like else row]

    def _transformed(self, planes: Float32, mask: Float32) -> Float32:
        """Real frames, (n_rows, n_fft), not divided by their length."""
        from scipy import fft

        spectra = (planes[:, 0] + 1j * planes[:, 1]) * mask
        y: Complex64 = fft.ifft(spectra, norm="forward", overwrite_x=True)
        return np.moveaxis(pairs(y), 2, 1).reshape(-1, len(mask))
